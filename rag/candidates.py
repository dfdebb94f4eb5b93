"""The sentences of the papers found that an answer may quote, and what speaks for each. Pure.

How likely a sentence is to hold the one fact that is asked for is a conditional logit over all of them (McFadden 1974),
with weights that `tests/bench/facts.py` fits and writes to `facts.json`. What a paper says on a subject best is told by
weights set by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.floor import coverage
from rag.kinds import Asks
from rag.phrase import phrase
from rag.readable import opening
from rag.retrieve import Found, Retrieved
from rag.text import Span, content_stems

# A paper speaking of itself: what it does and what it found; and where it only points elsewhere.
_OWN = re.compile(r"\b(?:we|our|this (?:paper|work|study|survey|article)|results?|experiments?)\b", re.IGNORECASE)
_OTHERS = re.compile(
    r"\b(?:existing|previous|prior|past|earlier|conventional|traditional(?:ly)?|current|recent|most|many|several|"
    r"common(?:ly)?|these) (?:[\w-]+ )?(?:methods?|approach(?:es)?|works?|stud(?:y|ies)|techniques?|models?|"
    r"algorithms?|research|solutions?|efforts?|systems?)\b", re.IGNORECASE)
_POINTS = re.compile(
    r"https?://|www\.|\bwe (?:will |also |publicly )*(?:release|open-?source)\b|\bproject page\b|"
    r"\b(?:code|models?|data(?:sets?)?|demo|weights|benchmark|videos?)\b[^.]{0,60}"
    r"\b(?:(?:publicly |freely |made |openly )*available|released|open-?sourced|can be found)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What speaks for a sentence, and what each sign is worth.

    Attributes:
        near: cosine similarity to the question.
        held: share of the question's words that it holds together with its paper's title, weighted by rarity, 0..1.
        paper: its paper's score, 0..1.
        fit: how well a phrase in it is of the type asked for, 0..1; 0 where it holds none.
        first: 1 for the opening of an abstract, which sets the scene; else 0.
    """

    near: float
    held: float
    paper: float
    fit: float
    first: float

    def worth(self, weights: Signs) -> float:
        """The signs' sum, each by its weight."""
        return float(np.dot(astuple(self), astuple(weights)))


# For a subject, within one paper.
_SUBJECT = Signs(near=0.6, held=0.25, paper=0.0, fit=0.0, first=-0.03)
_SAID, _BEFORE, _ASIDE, _LEANT = 0.1, -0.08, -0.3, -0.03
# So long a quote is more than a reader wants of one paper.
_LONG, _TIRING = 400, -0.06


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """A sentence that may be quoted, with those that it leans on.

    Attributes:
        text: what is quoted: ``abstract[start:end]``.
        place: the sentence's, from 0; and ``first``, that of the one which the quote opens with.
        vector: the sentence's own, (d,).
        alone: the sentence itself.
        marked: the phrase in ``text`` that is of the type asked for.
    """

    label: str
    text: str
    start: int
    end: int
    place: int
    first: int
    alone: str
    vector: NDArray[np.float32]
    signs: Signs
    marked: Span | None = None

    @property
    def aside(self) -> bool:
        """Whether it only points elsewhere, or asks."""
        return self.alone.endswith("?") or _POINTS.search(self.alone) is not None

    @cached_property
    def telling(self) -> float:
        """How well it tells what its paper has to say on the question's subject."""
        own, others = _OWN.search(self.alone), _OTHERS.search(self.alone)
        return (self.signs.worth(_SUBJECT) + _SAID * (own is not None) + _BEFORE * (others is not None and own is None)
                + _ASIDE * self.aside + _LEANT * (self.place - self.first) + _TIRING * (len(self.text) > _LONG))


def candidates(retrieved: Retrieved, evidence: Mapping[str, Found], asks: Asks) -> Iterator[Candidate]:
    """Every sentence of the papers that can be read alone, or with what it leans on.

    Args:
        retrieved: the question with its vector.
        evidence: label to paper.
        asks: what kind of phrase is looked for.
    """
    for label, item in evidence.items():
        abstract = item.hit.paper.abstract
        spans = [span for passage in item.passages for span in passage.sentences]
        title = content_stems(item.hit.paper.title or "")
        vectors = [vector for passage in item.passages if passage.sentence_vectors is not None
                   for vector in passage.sentence_vectors]
        for place, ((start, end), vector) in enumerate(zip(spans, vectors, strict=True)):
            first = opening(abstract, spans, place)
            if first is None:
                continue
            alone = abstract[start:end]
            found = phrase(alone, asks, retrieved.question)
            begin = spans[first][0]
            signs = Signs(near=float(vector @ retrieved.vector), paper=item.hit.score, fit=found.fit if found else 0.0,
                          held=coverage([*title, *content_stems(alone)], retrieved.frequencies, retrieved.papers),
                          first=float(place == 0))
            yield Candidate(
                label=label, text=abstract[begin:end], start=begin, end=end, place=place, first=first, alone=alone,
                vector=vector, signs=signs,
                marked=(start - begin + found.start, start - begin + found.end) if found else None)


def odds(found: Sequence[Candidate], weights: Signs | None = None) -> NDArray[np.float64]:
    """The probability of each sentence to be the one that answers, (n,), if any of them does.

    Args:
        found: all that may answer; at least one.
        weights: None for the fitted ones.
    """
    worth = np.array([candidate.signs.worth(weights or fitted()) for candidate in found])
    shares = np.exp(worth - worth.max())
    return np.asarray(shares / shares.sum(), np.float64)


@cache
def fitted() -> Signs:
    """The weights that were fitted for a question that wants one fact."""
    return Signs(**json.loads(files("rag").joinpath("facts.json").read_text(encoding="utf-8"))["weights"])
