"""What follow-ups refer to, over short dialogues about the bundled sample's papers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation.converse import resolve, settle
from rag.conversation.mention import mentions
from rag.conversation.topic import topic
from rag.schema import Answer, Paper, Reference, Sentence, Turn, Where

ROOT = Path(__file__).resolve().parents[1]
DIALOGUES = [json.loads(line) for line in (ROOT / "tests/data/conversations.jsonl").read_text("utf-8").splitlines()]
SAMPLE = tuple(
    Paper(id=str(number), title=record["title"], authors=tuple(record["authors"]), abstract=record["abstract"])
    for number, line in enumerate((ROOT / "ingest/sample/papers.jsonl").read_text("utf-8").splitlines(), 1)
    for record in [json.loads(line)])


def paper(begins: str) -> Paper:
    """The sample's paper whose title begins so; the shortest title of those that do."""
    return min((each for each in SAMPLE if (each.title or "").startswith(begins)), key=lambda each: len(each.label))


def turn(asked: str, shown: list[str]) -> Turn:
    papers = [paper(begins) for begins in shown]
    return Turn(question=asked, answer=Answer(
        question=asked, abstained=not shown,
        references=tuple(Reference(label=label, paper=each) for label, each in enumerate(papers, 1)),
        sentences=tuple(Sentence(text=each.abstract.split(". ")[0], kind="quote") for each in papers)))


@pytest.mark.parametrize("dialogue", DIALOGUES, ids=lambda dialogue: dialogue["asked"])
def test_dialogues(dialogue: dict[str, Any]) -> None:
    history = [turn(each["asked"], each["shown"]) for each in dialogue["history"]]
    resolved = resolve(dialogue["asked"], history)
    ids = [paper(begins).id for begins in dialogue["papers"]] if dialogue["papers"] else None
    assert (list(resolved.where.ids) if resolved.where else None) == ids
    if "says" in dialogue:
        assert resolved.rewritten == dialogue["says"]
    if "searched" in dialogue:
        assert resolved.question == dialogue["searched"]
    assert resolved.brief == dialogue.get("brief")
    assert resolved.whole == dialogue.get("whole", False)
    assert set(resolved.without) == {paper(begins).id for begins in dialogue.get("without", ())}
    assert resolved.notice == dialogue.get("notice")


OVER = turn("What papers address reward overoptimization?", ["Reward Model Ensembles", "Confronting Reward", "WARM"])


def test_without_a_conversation_nothing_is_resolved() -> None:
    assert resolve("Which of them?", ()).rewritten is None
    assert resolve("the second one", ()).where is None


def test_a_short_answer_may_be_asked_for_at_once() -> None:
    resolved = resolve("What is DPO, in two sentences?", ())
    assert (resolved.question, resolved.brief, resolved.rewritten) == ("What is DPO?", 2, None)


def test_other_filters_stay() -> None:
    where = resolve("which of them use PPO?", [OVER], Where(years=(2020, None))).where
    assert where is not None
    assert where.years == (2020, None)
    assert len(where.ids) == 3


def test_a_filter_that_names_papers_is_not_touched() -> None:
    where = Where(ids=("x",))
    assert resolve("the second one", [OVER], where).where == where


def test_more_leaves_out_what_was_quoted() -> None:
    resolved = resolve("tell me more", [OVER])
    assert set(resolved.said) == {sentence.text for sentence in OVER.answer.sentences}
    # Where there was no more to say, they are still the papers that were spoken of.
    empty = turn("more", [])
    again = resolve("which of them use PPO?", [OVER, empty])
    assert again.where == resolve("which of them use PPO?", [OVER]).where


def test_papers_shown_for_want_of_an_answer_have_their_places_too() -> None:
    near = (paper("LoRA"), paper("QLoRA"))
    unanswered = Turn(question="Is it cheap?", answer=Answer(question="Is it cheap?", abstained=True, nearest=near))
    assert resolve("tell me about the second one", [OVER, unanswered]).where == Where(ids=(near[1].id,))
    # But nobody speaks of them as "them".
    them = "which of them use PPO?"
    assert resolve(them, [OVER, unanswered]).where == resolve(them, [OVER]).where


@pytest.mark.parametrize(("question", "exact"), [
    ("the first one", True), ("which of them use PPO?", True), ("shorter", True), ("others?", True),
    ("do they use PPO?", False), ("what about PPO?", False), ("What is PPO?", False),
])
def test_what_leaves_no_doubt_needs_no_model(question: str, exact: bool) -> None:
    resolved = resolve(question, [OVER])
    assert resolved.exact is exact
    settled = settle(resolved, "What does PPO do?", question)
    assert settled.question == (resolved.question if exact else "What does PPO do?")
    assert settled.where == resolved.where
    assert settle(resolved, question, question) == resolved


@pytest.mark.parametrize("question", [
    "Is it 10 points better?", "10 points better", "What makes the number 3 special?", "improves results 10 points",
    "Do results 10, 20 points better hold?", "papers 20 years old", "version 2.5", "the first 0", "the last 0 papers",
])
def test_numbers_of_other_things_point_at_no_paper(question: str) -> None:
    assert mentions(question, [SAMPLE[:30]]) == ()


@pytest.mark.parametrize(("question", "said"), [
    ("number 3", "number 3"), ("What does number 3 say?", "number 3"), ("No. 3.", "No. 3"),
    ("results 1 and 2?", "results 1 and 2"), ("paper 2 trains how?", "paper 2"), ("What is in paper 2.", "paper 2"),
    ("papers 1 and 3 measure what?", "papers 1 and 3"),
    ("#2's data", "#2"), ("the last 2 ones", "the last 2 ones"), ("[1][2]", "[1][2]"), ("3?", "3"),
])
def test_numbers_of_papers_point_at_them(question: str, said: str) -> None:
    [found] = mentions(question, [SAMPLE[:5]])
    assert question[slice(*found.span)] == said
    assert found.papers


@pytest.mark.parametrize("piece", ["a", " ", "(", "[1]", "the first, ", "the a paper by "])
def test_only_the_beginning_of_a_long_text_is_looked_at(piece: str) -> None:
    assert mentions(piece * 20_000, [SAMPLE]) == mentions((piece * 400)[:400], [SAMPLE])
    assert topic(piece * 20_000) is None


@given(st.lists(st.sampled_from([each["asked"] for each in DIALOGUES]), max_size=14), st.text(max_size=60))
def test_any_conversation_is_taken(asked: list[str], last: str) -> None:
    history = [turn(question, ["LoRA", "QLoRA"]) for question in asked]
    for question in (*asked[:2], last):
        resolved = resolve(question, history)
        assert resolved.question or resolved.whole or not question.strip()
        assert resolved.rewritten is None or resolved.rewritten.strip()
