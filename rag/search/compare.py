"""Papers' vectors beside a question's. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.tables import View


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """A question's vectors: its own, (d,), and its words' in their context, (m, d), with their weights, (m,).

    The weights sum to one; an embedder that reads only whole texts gives no words.
    """

    vector: NDArray[np.float32]
    words: NDArray[np.float32]
    weights: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """Papers beside a question: cosine similarities, (n,), to each one's best passage, best sentence and title.

    Attributes:
        terms: the question's words, each beside the sentence or title that comes nearest to it, averaged by weight;
            None where the embedder gives no words.
        vectors: the best passages', (n, d).
    """

    papers: tuple[str, ...]
    passage: NDArray[np.float64]
    sentence: NDArray[np.float64]
    title: NDArray[np.float64]
    terms: NDArray[np.float64] | None
    vectors: NDArray[np.float32]


# OpenBLAS may leave a floating-point flag set behind a product of finite numbers that is finite itself.
@np.errstate(invalid="ignore")
def compare(asked: Asked, views: Mapping[str, Sequence[View]]) -> Compared:
    """Compares papers, given by their passages' vectors, with a question."""
    if not views:
        none = np.empty(0)
        return Compared(papers=(), passage=none, sentence=none, title=none, terms=none if len(asked.words) else None,
                        vectors=np.empty((0, len(asked.vector)), np.float32))
    flat = [view for group in views.values() for view in group]
    vectors = np.stack([view.passage for view in flat])
    passages = vectors @ asked.vector
    starts = np.cumsum([0, *(len(view.parts) for view in flat[:-1])])
    parts = np.concatenate([view.parts for view in flat]) @ np.vstack([asked.vector, asked.words]).T
    titles = parts[starts, 0]
    # A long abstract has several passages: the best of them stands for it, and any may hold its best sentence.
    sizes = [len(group) for group in views.values()]
    firsts = np.cumsum([0, *sizes[:-1]])
    best = firsts.copy()
    for place, size in enumerate(sizes):
        if size > 1:
            best[place] += np.argmax(passages[firsts[place]:firsts[place] + size])
    terms = None
    if len(asked.words):
        nearest = np.maximum.reduceat(np.maximum.reduceat(parts[:, 1:], starts), firsts)
        terms = (nearest @ asked.weights).astype(np.float64)
    alone = parts[:, 0].copy()
    alone[starts] = -1.0
    sentences = np.maximum.reduceat(np.maximum.reduceat(alone, starts), firsts)
    return Compared(papers=tuple(views), passage=passages[best].astype(np.float64),
                    sentence=sentences.astype(np.float64), title=titles[best].astype(np.float64), terms=terms,
                    vectors=vectors[best])


def join(first: Compared, second: Compared) -> Compared:
    """Two groups of different papers, compared with the same question, as one."""
    terms = None if first.terms is None or second.terms is None else np.concatenate([first.terms, second.terms])
    return Compared(papers=(*first.papers, *second.papers), terms=terms,
                    passage=np.concatenate([first.passage, second.passage]),
                    sentence=np.concatenate([first.sentence, second.sentence]),
                    title=np.concatenate([first.title, second.title]),
                    vectors=np.concatenate([first.vectors, second.vectors]))
