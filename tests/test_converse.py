from __future__ import annotations

import pytest

from rag.converse import resolve
from rag.schema import Answer, Paper, Reference, Turn, Where

SHOWN = tuple(Paper(id=f"p{number}", title=f"Paper {number}", abstract="Text.") for number in (1, 2, 3))
HISTORY = (
    Turn(question="first?", answer=Answer(question="first?", references=tuple(
        Reference(label=label, paper=paper) for label, paper in enumerate(SHOWN, 1)))),
    Turn(question="what of whales?", answer=Answer(question="what of whales?", abstained=True)),
)


@pytest.mark.parametrize("question", ["Which of them use ensembles?", "Do they scale?", "and what do those measure?"])
def test_pronouns_mean_the_papers_last_shown(question: str) -> None:
    resolved = resolve(question, HISTORY)
    assert resolved.where == Where(ids=("p1", "p2", "p3"))
    assert resolved.rewritten is not None
    assert question in resolved.rewritten


@pytest.mark.parametrize(("question", "paper"), [
    ("Tell me about the second one", "p2"), ("what data does [3] use?", "p3"), ("the last paper, please", "p3"),
])
def test_ordinals_mean_one_of_them(question: str, paper: str) -> None:
    assert resolve(question, HISTORY).where == Where(ids=(paper,))


@pytest.mark.parametrize("question", ["What papers address reward hacking?", "Which models scale?",
                                      "What is pruning and why does it work?", "What was the first paper on pruning?"])
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    resolved = resolve(question, HISTORY, Where(files=("a.txt",)))
    assert (resolved.question, resolved.rewritten, resolved.where) == (question, None, Where(files=("a.txt",)))


def test_without_a_conversation_nothing_is_resolved() -> None:
    assert resolve("Which of them?", ()).where is None


def test_other_filters_stay() -> None:
    where = resolve("which of them?", HISTORY, Where(years=(2020, None))).where
    assert where == Where(years=(2020, None), ids=("p1", "p2", "p3"))
