"""What papers say, told in their own words where they are asked for as such: "tell me about the second one", "more"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from rag.drafted import Drafted
from rag.retrieve import Found
from rag.text import Span

# Sentences told of each paper, by how many there are; of more papers than there are numbers, the last. Papers at most.
_EACH = (8, 4, 3, 2, 2, 1)
_PAPERS = 10

# Said where all that is known of the papers has been quoted.
NO_MORE = "The abstracts say no more."


def retell(evidence: Mapping[str, Found], order: Sequence[str], vector: NDArray[np.float32] | None = None,
           said: Collection[str] = (), *, most: int | None = None, compared: bool = False) -> Iterator[Drafted]:
    """The papers' sentences in their order, those that belong together as one quote; nothing where all was said.

    Where a paper has more of them than there is room for, they are those nearest to what was asked; without a
    question, those nearest to the rest of the paper (Erkan and Radev 2004, without the iteration).

    Args:
        evidence: label to paper.
        order: ids of papers, as they were named; they come in this order.
        vector: the question's, (d,); None where no matter was asked about.
        said: quotes that were shown before and are left out.
        most: sentences at most.
        compared: whether the papers stand side by side.
    """
    by_id = {item.hit.paper.id: (label, item) for label, item in evidence.items()}
    shown = dict([by_id[paper_id] for paper_id in order if paper_id in by_id][:_PAPERS])
    each = _EACH[min(len(shown), len(_EACH)) - 1] if shown else 0
    left = len(shown) * each if most is None else most
    for label, item in shown.items():
        room = min(left, each if most is None else max(1, most // len(shown)))
        abstract = item.hit.paper.abstract
        spans, vectors = _sentences(item)
        fresh = [at for at, (start, end) in enumerate(spans) if not any(abstract[start:end] in quote for quote in said)]
        if len(fresh) > room:
            middle = vectors.mean(axis=0) if vector is None else vector
            fresh = sorted(sorted(fresh, key=lambda at: -float(vectors[at] @ middle))[:room])
        left -= len(fresh)
        for _, run in groupby(enumerate(fresh), key=lambda pair: pair[1] - pair[0]):
            places = [at for _, at in run]
            yield Drafted(text=abstract[spans[places[0]][0]:spans[places[-1]][1]], labels=(label,),
                          side=item.hit.paper.label if compared else None)


def _sentences(item: Found) -> tuple[Sequence[Span], NDArray[np.float32]]:
    """The spans of the paper's sentences, in order, and their vectors (n, d)."""
    found = {span: vector for passage in item.passages if passage.sentence_vectors is not None
             for span, vector in zip(passage.sentences, passage.sentence_vectors, strict=True)}
    ordered = sorted(found)
    return ordered, np.array([found[span] for span in ordered], dtype=np.float32)
