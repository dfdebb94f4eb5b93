"""BibTeX: entries with an abstract. Pure, but for the imports."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.formats import fields
from ingest.formats.fields import Record
from rag.schema import Paper

if TYPE_CHECKING:
    from bibtexparser import model

_VENUES = ("journal", "journaltitle", "booktitle")
_ENTRY = re.compile(r"^\s*@\s*(?!comment|string|preamble)[a-z]+\s*[{(]\s*[^\s,{}()]*\s*,", re.IGNORECASE | re.MULTILINE)
_NO_ENTRY = re.compile(r"\s*@\s*(?:comment|string|preamble)\b", re.IGNORECASE)


def detect(text: str) -> bool:
    """Whether the text has the opening of a BibTeX entry at the start of a line, with a field behind it."""
    match = _ENTRY.search(text)
    return bool(match) and bool(re.search(r"[\w-]+\s*=\s*[\"{\d\w]", text[match.end() : match.end() + 2000]))  # type: ignore[union-attr]


def read(text: str) -> Iterator[Record]:
    """The entries, numbered in order, those that cannot be parsed included."""
    from bibtexparser import entrypoint, model

    # Its warnings about broken entries would reach the terminal; each comes back as a rejected record instead.
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    number = 0
    for block in entrypoint.parse_string(text).blocks:
        # The same key, or a field twice, is no reason to lose a paper.
        entry = getattr(block, "ignore_error_block", None) or block
        if isinstance(entry, model.Entry):
            number += 1
            try:
                yield _record(number, entry)
            except RecursionError:
                yield Record(number=number, reason="its LaTeX is nested too deeply")
        elif isinstance(block, model.ParsingFailedBlock) and not _NO_ENTRY.match(block.raw or ""):
            number += 1
            yield Record(number=number, reason="a broken BibTeX entry")


def _record(number: int, entry: model.Entry) -> Record:
    values: dict[str, str] = {}
    for field in entry.fields:
        values.setdefault(field.key.lower(), str(field.value).strip())
    abstract = fields.unlabelled(fields.plain(fields.unlabelled(values.get("abstract", ""))))
    title = fields.plain(values.get("title", "")) or None
    if not abstract:
        return Record(number=number, reason="no abstract" if title else "neither a title nor an abstract")
    url = values.get("url") or values.get("howpublished") or values.get("link")
    found = re.search(r"https?://[^\s{}]+", url) if url else None
    paper = Paper(
        title=title,
        abstract=abstract,
        text_kind=fields.text_kind(fields.plain(values.get("note", ""))),
        authors=tuple(filter(None, map(fields.plain, _people(values.get("author", ""))))),
        year=fields.year(values.get("year")) or fields.year(values.get("date")),
        date=fields.clean(values.get("date", "")) or None,
        url=found.group() if found else None,
        doi=fields.doi(values.get("doi")),
        arxiv_id=fields.arxiv_id(values.get("eprint")) or fields.arxiv_id(values.get("arxivid")),
        venue=fields.plain(next((values[name] for name in _VENUES if values.get(name)), "")) or None,
    )
    return Record(number=number, paper=fields.identified(paper))


def _people(text: str) -> Iterator[str]:
    """The names of an author field, first names first: "Last, First", "von Last, Jr, First" or "First Last"."""
    for name in re.split(r"\s+and\s+(?![^{]*\})", text):
        parts = [part.strip() for part in re.split(r",(?![^{]*\})", name)]
        if name.strip() and name.strip() != "others":
            yield " ".join([*parts[2:3], parts[0], *parts[1:2]]) if len(parts) > 2 else " ".join(reversed(parts))
