"""Papers as a model is shown them: under labels, each with as much of its abstract as there is room for. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import prompts
from rag.digest.material import Line, Material
from rag.errors import ModelError

if TYPE_CHECKING:
    from rag.llm import Gauge

_EVIDENCE = 12_000  # tokens of evidence at most
_REPLY = 2_048  # tokens of the window kept free for the reply


def room(model: Gauge, *said: str) -> int:
    """Tokens of evidence that the model's window holds beside what else it is told, and its reply.

    Raises:
        ModelError: there is no room for any.
    """
    left = min(_EVIDENCE, model.window - min(_REPLY, model.window // 4) - sum(map(model.count, said)))
    if left < 64:
        raise ModelError(f"The {model.window} tokens of {model.name} leave no room for evidence; set VOUCH_CONTEXT if "
                         "its window is larger.")
    return left


def shown(material: Material, ids: Sequence[str], letter: str, room: int, model: Gauge,
          first: Collection[str] = ()) -> str:
    """The papers under labels of a letter and their number from 1; the last are left out where no title finds room.

    All get the same share of the room; what a short one leaves over goes to the longer ones.

    Args:
        material: what the digest is written from.
        ids: the papers.
        letter: of the labels.
        room: tokens the text may count.
        model: counts them.
        first: sentences that go before the others where not all find room; else the first of an abstract do.
    """
    heads, left = [], room
    for number, paper_id in enumerate(ids, 1):
        head = _block(material, paper_id, f"{letter}{number}", "")
        if (left := left - model.count(head)) < 0:
            break
        heads.append(head)
    left = max(0, room - sum(map(model.count, heads)))
    texts: dict[str, str] = {}
    by_length = sorted(ids[:len(heads)], key=lambda paper_id: len(material.paper(paper_id).abstract))
    for done, paper_id in enumerate(by_length):
        texts[paper_id] = _cut(material, paper_id, left // (len(heads) - done), model, first)
        left -= model.count(texts[paper_id])
    return "\n\n".join(_block(material, paper_id, f"{letter}{number}", texts[paper_id])
                       for number, paper_id in enumerate(ids[:len(heads)], 1))


def _block(material: Material, paper_id: str, label: str, text: str) -> str:
    paper = material.paper(paper_id)
    title = paper.label + (f" ({paper.year})" if paper.year else "")
    # On one line each, so that no text can begin a label's line.
    shown = prompts.load("evidence").fill(label=label, title=" ".join(title.split()), text=" ".join(text.split()))
    return shown.strip()


def _cut(material: Material, paper_id: str, budget: int, model: Gauge, first: Collection[str]) -> str:
    """The abstract, or as many of its sentences as the budget holds, in their order; gaps are marked."""
    abstract = material.paper(paper_id).abstract
    if model.count(abstract) <= budget:
        return abstract
    kept: list[Line] = []
    for line in sorted(material.lines[paper_id], key=lambda line: not any(line.alone in text for text in first)):
        if (tokens := model.count(line.alone) + 1) <= budget:
            kept.append(line)
            budget -= tokens
    kept.sort(key=lambda line: line.place)
    joined = kept[0].alone if kept else ""
    for before, line in pairwise(kept):
        joined += f"{' ' if line.place == before.place + 1 else ' … '}{line.alone}"
    return joined
