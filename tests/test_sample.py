"""The bundled sample: whole, labelled as summaries, and of readable length."""

import json
import re
from typing import Any

import pytest

from ingest.sample import sample_path
from rag.text import normalise, sentences, words

REQUIRED = {"title", "authors", "year", "arxiv_id", "text_kind", "abstract"}


@pytest.fixture(scope="module")
def papers() -> list[dict[str, Any]]:
    return [json.loads(line) for line in sample_path().read_text(encoding="utf-8").splitlines()]


def test_the_file_lies_in_the_package() -> None:
    assert sample_path().is_file()
    assert sample_path().name == "papers.jsonl"


def test_records_are_whole_and_distinct(papers: list[dict[str, Any]]) -> None:
    assert 46 <= len(papers) <= 50
    assert all(set(paper) - {"venue"} == REQUIRED for paper in papers)
    assert len({" ".join(words(paper["title"])) for paper in papers}) == len(papers)
    assert len({paper["arxiv_id"] for paper in papers}) == len(papers)


def test_every_text_is_labelled_a_summary(papers: list[dict[str, Any]]) -> None:
    assert {paper["text_kind"] for paper in papers} == {"summary"}


def test_years_are_those_of_the_arxiv_ids(papers: list[dict[str, Any]]) -> None:
    for paper in papers:
        match = re.fullmatch(r"(\d\d)(0[1-9]|1[0-2])\.\d{4,5}", paper["arxiv_id"])
        assert match, paper["arxiv_id"]
        assert paper["year"] == 2000 + int(match[1]), paper["title"]
        assert 2015 <= paper["year"] <= 2025


def test_a_venue_is_never_older_than_the_paper(papers: list[dict[str, Any]]) -> None:
    for paper in papers:
        if "venue" in paper:
            printed = re.search(r"\b20\d\d\b", paper["venue"])
            assert printed, paper["venue"]
            assert 0 <= int(printed[0]) - paper["year"] <= 1, paper["title"]


def test_authors_are_full_names_each_once(papers: list[dict[str, Any]]) -> None:
    for paper in papers:
        assert paper["authors"], paper["title"]
        assert len(set(paper["authors"])) == len(paper["authors"]), paper["title"]
        for name in paper["authors"]:
            assert len(name.split()) >= 2, name
            assert not re.search(r"\bet al\b|\bothers\b|,", name), name


def test_texts_are_clean_and_no_wider_than_a_paragraph(papers: list[dict[str, Any]]) -> None:
    for paper in papers:
        text = paper["abstract"]
        for printed in (paper["title"], *paper["authors"], text):
            assert normalise(printed) == printed
        assert 60 <= len(text.split()) <= 150, paper["title"]
        assert len(text) <= 1000, paper["title"]
        assert text.endswith("."), paper["title"]


def test_sentences_are_readable(papers: list[dict[str, Any]]) -> None:
    for paper in papers:
        spans = sentences(paper["abstract"])
        assert len(spans) >= 4, paper["title"]
        for start, end in spans:
            assert 2 <= len(paper["abstract"][start:end].split()) <= 50, paper["abstract"][start:end]


def test_summaries_open_in_different_words(papers: list[dict[str, Any]]) -> None:
    openings = {tuple(words(paper["abstract"])[:5]) for paper in papers}
    assert len(openings) == len(papers)
    assert not any(paper["abstract"].casefold().startswith("this paper") for paper in papers)


def test_reward_models_are_well_covered(papers: list[dict[str, Any]]) -> None:
    assert sum("reward model" in paper["abstract"].casefold() for paper in papers) >= 10
    assert sum("overoptimiz" in paper["abstract"].casefold() for paper in papers) >= 5


def test_paraphrases_are_sentences_in_other_words(papers: list[dict[str, Any]]) -> None:
    texts = {paper["arxiv_id"]: " ".join(words(paper["abstract"])) for paper in papers}
    lines = sample_path().with_name("paraphrases.jsonl").read_text(encoding="utf-8").splitlines()
    written = [json.loads(line) for line in lines]
    assert len(written) == len({item["text"] for item in written}) == 150
    assert {item["paper"] for item in written} == set(texts)
    for item in written:
        assert len(sentences(item["text"])) == 1, item["text"]
        said = words(item["text"])
        runs = (" ".join(said[at:at + 8]) for at in range(len(said) - 7))
        assert not any(run in texts[item["paper"]] for run in runs), item["text"]
