"""Outline to digest: sections, then what compares them, then the summary; each step leaves a whole digest behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.digest.arrange import arranged
from rag.digest.cells import row
from rag.digest.layout import layout
from rag.digest.material import Line, Material, gathered
from rag.digest.meeting import agreeing, differing, stating, unsettled
from rag.digest.numbering import numbered
from rag.digest.scope import choose, scope_line
from rag.digest.sections import section
from rag.digest.summary import summary
from rag.schema import Reference, Sentence, Where
from rag.store import Store
from rag.survey import MOST, Comparison, Digest, DigestSection, Group, Length, Outline, Point, Step, Withheld

Progress = Callable[[str, int, int], None]
# What a model makes of the digest, step by step.
Rewrite = Callable[[Digest, Material], Iterator[Step]]

# Agreements, disagreements and open problems, at most.
_COMPARED, _OPEN = 5, 6


def digest(store: Store, topic: str, where: Where | None = None, outline: Outline | None = None,
           length: Length = "standard", progress: Progress | None = None, writer: Rewrite | None = None, *,
           this_year: int) -> Digest:
    """A survey of a topic, every sentence cited and checked; `steps` to the end.

    ``progress`` is told the stage, and how much of how much of it is done; the rest is as for `steps`.
    """
    made = Digest(topic=topic, title=topic)
    for step in steps(store, topic, where, outline, length, writer, this_year=this_year):
        if progress is not None:
            progress(step.stage, step.done, step.total)
        made = step.digest
    return made


def steps(store: Store, topic: str, where: Where | None = None, outline: Outline | None = None,
          length: Length = "standard", writer: Rewrite | None = None, *, this_year: int) -> Iterator[Step]:
    """The same work as it happens; each step's digest is whole in itself, so that one may stop after any.

    Args:
        store: the library's.
        topic: in the reader's words; empty for all the papers of the filter.
        where: only these papers.
        outline: what to write, in place of one of the topic: its papers, sections, headings and title.
        length: how many papers, at most.
        writer: makes it better where it can, from the digest in the papers' own words.
        this_year: what "the last two years" in the topic is counted from.

    Raises:
        NoLibraryError: there is no library.
    """
    began = perf_counter()
    if outline is None:
        bare = Digest(topic=topic, title=topic, length=length, where=where or Where())
        yield Step(stage="searching", done=0, total=1, digest=bare)
        scope = choose(store, topic, where, MOST[length], this_year=this_year)
        yield Step(stage="grouping", done=0, total=1, digest=bare)
        outline, material = arranged(store, topic, where, length, scope)
    else:
        material = gathered(store, outline)
    yield from written(outline, material, writer, began)


def written(outline: Outline, material: Material, writer: Rewrite | None, began: float) -> Iterator[Step]:
    """The digest of an outline, step by step."""
    groups = [Group(heading=group.heading, papers=tuple(i for i in group.papers if i in material.papers))
              for group in outline.groups]
    groups = [group for group in groups if group.papers]
    ids = list(dict.fromkeys(paper_id for group in groups for paper_id in group.papers))
    total = material.store.catalogue.count()[0]
    made = Digest(
        topic=outline.topic, title=outline.title, length=outline.length, where=outline.where, notice=outline.notice,
        scope=scope_line([material.paper(paper_id) for paper_id in ids], total, outline.chosen) if ids else "",
        generation=material.store.catalogue.generation, timings={"outline": perf_counter() - began})
    if not groups:
        yield Step(stage="summarising", done=1, total=1, digest=made)
        return
    used: set[str] = set()
    withheld: list[Withheld] = []
    places = dict(zip(ids, layout(np.stack([material.vectors[paper_id] for paper_id in ids])), strict=True))
    for number, group in enumerate(groups):
        yield Step(stage="writing", done=number, total=len(groups), digest=made)
        told = section(material, group, used, withheld)
        made = _with(made, material, told, places)
    yield Step(stage="comparing", done=0, total=1, digest=made)
    made = numbered(_compared(made, material, ids, used, withheld))
    yield Step(stage="summarising", done=0, total=1, digest=made)
    told_first = summary(material, made.sections, made.length, used, withheld)
    made = numbered(replace(made, summary=told_first, withheld=tuple(withheld),
                            timings={**made.timings, "total": perf_counter() - began}))
    yield Step(stage="summarising", done=1, total=1, digest=made)
    if writer is not None:
        yield from writer(made, material)


def _with(made: Digest, material: Material, told: DigestSection, places: Mapping[str, NDArray[np.float64]]) -> Digest:
    """The digest with one more section: its papers as references, in the table and on the map."""
    held = {reference.paper.id for reference in made.references}
    new = list(enumerate((paper_id for paper_id in told.papers if paper_id not in held), len(held) + 1))
    return numbered(replace(
        made, sections=(*made.sections, told),
        references=(*made.references, *(Reference(label=n, paper=material.paper(paper_id)) for n, paper_id in new)),
        table=(*made.table, *(row(n, material.paper(paper_id), material.lines[paper_id]) for n, paper_id in new)),
        map=(*made.map, *(Point(label=n, x=round(float(places[paper_id][0]), 4), y=round(float(places[paper_id][1]), 4),
                                section=len(made.sections)) for n, paper_id in new))))


def _compared(made: Digest, material: Material, ids: Sequence[str], used: set[str], withheld: list[Withheld]) -> Digest:
    """The digest with agreements, disagreements and open problems."""

    def kept(lines: Iterable[Line]) -> list[Sentence]:
        sentences = []
        for line in lines:
            checked = material.quote(line)
            if isinstance(checked, Withheld):
                withheld.append(checked)
            else:
                used.add(line.text)
                sentences.append(checked)
        return sentences

    def compared(pairs: Sequence[tuple[str, tuple[Line, Line]]], role: Literal["confirms", "disputes"],
                 about: str) -> tuple[Comparison, ...]:
        found = [Comparison(about=name, sentences=tuple(kept(pair))) for name, pair in pairs[:_COMPARED]]
        found = [one for one in found if len(one.sentences) > 1]
        said = {sentence.text for one in found for sentence in one.sentences}
        if own := kept(line for line in stating(material, ids, role, _COMPARED) if line.text not in said):
            found.append(Comparison(about=about, sentences=tuple(own)))
        return tuple(found)

    beside = {sentence.text for section in made.sections for one in section.differs for sentence in one.sentences}
    differ = compared(differing(material, ids, beside), "disputes", "In their own words, against what others hold")
    agree = compared(agreeing(material, ids, beside), "confirms", "In their own words, in line with others")
    left = (line for line in unsettled(material, ids, _OPEN) if line.text not in used)
    return replace(made, disagreements=differ, agreements=agree, open_problems=tuple(kept(left)),
                   withheld=tuple(withheld))
