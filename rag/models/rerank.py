"""The best papers in a language model's order: one listwise pass over all of them, checked in pairs, and fused.

One pass over the whole list is after "Sliding Windows Are Not the End" (full ranking with long contexts). The model
only ever gets half the say, so that neither a lazy nor a lying one puts the best paper out of sight: `fuse` tells what
that guarantees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import prompts
from rag.errors import ModelError
from rag.schema import Paper
from rag.text import sentences

if TYPE_CHECKING:
    from rag.llm import Model

_REPLY = 512  # tokens of the window kept free for the labels
_LIST = 12_000  # tokens of papers at most: the first sentences tell most of what a paper is about
_PAIRED = 3_000  # and of the papers that are compared in pairs
_LEAST = 60  # tokens a paper needs to be ranked by: a title and a sentence

# Places count as 1 / (K + place). A small K lets the first few places of either order stand out, which is what keeps
# them in sight; with the usual 60 an order would count little more than its mean.
_K = 2
# Two orders disagree strongly on a pair where each has another of the two among its first, the other so far behind it.
_FIRST, _BEHIND, _PAIRS = 8, 5, 4

_LABEL = r"P(?:aper)?\s?(\d{1,4})\b"
_RUN = re.compile(rf"\b{_LABEL}(?:[\W_]+(?:\d{{1,3}}[.)]\s+)?{_LABEL})*", re.IGNORECASE)
_LED = re.compile(rf"^(?:[^\w\n]|\d{{1,3}}[.)])*{_LABEL}", re.IGNORECASE | re.MULTILINE)
_NUMBERED = re.compile(r"^\s*\d{1,3}[.)]\s+(?=\d)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Papers in a new order, each by its place (from 0) in the old one.

    Attributes:
        order: all of them, best first.
        named: those the model named, in its order.
    """

    order: tuple[int, ...]
    named: tuple[int, ...]


def rerank(model: Model, question: str, papers: Sequence[Paper]) -> Ranked:
    """Orders papers anew, in one call, or two where the model's order is far from theirs.

    Args:
        model: the one to ask. Papers that find no room in its window stay behind the others.
        question: one that stands alone.
        papers: best first.

    Raises:
        ModelError: the model failed, or gave no order.
    """
    room = _room(model, _LIST, "rerank", question)
    seen = papers[:max(0, room // _LEAST)]
    if len(seen) < 2:
        if len(papers) < 2:
            return Ranked(order=tuple(range(len(papers))), named=())
        raise ModelError(f"The question leaves no room for papers in the {model.window} tokens of {model.name}; "
                         "ask more briefly, or set VOUCH_CONTEXT if its window is larger.")
    # In the order they were found: a model that leans to the first of a list then leans to the best.
    prompt = prompts.load("rerank").fill(question=question, papers=_shown(seen, room, model.count))
    named = labels(model.ask(prompt, valid=lambda said: bool(labels(said, len(seen)))), len(seen))
    if not named:
        raise ModelError(f"The model {model.name} gave no order of the papers.")
    order = complete(named, len(seen))
    pairs = disputed(order)
    trust = _confirmed(model, question, seen, pairs) if pairs else 1.0
    return Ranked(order=(*fuse(order, trust), *range(len(seen), len(papers))), named=named)


def labels(said: str, count: int) -> tuple[int, ...]:
    """The places (from 0) that an answer names by labels P1 to P``count``, in its order and each once.

    They are taken from the longest unbroken row of labels, or from the beginnings of lines where those hold more: an
    explanation around them names papers too. Bare numbers count where there is nothing else.
    """
    rows = [re.findall(_LABEL, row.group(), re.IGNORECASE) for row in _RUN.finditer(said)]
    rows.append(_LED.findall(said))
    if not any(rows):
        bare = _NUMBERED.sub("", re.sub(r'"\w{1,20}"\s*:', "", said))
        rows.append(re.findall(r"\d{1,4}", bare) if not re.search(r"[^\W\d_]", bare) else [])
    known = [tuple(dict.fromkeys(int(number) - 1 for number in row if 1 <= int(number) <= count)) for row in rows]
    return max(known, key=len)


def complete(named: Sequence[int], count: int) -> tuple[int, ...]:
    """All ``count`` places: those that were named, and behind them the others as they stood."""
    rest = set(range(count)).difference(named)
    return (*named, *sorted(rest))


def disputed(order: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Pairs of places on which an order contradicts the old one strongly: (the old one's better, the new one's better).

    Each paper is in one pair at most, so that many papers are asked about and no answer can contradict another.
    """
    ranks = {place: rank for rank, place in enumerate(order)}
    pairs: list[tuple[int, int]] = []
    paired: set[int] = set()
    for theirs in order[:_FIRST]:
        ours = next((place for place in range(min(_FIRST, len(order))) if place not in paired
                     and theirs - place >= _BEHIND and ranks[place] - ranks[theirs] >= _BEHIND), None)
        if ours is not None and theirs not in paired and len(pairs) < _PAIRS:
            paired |= {ours, theirs}
            pairs.append((ours, theirs))
    return tuple(pairs)


def fuse(order: Sequence[int], trust: float) -> tuple[int, ...]:
    """The old order and a new one, by reciprocal rank (Cormack et al. 2009); equal sums keep the old order.

    With all trust, both count the same. Then the first of the old order stays among the first six, whatever the new
    one says: only five papers can stand so much better in both.

    Args:
        order: places in the old order, as the new one has them.
        trust: how much the new one counts beside the old, 0..1.
    """
    sums = {place: trust / (_K + rank) + 1.0 / (_K + place + 1) for rank, place in enumerate(order, 1)}
    return tuple(sorted(sums, key=lambda place: (-sums[place], place)))


def _confirmed(model: Model, question: str, papers: Sequence[Paper], pairs: Sequence[tuple[int, int]]) -> float:
    """The share of disputed pairs in which the model, asked again about these alone, stands by its order.

    All pairs go into one call. The model's own favourite comes first in every other pair, so that one which always
    names the first, or the second, stands by half.
    """
    # Swapped in every other pair.
    shown = [pair if number % 2 else pair[::-1] for number, pair in enumerate(pairs)]
    flat = [papers[place] for pair in shown for place in pair]
    named_pairs = ", ".join(f"P{2 * number + 1} with P{2 * number + 2}" for number in range(len(shown)))
    room = _room(model, _PAIRED, "compare", question)
    prompt = prompts.load("compare").fill(pairs=named_pairs, question=question,
                                          papers=_shown(flat, room, model.count))
    said = model.ask(prompt, valid=lambda said: bool(labels(said, len(flat))))
    chosen: dict[int, int] = {}
    for label in labels(said, len(flat)):
        chosen.setdefault(label // 2, shown[label // 2][label % 2])
    return sum(chosen.get(number) == theirs for number, (_, theirs) in enumerate(pairs)) / len(pairs)


def _room(model: Model, most: int, prompt: str, question: str) -> int:
    """Tokens of papers that the model's window holds beside a prompt, the question (it may stand twice) and labels."""
    fixed = model.count(prompts.load(prompt).text) + 2 * model.count(question)
    return min(most, model.window - min(_REPLY, model.window // 4) - fixed)


def _shown(papers: Sequence[Paper], room: int, count: Callable[[str], int]) -> str:
    """The papers under labels P1, P2, ...: titles, and as many of each abstract's first sentences as there is room for.

    All get the same share; what a short one leaves over goes to the longer ones.
    """
    def block(number: int, text: str) -> str:
        title = papers[number].label + (f" ({papers[number].year})" if papers[number].year else "")
        # On one line each, so that no text can begin a label's line.
        return prompts.load("evidence").fill(label=f"P{number + 1}", title=" ".join(title.split()),
                                             text=" ".join(text.split()))

    texts = [""] * len(papers)
    left = room - sum(count(block(number, "")) for number in range(len(papers)))
    by_length = sorted(range(len(papers)), key=lambda number: len(papers[number].abstract))
    for done, number in enumerate(by_length):
        texts[number] = _cut(papers[number].abstract, left // (len(papers) - done), count)
        left -= count(texts[number])
    return "\n\n".join(block(number, text).strip() for number, text in enumerate(texts))


def _cut(text: str, budget: int, count: Callable[[str], int]) -> str:
    """The text, or as many of its first sentences as the budget holds, which may be none."""
    if count(text) <= budget:
        return text
    ends = [end for _, end in sentences(text) if count(text[:end]) <= budget]
    return text[:ends[-1]] if ends else ""
