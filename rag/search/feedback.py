"""Pseudo-relevance feedback: what the papers found first say about what else is wanted. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

# Papers that feedback takes for good: few, for it must be right about them.
PAPERS = 5
# Words that they bring in, and papers on each side that a paper is seen with.
_WORDS = 20
_NEIGHBOURS = 5
# Share of a paper's score that is its neighbours', how much a nearer one counts for more, and for how many papers.
SHARED, _SHARPNESS, _SMOOTHED = 0.1, 5.0, 100


def move(vector: NDArray[np.float32], vectors: NDArray[np.float32],
         scores: NDArray[np.float64]) -> NDArray[np.float32]:
    """The question moved towards its first papers, (d,): it and their mean, weighted by score, count the same.

    Rocchio's feedback (Rocchio 1971) with the first papers taken for relevant.

    Args:
        vector: the question's, (d,).
        vectors: the papers', (n, d).
        scores: of the papers, (n,), none negative.
    """
    centre = scores @ vectors
    length = float(np.linalg.norm(centre))
    if length == 0.0:
        return vector
    moved = vector + centre / length
    return (moved / np.linalg.norm(moved)).astype(np.float32)


def expand(papers: Sequence[Sequence[str]], scores: NDArray[np.float64],
           rarities: Mapping[str, float]) -> Mapping[str, float]:
    """The stems that tell the first papers from the rest, each with its weight; the weights sum to one.

    A relevance model (Lavrenko and Croft 2001, as RM3 uses it), with each word weighted by its rarity besides.

    Args:
        papers: each paper's stems, in order.
        scores: of the papers, none negative.
        rarities: of the stems in the library.
    """
    weights: dict[str, float] = defaultdict(float)
    for stems, score in zip(papers, scores.tolist(), strict=True):
        for stem, count in Counter(stems).items():
            weights[stem] += score * count / len(stems)
    informed = {stem: weight * rarities[stem] for stem, weight in weights.items()}
    best = sorted(informed, key=lambda stem: (-informed[stem], stem))[:_WORDS]
    total = sum(informed[stem] for stem in best)
    return {stem: informed[stem] / total for stem in best} if total else {}


def smooth(scores: NDArray[np.float64], vectors: NDArray[np.float32], shared: float = SHARED) -> NDArray[np.float64]:
    """Scores with a share of the nearest papers' own mixed in, (n,): papers that are alike answer the same questions.

    Score regularisation after Diaz 2005, "Regularizing ad hoc retrieval scores", in one step, among the first papers;
    the others stay behind them.
    """
    first = np.argsort(-scores, kind="stable")[:_SMOOTHED]
    if len(first) <= _NEIGHBOURS:
        return scores
    smoothed = (1.0 - shared) * scores
    alike = vectors[first] @ vectors[first].T
    np.fill_diagonal(alike, -1.0)
    nearest = np.argpartition(-alike, _NEIGHBOURS, axis=1)[:, :_NEIGHBOURS]
    weights = np.exp(_SHARPNESS * np.take_along_axis(alike, nearest, axis=1).astype(np.float64))
    smoothed[first] += shared * (scores[first][nearest] * weights).sum(axis=1) / weights.sum(axis=1)
    return smoothed
