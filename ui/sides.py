"""Which sentences of an answer stand side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from rag.schema import ClaimReport, Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Sentences that stand together. ``name`` says what they speak of; None where nothing stands beside them."""

    sentences: tuple[Sentence, ...]
    name: str | None = None

    @property
    def heading(self) -> str:
        """The name as it stands over the side."""
        return self.name[:1].upper() + self.name[1:] if self.name else ""


def blocks(sentences: Iterable[Sentence]) -> Iterator[tuple[Side, ...]]:
    """The sentences in the order they are shown in: text that runs on, or two sides and more to stand side by side.

    Sentences of sides that follow one another make one block, each side where it came first.
    """
    for sided, run in groupby(sentences, key=lambda sentence: sentence.side is not None):
        found: dict[str | None, list[Sentence]] = {}
        for sentence in run:
            found.setdefault(sentence.side if sided else None, []).append(sentence)
        yield tuple(Side(name=name, sentences=tuple(group)) for name, group in found.items())


def sides(report: ClaimReport) -> tuple[Side, Side]:
    """What speaks for a claim and what against it; either may be empty."""
    return Side(name="for", sentences=report.for_), Side(name="against", sentences=report.against)


def paragraphs(sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, ...]]:
    """The sentences in the groups they are shown in: a quote, or a frame that cites, by itself; the rest as prose.

    A frame before a quote is its heading and stands by itself too.
    """
    prose: list[Sentence] = []
    for sentence in sentences:
        if not alone(sentence):
            prose.append(sentence)
            continue
        if len(prose) > 1 and prose[-1].kind == "frame":
            yield tuple(prose[:-1])
            prose = prose[-1:]
        if prose:
            yield tuple(prose)
        prose = []
        yield (sentence,)
    if prose:
        yield tuple(prose)


def alone(sentence: Sentence) -> bool:
    """Whether a sentence is an item of its own: a quote, or a frame that names its paper."""
    return sentence.kind == "quote" or (sentence.kind == "frame" and bool(sentence.citations))
