"""A digest brought up to date: what is new since joins the sections it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from rag.digest.arrange import arranged, named
from rag.digest.material import gathered, mean
from rag.digest.scope import choose
from rag.digest.write import Progress, Rewrite, written
from rag.store import Store
from rag.survey import MOST, Digest, Group, News, Outline

# New papers that lie farther from every section than its own papers do make one of their own, if they are so many.
_OWN, _FAR = 3, 0.12


def update(store: Store, old: Digest, progress: Progress | None = None, writer: Rewrite | None = None, *,
           this_year: int) -> tuple[Digest, News]:
    """The digest with the papers that are new since it was made, and what changed.

    Title, sections and headings stay; new papers join the section that is nearest to them.

    Args:
        store: the library's.
        old: as `rag.digest.reading.from_json` gives it.
        progress: told the stage, and how much of how much of it is done.
        writer: as in `rag.digest.write.steps`.
        this_year: what "the last two years" in the topic is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    began = perf_counter()
    if progress is not None:
        progress("searching", 0, 1)
    scope = choose(store, old.topic, old.where, MOST[old.length], this_year=this_year)
    held = {reference.paper.id: reference.paper for reference in old.references}
    still = store.papers(list(held))
    added = tuple(paper_id for paper_id in scope.papers if paper_id not in held)
    groups = tuple(Group(heading=section.heading, papers=kept) for section in old.sections
                   if (kept := tuple(paper_id for paper_id in section.papers if paper_id in still)))
    fresh, _ = arranged(store, old.topic, old.where, old.length, scope)
    outline = fresh if not groups else replace(
        fresh, title=old.title, groups=_joined(store, replace(fresh, groups=groups), added))
    made = old
    for step in written(outline, gathered(store, outline), writer, began):
        if progress is not None:
            progress(step.stage, step.done, step.total)
        made = step.digest
    gone = tuple(paper.label for paper_id, paper in held.items() if paper_id not in still)
    return made, News(added=added, gone=gone, told=_told(old, made, added, gone))


def _joined(store: Store, outline: Outline, added: tuple[str, ...]) -> tuple[Group, ...]:
    """The groups with what was added."""
    if not added:
        return outline.groups
    groups = list(outline.groups)
    with_added = replace(outline, groups=(*groups, Group(heading="", papers=added)))
    material = gathered(store, with_added)
    middles = [mean([material.vectors[paper_id] for paper_id in group.papers]) for group in groups]
    usual = [min(float(material.vectors[paper_id] @ middle) for paper_id in group.papers)
             for group, middle in zip(groups, middles, strict=True)]
    joining: dict[int, list[str]] = {}
    far: list[str] = []
    for paper_id in added:
        near = _near(material.vectors[paper_id], middles)
        best = max(near, key=near.__getitem__)
        if near[best] < usual[best] - _FAR:
            far.append(paper_id)
        else:
            joining.setdefault(best, []).append(paper_id)
    if len(far) < _OWN:
        for paper_id in far:
            near = _near(material.vectors[paper_id], middles)
            joining.setdefault(max(near, key=near.__getitem__), []).append(paper_id)
        far = []
    joined = [replace(group, papers=(*group.papers, *joining.get(number, ()))) for number, group in enumerate(groups)]
    if far:
        headings = [group.heading for group in groups]
        everyone = [*(group.papers for group in joined), tuple(far)]
        own = named(material, everyone, taken=headings)[-1]
        joined.append(own)
    return tuple(joined)


def _near(vector: NDArray[np.float32], middles: list[NDArray[np.float32]]) -> Mapping[int, float]:
    return {number: float(vector @ middle) for number, middle in enumerate(middles)}


def _told(old: Digest, new: Digest, added: tuple[str, ...], gone: tuple[str, ...]) -> str:
    if not added and not gone:
        return "Nothing is new: no paper has come or gone since."
    headings = {section.heading for section in old.sections}
    where = [section.heading for section in new.sections if set(section.papers) & set(added)]
    own = [heading for heading in where if heading not in headings]
    parts = []
    if added:
        joined = [heading for heading in where if heading in headings]
        parts.append(f"{_papers(len(added))} new" + (f", in {_listed(joined)}" if joined else ""))
    if own:
        parts.append(f"a new section {_listed(own)}")
    if gone:
        parts.append(f"{_papers(len(gone))} gone from the library")
    return f"{'; '.join(parts)[:1].upper()}{'; '.join(parts)[1:]}."


def _papers(count: int) -> str:
    return f"{count} paper{'' if count == 1 else 's'}"


def _listed(names: list[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
