"""Whether a paper speaks for a claim or against it, and in which sentences. Pure; vectors are arguments.

Nothing here understands a sentence. Whether a paper speaks of the claim at all is told by words and vectors, the side
it takes by how its findings lean (`rag.checker.leaning`). The probabilities are two logistic regressions, with weights
that `tests/bench/claims.py` fits and writes to `stance.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.checker.leaning import leaning
from rag.checker.signs import Match, Rarity
from rag.cite import Grounds
from rag.schema import ClaimVerdict
from rag.text import content_stems

Side = Literal["for", "against"]
Weights = Mapping[str, Mapping[str, float]]

_ASKED = re.compile(
    r"^\W*(?:(?:so|and|but|well|ok|okay)\b[\s,]*)*(?:is it (?:true|correct|the case|known|certain|right) that|"
    r"is there (?:any |good |some )?(?:evidence|proof|support|reason to believe) (?:that|for the claim that)|"
    r"(?:do|does|did|is|are|was|were|can|could|has|have|had|will|would|should|may|might)(?:n[’']t)?)\s+(?=\S)",
    re.IGNORECASE)
# Asked of us, not of the world.
_OF_US = re.compile(
    r"^\W*(?:(?:can|could|would|will|do|did|have|are|were|should|may)(?:n[’']t)?\s+(?:you|i|we)|"
    r"(?:is|are|was|were)(?:n[’']t)?\s+there\s+(?!(?:any |good |some )?(?:evidence|proof|support|reason)))\b",
    re.IGNORECASE)
_CHOICE = re.compile(r"\bor\b", re.IGNORECASE)

# Sentences that tell what was found, and that tell what was to be found out.
_FOUND = re.compile(
    r"\b(?:f(?:ou|i)nd(?:s|ings?)?|show(?:s|ed|n)?|results?|conclu\w+|demonstrat\w+|suggest(?:s|ed)?|significant(?:ly)?|"
    r"observed?|reveal\w*|indicat\w+|outperform\w*|achiev\w+|surpass\w*|yield\w*|confirm\w*|evidence|associated|"
    r"illustrate\w*)\b|\bp\s*[<=]|\b[ROH]R\b", re.IGNORECASE)
_SOUGHT = re.compile(
    r"\b(?:objectives?|aim(?:s|ed)?|purpose|background|we (?:propose|present|introduce|describe|investigate|study|"
    r"examine|explore|review|evaluate|assess)\w*|investigated|examined|(?:was|were) to|unclear|unknown|hypothes\w+|"
    r"design|methods?:|setting|participants?:|remains?|challenging|whether|et al|conjectured)\b|\?$", re.IGNORECASE)
# A second sentence of a paper must say at least this share of what its first does.
_SECOND = 0.6

# What stands out further stands out no more: in a library of few papers on many things, most do.
_LEAD = 0.2
# A paper speaks of a claim if that is so likely, and if it holds so much of what the claim's words weigh. Its side is
# told if it is so likely beside the other one, the more so where it is for the claim: what is wrongly called supported
# does the most harm.
SPEAKS, _HELD = 0.35, 0.45
_FOR, _AGAINST = 0.52, 0.515
# Both sides have a say where the weaker is at least so strong beside the stronger.
_MIXED = 0.6


def as_claim(question: str) -> str | None:
    """The claim that a yes/no question asks about, without the verb it opens with; None where it is no such question.

    "Does vitamin D reduce fractures?" asks about "vitamin D reduce fractures". A question that leaves a choice ("is A
    or B better?") claims nothing.
    """
    opening = _ASKED.match(question)
    if opening is None or _OF_US.match(question) or _CHOICE.search(question):
        return None
    claim = question[opening.end():].strip().rstrip("?").strip()
    return claim if len(content_stems(claim)) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stance:
    """A sentence that takes a side. ``score`` is 0..1: how sure that is."""

    side: Side
    score: float
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cues:
    """What is seen of a paper beside a claim.

    Attributes:
        likeness: cosine similarity of the claim to the sentence most like it.
        lead: how far that is above what the papers around show, at most 0.2: one that speaks of the claim stands out.
        held: share of the claim's words that the paper holds, each weighted by its rarity, 0..1.
        lean: the most that a sentence leans towards the claim less the most that one leans away from it.
    """

    likeness: float = 0.0
    lead: float = 0.0
    held: float = 0.0
    lean: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a paper says on a claim.

    Attributes:
        supports, contradicts: probabilities, 0..1; the rest to one is that it takes no side.
        stances: its sentences on either side, the surest first.
    """

    cues: Cues
    supports: float = 0.0
    contradicts: float = 0.0
    stances: tuple[Stance, ...] = ()


def take(claim: str, vector: NDArray[np.float32], source: Grounds, rarity: Rarity, around: float) -> Taken:
    """What a paper says on a claim.

    Args:
        claim: one sentence, no question.
        vector: its embedding, (d,), L2-normalised.
        source: the paper's text.
        rarity: weight of a content stem.
        around: mean similarity of the claim to the best sentences of the papers found for it.
    """
    if not source.spans:
        return Taken(cues=Cues())
    texts = [source.text[start:end] for start, end in source.spans]
    likeness = (source.vectors @ vector).astype(np.float64)
    match = Match(claim, source.stems, frozenset(content_stems(source.title)), rarity)
    covered = np.array([match.covered(at, at) for at in range(len(texts))])
    pertinent = np.exp(4.0 * (likeness - likeness.max())) * np.array([_told(text) for text in texts])
    lean = pertinent * np.array([leaning(claim, text) for text in texts])
    cues = Cues(likeness=float(likeness.max()), lead=min(_LEAD, float(likeness.max()) - around),
                held=match.covered(0, len(texts) - 1),
                lean=max(0.0, float(lean.max())) + min(0.0, float(lean.min())))
    supports, contradicts = probabilities(cues)
    worth = pertinent * (0.3 + 0.7 * covered) + 2.0 * np.abs(lean)
    stances = [*_best("for", supports, np.where(lean >= 0, worth, 0.0), source),
               *_best("against", contradicts, np.where(lean < 0, worth, 0.0), source)]
    return Taken(cues=cues, supports=supports, contradicts=contradicts,
                 stances=tuple(sorted(stances, key=lambda stance: -stance.score)))


def _told(text: str) -> float:
    """How much a sentence counts for its part in the abstract: what was found in full, what is asked not at all."""
    if text.rstrip().endswith("?"):
        return 0.0
    return (1.0 if _FOUND.search(text) else 0.6) * (0.6 if _SOUGHT.search(text) else 1.0)


def _best(side: Side, probability: float, worth: NDArray[np.float64], source: Grounds) -> list[Stance]:
    """The one or two sentences that say most for a side."""
    most = float(worth.max())
    best = [at for at in np.argsort(-worth, kind="stable")[:2] if most > 0 and worth[at] >= _SECOND * most]
    return [Stance(side=side, score=probability * float(worth[at]) / most,
                   start=source.spans[at][0], end=source.spans[at][1]) for at in best]


def probabilities(cues: Cues, weights: Weights | None = None) -> tuple[float, float]:
    """How likely it is that a paper supports a claim, and that it contradicts it."""
    chosen = weights or fitted()
    speaks, share = (_logistic(sum(weight * {"start": 1.0, **asdict(cues)}[name] for name, weight in part.items()))
                     for part in (chosen["speaks"], chosen["for"]))
    return speaks * share, speaks * (1.0 - share)


def side(cues: Cues, supports: float, contradicts: float) -> Side | None:
    """The side that a paper may be said to take; None where it does not speak of the claim, or it is not clear how."""
    speaks = supports + contradicts
    if speaks < SPEAKS or cues.held < _HELD:
        return None
    share = supports / speaks
    return "for" if share >= _FOR else "against" if 1.0 - share >= _AGAINST else None


def verdict(for_: float, against: float, speaks: float) -> tuple[ClaimVerdict, float]:
    """What follows from the papers, and how sure it is, 0..1.

    Args:
        for_: the best probability among the papers on that side; 0 where there is none.
        against: and on this.
        speaks: the best probability that a paper speaks of the claim at all.
    """
    if not for_ and not against:
        return "no evidence", _scaled("no evidence", 1.0 - speaks)
    if min(for_, against) >= _MIXED * max(for_, against):
        return "mixed", _scaled("mixed", min(for_, against))
    found: ClaimVerdict = "supported" if for_ > against else "contradicted"
    return found, _scaled(found, max(for_, against))


def _scaled(found: ClaimVerdict, chance: float) -> float:
    """How often a verdict is right that such a probability stands behind."""
    scale, chance = fitted()[found], min(max(chance, 0.01), 0.99)
    return _logistic(scale["start"] + scale["slope"] * math.log(chance / (1.0 - chance)))


def _logistic(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))


@cache
def fitted() -> Weights:
    """What was fitted: what the cues weigh for speaking of a claim and for its side, and each verdict's certainty."""
    weights: Weights = json.loads(files("rag").joinpath("stance.json").read_text(encoding="utf-8"))["weights"]
    return weights
