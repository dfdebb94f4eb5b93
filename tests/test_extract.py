"""The extractive engine on a small library of its own: what it picks, groups, sets against each other and marks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest import ingest
from rag import Answer, Library, open_library
from rag.candidates import Signs, candidates, fitted, odds
from rag.embedders.minilm import LocalEmbedder
from rag.kinds import understand
from rag.relevant import relevant
from rag.retrieve import retrieve
from rag.settings import Settings
from tests.records import write_jsonl

PAPERS = [
    {"title": "Dropout on Small Data Sets", "abstract":
        "Networks overfit when data are few. Dropout improves the accuracy of networks on small data sets. "
        "The code is available at https://example.org/dropout."},
    {"title": "Dropout Reconsidered", "abstract":
        "Dropout is often taken for granted. Dropout does not improve the accuracy of networks on small data sets. "
        "We trained 48 networks on nine data sets for 30 hours."},
    {"title": "Weight Decay for Every Layer", "abstract":
        "Regularisation keeps networks from overfitting. We tune weight decay for each layer. This reduces the error "
        "of networks on small data sets by 12%, and the tuning takes 15 minutes."},
    {"title": "Dropout or Weight Decay?", "abstract":
        "Two regularisers are in wide use. On small data sets weight decay gives lower errors than dropout, while "
        "dropout needs no tuning."},
    {"title": "Regularisation of Networks: A Survey", "abstract":
        "Regularisation of networks is the art of keeping them from overfitting. This survey reviews dropout, weight "
        "decay and early stopping. It covers 120 methods."},
    {"title": "Nightingales in Berlin", "abstract":
        "Nightingales sing louder in cities. In Berlin they sang 14 decibels louder on weekdays than on Sundays."},
    {"title": "City Nightingales Raise Their Voices", "abstract":
        "Nightingales sing louder in cities than in forests. We recorded songs with the SongMeter recorder."},
    {"title": "Forest Owls", "abstract": "Owls hoot at night. We counted hoots of 31 owls in a forest near Lund."},
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("extract")
    listing = write_jsonl(folder / "papers.jsonl", *PAPERS)
    with open_library(settings=Settings(library=folder / "library"), embedder=embedder) as opened:
        ingest([listing], opened)
        yield opened


def quotes(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences if sentence.kind == "quote"]


def frames(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences if sentence.kind == "frame"]


@pytest.mark.parametrize(("question", "leading", "marked"), [
    ("How many networks were trained to test dropout?", "We trained 48 networks", "48 networks"),
    ("How long does the tuning of weight decay take?", "We tune weight decay", "15 minutes"),
    ("By how much does weight decay reduce the error?", "We tune weight decay", "12%"),
    ("How many methods does the survey of regularisation cover?", "This survey reviews", "120 methods"),
    ("Which recorder was used for the nightingales?", "We recorded songs", "SongMeter"),
])
def test_a_fact_leads_and_its_phrase_is_marked(library: Library, question: str, leading: str, marked: str) -> None:
    answer = library.ask(question)
    first = answer.sentences[0]
    assert first.text.startswith(leading)
    assert first.marked is not None
    assert first.text[slice(*first.marked)] == marked
    assert len(quotes(answer)) <= 8


def test_a_leaning_sentence_brings_what_it_leans_on(library: Library) -> None:
    [first, *_] = quotes(library.ask("By how much does weight decay reduce the error of networks?"))
    assert first.startswith("We tune weight decay for each layer. This reduces the error")


def test_words_are_the_papers_own(library: Library) -> None:
    for question in ("dropout", "dropout vs weight decay", "What is regularisation?", "How many owls were counted?"):
        for sentence in library.ask(question).sentences:
            if sentence.kind == "quote":
                [citation] = sentence.citations
                assert sentence.text in library.papers[citation.paper_id].abstract


def test_what_differs_stands_together(library: Library) -> None:
    answer = library.ask("accuracy of networks with dropout on small data sets")
    texts = [sentence.text for sentence in answer.sentences]
    at = texts.index("Two of them differ.")
    assert {texts[at + 1], texts[at + 2]} == {
        "Dropout improves the accuracy of networks on small data sets.",
        "Dropout does not improve the accuracy of networks on small data sets."}


def test_what_says_alike_stands_together(library: Library) -> None:
    answer = library.ask("Which papers say that nightingales sing louder in cities?")
    texts = [sentence.text for sentence in answer.sentences]
    at = texts.index("Two of them say much the same.")
    assert all("sing louder in cities" in text for text in texts[at + 1:at + 3])


def test_a_comparison_has_both_sides(library: Library) -> None:
    answer = library.ask("dropout versus weight decay")
    assert answer.kind == "comparison"
    told = [sentence for sentence in answer.sentences if sentence.kind == "quote"]
    assert told[0].text.startswith("On small data sets weight decay gives lower errors than dropout")
    assert told[0].side is None
    by_side = {side: [one.text for one in told if one.side == side] for side in ("dropout", "weight decay")}
    assert all("ropout" in text for text in by_side["dropout"])
    assert any("weight decay" in text for text in by_side["weight decay"])
    assert len(set(quotes(answer))) == len(quotes(answer))


def test_an_overview_says_what_it_is_and_names_surveys_first(library: Library) -> None:
    answer = library.ask("What is regularisation of networks?")
    assert answer.kind == "overview"
    assert answer.sentences[0].text.startswith("Regularisation of networks is the art")
    assert frames(answer)[0] == "One survey addresses this."
    assert "This survey reviews dropout" in quotes(answer)[1]


def test_links_and_openings_are_not_what_a_paper_says(library: Library) -> None:
    told = quotes(library.ask("dropout"))
    assert not any("https://" in text for text in told)
    assert "Networks overfit when data are few." not in told


def test_counts_are_right(library: Library) -> None:
    answer = library.ask("Which papers are about dropout?")
    [first, *_] = frames(answer)
    number = {"One": 1, "Two": 2, "Three": 3, "Four": 4, "Five": 5}[first.split()[0]]
    close = next((at for at, one in enumerate(answer.sentences) if one.text == "Others come close."), None)
    assert number == sum(one.kind == "quote" for one in answer.sentences[:close])


def test_odds_are_probabilities(library: Library) -> None:
    question = "How many networks were trained?"
    found = retrieve(library.store, question, 40)
    asks = understand(question)
    told = list(candidates(found, relevant(found, judged=1.0).papers, asks))
    assert odds(told).sum() == pytest.approx(1)
    assert odds(told, Signs(near=0, held=0, paper=0, fit=0, first=0)) == pytest.approx(1 / len(told))
    assert told[int(odds(told).argmax())].alone.startswith("We trained 48")


def test_what_was_fitted_speaks_for_an_answer() -> None:
    weights = fitted()
    assert min(weights.near, weights.held, weights.paper, weights.fit) > 0 > weights.first
