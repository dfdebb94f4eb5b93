from __future__ import annotations

from rag import Library
from rag.conversation.retell import retell
from rag.retrieve import Found, retrieve


def found(library: Library, question: str, k: int) -> dict[str, Found]:
    return {f"E{number}": item for number, item in enumerate(retrieve(library.store, question, k).evidence, 1)}


def test_one_paper_is_told_whole_and_in_its_order(shelf: Library) -> None:
    evidence = found(shelf, "reward overoptimization", 1)
    paper = evidence["E1"].hit.paper
    assert [(drafted.text, drafted.labels) for drafted in retell(evidence, [paper.id])] == [(paper.abstract, ("E1",))]


def test_what_was_said_is_not_said_again(shelf: Library) -> None:
    evidence = found(shelf, "falling robots", 1)
    paper = evidence["E1"].hit.paper
    said = "In 200 drops from 30 centimetres the trained policy reduced peak force by a factor of four."
    told = [drafted.text for drafted in retell(evidence, [paper.id], said=[f"Before. {said}"])]
    assert len(told) == 2
    assert said not in " ".join(told)
    assert all(text in paper.abstract for text in told)
    assert list(retell(evidence, [paper.id], said=[paper.abstract])) == []


def test_several_papers_come_in_the_order_they_were_named(shelf: Library) -> None:
    evidence = found(shelf, "reward model ensembles", 3)
    order = [item.hit.paper.id for item in evidence.values()][::-1]
    told = list(retell(evidence, order, compared=True))
    assert list(dict.fromkeys(drafted.labels[0] for drafted in told)) == list(evidence)[::-1]
    assert {drafted.side for drafted in told} == {item.hit.paper.label for item in evidence.values()}


def test_in_short(shelf: Library) -> None:
    evidence = found(shelf, "reward model ensembles", 2)
    order = [item.hit.paper.id for item in evidence.values()]
    assert len(list(retell(evidence, order[:1], most=1))) == 1
    assert len(list(retell(evidence, order, most=1))) == 1
    vector = retrieve(shelf.store, "errors correlate", 1).vector
    [drafted] = retell(evidence, order[:1], vector, most=1)
    assert "correlate" in drafted.text
