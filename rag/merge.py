"""One paper from the records that describe it, and from what a person corrected by hand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rag.schema import Paper


def merge(paper_id: str, records: Sequence[Paper]) -> Paper:
    """The paper that the records, in the order they were first seen, describe together.

    Title and abstract come from one record, so that no text is ever mixed from two: the authors' own abstract before
    a summary, a titled record before an untitled one, then the first seen. What that record lacks is taken from the
    others, a printed year before an inferred one.

    Raises:
        ValueError: there are no records.
    """
    if not records:
        raise ValueError(f"no record describes paper {paper_id}")
    ordered = sorted(records, key=lambda record: (record.text_kind != "abstract", record.title is None))
    dated = sorted(ordered, key=lambda record: (record.year is None, record.year_inferred))[0]
    return replace(
        ordered[0],
        id=paper_id,
        authors=next((record.authors for record in ordered if record.authors), ()),
        year=dated.year,
        year_inferred=dated.year_inferred,
        date=dated.date or next((record.date for record in ordered if record.date), None),
        url=next((record.url for record in ordered if record.url), None),
        doi=next((record.doi for record in ordered if record.doi), None),
        arxiv_id=next((record.arxiv_id for record in ordered if record.arxiv_id), None),
        venue=next((record.venue for record in ordered if record.venue), None),
        origins=tuple(origin for record in records for origin in record.origins),
    )


def correct(paper: Paper, corrections: Mapping[str, str | int]) -> Paper:
    """The paper as a person corrected it, above all records; a year given by hand is no longer inferred."""
    if "title" in corrections:
        paper = replace(paper, title=str(corrections["title"]))
    if "year" in corrections:
        paper = replace(paper, year=int(corrections["year"]), year_inferred=False)
    return paper
