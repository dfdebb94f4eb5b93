"""Deep search: a language model puts the question in other words, and orders the papers that are found by all of them.

Optional, and never more than a help: whatever of it fails leaves what the plain search finds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from rag.errors import ModelError
from rag.retrieve import Retrieved, retrieve
from rag.schema import Where
from rag.store import Store

if TYPE_CHECKING:
    from rag.chain import Writer

# Papers that are looked at: as many as a model can order in one pass.
DEPTH = 50
# Another way to put the question is off its subject unless one of the question's first papers is among its own first.
_FIRST, _AMONG = 5, 10

_T = TypeVar("_T")


@dataclass(slots=True)
class Deep:
    """The model's part in one question's search. After its first failure it is asked no more.

    Attributes:
        writer: whom to ask.
        notice: one line on what went wrong.
    """

    writer: Writer
    notice: str | None = None

    def search(self, store: Store, question: str, k: int, where: Where | None = None) -> Retrieved:
        """The papers that fit the question best, at most ``k``.

        Raises:
            NoLibraryError: there is no library.
            ValueError: ``k`` is not positive.
        """
        plain = retrieve(store, question, k, where)
        if len(plain.evidence) > 1:
            plain = self.rerank(self.widen(store, plain, max(k, DEPTH), where, self.rewrite(question)))
        return replace(plain, evidence=plain.evidence[:k])

    def rewrite(self, question: str) -> tuple[str, ...]:
        """Other ways to put the question, to search for with it."""
        return self._asked(lambda: self.writer.rewrite(question), ())

    def widen(self, store: Store, plain: Retrieved, k: int, where: Where | None, also: Sequence[str]) -> Retrieved:
        """What a question finds together with other ways to put it, without those that are off its subject.

        A paper's scores stay those of the question itself, so that what they are judged by is not the model's.

        Args:
            store: the library's.
            plain: what the question finds alone.
            k: papers at most.
            where: only these papers.
            also: the other ways to put it.
        """
        first = {hit.paper.id for hit in plain.hits[:_FIRST]}
        near = [text for text in also
                if first.intersection(hit.paper.id for hit in retrieve(store, text, _AMONG, where).hits)]
        found = retrieve(store, plain.question, k, where, near)
        if near and found.evidence:
            ids = tuple(hit.paper.id for hit in found.hits)
            alone = retrieve(store, plain.question, len(ids), Where(ids=ids)).evidence
            scores = {item.hit.paper.id: item.scores for item in alone}
            found = replace(plain, evidence=tuple(replace(item, scores=scores[item.hit.paper.id])
                                                  for item in found.evidence if item.hit.paper.id in scores))
        return found

    def rerank(self, retrieved: Retrieved) -> Retrieved:
        """The same papers in a new order; a hit that the model named has its place under "model" among its ranks."""
        papers = [hit.paper for hit in retrieved.hits[:DEPTH]]
        ranked = self._asked(lambda: self.writer.rerank(retrieved.question, papers), None)
        if ranked is None:
            return retrieved
        evidence = list(retrieved.evidence)
        for rank, place in enumerate(ranked.named, 1):
            hit = evidence[place].hit
            evidence[place] = replace(evidence[place], hit=replace(hit, ranks={**hit.ranks, "model": rank}))
        return replace(retrieved, evidence=(*(evidence[place] for place in ranked.order), *evidence[DEPTH:]))

    def _asked(self, ask: Callable[[], _T], instead: _T) -> _T:
        if self.notice is not None:
            return instead
        try:
            return ask()
        except ModelError as error:
            self.notice = f"{error} The papers stand in the order in which they were found."
            return instead
