"""How sure the retrieval is that the library answers a question, and which papers it speaks of. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rag.text import content_stems

# Below it, the answer is that the library has none.
FLOOR = 0.5
# A paper is said to address a question if it is so strong, and holds so much of what the question's words weigh;
# another only to come close.
_SURE, _HELD = 0.37, 0.5

# The strength at which it is even whether the library answers: for a question whose names the library knows, and for
# one that names something it has never heard of; and how fast that changes. Set by hand.
_PLAIN, _NAMED, _SLOPE = 0.33, 0.48, 0.03
# A paper is cited when it is at least so strong beside the strongest, and in itself.
_SHARE, _LEAST = 0.75, 0.30

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What a paper shows for a question.

    Attributes:
        sentence: cosine similarity of the question to the paper's best sentence.
        passage: and to its best passage.
        coverage: share of the question's content words that the paper holds, each weighted by its rarity, 0..1.
    """

    sentence: float
    passage: float
    coverage: float


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


def names_unknown(question: str, frequencies: Mapping[str, int]) -> bool:
    """Whether the question names something (by capitals inside the sentence) that no paper of the library names."""
    tokens = question.split()
    names = [word for place, token in enumerate(tokens) for word in _WORD.findall(token)
             if any(c.isupper() for c in (word if place else word[1:]))]
    return any(frequencies.get(stem) == 0 for name in names for stem in content_stems(name))


def confidence(strongest: float, *, unknown: bool) -> float:
    """Probability-like, 0..1: how sure it is that the library answers, from its strongest paper.

    A question about something that no paper names is most likely about something else.
    """
    return 1.0 / (1.0 + math.exp(-(strongest - (_NAMED if unknown else _PLAIN)) / _SLOPE))


def select(strengths: Sequence[float], sure: float, most: int) -> tuple[int, ...]:
    """Which papers an answer may cite, in their order: none below the floor, else those near the strongest."""
    if sure < FLOOR or not strengths:
        return ()
    least = max(_SHARE * max(strengths), _LEAST)
    return tuple(place for place, value in enumerate(strengths) if value >= least)[:most]
