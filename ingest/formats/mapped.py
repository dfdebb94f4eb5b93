"""A record that names its fields (JSON, CSV): the many spellings of each field, read into a Paper. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ingest.formats import fields
from ingest.formats.fields import Record
from rag.schema import Paper, TextKind

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "title": ("title", "paper_title", "article_title", "document_title", "name"),
    "abstract": ("abstract", "text", "summary", "abstract_note", "abstract_text", "description"),
    "authors": ("authors", "author", "author_full_names", "creators"),
    "parsed": ("authors_parsed",),
    "year": ("year", "publication_year", "pub_year"),
    "date": ("date", "published", "publication_date", "published_date", "published_at", "submitted", "created"),
    "versions": ("versions",),
    "updated": ("update_date", "updated"),
    "url": ("url", "link", "pdf_url", "entry_id", "abs_url"),
    "doi": ("doi",),
    "arxiv": ("arxiv_id", "arxiv", "eprint", "id", "_id", "paper_id"),
    "venue": ("venue", "journal_ref", "journal", "publication_title", "source_title", "conference", "booktitle"),
    "kind": ("text_kind",),
    "inferred": ("year_inferred",),
}


class _WrongTypeError(Exception):
    """A field holds what it cannot hold; the message is the reason given."""


def known(names: Iterable[object]) -> bool:
    """Whether fields of these names could be a paper's: there is one for its text or its title."""
    spelled = {_spelled(str(name)) for name in names}
    return bool(spelled & {*_SPELLINGS["abstract"][:5], *_SPELLINGS["title"][:4]})


def record(number: int, values: Mapping[str, object]) -> Record:
    """The paper that a mapping from field names to values describes, or the reason why there is none."""
    by_name = {_spelled(str(name)): value for name, value in values.items() if value not in (None, "", [], {})}
    try:
        paper = _paper(by_name)
    except _WrongTypeError as error:
        return Record(number=number, reason=str(error))
    except RecursionError:
        return Record(number=number, reason="the LaTeX of its authors is nested too deeply")
    if not paper.abstract:
        return Record(number=number, reason="no abstract" if paper.title else "neither a title nor an abstract")
    return Record(number=number, paper=paper)


def _spelled(name: str) -> str:
    return re.sub(r"[\s./-]+", "_", name.strip().lstrip("\ufeff").lower())


def _value(values: Mapping[str, object], field: str) -> object:
    return next((values[name] for name in _SPELLINGS[field] if name in values), None)


def _text(values: Mapping[str, object], field: str) -> str | None:
    value = _value(values, field)
    if isinstance(value, list) and len(value) == 1:  # Crossref gives lists of one
        value = value[0]
    if value is None:
        return None
    if not isinstance(value, str):
        raise _WrongTypeError(f"its {field} is not a text")
    return value.strip() or None


def _paper(values: Mapping[str, object]) -> Paper:
    title = fields.clean(_text(values, "title") or "")
    abstract = fields.clean(fields.unlabelled(_text(values, "abstract") or ""))
    date = _date(values)
    kind: TextKind = "summary" if _value(values, "kind") == "summary" else "abstract"
    return fields.identified(
        Paper(
            title=title or None,
            abstract=fields.unlabelled(abstract),
            text_kind=kind,
            authors=_authors(values),
            year=_year(values, date),
            year_inferred=_value(values, "inferred") in (True, "True", "true"),
            date=date,
            url=_loose(values, "url"),
            doi=fields.doi(_loose(values, "doi")),
            arxiv_id=_arxiv(values),
            venue=fields.clean(_loose(values, "venue") or "") or None,
        )
    )


def _loose(values: Mapping[str, object], field: str) -> str | None:
    """A field that is welcome but not needed: what is no text is left out."""
    value = _value(values, field)
    return value.strip() or None if isinstance(value, str) else None


def _arxiv(values: Mapping[str, object]) -> str | None:
    ids = (values.get(name) for name in _SPELLINGS["arxiv"])
    return next((found for i in ids if isinstance(i, str) and (found := fields.arxiv_id(i))), None)


def _authors(values: Mapping[str, object]) -> tuple[str, ...]:
    parsed = _value(values, "parsed")
    if isinstance(parsed, list) and all(isinstance(name, list) for name in parsed):
        pairs = [[str(part) for part in name] + ["", ""] for name in parsed]
        return tuple(found for last, first, *_ in pairs if (found := fields.plain(f"{first} {last}")))
    value = _value(values, "authors")
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(fields.plain(name) for name in fields.names(value))
    if isinstance(value, list):
        people = [name.get("name") if isinstance(name, dict) else name for name in value]
        if all(isinstance(name, str) for name in people):
            return tuple(name for name in (fields.plain(str(name)) for name in people) if name)
    raise _WrongTypeError("its authors are not names")


def _date(values: Mapping[str, object]) -> str | None:
    date = _loose(values, "date")
    if date:
        return date
    versions = _value(values, "versions")
    if isinstance(versions, list) and versions and isinstance(versions[0], dict):
        created = versions[0].get("created")
        if isinstance(created, str) and created.strip():
            return created.strip()
    return _loose(values, "updated")


def _year(values: Mapping[str, object], date: str | None) -> int | None:
    value = _value(values, "year")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value) if 1500 <= value < 2100 else None
    return fields.year(value if isinstance(value, str) else date)
