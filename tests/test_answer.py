"""From a question to a checked answer: extractive, and with a model at the wire that does what models do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rag import Answer, Evidence, Finished, Library, Said, Stage, Turn, Where, open_library
from rag.errors import SettingsError
from tests.stubs import Reply, StubModel

QUESTION = "What papers address reward overoptimization?"


def assert_true(library: Library, answer: Answer) -> None:
    """What holds for every answer, whoever wrote it."""
    shown = {reference.label: reference.paper for reference in answer.references}
    assert list(shown) == list(range(1, len(shown) + 1))
    met: list[int] = []
    for sentence in answer.sentences:
        assert sentence.verdict in ("supported", "weak")
        if sentence.kind == "frame":
            assert re.fullmatch(r"(Two|One|These|Others|However|Overall|In short).*", sentence.text)
        else:
            assert sentence.citations
        for citation in sentence.citations:
            paper = library.papers[citation.paper_id]
            assert shown[citation.label] == paper
            support = citation.support
            assert paper.abstract[support.start:support.end] == support.quote
            met.append(citation.label)
        if sentence.kind == "quote":
            [citation] = sentence.citations
            assert sentence.text in library.papers[citation.paper_id].abstract
        assert sentence.text in answer.text
    assert list(dict.fromkeys(met)) == list(shown)


@contextmanager
def model(library: Library, *replies: Reply) -> Iterator[tuple[Library, StubModel]]:
    """The library with a scripted model switched on."""
    with StubModel(*replies) as stub:
        settings = replace(library.settings, model="stub", openai_base_url=stub.url, timeout=1.0)
        with open_library(library.path, settings=settings, embedder=library.store.embedder) as opened:
            yield opened, stub


# ---- in the papers' own words


def test_a_subject_gets_its_papers_each_with_its_own_words(shelf: Library) -> None:
    answer = shelf.ask(QUESTION)
    assert_true(shelf, answer)
    assert (answer.engine, answer.model, answer.abstained) == ("extractive", None, False)
    assert answer.sentences[0].text == "Two papers address this."
    assert {reference.paper.title for reference in answer.references} == {
        "Clipping the Scorer: Bounds Against Reward Overoptimization", "Do Ensembles of Reward Models Agree?"}
    assert all(sentence.kind == "quote" for sentence in answer.sentences[1:])


@pytest.mark.parametrize(("question", "held"), [
    ("By how much does the count of birds differ from that of human observers?", "7%"),
    ("How many methods does the survey of citation checking compare?", "38 methods"),
    ("From what height was the falling robot dropped?", "30 centimetres"),
])
def test_a_fact_leads_the_answer(shelf: Library, question: str, held: str) -> None:
    answer = shelf.ask(question)
    assert_true(shelf, answer)
    assert held in answer.sentences[0].text


@pytest.mark.parametrize("question", [
    "Why do emperor penguins huddle in winter?", "Who won the 1954 football world cup?", "???", "the", "🐧",
])
def test_what_the_library_lacks_is_not_answered(shelf: Library, question: str) -> None:
    answer = shelf.ask(question)
    assert answer.abstained
    assert answer.text == "The library does not cover this."
    assert answer.references == ()
    assert not any(sentence.citations for sentence in answer.sentences)
    assert 0 <= answer.confidence < 0.5


def test_events_come_in_order(shelf: Library) -> None:
    events = list(shelf.stream(QUESTION))
    kinds = [type(event) for event in events]
    assert kinds.index(Stage) < kinds.index(Evidence) < kinds.index(Said)
    assert isinstance(events[-1], Finished)
    assert [event.sentence for event in events if isinstance(event, Said)] == list(events[-1].answer.sentences)
    assert replace(events[-1].answer, timings={}) == replace(shelf.ask(QUESTION), timings={})


def test_no_sentence_comes_twice(shelf: Library) -> None:
    for question in (QUESTION, "Which papers compare methods?", "How many hours were recorded?"):
        texts = [sentence.text for sentence in shelf.ask(question).sentences]
        assert len(texts) == len(set(texts))


def test_a_follow_up_speaks_of_the_papers_before(shelf: Library) -> None:
    first = shelf.ask(QUESTION)
    follow = shelf.ask("Which of them train ensembles?", history=[Turn(question=QUESTION, answer=first)])
    assert follow.rewritten_question is not None
    assert {reference.paper.id for reference in follow.references} <= {
        reference.paper.id for reference in first.references}
    assert "ensemble" in follow.text.casefold()


def test_a_filter_binds_the_answer(shelf: Library) -> None:
    answer = shelf.ask(QUESTION, where=Where(years=(2024, None)))
    assert [reference.paper.year for reference in answer.references] == [2024]
    assert shelf.ask(QUESTION, where=Where(years=(1900, 1901))).abstained


def test_a_model_must_be_configured_to_be_used(shelf: Library) -> None:
    with pytest.raises(SettingsError, match="VOUCH_MODEL"):
        shelf.ask(QUESTION, engine="llm")


# ---- with a model


def test_a_models_sentences_are_checked_and_numbered(shelf: Library) -> None:
    reply = Reply(text="However, shared pretraining makes the errors of reward models correlate [E1]. Overall. "
                       "The bound cuts overoptimization by 41% on summarization tasks [E2][E9]. "
                       "Two papers address this. In short.")
    with model(shelf, reply) as (library, stub):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert (answer.engine, answer.model, answer.notice) == ("llm", "stub", None)
    # Frames stand where something follows, and their number where so many papers were cited.
    assert [len(sentence.citations) for sentence in answer.sentences] == [1, 0, 1, 0]
    assert [reference.label for reference in answer.references] == [1, 2]
    assert answer.usage is not None
    [request] = stub.requests
    assert "Do Ensembles of Reward Models Agree?" in request.prompt
    assert "Walking Robots" not in request.prompt


@pytest.mark.parametrize("text", ["Two papers address this. Several papers address this topic.", "Overall. However."])
def test_a_model_that_only_leads_on_has_said_nothing(shelf: Library, text: str) -> None:
    with model(shelf, Reply(text=text)) as (library, _):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert (answer.engine, answer.model) == ("extractive", None)
    assert answer.notice is not None
    assert "stood up" in answer.notice


def test_quotes_do_not_overrule_a_model_that_declines(shelf: Library) -> None:
    reply = Reply(text='Q1 [E1] "Shared pretraining makes their errors correlate"\n\n'
                       "The library does not answer this.")
    with model(shelf, reply) as (library, _):
        answer = library.ask(QUESTION)
    assert answer.abstained
    assert answer.references == ()


def test_sentences_are_said_while_the_model_still_writes(shelf: Library) -> None:
    reply = Reply(chunks=("Ensembles of reward models delay overoptimization [E1]. ",
                          "The bound costs nothing at inference time [E2]."), gap=0.1)
    with model(shelf, reply) as (library, _):
        stream = library.stream(QUESTION)
        said = next(event for event in stream if isinstance(event, Said))
        assert not any(isinstance(event, Finished) for event in [said])
        rest = list(stream)
    assert [type(event) for event in rest if not isinstance(event, Stage)] == [Said, Finished]


@pytest.mark.parametrize("lie", [
    "The bound cuts overoptimization by 87% [E1].",
    "Quantum annealing folds proteins in seconds [E1][E2].",
    "See https://evil.example/x and Smith et al. (2031) for proofs [E7].",
    "As shown in [12], penguins huddle for warmth.",
])
def test_lies_are_withheld(shelf: Library, lie: str) -> None:
    with model(shelf, Reply(text=f"The bound costs nothing at inference time [E1]. {lie}")) as (library, _):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert len(answer.withheld) == 1
    assert "evil.example" not in answer.text
    assert [sentence.text for sentence in answer.sentences] == ["The bound costs nothing at inference time."]


def test_an_uncited_truth_is_given_its_paper(shelf: Library) -> None:
    with model(shelf, Reply(text="Shared pretraining makes their errors correlate.")) as (library, _):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert answer.references[0].paper.title == "Do Ensembles of Reward Models Agree?"


def test_a_count_the_model_gets_wrong_is_withheld(shelf: Library) -> None:
    reply = Reply(text="Nine papers address this. The bound costs nothing at inference time [E1].")
    with model(shelf, reply) as (library, _):
        answer = library.ask(QUESTION)
    assert "Nine" not in answer.text
    assert [sentence.text for sentence in answer.withheld] == ["Nine papers address this."]


@pytest.mark.parametrize("claim", ["No papers address this.", "All authors agree.", "Five papers address this."])
def test_a_frame_claims_nothing_of_the_papers(shelf: Library, claim: str) -> None:
    with model(shelf, Reply(text=f"{claim} The bound costs nothing at inference time [E1].")) as (library, _):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert claim not in answer.text


FAILURES: list[Callable[[], Reply]] = [
    lambda: Reply(status=401), lambda: Reply(status=404, code="model_not_found"), lambda: Reply(text=""),
    lambda: Reply(refusal="I cannot help with that."), lambda: Reply(body="<html>busy</html>"),
    lambda: Reply(text="The moon is made of green cheese [E1]."), lambda: Reply(hang=True), lambda: Reply(reset=True),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_a_model_can_only_fail_softly(shelf: Library, failure: Callable[[], Reply]) -> None:
    with StubModel(always=lambda _: failure()) as stub:
        settings = replace(shelf.settings, model="stub", openai_base_url=stub.url, timeout=0.3)
        with open_library(shelf.path, settings=settings, embedder=shelf.store.embedder) as library:
            answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert answer.notice is not None
    assert "\n" not in answer.notice
    assert {reference.paper.id for reference in answer.references} == {
        reference.paper.id for reference in shelf.ask(QUESTION).references}


def test_a_stream_cut_in_the_middle_keeps_what_was_checked(shelf: Library) -> None:
    text = "The bound costs nothing at inference time [E1]. Ensembles of reward models delay overoptim"
    with model(shelf, Reply(text=text, cut_after=4, chunks=(text[:30], text[30:60], text[60:80], text[80:]))) as (
            library, _):
        answer = library.ask(QUESTION)
    assert_true(shelf, answer)
    assert answer.sentences[0].text == "The bound costs nothing at inference time."
    assert answer.notice is not None
    assert len(answer.references) == 2


def test_nothing_above_the_floor_calls_no_model(shelf: Library) -> None:
    with model(shelf) as (library, stub):
        assert library.ask("Why do emperor penguins huddle in winter?").abstained
        assert stub.requests == []


def test_a_model_that_declines_is_an_abstention(shelf: Library) -> None:
    with model(shelf, Reply(text="The library does not answer this.")) as (library, _):
        answer = library.ask("Which reward model is cheapest to train?")
    assert answer.abstained
    assert answer.nearest
    assert (answer.engine, answer.references) == ("llm", ())


def test_a_key_that_lies_around_sends_nothing(shelf: Library) -> None:
    with StubModel() as stub:
        settings = replace(shelf.settings, openai_api_key="sk-lying-around", openai_base_url=stub.url)
        with open_library(shelf.path, settings=settings, embedder=shelf.store.embedder) as library:
            assert library.ask(QUESTION).engine == "extractive"
        assert stub.requests == []


def test_a_follow_up_is_rewritten_by_the_model(shelf: Library) -> None:
    first = shelf.ask(QUESTION)
    replies = (Reply(text="Which reward model ensembles err together?"),
               Reply(text="Shared pretraining makes their errors correlate [E1]."))
    with model(shelf, *replies) as (library, stub):
        answer = library.ask("do they err together?", history=[Turn(question=QUESTION, answer=first)])
    assert answer.rewritten_question == "Which reward model ensembles err together?"
    assert "Which reward model ensembles err together?" in stub.requests[1].prompt


def test_the_chain_retrieves_through_the_librarys_own_retriever(shelf: Library) -> None:
    found = shelf.as_retriever(k=2).invoke("reward overoptimization")
    assert {document.metadata["title"] for document in found} == {
        hit.paper.label for hit in shelf.search("reward overoptimization", k=2)}
