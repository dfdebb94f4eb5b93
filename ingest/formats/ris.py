"""RIS, as reference managers export it. Pure, but for the import."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.formats import fields
from ingest.formats.fields import Record
from rag.schema import Paper

_START = re.compile(r"^TY  ?- ?", re.MULTILINE)
_TAG = re.compile(r"^([A-Z][A-Z0-9])  ?-(?: |$)", re.MULTILINE)


def detect(text: str) -> bool:
    """Whether the text opens a RIS record near its top."""
    return bool(_START.search(text[:5000])) and len(_TAG.findall(text[:20000])) >= 2


def read(text: str) -> Iterator[Record]:
    """The records, numbered in order. Each is parsed by itself, so that one without an end loses no other."""
    import rispy

    starts = [match.start() for match in _START.finditer(text)]
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
        block = re.split(r"^ER  ?-.*$", text[start:end], maxsplit=1, flags=re.MULTILINE)[0]
        # rispy wants two blanks before the hyphen; some programs write one.
        parsed = rispy.loads(_TAG.sub(r"\1  - ", block).rstrip() + "\nER  - \n")
        values = {name: _joined(value) for name, value in parsed[0].items()}
        yield _record(number, values, parsed[0])


def _joined(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _record(number: int, values: dict[str, str], parsed: dict[str, object]) -> Record:
    title = next((fields.clean(values[name]) for name in ("title", "primary_title") if values.get(name)), None)
    given = values.get("abstract") or values.get("notes_abstract") or ""
    abstract = fields.unlabelled(fields.clean(fields.unlabelled(given)))
    if not abstract:
        return Record(number=number, reason="no abstract" if title else "neither a title nor an abstract")
    people = [*_listed(parsed.get("authors")), *_listed(parsed.get("first_authors"))]
    date = values.get("date") or values.get("publication_year") or values.get("year")
    urls = _listed(parsed.get("urls"))
    paper = Paper(
        title=title,
        abstract=abstract,
        text_kind=fields.text_kind(values.get("notes")),
        authors=tuple(dict.fromkeys(filter(None, (name for person in people for name in _person(person))))),
        year=fields.year(values.get("year")) or fields.year(date),
        date=values.get("date") or None,
        url=urls[0].strip() or None if urls else None,
        doi=fields.doi(values.get("doi")),
        arxiv_id=next((found for url in urls if (found := fields.arxiv_id(url))), None),
        venue=fields.clean(next((values[n] for n in _VENUES if values.get(n)), "")) or None,
    )
    return Record(number=number, paper=fields.identified(paper))


_VENUES = ("journal_name", "secondary_title", "alternate_title3", "alternate_title2")


def _listed(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)] if value else []


def _person(name: str) -> tuple[str, ...]:
    last, comma, first = name.partition(",")
    return (fields.clean(f"{first} {last}" if comma else name),)
