"""An outline made better by a language model: headings, order, and which paper stands where. What is amiss is mended.

The model only names and sorts. A paper it loses goes to the section nearest to it, one it names twice stays where it
was named first, and a heading that does not stand in its papers' words gives way to the program's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import prompts
from rag.digest.arrange import title
from rag.digest.material import Material, mean
from rag.digest.shown import room, shown
from rag.errors import ModelError
from rag.models.inert import inert, plain
from rag.survey import Group, Outline
from rag.text import content_stems, letters

if TYPE_CHECKING:
    from rag.llm import Model

_LEAST, _MOST = 3, 8  # sections, where the program made no fewer and no more
_LONGEST = 90  # characters of a heading
_HELD = 2 / 3  # of a heading's words its papers hold at least so many
_READ = 20_000  # characters of a reply that are looked at

_LABEL = re.compile(r"\bP(?:aper)?\s?(\d{1,4})\b", re.IGNORECASE)
_LINES = re.compile(r"\n|(?<=\]),")
_MARK = re.compile(r"^(?:[\s>#*•‣–—-]|\d{1,2}[.)]\s|section\s*\d*\s*[:.]|heading\s*\d*\s*:)+", re.IGNORECASE)
_SIGNS = re.compile(r"[\[\]{}<>|\\`*#]+")
_NO_HEADING = re.compile(r"papers?|labels?|outline|sections?", re.IGNORECASE)
_VAGUE = re.compile(r"^(?:others?|misc\w*|various|remaining|general|further|additional|more)\b|"
                    r"\b(?:cluster|group|section|theme)s?(?:\s*\d|$)", re.IGNORECASE)


def improve(model: Model, outline: Outline, material: Material) -> Outline:
    """The outline as the model would have it, in one call; the same one, with a notice, where the model is of no use.

    Args:
        model: the one to ask. Papers that find no room in its window go by their likeness to the others.
        outline: as the program made it.
        material: the papers.
    """
    ids = list(material.papers)
    groups = [group for group in outline.groups if any(paper_id in material.papers for paper_id in group.papers)]
    if len(ids) < 2 or not groups:
        return outline
    fewest, most = min(_LEAST, len(groups)), max(_MOST, len(groups))
    numbers = {paper_id: number for number, paper_id in enumerate(ids, 1)}
    given = "\n".join(f"{group.heading}: {' '.join(f'P{numbers[i]}' for i in group.papers if i in numbers)}"
                      for group in groups)
    rules = prompts.load("digest-outline").fill(fewest=fewest, most=most)
    frame = prompts.load("digest-evidence")
    try:
        left = room(model, rules, frame.text, outline.title, given)
        evidence = f"{given}\n\n{shown(material, ids, 'P', left, model)}"
        said = model.ask(f"{rules}\n\n{frame.fill(title=outline.title, evidence=evidence, part='the better outline')}")
    except ModelError as error:
        return _noted(outline, f"{error} The sections stand as they were grouped.")
    better = regrouped(read(said, len(ids)), groups, material, fewest, most)
    if not better:
        model.account.forget()
        return _noted(outline, "The model's outline was of no use; the sections stand as they were grouped.")
    named, before = [group.heading for group in better], [group.heading for group in outline.groups]
    own = not outline.topic and outline.title == title("", before, material.grammar)
    return replace(outline, groups=better, title=title("", named, material.grammar) if own else outline.title)


def read(said: str, count: int) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What a reply says: headings, and under each the places (from 0) of its papers. Pure.

    A section is a line with a heading and labels P1 to P``count`` behind it, or a heading's line and lines that begin
    with labels. Other lines say nothing.
    """
    found: list[tuple[str, list[int]]] = []
    heading = ""
    for raw in _LINES.split(said[:_READ]):
        line = _MARK.sub("", inert("".join(map(plain, raw))))
        labels = list(_LABEL.finditer(line))
        places = [int(label[1]) - 1 for label in labels if 1 <= int(label[1]) <= count]
        if not labels:
            heading = _tidy(line) or heading
            continue
        before, behind = _tidy(line[:labels[0].start()]), line[labels[-1].end():]
        if not before or _NO_HEADING.fullmatch(before):
            if heading:
                found.append((heading, []))
                heading = ""
            if found:
                # Behind the label that leads a line stands its paper's title, if anything.
                found[-1][1].extend(places if not re.search(r"\w", behind) else places[:1])
        elif not re.search(r"\w", behind):
            found.append((before, places))
            heading = ""
    return tuple((heading, tuple(dict.fromkeys(places))) for heading, places in found)


def _tidy(text: str) -> str:
    text = " ".join(_SIGNS.sub(" ", text).split()).strip(" \"'“”‘’:;,.(_–—-")
    return text[:1].upper() + text[1:]


def regrouped(told: Sequence[tuple[str, Sequence[int]]], groups: Sequence[Group], material: Material, fewest: int,
              most: int) -> tuple[Group, ...]:
    """The sections that a model told, mended so that every paper is in one; none where they cannot be mended.

    Args:
        told: headings, and places in ``material.papers``.
        groups: the program's own.
        material: the papers.
        fewest: sections at least.
        most: sections at most.
    """
    ids = list(material.papers)
    sections: list[tuple[str, list[str]]] = []
    placed: set[str] = set()
    for heading, places in told:
        papers = [ids[place] for place in places if ids[place] not in placed]
        placed.update(papers)
        if papers:
            sections.append((heading, papers))
    if 2 * len(placed) < len(ids):
        return ()
    _place([paper_id for paper_id in ids if paper_id not in placed], sections, material)
    alone = [] if len(ids) < 2 * fewest else [papers[0] for _, papers in sections if len(papers) == 1]
    sections = [(heading, papers) for heading, papers in sections if not set(papers) & set(alone)]
    if not fewest <= len(sections) <= most:
        return ()
    _place(alone, sections, material)
    stems = material.store.stems(ids)
    made: list[Group] = []
    for heading, papers in sections:
        papers.sort(key=ids.index)
        taken = {letters(group.heading) for group in made}
        if letters(heading) in taken or not fits(heading, [stems.get(paper_id, []) for paper_id in papers]):
            heading = _own(groups, papers, taken)
        if not heading:
            return ()
        made.append(Group(heading=heading, papers=tuple(papers)))
    return tuple(made)


def _place(papers: Sequence[str], sections: Sequence[tuple[str, list[str]]], material: Material) -> None:
    """Puts each paper into the section whose papers are most like it."""
    middles = [mean([material.vectors[paper_id] for paper_id in held]) for _, held in sections]
    for paper_id in papers:
        vector = material.vectors[paper_id]
        sections[max(range(len(sections)), key=lambda at: float(middles[at] @ vector))][1].append(paper_id)


def fits(heading: str, stems: Sequence[Collection[str]]) -> bool:
    """Whether a heading reads as one, and stands in the words of its papers (their content stems). Pure."""
    wanted = content_stems(heading)
    held = {stem for paper in stems for stem in paper}
    figures = [stem for stem in wanted if any(c.isdigit() for c in stem)]
    return (bool(wanted) and len(heading) <= _LONGEST and not _VAGUE.search(heading) and held.issuperset(figures)
            and sum(stem in held for stem in wanted) >= _HELD * len(wanted))


def _own(groups: Sequence[Group], papers: Sequence[str], taken: Collection[str]) -> str:
    """The program's heading for most of these papers, if it is still free; empty where none is."""
    shares: Mapping[str, int] = {group.heading: len(set(group.papers) & set(papers)) for group in groups
                                 if letters(group.heading) not in taken}
    best = max(shares, key=lambda heading: shares[heading], default="")
    return best if shares.get(best) else ""


def _noted(outline: Outline, notice: str) -> Outline:
    return replace(outline, notice=" ".join(filter(None, (outline.notice, notice))))
