"""CSV and TSV with a header row that names a title or a text. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from ingest.formats import mapped
from ingest.formats.decode import LONGEST_RECORD
from ingest.formats.fields import Record

# What keeps a spreadsheet from taking a cell for a formula is no part of it.
_NO_FORMULA = re.compile(r"\A'(?=[=+\-@\t\r])")
_NAME = re.compile(r"[\w ./()#-]{1,40}")


def detect(text: str) -> bool:
    """Whether the first row is a header: several short names, one of them for a title or a text."""
    head = _header(text)
    if head is None:
        return False
    return mapped.known(head) and all(_NAME.fullmatch(name.strip()) for name in head if name.strip())


def read(text: str) -> Iterator[Record]:
    """The rows under the header, numbered from 1."""
    delimiter = _delimiter(text)
    csv.field_size_limit(LONGEST_RECORD)
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff\n"), newline=""), delimiter=delimiter)
    head = next(rows)
    number = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield Record(number=number, reason=f"a broken row: {error}")
            continue
        if not any(cell.strip() for cell in row):
            continue
        number += 1
        if len(row) > len(head):
            yield Record(number=number, reason=f"{len(row)} fields where the header names {len(head)}")
            continue
        yield mapped.record(number, dict(zip(head, (_NO_FORMULA.sub("", cell) for cell in row), strict=False)))


def _header(text: str) -> list[str] | None:
    first = text.lstrip("\ufeff\n").split("\n", 1)[0]
    if not first or len(first) > 2000:
        return None
    head = next(csv.reader([first], delimiter=_delimiter(text)), [])
    return head if len(head) >= 2 or mapped.known(head) else None


def _delimiter(text: str) -> str:
    """The sign between the names of the header: a header holds no others, so counting them is enough."""
    first = text.lstrip("\ufeff\n").split("\n", 1)[0]
    return max(",\t;|", key=first.count)
