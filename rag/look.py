"""What an answer rests on: the papers looked up for a question, in the whole library or among those spoken of."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from rag import floor
from rag.conversation.converse import Resolved
from rag.kinds import Asks, understand
from rag.relevant import Relevant, everything, relevant, signals
from rag.retrieve import Retrieved, retrieve
from rag.search.narrow import Narrowed, narrow
from rag.store import Store

# Papers looked at for an answer.
_LOOKED_AT = 40
# Of more than a few papers spoken of before, those are left out that say so little on the question.
_FEW, _LEAST = 3, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found for a question.

    Attributes:
        retrieved: what was searched for, and all that was found.
        relevant: the papers that an answer may cite.
        narrowed: the question's own conditions.
        asks: what kind of answer is asked for.
        bare: these papers are all that the question asks for: nothing about them is asked.
    """

    retrieved: Retrieved
    relevant: Relevant
    narrowed: Narrowed
    asks: Asks
    bare: bool


def look(store: Store, resolved: Resolved, this_year: int) -> Looked:
    """Looks a resolved question up.

    Raises:
        NoLibraryError: there is no library.
    """
    narrowed = Narrowed(question="", where=resolved.where)
    if resolved.question:
        narrowed = narrow(store, resolved.question, resolved.where, this_year)
    found = retrieve(store, narrowed.question, _LOOKED_AT + len(resolved.without), narrowed.where)
    found = _without(found, resolved.without)
    bare = narrowed.told is not None and not narrowed.question
    asks = understand(resolved.rewritten or narrowed.question)
    return Looked(retrieved=found, relevant=_relevant(found, resolved, asks, bare=bare), narrowed=narrowed, asks=asks,
                  bare=bare)


def _without(found: Retrieved, papers: Collection[str]) -> Retrieved:
    kept = tuple(item for item in found.evidence if item.hit.paper.id not in papers)
    return replace(found, evidence=kept[:_LOOKED_AT])


def _relevant(found: Retrieved, resolved: Resolved, asks: Asks, *, bare: bool) -> Relevant:
    among = resolved.where.ids if resolved.where else ()
    if bare or resolved.whole or (resolved.brief and among):
        return everything(found)
    if not among:
        return relevant(found, sides=asks.sides)
    # Whether a library answers is judged by how its best papers stand out; among a few papers of one subject, which
    # a reader points at, none does.
    kept = relevant(found, judged=1.0)
    if len(among) <= _FEW:
        return kept
    strong = {item.hit.paper.id for item, shown in zip(found.evidence, signals(found), strict=True)
              if floor.strength(shown) >= _LEAST}
    papers = {label: item for label, item in kept.papers.items() if item.hit.paper.id in strong}
    return replace(kept, papers=papers, sure=kept.sure & papers.keys())
