"""JSON Lines, a JSON array of objects, or one object; BEIR and arXiv-snapshot spellings included. Pure."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

from ingest.formats import mapped
from ingest.formats.decode import LONGEST_RECORD
from ingest.formats.fields import Record

_HOLDERS = ("papers", "data", "results", "items", "records", "documents")
_SPACE = re.compile(r"[\s,]*")


def detect(text: str) -> bool:
    """Whether the text is JSON with at least one object, among the first, that could be a paper."""
    start = text.lstrip("\ufeff \t\n")[:1]
    if start == "[":
        return any(isinstance(item, dict) and mapped.known(item) for item in itertools.islice(_array(text), 50))
    if start != "{":
        return False
    lines = [line for line in text.split("\n", 200)[:200] if line.strip()]
    items = [_parsed(line) for line in lines]
    return any(isinstance(item, dict) and mapped.known(item) for item in items) or bool(_whole(text))


def read(text: str) -> Iterator[Record]:
    """The records, numbered by line (JSON Lines) or by place in the array."""
    if text.lstrip("\ufeff \t\n").startswith("["):
        yield from (_record(number, item) for number, item in enumerate(_array(text), 1))
        return
    if whole := _whole(text):
        yield from (_record(number, item) for number, item in enumerate(whole, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _record(number, _parsed(line))


def _record(number: int, item: object) -> Record:
    if isinstance(item, _Invalid):
        return Record(number=number, reason=item.reason)
    if not isinstance(item, dict):
        return Record(number=number, reason="not a JSON object")
    return mapped.record(number, item)


class _Invalid:
    """What stands in the place of something that is not valid JSON."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def _parsed(line: str) -> object:
    if len(line) > LONGEST_RECORD:
        return _Invalid("too long for a paper")
    try:
        return json.loads(line)
    except ValueError as error:
        return _Invalid(f"invalid JSON: {error}")
    except RecursionError:
        return _Invalid("invalid JSON: nested too deeply")


def _array(text: str) -> Iterator[object]:
    """The items of a JSON array one by one, up to where it ends or breaks."""
    decoder = json.JSONDecoder()
    at = text.index("[") + 1
    while True:
        skipped = _SPACE.match(text, at)
        at = skipped.end() if skipped else at
        if at >= len(text):
            yield _Invalid("the array breaks off here")
            return
        if text[at] == "]":
            return
        try:
            item, at = decoder.raw_decode(text, at)
        except ValueError as error:
            yield _Invalid(f"invalid JSON, and what follows it cannot be read: {error}")
            return
        except RecursionError:
            yield _Invalid("invalid JSON: nested too deeply")
            return
        yield item


def _whole(text: str) -> list[object]:
    """The papers of a text that is one JSON object over several lines: itself, or the list it holds."""
    if text.strip().count("\n") == 0 or not text.rstrip().endswith("}"):
        holder = _parsed(text) if text.strip().count("\n") == 0 else None
    else:
        first = text.lstrip("\ufeff \t\n").split("\n", 1)[0]
        # JSON Lines has a whole object in its first line; parsing everything at once would be in vain.
        holder = _parsed(text) if isinstance(_parsed(first), _Invalid) else None
    if not isinstance(holder, dict):
        return []
    for name in _HOLDERS:
        items = holder.get(name)
        if isinstance(items, list) and any(isinstance(item, dict) and mapped.known(item) for item in items):
            return items
    return [holder] if mapped.known(holder) else []
