"""What a deep search costs, and what models of every kind make of it: `python -m tests.bench.deep LIBRARY QUESTIONS`.

The model is scripted, at the wire. It knows the judgements, so that it can be right, lazy or wrong at will; what a
real model gains is not measured here.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

from rag import Library, open_library
from rag.evaluate import ndcg
from rag.settings import Settings
from rag.text import estimate_tokens
from tests.stubs import Reply, Request, StubModel

# Titles to titles, given how relevant each is.
Order: TypeAlias = Callable[[Sequence[str], Mapping[str, int]], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question with the gains of its papers by title."""

    question: str
    gains: Mapping[str, int]


def right(titles: Sequence[str], gains: Mapping[str, int]) -> list[str]:
    return sorted(titles, key=lambda title: -gains.get(title, 0))


def mostly_right(titles: Sequence[str], gains: Mapping[str, int]) -> list[str]:
    noise = random.Random(titles[0])
    return sorted(titles, key=lambda title: noise.gauss(0, 0.4) - min(gains.get(title, 0), 1))


def backward(titles: Sequence[str], _: Mapping[str, int]) -> list[str]:
    return list(titles)[::-1]


def shuffled(titles: Sequence[str], _: Mapping[str, int]) -> list[str]:
    return random.Random(titles[0]).sample(titles, len(titles))


# How it orders; whether it stands by that in pairs (else it is right there); whether it rewrites to other questions.
KINDS: Mapping[str, tuple[Order, bool, bool]] = {
    "right": (right, True, False),
    "right, but names only what is relevant": (
        lambda titles, gains: [title for title in right(titles, gains) if gains.get(title)], True, False),
    "mostly right": (mostly_right, True, False),
    "lazy: repeats the order it is given": (lambda titles, _: titles, True, False),
    "at random, right in pairs": (shuffled, False, False),
    "at random, and stands by it": (shuffled, True, False),
    "backward, right in pairs": (backward, False, False),
    "backward, and stands by it": (backward, True, False),
    "the worst first, and stands by it": (lambda titles, gains: right(titles, gains)[::-1], True, False),
    "lazy, rewrites to other questions": (lambda titles, _: titles, True, True),
    "nonsense": (lambda _titles, _gains: ["I", "cannot", "say"], True, False),
}


@dataclass(slots=True, kw_only=True)
class Scripted:
    """A model of one kind. ``calls`` are the tokens (estimated) of each call so far, in and out."""

    order: Order
    stands: bool
    rewritten: Sequence[str]
    asked: Judged
    ranked: Sequence[str] = ()
    calls: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        labels = {title: label for label, title in request.ordered.items()}
        titles = list(request.ordered.values())
        if not titles:
            said = json.dumps({"questions": self.rewritten, "descriptions": []})
        elif "in pairs" in request.prompt:
            pairs = (titles[at:at + 2] for at in range(0, len(titles), 2))
            said = " ".join(labels[min(pair, key=self.ranked.index) if self.stands
                                   else right(pair, self.asked.gains)[0]] for pair in pairs)
        else:
            self.ranked = self.order(titles, self.asked.gains)
            said = " > ".join(labels.get(title, title) for title in self.ranked)
            self.ranked = [*self.ranked, *titles]
        self.calls.append((estimate_tokens(request.prompt), estimate_tokens(said)))
        return Reply(text=said)


def run(library: Library, questions: Sequence[Judged]) -> None:
    """Prints a line for the plain search, and one for each kind of model."""
    plain = [_score(library, asked) for asked in questions]
    print(f"{'model':40}{'nDCG@10':>9}{'worst loss':>12}{'calls':>7}{'tokens in':>11}{'out':>6}   (a question)")
    print(f"{'none':40}{fmean(plain):9.3f}")
    for name, (order, stands, strays) in KINDS.items():
        scripted = Scripted(order=order, stands=stands, rewritten=(), asked=questions[0])
        scores = []
        with StubModel(always=lambda request: scripted(request)) as stub:  # noqa: B023 - closed within the round
            settings = replace(library.settings, model="stub", openai_base_url=stub.url, deep=True)
            with open_library(library.path, settings=settings, embedder=library.store.embedder) as opened:
                for place, asked in enumerate(questions):
                    scripted.asked = asked
                    scripted.rewritten = [questions[place - n].question for n in (3, 7, 11)] if strays else []
                    scores.append(_score(opened, asked))
        loss = max(before - after for before, after in zip(plain, scores, strict=True))
        spent = [sum(column) / len(questions) for column in zip(*scripted.calls, strict=True)]
        print(f"{name:40}{fmean(scores):9.3f}{loss:12.3f}{len(scripted.calls) / len(questions):7.2f}"
              f"{spent[0]:11.0f}{spent[1]:6.0f}")


def _score(library: Library, asked: Judged) -> float:
    return ndcg([" ".join(hit.paper.label.split()) for hit in library.search(asked.question, k=100)], asked.gains)


def read(library: Library, path: Path) -> list[Judged]:
    """The questions that have an answer, with their papers by title."""
    titles = {str(origin): " ".join(paper.label.split()) for paper in library.papers for origin in paper.origins}
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Judged(question=record["query"], gains={titles.get(origin, origin): gain
                                                    for origin, gain in record["relevant"].items()})
            for record in records if record["relevant"]]


if __name__ == "__main__":
    with open_library(sys.argv[1], settings=Settings()) as opened:
        run(opened, read(opened, Path(sys.argv[2])))
