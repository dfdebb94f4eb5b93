"""How sure the retrieval is that the library answers a question, and which papers it speaks of. Pure.

The probability is a logistic regression on three signs, with weights that `tests/bench/abstain.py` fits and writes to
`abstention.json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Below it, the answer is that the library has none. The fit sets its scale so that one in twenty of the questions that
# a library does answer falls below.
FLOOR = 0.5
# A paper is said to address a question if it is so strong, and holds so much of what the question's words weigh;
# another only to come close.
_SURE, _HELD = 0.37, 0.5
# A paper is cited when it is at least so strong beside the strongest, and in itself; the strongest always. The same
# share holds for its score beside the best score. Of the shares tried on topics of four collections, none was better on
# all of them.
_SHARE, _LEAST = 0.70, 0.27


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What a paper shows for a question.

    Attributes:
        sentence: cosine similarity of the question to the paper's best sentence.
        passage: and to its best passage.
        accord: and of that passage to the question moved towards the papers found first.
        coverage: share of the question's content words that the paper holds, each weighted by its rarity, 0..1.
    """

    sentence: float
    passage: float
    accord: float
    coverage: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What the papers found show together.

    Attributes:
        strongest: strength of the strongest paper.
        lead: how far that is above the mean of all of them: an answer stands out.
        accord: the best paper's accord: papers found first that are about one thing pull the question towards it.
    """

    strongest: float
    lead: float
    accord: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each sign adds to the log-odds that the library answers, and what they start from."""

    start: float
    strongest: float
    lead: float
    accord: float


def rarity(frequency: int, papers: int) -> float:
    """Weight of a word that so many of the papers hold: its information in nats (Robertson and Sparck Jones 1976)."""
    return math.log(1.0 + (papers - frequency + 0.5) / (frequency + 0.5))


def coverage(stems: Iterable[str], frequencies: Mapping[str, int], papers: int) -> float:
    """Share of the question's words that are among the stems, weighted by rarity; 0 for a question without any."""
    held = frozenset(stems)
    weights = {word: rarity(frequency, papers) for word, frequency in frequencies.items()}
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if word in held) / total if total else 0.0


def strength(signals: Signals) -> float:
    """How strongly the paper speaks of what is asked, in about 0..1; set by hand, so only good for comparing."""
    return 0.5 * signals.sentence + 0.3 * signals.passage + 0.25 * signals.coverage


def addresses(signals: Signals) -> bool:
    """Whether the paper may be said to address the question, not only to come close."""
    return strength(signals) >= _SURE and signals.coverage >= _HELD


def signs(papers: Sequence[Signals]) -> Signs:
    """What these papers, at least one, show together."""
    strengths = [strength(paper) for paper in papers]
    strongest = max(strengths)
    return Signs(strongest=strongest, lead=strongest - math.fsum(strengths) / len(strengths),
                 accord=max(paper.accord for paper in papers))


def confidence(papers: Sequence[Signals], weights: Weights | None = None) -> float:
    """Probability that the library answers the question that these papers were found for, 0..1; 0 for no papers.

    Right for a reader who asks as many questions that the library cannot answer as the fit took for usual.

    Args:
        papers: those looked at: as many as for the fit (40) where there are so many.
        weights: None for the fitted ones.
    """
    if not papers:
        return 0.0
    seen, weigh = signs(papers), weights or fitted()
    odds = (weigh.start + weigh.strongest * seen.strongest + weigh.lead * seen.lead + weigh.accord * seen.accord)
    return 1.0 / (1.0 + math.exp(-odds))


@cache
def fitted() -> Weights:
    """The weights that were fitted."""
    return Weights(**json.loads(files("rag").joinpath("abstention.json").read_text(encoding="utf-8"))["weights"])


def select(strengths: Sequence[float], sure: float, most: int) -> tuple[int, ...]:
    """Which papers an answer may cite, in their order: none below the floor, else the strongest and those near it."""
    if sure < FLOOR or not strengths:
        return ()
    strongest = max(strengths)
    least = min(strongest, max(_SHARE * strongest, _LEAST))
    return tuple(place for place, value in enumerate(strengths) if value >= least)[:most]


def beside(scores: Sequence[float]) -> frozenset[int]:
    """Places of the papers whose fused score comes near the best: those far below it were found by few of the views."""
    best = max(scores, default=0.0)
    return frozenset(place for place, score in enumerate(scores) if score >= _SHARE * best)
