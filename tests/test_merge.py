from __future__ import annotations

import pytest

from rag.merge import correct, merge
from rag.schema import Origin, Paper


def record(number: int, **fields: object) -> Paper:
    return Paper(origins=(Origin(file="list.txt", record=number),), **fields)  # type: ignore[arg-type]


def test_text_comes_from_one_record_and_the_rest_is_filled_in() -> None:
    untitled = record(1, abstract="First text.", doi="10.1/x")
    titled = record(2, title="A Title", abstract="Second text.", year=2025, year_inferred=True)
    dated = record(3, title="A title", abstract="Third text.", year=2024)
    paper = merge("p1", [untitled, titled, dated])
    assert (paper.title, paper.abstract, paper.doi) == ("A Title", "Second text.", "10.1/x")
    assert (paper.year, paper.year_inferred) == (2024, False)
    assert [origin.record for origin in paper.origins] == [1, 2, 3]


def test_the_authors_words_stand_before_a_summary() -> None:
    summary = record(1, title="A", abstract="Ours.", text_kind="summary")
    abstract = record(2, abstract="Theirs.")
    paper = merge("p1", [summary, abstract])
    assert (paper.abstract, paper.text_kind) == ("Theirs.", "abstract")


def test_corrections_stand_above_all() -> None:
    paper = correct(merge("p1", [record(1, title="Rong", abstract="Text.", year=2020, year_inferred=True)]),
                    {"title": "Right", "year": 2021})
    assert (paper.title, paper.year, paper.year_inferred) == ("Right", 2021, False)


def test_nothing_makes_no_paper() -> None:
    with pytest.raises(ValueError, match="p1"):
        merge("p1", [])
