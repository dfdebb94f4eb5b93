"""Fusion of rankings. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

# Each view's share in the fused score. "passage", "sentence" and "title" are what the question's vector is near to,
# "terms" what each of its words is near to, "words" what holds them (BM25). Fed back, the vector has moved towards the
# papers found first ("rocchio" for "passage") and their words are looked for too ("rm3"). Fitted over four collections
# together (tests/bench/ablation.py).
FIRST: Mapping[str, float] = {"passage": 0.25, "sentence": 0.2, "title": 0.2, "terms": 0.2, "words": 0.3}
FED_BACK: Mapping[str, float] = {
    "rocchio": 0.25, "sentence": 0.2, "title": 0.2, "terms": 0.2, "words": 0.3, "rm3": 0.2}


def fuse(views: Mapping[str, NDArray[np.float64]], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Weighted sum of min-max normalised scores, of shape (n,), in 0..1.

    After Bruch et al., "An Analysis of Fusion Functions for Hybrid Retrieval", section 4.

    Args:
        views: each view's score for the same n candidates, higher is better; NaN where the view did not find one,
            which counts as its lowest score.
        weights: each view's share; a view without one is left out, and the shares are scaled to sum to one over the
            views that found anything.
    """
    usable = {name: scores for name, scores in views.items() if name in weights and np.isfinite(scores).any()}
    total = sum(weights[name] for name in usable)
    size = len(next(iter(views.values()))) if views else 0
    fused = np.zeros(size)
    for name, scores in usable.items():
        fused += weights[name] / total * normalise(scores)
    return fused


def normalise(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores moved to 0..1 by their own minimum and maximum; all ones where they are equal, zero where NaN."""
    low, high = np.nanmin(scores), np.nanmax(scores)
    scaled = np.ones_like(scores) if high == low else (scores - low) / (high - low)
    return np.where(np.isfinite(scores), scaled, 0.0)


def ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Each candidate's place from 1, by falling score; 0 where NaN."""
    order = np.argsort(-np.where(np.isfinite(scores), scores, -np.inf), kind="stable")
    places = np.empty(len(scores), dtype=np.int64)
    places[order] = np.arange(1, len(scores) + 1)
    return np.where(np.isfinite(scores), places, 0)
