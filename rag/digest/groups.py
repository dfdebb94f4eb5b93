"""Papers grouped by what they do: agglomerative clustering of their vectors and words. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Fewer papers than _TOGETHER stay together, a group of fewer than _LEAST joins its nearest, there are _MOST at most.
_TOGETHER, _LEAST, _MOST = 6, 2, 8
# From so many papers on a digest has at least three sections.
_MANY = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Described:
    """What papers are grouped by, one row or entry a paper.

    Attributes:
        vectors: (n, d), L2-normalised.
        stems: content stems of each one's title and abstract.
    """

    vectors: NDArray[np.float32]
    stems: Sequence[Sequence[str]]


def group(papers: Described) -> tuple[tuple[int, ...], ...]:
    """Places of the papers in groups, the biggest first; each paper is in one.

    Average linkage on what the papers do not all share: vectors and tf-idf weights, each centred on the mean of these
    papers. The number of groups is the one with the best silhouette (Rousseeuw 1987).
    """
    count = len(papers.stems)
    if count < _TOGETHER:
        return (tuple(range(count)),) if count else ()
    from sklearn.metrics import silhouette_score

    away = _distances(papers)
    fewest = 3 if count >= _MANY else 2
    most = max(fewest, min(_MOST, count // (2 * _LEAST)))
    best: tuple[float, NDArray[np.intp]] | None = None
    for number in range(fewest, most + 1):
        labels = _joined(_linked(away, number), away)
        if len(set(labels)) < min(fewest, number):
            continue
        score = float(silhouette_score(away, labels, metric="precomputed"))
        if best is None or score > best[0]:
            best = (score, labels)
    if best is None:
        return (tuple(range(count)),)
    groups = [tuple(int(place) for place in np.flatnonzero(best[1] == label)) for label in sorted(set(best[1]))]
    return tuple(sorted(groups, key=lambda places: (-len(places), places)))


def _linked(away: NDArray[np.float64], number: int) -> NDArray[np.intp]:
    from sklearn.cluster import AgglomerativeClustering

    clustering: Any = AgglomerativeClustering
    labels: NDArray[np.intp] = clustering(number, metric="precomputed", linkage="average").fit_predict(away)
    return labels


def _distances(papers: Described) -> NDArray[np.float64]:
    both = np.hstack([_centred(papers.vectors.astype(np.float64)), _centred(_weights(papers.stems))]) / math.sqrt(2)
    away = np.clip(1.0 - both @ both.T, 0.0, None)
    np.fill_diagonal(away, 0.0)
    return (away + away.T) / 2


def _weights(stems: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Sublinear tf-idf among these papers, (n, words); words of one paper alone say nothing of its neighbours."""
    frequencies = Counter(word for words in stems for word in set(words))
    known = {word: at for at, word in enumerate(sorted(word for word, held in frequencies.items() if held > 1))}
    weights = np.zeros((len(stems), max(1, len(known))))
    for row, words in enumerate(stems):
        for word, times in Counter(words).items():
            if word in known:
                weights[row, known[word]] = (1 + math.log(times)) * math.log(len(stems) / frequencies[word])
    return np.asarray(weights / np.maximum(np.linalg.norm(weights, axis=1, keepdims=True), 1e-9))


def _centred(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    moved = rows - rows.mean(axis=0)
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9))


def _joined(labels: NDArray[np.intp], away: NDArray[np.float64]) -> NDArray[np.intp]:
    """The labels with every group that is too small joined to its nearest."""
    labels = labels.copy()
    while True:
        sizes = Counter(labels.tolist())
        small = min(sizes, key=lambda label: (sizes[label], label))
        if sizes[small] >= _LEAST or len(sizes) == 1:
            return labels
        others = [label for label in sizes if label != small]
        nearest = min(others, key=lambda label: float(away[np.ix_(labels == small, labels == label)].mean()))
        labels[labels == small] = nearest
