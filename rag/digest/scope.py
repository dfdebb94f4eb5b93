"""The papers a digest rests on: those that bear on a topic, or all that a filter lets through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag import floor
from rag.relevant import signals
from rag.retrieve import Found, Retrieved, retrieve
from rag.schema import Paper, Where
from rag.search.narrow import narrow
from rag.store import Store

# Papers looked at for a topic, at least; whether the library has anything on it is judged by so many, as for an answer.
_LOOKED_AT, _JUDGED = 100, 40
# The topic is searched for once more together with so many titles of the papers that fit it best.
_TITLES = 2
# A paper belongs if it is so strong beside the strongest, for the topic or, with less doubt, for the topic and those
# titles; and if its score comes so near the best. The name of a short topic in a title makes a paper stronger than any
# that speaks of it in other words, so that beyond _STRONG strength counts no more. Tried on topics of two collections.
_SHARE, _SHARE_TITLES, _STRONG, _NEAR = 0.67, 0.75, 0.6, 0.5
# Below this there is nothing to survey; between it and the floor of answers a survey is made, and its doubt told.
_NOTHING = floor.FLOOR / 2
# Where that is in doubt, fewer papers make no survey.
_FEW = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The papers of a digest.

    Attributes:
        papers: their ids, the most relevant first.
        chosen: how they were chosen, as a line that tells their number goes on.
        condition: what the topic's own conditions did to the choice.
        sure: whether the library is likely to cover the topic.
    """

    papers: tuple[str, ...]
    chosen: str
    condition: str | None = None
    sure: bool = True


def choose(store: Store, topic: str, where: Where | None = None, most: int = 30, *, this_year: int) -> Scope:
    """The papers for a digest, at most so many.

    Args:
        store: the library's.
        topic: in the reader's words; empty for all the papers that the filter lets through.
        where: only these papers.
        most: papers at most, those that fit the topic best (of a filter alone, those that came last).
        this_year: what "the last two years" in the topic is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    store.fresh()
    narrowed = narrow(store, topic, where, this_year) if topic.strip() else None
    if narrowed is None or not narrowed.question:
        return _all(store, narrowed.where if narrowed else where, most, narrowed.told if narrowed else None)
    looked_at = max(_LOOKED_AT, 2 * most)
    found = retrieve(store, narrowed.question, looked_at, narrowed.where)
    confidence = floor.confidence(signals(found)[:_JUDGED])
    chosen = f"chosen by how near they are to “{topic.strip()}”"
    if confidence < _NOTHING:
        return Scope(papers=(), chosen=chosen, condition=narrowed.told, sure=False)
    titles = [item.hit.paper.label for item in found.evidence[:_TITLES]]
    again = retrieve(store, narrowed.question, looked_at, narrowed.where, also=titles)
    fitting = {*_fitting(found, _SHARE), *_fitting(again, _SHARE_TITLES)}
    ordered = sorted(fitting, key=_sums([found, again]).__getitem__, reverse=True)
    if confidence < floor.FLOOR and len(ordered) < _FEW:
        return Scope(papers=(), chosen=chosen, condition=narrowed.told, sure=False)
    return Scope(papers=tuple(ordered[:most]), chosen=chosen, condition=narrowed.told,
                 sure=confidence >= floor.FLOOR)


def _fitting(found: Retrieved, share: float) -> list[str]:
    """Ids of the papers that belong to what was looked for."""
    strengths = [floor.strength(each) for each in signals(found)]
    best = max(item.hit.score for item in found.evidence)
    least = share * min(_STRONG, max(strengths))
    return [item.hit.paper.id for item, strength in zip(found.evidence, strengths, strict=True)
            if strength >= least and item.hit.score >= _NEAR * best]


def _sums(searches: Sequence[Retrieved]) -> dict[str, float]:
    """Each paper's scores in some searches together, each beside its search's best."""
    sums: dict[str, float] = {}
    for search in searches:
        best = max(item.hit.score for item in search.evidence)
        for item in search.evidence:
            sums[item.hit.paper.id] = sums.get(item.hit.paper.id, 0.0) + item.hit.score / best
    return sums


def _all(store: Store, where: Where | None, most: int, condition: str | None) -> Scope:
    """Every paper that the filter lets through, the last come first."""
    among = store.catalogue.select(where)
    ids = [paper.id for paper in store.catalogue.papers() if among is None or paper.id in among]
    chosen = ids[::-1][:most]
    return Scope(papers=tuple(chosen), condition=condition,
                 chosen="" if len(chosen) == len(ids) else f"the last that came of {len(ids)}")


def scope_line(papers: Sequence[Found] | Sequence[Paper], total: int, chosen: str) -> str:
    """How many papers of how many, of which years, how they were chosen, and that only abstracts were read."""
    plain = [item.hit.paper if isinstance(item, Found) else item for item in papers]
    count = f"{len(plain)} of {total} paper{'' if total == 1 else 's'}"
    told = ", ".join(filter(None, (f"{count}{_years(plain)}", chosen)))
    kinds = {paper.text_kind for paper in plain}
    what = "summaries" if kinds == {"summary"} else "abstracts and summaries" if "summary" in kinds else "abstracts"
    return f"{told}. Rests on their {what} only."


def _years(papers: Sequence[Paper]) -> str:
    years = sorted({paper.year for paper in papers if paper.year is not None})
    if not years:
        return ""
    span = str(years[0]) if years[0] == years[-1] else f"{years[0]} to {years[-1]}"
    return f" ({span}{' where known' if any(paper.year is None for paper in papers) else ''})"
