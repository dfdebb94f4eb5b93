"""Topic to outline: which papers, in which sections, under which headings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from rag.conversation.topic import topic as place_of_topic
from rag.digest.groups import Described, group
from rag.digest.headings import Named, headings
from rag.digest.material import Material, gathered
from rag.digest.phrases import Grammar
from rag.digest.scope import Scope, choose, scope_line
from rag.schema import Where
from rag.store import Store
from rag.survey import MOST, Group, Length, Outline


def outline(store: Store, topic: str, where: Where | None = None, length: Length = "standard", *,
            this_year: int) -> Outline:
    """What a digest of a topic would be about, to be edited before it is written.

    Args:
        store: the library's.
        topic: in the reader's words; empty for all the papers of the filter.
        where: only these papers.
        length: how many papers, at most.
        this_year: what "the last two years" in the topic is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    scope = choose(store, topic, where, MOST[length], this_year=this_year)
    return arranged(store, topic, where, length, scope)[0]


def arranged(store: Store, topic: str, where: Where | None, length: Length, scope: Scope) -> tuple[Outline, Material]:
    """The outline of papers that were chosen, and the papers."""
    topic = " ".join(topic.split())
    bare = Outline(topic=topic, title=topic, groups=(Group(heading="", papers=scope.papers),),
                   chosen=scope.chosen, length=length, where=where or Where(), notice=_notice(store, topic, scope))
    material = gathered(store, bare)
    groups = named(material, grouped(material))
    named_so = title(topic, [each.heading for each in groups], material.grammar)
    scoped = scope_line(list(material.papers.values()), store.catalogue.count()[0], scope.chosen) if groups else ""
    return replace(bare, title=named_so, groups=groups, scope=scoped), material


def grouped(material: Material) -> tuple[tuple[str, ...], ...]:
    """The ids of the papers, in groups of those that do alike; the group whose papers fit the topic best first."""
    ids = list(material.papers)
    if not ids:
        return ()
    stems = material.store.stems(ids)
    places = group(Described(vectors=np.stack([material.vectors[paper_id] for paper_id in ids]),
                             stems=[stems.get(paper_id, []) for paper_id in ids]))
    # Papers stand in the order of their relevance.
    ordered = sorted(places, key=lambda these: sum(these) / len(these)) if material.topic else places
    return tuple(tuple(ids[place] for place in sorted(these)) for these in ordered)


def named(material: Material, groups: Sequence[Sequence[str]], taken: Sequence[str] = ()) -> tuple[Group, ...]:
    """The groups under headings of their own, none of which is taken."""
    ids = [paper_id for each in groups for paper_id in each]
    if not ids:
        return ()
    places = {paper_id: place for place, paper_id in enumerate(ids)}
    told = headings([[places[paper_id] for paper_id in each] for each in groups], described(material, ids),
                    material.topic, material.grammar, material.shares,
                    cache(material.store.embedder.embed_query), taken)
    return tuple(Group(heading=heading, papers=tuple(each)) for heading, each in zip(told, groups, strict=True))


def described(material: Material, ids: Sequence[str]) -> Named:
    """What the papers are named by."""
    return Named(titles=[material.paper(paper_id).title for paper_id in ids],
                 abstracts=[material.paper(paper_id).abstract for paper_id in ids],
                 vectors=np.stack([material.vectors[paper_id] for paper_id in ids]))


def inside(heading: str, grammar: Grammar) -> str:
    """A heading in the middle of a sentence: with a small letter where its first word is no name."""
    first, *rest = heading.split(" ")
    return " ".join([grammar.spelled(first), *rest])


def title(topic: str, headings: Sequence[str], grammar: Grammar) -> str:
    """What a digest is called: its topic without the words that only ask, else its first themes."""
    if not topic:
        names = dict.fromkeys(inside(heading, grammar).split(" and ")[0] for heading in headings if heading)
        *early, last = list(names)[:3] or ["survey of papers"]
        told = f"{', '.join(early)} and {last}" if early else last
        return told[:1].upper() + told[1:]
    place = place_of_topic(topic)
    bare = re.sub(r"[?.!\s]+$", "", topic[slice(*place)] if place and place[1] > place[0] else topic)
    return bare[:1].upper() + bare[1:]


def _notice(store: Store, topic: str, scope: Scope) -> str | None:
    told = [scope.condition]
    total = store.catalogue.count()[0]
    if not scope.papers:
        what = f"is on “{topic}”" if topic else "fits the filter"
        told.append(f"None of the library's {total} papers {what}." if total else "The library holds no papers yet.")
    elif not scope.sure:
        told.append(f"The library may not cover “{topic}”: these papers come closest.")
    return " ".join(filter(None, told)) or None
