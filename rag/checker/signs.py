"""How sure it is that a text says what a statement says: the signs, and what each is worth. Pure.

The odds are a logistic regression on the signs, with weights that `tests/bench/check.py` fits and writes to
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

from rag.checker.agree import prose
from rag.checker.thesaurus import index_of, like
from rag.text import content_stems, content_words

Rarity = Callable[[str], float]

_CLAUSE = re.compile(
    r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|and|while|whereas|so|because|although|though|since|when|if|which|that|who)\b")
# A clause with fewer words of its own says too little to be looked for by itself.
_CLAUSE_WORDS = 4


# Below it, how common a stem is in papers at large is not known; and the most that a library's own rarity counts.
_RAREST, _MOST = 0.005, 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """How much of a statement a text says, whichever way.

    Attributes:
        likeness: cosine similarity of the statement to the sentence that is most like it.
        nearness: and to the mean of all.
        covered: share of its content words that the words it rests on hold, each weighted by its rarity, 0..1.
        held: share that the whole text holds.
        lost: weight of the weightiest word that the text does not hold, beside the weightiest of all, 0..1.
        accord: mean over its words, by weight, of the cosine similarity to the nearest word of the text, each read in
            its context; None where words were not read so.
    """

    likeness: float
    nearness: float
    covered: float
    held: float
    lost: float
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
        index = index_of(always.union(*sentences))
        self._words = {word: place for place, word in enumerate(dict.fromkeys(prose(statement)))}
        self.weights = np.array([weight(word, rarity) for word in self._words])
        # For each word of the statement and each sentence, how fully it holds the word or its like.
        self.credits = np.zeros((len(self._words), max(1, len(sentences))))
        for word, place in self._words.items():
            found = like(word, index)
            least = max((value for held, value in found.items() if held in always), default=0.0)
            for at, stems in enumerate(sentences):
                self.credits[place, at] = max([least, *(value for held, value in found.items() if held in stems)])

    def covered(self, first: int, last: int) -> float:
        """Share of the statement's words that these sentences hold, each by its weight."""
        return float(self._shares(self.credits[:, first:last + 1].max(axis=1)))

    @cached_property
    def windows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The share that each sentence holds, (n,), and that each holds with the next, (n - 1,)."""
        return self._shares(self.credits), self._shares(np.maximum(self.credits[:, :-1], self.credits[:, 1:]))

    def _shares(self, credits: NDArray[np.float64]) -> NDArray[np.float64]:
        total = self.weights.sum()
        shares: NDArray[np.float64] = self.weights @ credits / (total or 1.0)
        return shares

    @cached_property
    def clauses(self) -> tuple[float, float]:
        """How much of its least and its best covered clause two neighbouring sentences hold.

        Of a statement without clauses, how much of it the text holds.
        """
        pairs = np.maximum(self.credits[:, :-1], self.credits[:, 1:]) if self.credits.shape[1] > 1 else self.credits
        shares = []
        for clause in _CLAUSE.split(self.statement):
            own = [self._words[word] for word in dict.fromkeys(prose(clause)) if word in self._words]
            if len(own) >= _CLAUSE_WORDS:
                shares.append(float((self.weights[own] @ pairs[own]).max() / self.weights[own].sum()))
        shares = shares or [self.covered(0, self.credits.shape[1] - 1)]
        return min(shares), max(shares)

    @property
    def lost(self) -> float:
        """Weight of the weightiest word that no sentence holds, beside the weightiest of all."""
        if not len(self.weights):
            return 1.0
        return float((self.weights * (1.0 - self.credits.max(axis=1))).max() / self.weights.max())


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


def odds(signs: Signs, weights: Mapping[str, float] | None = None) -> float:
    """Log-odds that the text says the statement.

    Args:
        signs: all that was seen.
        weights: None for the fitted ones, of which there are two sets: with words read in context and without.
    """
    weigh = weights or fitted("sentences" if signs.accord is None else "words")
    return math.fsum([weigh["start"], *(weigh[name] * value for name, value in asdict(signs).items()
                                        if value is not None)])


@cache
def fitted(by: str) -> Mapping[str, float]:
    """The weights that were fitted, by "sentences" or by "words"."""
    weights: Mapping[str, float] = json.loads(files("rag").joinpath("checker.json").read_text(encoding="utf-8"))[by]
    return weights
