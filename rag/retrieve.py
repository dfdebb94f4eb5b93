"""Question to ranked papers: dense and lexical retrieval, fused, fed back, grouped by paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.embedders.threads import one_thread
from rag.floor import rarity
from rag.fuse import FED_BACK, FIRST, fuse, ranks
from rag.marked import Marked
from rag.schema import Chunk, Hit, Where
from rag.search import feedback
from rag.search.compare import Asked, Compared, compare, join
from rag.search.wording import others
from rag.store import Store
from rag.tables import Passage, Selected
from rag.text import content_stems, content_words, query_stems, stem, subject

# How deep each retriever looks: deep enough for Recall@100, shallow enough for a few milliseconds.
DEPTH = 100
# Up to so many filtered papers their vectors are compared one by one, which is exact. Where a filter lets one paper in
# so many through, the index is asked for more neighbours than are wanted, and else only for those with the right ids.
_FEW, _SHARE = 1000, 5
# How far down the word index is asked for scores: so that a paper found by its meaning has a score there too.
_SCORED = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A retrieved paper with what the question is compared to.

    Attributes:
        passages: all of the paper's passages with their vectors, in order.
        scores: view to raw score: cosine similarities ("passage", "sentence", "title", "terms", "rocchio") and
            BM25 ("words", "rm3").
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


def retrieve(store: Store, question: str, k: int = 10, where: Where | None = None,
             also: Sequence[str] = ()) -> Retrieved:
    """The papers that fit the question best, at most ``k``.

    Args:
        store: the library's.
        question: in the reader's words.
        k: papers at most.
        where: only these papers.
        also: other ways to put it, searched for together with it.

    Raises:
        NoLibraryError: there is no library.
        ProjectionError: an index cannot be read.
        ValueError: ``k`` is not positive.
    """
    if k < 1:
        raise ValueError(f"{k} papers cannot be retrieved: ask for one or more")
    began = perf_counter()
    store.fresh()
    asked, terms = understand(store, question, also)
    embedded = perf_counter()
    with one_thread():
        pool = gather(store, asked, terms, max(DEPTH, k), store.select(where))
        evidence = _evidence(store, asked, pool, k)
    ended = perf_counter()
    return Retrieved(question=question, vector=asked.vector, evidence=evidence, papers=store.words.count(),
                     frequencies=store.words.frequencies(query_stems(question)),
                     timings={"embed": embedded - began, "search": ended - embedded})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """The papers that any view found, n of them, before they are put in order.

    Attributes:
        papers: ids.
        views: view to score, (n,), NaN where it has none.
        vectors: of each one's best passage, (n, d).
    """

    papers: tuple[str, ...]
    views: Mapping[str, NDArray[np.float64]]
    vectors: NDArray[np.float32]

    def rank(self, weights: Mapping[str, float] = FED_BACK, shared: float = feedback.SHARED) -> NDArray[np.float64]:
        """Each paper's score, (n,), in 0..1: its views', by weight, with a share of its neighbours'."""
        return feedback.smooth(fuse(self.views, weights), self.vectors, shared)


def gather(store: Store, asked: Asked, terms: Mapping[str, float], depth: int, among: Selected | None) -> Pool:
    """Searches by vector and by words, feeds what comes first back, and searches again by its words.

    Args:
        store: the library's.
        asked: the question's vectors.
        terms: the stems to search by, with their weights.
        depth: papers that each view may bring in.
        among: only these papers, where given.
    """
    reach = max(_SCORED, depth)
    words = dict(store.words.search(terms, reach, among))
    found = [*_dense(store, asked, depth, among), *islice(words, depth)]
    compared = compare(asked, store.views(list(dict.fromkeys(found))))
    fused = fuse(_views(compared, {"words": words}), FIRST)
    best = np.argsort(-fused, kind="stable")[:feedback.PAPERS]
    held = store.stems([compared.papers[i] for i in best])
    # A paper removed since says nothing.
    stems = [held.get(compared.papers[i], []) for i in best]
    frequencies = store.words.frequencies({found for group in stems for found in group})
    total = store.words.count()
    rarities = {held: rarity(frequency, total) for held, frequency in frequencies.items()}
    fed = dict(store.words.search(feedback.expand(stems, fused[best], rarities), reach, among))
    moved = feedback.move(asked.vector, compared.vectors[best], fused[best])
    known = set(compared.papers)
    more = [paper_id for paper_id in islice(fed, depth) if paper_id not in known]
    compared = join(compared, compare(asked, store.views(more)))
    views = {**_views(compared, {"words": words, "rm3": fed}), "rocchio": (compared.vectors @ moved).astype(np.float64)}
    return Pool(papers=compared.papers, views=views, vectors=compared.vectors)


def understand(store: Store, question: str, also: Sequence[str] = ()) -> tuple[Asked, dict[str, float]]:
    """A question's vectors, and the stems to search by with their weights.

    The vector is the subject's, in the middle of all the ways to put it (HyDE, Gao et al. 2023); the stems of the
    other ways count half, and those of other words that the library has for the same (`rag.search.wording`) less.
    """
    text = subject(question)
    spans = content_words(text)
    embedded = store.embedder.embed_question(Marked(text=text, spans=spans))
    vector = embedded.vector
    if also:
        middle = np.mean([vector, *(store.embedder.embed_query(other) for other in also)], axis=0)
        vector = (middle / np.linalg.norm(middle)).astype(np.float32)
    words = [content_stems(text[start:end]) for start, end in spans]
    frequencies = store.words.frequencies({found for stems in words for found in stems})
    total = store.words.count()
    weights = np.array([max(rarity(frequencies[found], total) for found in stems) for stems in words], np.float32)
    asked = Asked(vector=vector, words=embedded.spans, weights=weights / max(float(weights.sum()), 1e-9))
    said = Counter(found for other in also for found in set(query_stems(other)))
    halves = {found: 0.5 * count / len(also) for found, count in said.items()}
    known = {stem(word): weight for word, weight in others(question, store.vocabulary).items()}
    return asked, halves | known | dict.fromkeys(query_stems(question), 1.0)


def _views(compared: Compared, scores: Mapping[str, Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    """Each view's scores of the compared papers, NaN where it has none: the vectors' and those found by words."""
    views = {"passage": compared.passage, "sentence": compared.sentence, "title": compared.title}
    if compared.terms is not None:
        views["terms"] = compared.terms
    for name, found in scores.items():
        views[name] = np.array([found.get(paper_id, np.nan) for paper_id in compared.papers], dtype=np.float64)
    return views


def _evidence(store: Store, asked: Asked, pool: Pool, k: int) -> tuple[Found, ...]:
    """The best papers with their passages; one removed since is left out."""
    fused = pool.rank()
    best = {pool.papers[i]: int(i) for i in np.argsort(-fused, kind="stable")[:k]}
    places = {name: ranks(column) for name, column in pool.views.items()}
    passages = store.passages(list(best))
    papers = store.papers(list(passages))
    return tuple(
        Found(
            hit=Hit(paper=papers[paper_id], score=float(np.clip(fused[i], 0.0, 1.0)),
                    passages=_best_passages(asked.vector, passages[paper_id]),
                    ranks={name: int(column[i]) for name, column in places.items() if column[i]}),
            passages=passages[paper_id],
            scores={name: float(column[i]) for name, column in pool.views.items() if np.isfinite(column[i])},
        )
        for paper_id, i in best.items() if paper_id in papers
    )


def _dense(store: Store, asked: Asked, depth: int, among: Selected | None) -> list[str]:
    """Ids of the papers with the nearest passages, best first."""
    if among is None:
        found = store.vectors.search(asked.vector, depth)
    elif len(among.papers) <= _FEW:
        compared = compare(asked, store.views(sorted(among.papers)))
        return [compared.papers[i] for i in np.argsort(-compared.passage, kind="stable")[:depth]]
    elif len(among.papers) * _SHARE >= store.words.count():
        around = store.vectors.search(asked.vector, 2 * _SHARE * depth)
        found = tuple(pair for pair in around if pair[0] in among.papers)
    else:
        found = store.vectors.search(asked.vector, depth, among.chunks)
    return list(dict.fromkeys(paper_id for paper_id, _ in found))


def _best_passages(vector: NDArray[np.float32], passages: Sequence[Passage]) -> tuple[Chunk, ...]:
    ordered = sorted(passages, key=lambda passage: -float(_of(passage.vector) @ vector))
    return tuple(passage.chunk for passage in ordered[:3])


def _of(vectors: NDArray[np.float32] | None) -> NDArray[np.float32]:
    assert vectors is not None, "passages are read with their vectors"
    return vectors
