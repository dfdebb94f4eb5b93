"""Recognising the same paper."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dedupe import keys, likeness, same_paper
from ingest.formats import read
from rag.schema import Paper

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
needs_corpus = pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the measuring data is not here")

TEXT = (
    "We study the problem of counting sheep with small neural networks. We show that a tiny model counts as well as a "
    "large one on three public pastures, and that most errors come from fog, not from the sheep that hide in it."
)
REVISED = TEXT.replace("tiny model", "very small model").replace("three public", "four open")
OTHER = (
    "Clouds are hard to tell apart. This paper gives an encoder for skies that learns from unlabelled weather reports, "
    "and compares it with older methods on a year of pictures from one roof."
)
SHEEP = Paper(title="Counting Sheep", abstract=TEXT)


def test_identifiers_decide_first() -> None:
    by_doi = Paper(title="A", abstract=OTHER, doi="10.1000/x")
    assert same_paper(by_doi, replace(SHEEP, doi="10.1000/X"))
    assert same_paper(replace(SHEEP, arxiv_id="2301.01234"), Paper(title="B", abstract=OTHER, arxiv_id="2301.01234v3"))
    assert not same_paper(replace(SHEEP, doi="10.1000/a"), by_doi)


def test_a_preprint_and_its_article() -> None:
    preprint = replace(SHEEP, doi="10.48550/arxiv.2301.01234", arxiv_id="2301.01234")
    assert same_paper(preprint, replace(SHEEP, doi="10.1000/sheep", abstract=REVISED, title="Counting sheep."))


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (replace(SHEEP, title="Counting sheep!", abstract=REVISED), True),
        (replace(SHEEP, title=None, abstract=REVISED), True),
        (replace(SHEEP, title=None, abstract=TEXT[: len(TEXT) * 2 // 3]), True),  # a cut text
        (replace(SHEEP, abstract=OTHER), False),  # "Introduction", a series
        (replace(SHEEP, title="Counting Goats"), False),  # two papers that open alike
        (replace(SHEEP, title=None, abstract=OTHER), False),
        (replace(SHEEP, title=None, abstract="We study the problem of counting sheep."), False),
    ],
)
def test_titles_and_texts(other: Paper, same: bool) -> None:
    assert same_paper(SHEEP, other) is same
    assert same_paper(other, SHEEP) is same
    if same:
        assert set(keys(SHEEP)) & set(keys(other))


def test_keys_are_the_same_in_every_run() -> None:
    paper = replace(SHEEP, doi="10.1000/x", arxiv_id="2301.01234v2")
    found = keys(paper)
    assert found[:3] == (("doi", "10.1000/x"), ("arxiv", "2301.01234"), ("title", "countingsheep"))
    assert ("text", STABLE) in found
    assert len(found) <= 3 + 24


STABLE = "05e6e53a"


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_has_keys_and_a_likeness(a: str, b: str) -> None:
    assert keys(Paper(abstract=a)) == keys(Paper(abstract=a))
    assert 0.0 <= likeness(a, b) == likeness(b, a) <= 1.0


@needs_corpus
def test_the_corpus_has_its_pairs_and_no_others() -> None:
    facts = json.loads((SHARED / "eval" / "corpus-facts.json").read_text(encoding="utf-8"))
    papers = [
        paper
        for path in sorted((SHARED / "corpus").glob("*.txt"))
        for paper in read(path.read_bytes(), path.name, "").papers
    ]
    index = [set(keys(paper)) for paper in papers]
    expected = {frozenset(pair) for pair in facts["same_paper"]}
    found, candidates = set(), set()
    for (a, a_keys), (b, b_keys) in itertools.combinations(zip(papers, index, strict=True), 2):
        pair = frozenset((str(a.origins[0]), str(b.origins[0])))
        if a_keys & b_keys:
            candidates.add(pair)
        if same_paper(a, b):
            found.add(pair)
    assert found == expected
    assert expected <= candidates
    assert len(papers) - len(expected) == facts["unique_papers"]
