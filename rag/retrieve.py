"""Question to ranked papers: dense and lexical retrieval, fused, grouped by paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.catalogue import Catalogue
from rag.fuse import fuse, ranks
from rag.schema import Chunk, Hit, Where
from rag.store import Store
from rag.tables import Passage, View

# How deep each retriever looks: deep enough for Recall@100, shallow enough for a few milliseconds.
DEPTH = 100
# Up to so many filtered papers their vectors are compared one by one, which is exact and quicker than asking an index
# for neighbours that the filter then throws away.
_FEW = 4000
# Papers that feedback takes for good: few, for it must be right about them.
_FED_BACK = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A retrieved paper with what the question is compared to.

    Attributes:
        passages: all of the paper's passages with their vectors, in order.
        scores: view to raw score: "passage", "sentence" and "title" cosine similarities, "words" BM25.
    """

    hit: Hit
    passages: tuple[Passage, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What was found for a question, best first.

    Attributes:
        vector: the question's vector, (d,).
        evidence: the papers.
        frequencies: for each content stem of the question, how many of the library's papers hold it.
        papers: how many papers the library holds.
    """

    question: str
    vector: NDArray[np.float32]
    evidence: tuple[Found, ...] = ()
    frequencies: Mapping[str, int] = field(default_factory=dict)
    papers: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The papers, without what they were compared by."""
        return tuple(item.hit for item in self.evidence)


def retrieve(store: Store, question: str, k: int = 10, where: Where | None = None) -> Retrieved:
    """The papers that fit the question best, at most ``k``.

    Raises:
        NoLibraryError: there is no library.
        ProjectionError: an index cannot be read.
        ValueError: ``k`` is not positive.
    """
    if k < 1:
        raise ValueError(f"{k} papers cannot be retrieved: ask for one or more")
    began = perf_counter()
    catalogue = store.fresh()
    vector = store.embedder.embed_query(question)
    embedded = perf_counter()
    ids = catalogue.select(where)
    depth = max(DEPTH, k)
    dense = _dense(store, catalogue, vector, depth, ids)
    words = dict(store.words.search(question, depth, ids))
    candidates = list(dict.fromkeys([*dense, *words]))
    compared = _compare(vector, store.views(candidates))
    # A paper removed between the two reads has no vectors any more.
    candidates = list(compared.papers)
    views = {
        "passage": compared.passage, "sentence": compared.sentence, "title": compared.title,
        "words": np.array([words.get(paper_id, np.nan) for paper_id in candidates], dtype=np.float64),
    }
    fused = fuse(views)
    fused = fuse({**views, "passage": _feed_back(vector, compared.vectors, fused)})
    places = {name: ranks(column) for name, column in views.items()}
    best = [int(i) for i in np.argsort(-fused, kind="stable")[:k]]
    passages = catalogue.passages([candidates[i] for i in best])
    # A paper removed since is left out.
    best = [i for i in best if candidates[i] in passages]
    papers = {paper.id: paper for paper in catalogue.papers([candidates[i] for i in best], missing_ok=True)}
    evidence = tuple(
        Found(
            hit=Hit(paper=papers[candidates[i]], score=float(np.clip(fused[i], 0.0, 1.0)),
                    passages=_best_passages(vector, passages[candidates[i]]),
                    ranks={name: int(column[i]) for name, column in places.items() if column[i]}),
            passages=passages[candidates[i]],
            scores={name: float(column[i]) for name, column in views.items() if np.isfinite(column[i])},
        )
        for i in best if candidates[i] in papers
    )
    ended = perf_counter()
    return Retrieved(question=question, vector=vector, evidence=evidence, papers=store.words.count(),
                     frequencies=store.words.frequencies(question),
                     timings={"embed": embedded - began, "search": ended - embedded})


def _dense(store: Store, catalogue: Catalogue, vector: NDArray[np.float32], depth: int,
           ids: frozenset[str] | None) -> list[str]:
    """Ids of the papers with the nearest passages, best first."""
    if ids is None:
        return list(dict.fromkeys(paper_id for paper_id, _ in store.vectors.search(vector, depth)))
    if len(ids) <= _FEW:
        compared = _compare(vector, catalogue.views(sorted(ids)))
        return [compared.papers[i] for i in np.argsort(-compared.passage, kind="stable")[:depth]]
    # A filter that lets many through: look ever deeper until enough of them are found.
    found: list[str] = []
    reach, total = 4 * depth, store.vectors.count()
    while True:
        neighbours = store.vectors.search(vector, reach)
        found = list(dict.fromkeys(paper_id for paper_id, _ in neighbours if paper_id in ids))
        if len(found) >= depth or reach >= total:
            return found[:depth]
        reach *= 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """Papers beside a question: cosine similarities, (n,), of each one's best passage, best sentence and title.

    ``vectors`` (n, d) are the best passages'.
    """

    papers: tuple[str, ...]
    passage: NDArray[np.float64]
    sentence: NDArray[np.float64]
    title: NDArray[np.float64]
    vectors: NDArray[np.float32]


def _compare(vector: NDArray[np.float32], views: Mapping[str, Sequence[View]]) -> _Compared:
    if not views:
        none = np.empty(0)
        return _Compared(papers=(), passage=none, sentence=none, title=none, vectors=np.empty((0, 0), np.float32))
    flat = [view for group in views.values() for view in group]
    vectors = np.stack([view.passage for view in flat])
    passages = (vectors @ vector).astype(np.float64)
    starts = np.cumsum([0, *(len(view.parts) for view in flat[:-1])])
    parts = (np.concatenate([view.parts for view in flat]) @ vector).astype(np.float64)
    titles = parts[starts]
    parts[starts] = -1.0
    sentences = np.maximum.reduceat(parts, starts)
    # A long abstract has several passages: the best of them stands for it, and any may hold its best sentence.
    sizes = [len(group) for group in views.values()]
    firsts = np.cumsum([0, *sizes[:-1]])
    best = [start + int(np.argmax(passages[start:start + size])) for start, size in zip(firsts, sizes, strict=True)]
    return _Compared(papers=tuple(views), passage=passages[best], sentence=np.maximum.reduceat(sentences, firsts),
                     title=titles[best], vectors=vectors[best])


def _feed_back(vector: NDArray[np.float32], vectors: NDArray[np.float32],
               fused: NDArray[np.float64]) -> NDArray[np.float64]:
    """Similarity to the question moved towards its best papers, (n,).

    Rocchio's pseudo-relevance feedback (Rocchio 1971) on the fused ranking, among the candidates alone: the question
    and the mean of its first papers, weighted by score, count the same.
    """
    best = np.argsort(-fused, kind="stable")[:_FED_BACK]
    centre = fused[best] @ vectors[best]
    length = float(np.linalg.norm(centre))
    if length == 0.0:
        return np.ones(len(vectors))
    moved = vector + centre / length
    return (vectors @ (moved / np.linalg.norm(moved))).astype(np.float64)


def _best_passages(vector: NDArray[np.float32], passages: Sequence[Passage]) -> tuple[Chunk, ...]:
    ordered = sorted(passages, key=lambda passage: -float(_of(passage.vector) @ vector))
    return tuple(passage.chunk for passage in ordered[:3])


def _of(vectors: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert vectors is not None, "passages are read with their vectors"
    return vectors
