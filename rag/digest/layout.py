"""The papers of a digest on a map: near ones are alike. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Two papers never lie nearer than that on a map of width 1.
_APART = 0.025


def layout(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """A place for each row, (n, 2) in 0..1: the two directions in which they differ most (PCA).

    The same rows always give the same map: each axis points to where its largest entry is positive.
    """
    count = len(vectors)
    if count < 2:
        return np.full((count, 2), 0.5)
    rows = vectors.astype(np.float64)
    rows -= rows.mean(axis=0)
    sizes, directions = np.linalg.eigh(rows @ rows.T)
    places = np.zeros((count, 2))
    for axis in range(2):
        column = directions[:, -1 - axis] * np.sqrt(max(float(sizes[-1 - axis]), 0.0))
        places[:, axis] = column * (1 if column[np.argmax(np.abs(column))] >= 0 else -1)
    return _scaled(_spread(_scaled(places)))


def _scaled(places: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = places.min(axis=0), places.max(axis=0)
    width = np.where(high - low > 1e-9, high - low, 1.0)
    return np.where(high - low > 1e-9, (places - low) / width, 0.5)


def _spread(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pushes apart what lies on top of each other, a little at a time."""
    places = places.copy()
    for _ in range(30):
        away = places[:, None] - places[None]
        distances = np.linalg.norm(away, axis=2)
        np.fill_diagonal(distances, 1.0)
        close = distances < _APART
        if not close.any():
            break
        # Of two in the same place, the later goes to the right.
        order = np.sign(np.arange(len(places))[:, None] - np.arange(len(places))[None]).astype(np.float64)
        ways = np.where(distances[..., None] > 1e-9, away / np.maximum(distances, 1e-9)[..., None],
                        np.stack([order, np.zeros_like(order)], axis=2))
        places += (ways * np.where(close, (_APART - distances) / 2, 0.0)[..., None]).sum(axis=1)
    return places
