"""Papers like a paper: found by its passages and its rare words, put in order by what their sentences share.

Papers are compared sentence by sentence, as in Mysore et al., "Multi-Vector Models with Textual Guidance for
Fine-Grained Scientific Document Similarity", here with the library's own sentence vectors, each sentence beside its
best match, both ways. "Our code is available" has its like in every paper, so what a sentence is near to anyway is
taken off (as in CSLS: Conneau et al. 2018, "Word Translation Without Parallel Data").
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.embedders.threads import one_thread
from rag.floor import rarity
from rag.fuse import fuse
from rag.retrieve import DEPTH, gather
from rag.schema import Alike, Excerpt, Paper, Shared, Where
from rag.search.compare import Asked
from rag.store import Store
from rag.tables import Passage, View
from rag.text import content_stems

# Whole passages, their sentences and the words count the same.
_SHARES = {"passage": 1.0, "sentences": 1.0, "words": 1.0}
# Words that a paper is looked for by, besides its title's.
_TELLING = 10
# Pairs of sentences that are shown, and how near two must be for that, by themselves and beyond what is common. Set by
# reading pairs.
_PAIRS, _NEAR, _BEYOND = 2, 0.5, 0.05
# How many of its nearest tell how common a sentence is, and what the words that two share count beside their meaning.
_NEAREST, _WORDING = 10, 0.5

Vectors = NDArray[np.float32]
Scores = NDArray[np.float64]


def alike(store: Store, paper_id: str, k: int = 10, where: Where | None = None) -> tuple[Alike, ...]:
    """The papers that are most like one of the library's, the most alike first, itself left out.

    Args:
        store: the library's.
        paper_id: the paper's.
        k: papers at most.
        where: only these papers.

    Raises:
        NoLibraryError: there is no library.
        NoPaperError: no paper has that id.
        ProjectionError: an index cannot be read.
        ValueError: ``k`` is not positive.
    """
    if k < 1:
        raise ValueError(f"{k} papers cannot be retrieved: ask for one or more")
    catalogue = store.fresh()
    [paper] = catalogue.papers([paper_id])
    views = store.views([paper_id]).get(paper_id)
    if not views:
        return ()
    own = _sentences(views)
    # One place more than wanted: the paper finds itself.
    with one_thread():
        pool = gather(store, _asked(views, own), _terms(store, paper), max(DEPTH, k + 1), store.select(where))
    others = store.views([other for other in pool.papers if other != paper_id])
    if not others:
        return ()
    theirs = {other: _sentences(found) for other, found in others.items()}
    everything = np.concatenate(list(theirs.values()))
    at = [pool.papers.index(other) for other in theirs]
    scores = fuse({"passage": pool.views["passage"][at], "words": pool.views["words"][at],
                   "sentences": _nearness(own, list(theirs.values()), everything)}, _SHARES)
    ids = list(theirs)
    best = {ids[i]: float(scores[i]) for i in np.argsort(-scores, kind="stable")[:k]}
    papers, passages = store.papers(list(best)), store.passages([paper_id, *best])
    # A paper removed since is left out.
    there = [other for other in best if other in papers and other in passages]
    rare = _rarities(store, [stem for each in (paper, *(papers[other] for other in there))
                             for stem in content_stems(each.abstract)])
    read = _read(paper, passages.get(paper_id, ()), own, everything, rare)
    return tuple(Alike(paper=papers[other], score=best[other], shared=_shared(read, _read(
        papers[other], passages[other], theirs[other], everything, rare))) for other in there)


def _sentences(views: Sequence[View]) -> Vectors:
    """The vectors of a paper's sentences, in order, (n, d)."""
    return np.concatenate([view.parts[1:] for view in views])


def _asked(views: Sequence[View], sentences: Vectors) -> Asked:
    """A paper as a question: the middle of its passages, with its sentences for words."""
    middle = np.sum([view.passage for view in views], axis=0)
    weights = np.full(len(sentences), 1.0 / max(len(sentences), 1), dtype=np.float32)
    return Asked(vector=middle / np.linalg.norm(middle), words=sentences, weights=weights)


def _terms(store: Store, paper: Paper) -> dict[str, float]:
    """What a paper is looked for by: the stems of its title, and those that tell it from most others."""
    counts = Counter(content_stems(paper.text))
    rare = _rarities(store, list(counts))
    alone = rarity(1, store.words.count())
    # A word that no other paper holds finds nothing.
    telling = sorted((stem for stem in counts if rare[stem] < alone),
                     key=lambda stem: (-counts[stem] * rare[stem], stem))
    return dict.fromkeys([*content_stems(paper.title or ""), *telling[:_TELLING]], 1.0)


def _rarities(store: Store, stems: Sequence[str]) -> dict[str, float]:
    total = store.words.count()
    return {stem: rarity(held, total) for stem, held in store.words.frequencies(set(stems)).items()}


def _nearness(own: Vectors, others: Sequence[Vectors], everything: Vectors) -> Scores:
    """How near each of the others' sentences come to one's own, beyond what they are near to anyway, (n,)."""
    middle = everything.mean(axis=0)
    mine = own @ middle
    near = np.empty(len(others))
    for place, theirs in enumerate(others):
        likeness = 2.0 * (own @ theirs.T) - mine[:, None] - (theirs @ middle)[None, :]
        near[place] = 0.5 * (likeness.max(axis=1).mean() + likeness.max(axis=0).mean())
    return near


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Read:
    """A paper's sentences, n of them.

    Attributes:
        vectors: (n, d).
        common: how near each is to the sentences nearest to it, (n,).
        stems: the content stems of each with their rarity.
    """

    excerpts: tuple[Excerpt, ...]
    vectors: Vectors
    common: Scores
    stems: tuple[Mapping[str, float], ...]


def _read(paper: Paper, passages: Sequence[Passage], vectors: Vectors, everything: Vectors,
          rare: Mapping[str, float]) -> _Read:
    excerpts = tuple(Excerpt(text=paper.abstract[start:end], start=start, end=end)
                     for passage in passages for start, end in passage.sentences)
    few = min(_NEAREST, len(everything))
    likeness = np.partition(vectors @ everything.T, -few, axis=1)[:, -few:]
    return _Read(excerpts=excerpts, vectors=vectors, common=likeness.mean(axis=1).astype(np.float64), stems=tuple(
        {stem: rare.get(stem, 0.0) for stem in content_stems(excerpt.text)} for excerpt in excerpts))


def _shared(own: _Read, other: _Read) -> tuple[Shared, ...]:
    """The pairs of sentences that two papers share most, each sentence once."""
    near = (own.vectors @ other.vectors.T).astype(np.float64)
    worth = near - 0.5 * (own.common[:, None] + other.common[None, :])
    worth += _WORDING * np.array([[_wording(mine, theirs) for theirs in other.stems] for mine in own.stems])
    worth[near < _NEAR] = -np.inf
    # Where the code lies is no subject.
    worth[["://" in excerpt.text for excerpt in own.excerpts], :] = -np.inf
    worth[:, ["://" in excerpt.text for excerpt in other.excerpts]] = -np.inf
    pairs: list[Shared] = []
    while len(pairs) < _PAIRS and worth.max(initial=-np.inf) >= _BEYOND:
        mine, theirs = (int(place) for place in np.unravel_index(int(worth.argmax()), worth.shape))
        pairs.append(Shared(own=own.excerpts[mine], other=other.excerpts[theirs], score=float(near[mine, theirs])))
        worth[mine, :] = worth[:, theirs] = -np.inf
    return tuple(pairs)


def _wording(mine: Mapping[str, float], theirs: Mapping[str, float]) -> float:
    """The weight of the words that two sentences have in common, 0..1."""
    whole = math.sqrt(sum(mine.values()) * sum(theirs.values()))
    return sum(weight for stem, weight in mine.items() if stem in theirs) / whole if whole else 0.0
