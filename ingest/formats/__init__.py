"""Reading a file of papers: the format is told by content, every record keeps its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ingest.formats import bibtex, fields, jsonl, listing, ris, tables
from ingest.formats.decode import decode
from ingest.formats.fields import Record
from rag.errors import SourceError
from rag.schema import Origin, Paper, Rejected

__all__ = ["Reading", "read"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file holds. A paper's only origin names the file and the record's number in it, from 1."""

    format: str
    papers: tuple[Paper, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    name: str
    suffixes: tuple[str, ...]
    detect: Callable[[str], bool]
    read: Callable[[str], Iterator[Record]]


# The strictest marks first; the listing, which is told by the shape of its lines alone, comes last.
_FORMATS = (
    _Format(name="JSON", suffixes=(".json", ".jsonl", ".ndjson"), detect=jsonl.detect, read=jsonl.read),
    _Format(name="RIS", suffixes=(".ris",), detect=ris.detect, read=ris.read),
    _Format(name="BibTeX", suffixes=(".bib", ".bibtex"), detect=bibtex.detect, read=bibtex.read),
    _Format(name="table", suffixes=(".csv", ".tsv"), detect=tables.detect, read=tables.read),
    _Format(name="listing", suffixes=(".txt", ".text"), detect=listing.detect, read=listing.read),
)


# No abstract is longer; a thesis in an abstract's field would hold up everyone behind it.
_LONGEST = 30_000


def _bounded(record: Record) -> Record:
    length = len(record.paper.abstract) if record.paper else 0
    if length <= _LONGEST:
        return record
    return Record(number=record.number, reason=f"an abstract of {length:,} characters, which is none")


def read(data: bytes, file: str, uri: str) -> Reading:
    """Read a file of papers, in whichever format it is.

    Args:
        data: the file's bytes.
        file: the file's own name; its suffix matters only where the content fits two formats.
        uri: the file's full path or address, kept with each origin.

    Raises:
        SourceError: nothing in the file can be read as papers.
    """
    file = PurePath(file).name or file
    text = decode(data, file)
    suffix = PurePath(file).suffix.lower()
    if text.lstrip()[:15].lower().startswith(("<!doctype html", "<html")):
        raise SourceError(f"{file} is the source of a web page: copy the page's text, or save it as text.")
    chosen = next((f for f in sorted(_FORMATS, key=lambda f: suffix not in f.suffixes) if f.detect(text)), None)
    records = tuple(map(_bounded, chosen.read(text))) if chosen else ()
    if chosen is None or not records:
        raise SourceError(
            f"{file} holds no papers that Vouch can read: "
            "give a listing with abstracts, JSON Lines, CSV, BibTeX or RIS."
        )
    papers = [fields.originated(record.paper, file, record.number, uri) for record in records if record.paper]
    rejected = [
        Rejected(origin=Origin(file=file, record=record.number, uri=uri), reason=record.reason)
        for record in records
        if not record.paper
    ]
    return Reading(format=chosen.name, papers=tuple(papers), rejected=tuple(rejected))
