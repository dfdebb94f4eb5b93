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
from rag.tables import Passage, Views

# How deep each retriever looks: deep enough for Recall@100, shallow enough for a few milliseconds.
DEPTH = 150
# Up to so many filtered papers their vectors are compared one by one, which is exact and quicker than asking an index
# for neighbours that the filter then throws away.
_FEW = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A retrieved paper with what the question is compared to.

    Attributes:
        passages: all of the paper's passages with their vectors, in order.
        scores: view to raw score: "passage" and "sentence" cosine similarities, "words" BM25.
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
    compared = _compare(vector, catalogue.views(candidates))
    # A paper removed between the two reads has no vectors any more.
    candidates = [paper_id for paper_id in candidates if paper_id in compared]
    views = {
        "passage": np.array([compared[paper_id][0] for paper_id in candidates], dtype=np.float64),
        "sentence": np.array([compared[paper_id][1] for paper_id in candidates], dtype=np.float64),
        "words": np.array([words.get(paper_id, np.nan) for paper_id in candidates], dtype=np.float64),
    }
    fused = fuse(views)
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
        return sorted(compared, key=lambda paper_id: -compared[paper_id][0])[:depth]
    # A filter that lets many through: look ever deeper until enough of them are found.
    found: list[str] = []
    reach, total = 4 * depth, store.vectors.count()
    while True:
        neighbours = store.vectors.search(vector, reach)
        found = list(dict.fromkeys(paper_id for paper_id, _ in neighbours if paper_id in ids))
        if len(found) >= depth or reach >= total:
            return found[:depth]
        reach *= 4


def _compare(vector: NDArray[np.float32], views: Views) -> dict[str, tuple[float, float]]:
    """Paper id to the cosine similarity of its best passage and of its best sentence."""
    if not views.owners:
        return {}
    passages = views.passages @ vector
    parts = views.parts @ vector
    # The first part is the title, a view of its own that earns nothing beside the passage, which begins with it.
    parts[views.starts] = -1.0
    sentences = np.maximum.reduceat(parts, views.starts)
    compared: dict[str, tuple[float, float]] = {}
    for owner, passage, sentence in zip(views.owners, passages.tolist(), sentences.tolist(), strict=True):
        known = compared.get(owner, (-1.0, -1.0))
        compared[owner] = max(known[0], passage), max(known[1], sentence)
    return compared


def _best_passages(vector: NDArray[np.float32], passages: Sequence[Passage]) -> tuple[Chunk, ...]:
    ordered = sorted(passages, key=lambda passage: -float(_of(passage.vector) @ vector))
    return tuple(passage.chunk for passage in ordered[:3])


def _of(vectors: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert vectors is not None, "passages are read with their vectors"
    return vectors
