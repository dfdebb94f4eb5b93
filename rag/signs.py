"""How sure it is that a text supports a statement: the signs, and what each is worth. Pure; vectors are arguments.

The probability is a logistic regression on the signs, with weights that `tests/bench/check.py` fits and writes to
`checker.json`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rag.agree import prose
from rag.text import content_stems, content_words
from rag.thesaurus import KIN, SYNONYM, groups, kin

Rarity = Callable[[str], float]

_CLAUSE = re.compile(
    r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|and|while|whereas|so|because|although|though|since|when|if|which|that|who)\b")
# A clause with fewer words of its own says too little to be looked for by itself.
_CLAUSE_WORDS = 3


# Below it, how common a stem is in papers at large is not known; and the most that a library's own rarity counts.
_RAREST, _MOST = 0.005, 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What speaks for a statement in a text, and what against it.

    Attributes:
        likeness: cosine similarity of the statement to the sentence that is most like it.
        nearness: and to the mean of all.
        covered: share of its content words that the words it rests on hold, each weighted by its rarity, 0..1.
        held: share that the whole text holds.
        lost: weight of the weightiest word that the text does not hold, beside the weightiest of all, 0..1.
        clause: share of the least covered clause.
        uneven: how much less that is than the share of the best covered one.
        against: how often it says the opposite of the words it rests on, at most 2.
        added: how many numbers, names and stronger words it has of its own, at most 2.
        accord: mean over its words, by weight, of the cosine similarity to the nearest word of the text, each read in
            its context; None where words were not read so.
    """

    likeness: float
    nearness: float
    covered: float
    held: float
    lost: float
    clause: float
    uneven: float
    against: float
    added: float
    accord: float | None = None


class Match:
    """The words of a statement met with those of a text's sentences.

    Args:
        statement: one sentence.
        sentences: stems of each sentence of the text.
        always: stems that count as said everywhere.
        rarity: weight of a content stem.
    """

    def __init__(self, statement: str, sentences: Sequence[frozenset[str]], always: frozenset[str],
                 rarity: Rarity) -> None:
        self.statement = statement
        self._sentences = sentences
        everything = always.union(*sentences)
        self.weights = {word: weight(word, rarity) for word in dict.fromkeys(prose(statement))}
        # For each word of the statement: which sentences hold it or its like, and how fully.
        self.credits: dict[str, list[float]] = {}
        for word in self.weights:
            like = _like(word, everything)
            self.credits[word] = [max((like[held] for held in like if held in stems or held in always), default=0.0)
                                  for stems in sentences]

    def covered(self, first: int, last: int, of: Sequence[str] | None = None) -> float:
        """Share of the statement's words, or some of them, that these sentences hold, each by its weight."""
        chosen = list(self.weights) if of is None else of
        total = sum(self.weights[word] for word in chosen)
        return sum(self.weights[word] * max(self.credits[word][first:last + 1]) for word in chosen) / total if total else 0.0

    @cached_property
    def clauses(self) -> tuple[float, float]:
        """How much of its least and its best covered clause two neighbouring sentences hold.

        Of a statement without clauses, how much of it the text holds.
        """
        shares = []
        for clause in _CLAUSE.split(self.statement):
            own = [word for word in dict.fromkeys(prose(clause)) if word in self.weights]
            if len(own) >= _CLAUSE_WORDS:
                shares.append(max(self.covered(first, min(first + 1, len(self._sentences) - 1), own)
                                  for first in range(len(self._sentences))))
        shares = shares or [self.covered(0, len(self._sentences) - 1)]
        return min(shares), max(shares)

    @property
    def lost(self) -> float:
        """Weight of the weightiest word that no sentence holds, beside the weightiest of all."""
        most = max(self.weights.values(), default=0.0)
        return max((weight * (1.0 - max(self.credits[word])) for word, weight in self.weights.items()),
                   default=0.0) / most if most else 1.0


def weight(word: str, rarity: Rarity) -> float:
    """What a stem weighs: how rare it is in the library and in papers at large, in nats, half of each.

    A library of one field knows nothing of another's common words.
    """
    return 0.5 * (min(rarity(word), _MOST) - math.log(_shares().get(word, _RAREST)))


@cache
def _shares() -> Mapping[str, float]:
    """Share of the papers that hold a stem, of the common ones."""
    read = json.loads(files("rag").joinpath("common.json").read_text(encoding="utf-8"))["stems"]
    return {word: int(share) / 1000 for share, spelled in read.items() for word in spelled.split()}


def _like(word: str, stems: frozenset[str]) -> dict[str, float]:
    """The stems that say the word, and how fully."""
    found = {word: 1.0} if word in stems else {}
    own = groups(word)
    for other in stems:
        if other != word:
            if own and own & groups(other):
                found[other] = SYNONYM
            elif kin(word, other):
                found[other] = KIN
    return found


def likenesses(vector: NDArray[np.float32], vectors: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Cosine similarity of a statement to each sentence, and to the mean of them."""
    middle = vectors.mean(axis=0)
    length = float(np.linalg.norm(middle))
    return vectors @ vector, float(middle @ vector) / length if length else 0.0


def accord(statement: str, own: NDArray[np.float32], words: NDArray[np.float32], rarity: Rarity) -> float:
    """How near the words of a statement are to the nearest words of a text, each read in its context.

    Greedy matching of contextual vectors, weighted by rarity (Zhang et al. 2020, BERTScore: its recall).

    Args:
        statement: one sentence.
        own: vectors of its content words, (n, d), as `rag.text.content_words` cuts them.
        words: vectors of the text's content words, (m, d).
        rarity: weight of a content stem.
    """
    spans = content_words(statement)
    weights = np.array([max((weight(word, rarity) for word in content_stems(statement[start:end])), default=0.0)
                        for start, end in spans])
    return float((own @ words.T).max(axis=1) @ weights / weights.sum()) if weights.sum() else 0.0


def probability(signs: Signs, weights: Mapping[str, float] | None = None) -> float:
    """How sure it is that the text supports the statement, 0..1.

    Args:
        signs: all that was seen.
        weights: None for the fitted ones, of which there are two sets: with words read in context and without.
    """
    weigh = weights or fitted("sentences" if signs.accord is None else "words")
    odds = weigh["start"] + sum(weigh[name] * value for name, value in asdict(signs).items() if value is not None)
    return 1.0 / (1.0 + math.exp(-odds))


@cache
def fitted(by: str) -> Mapping[str, float]:
    """The weights that were fitted, by "sentences" or by "words"."""
    weights: Mapping[str, float] = json.loads(files("rag").joinpath("checker.json").read_text(encoding="utf-8"))[by]
    return weights
