"""A digest as a document: what stands where, for every format alike. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from rag.schema import SUMMARY, Excerpt, Paper, Reference, Sentence
from rag.survey import Comparison, Digest, DigestSection
from ui.digest import figures
from ui.export import citation_keys
from ui.render import WEAK, byline, link, place, quote_intro, short_year
from ui.sides import paragraphs
from ui.web.filter import only

Role = Literal["words", "strong", "aside", "cite", "link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Some words in a line.

    Attributes:
        text: as the paper has it; mathematics between dollar signs is to be typeset, nothing else in it is markup.
        role: a "cite" has a paper's number as its text.
        target: a link's address, the BibTeX key of what is cited.
        hint: what a citation rests on, to be shown where one points at it.
    """

    text: str
    role: Role = "words"
    target: str = ""
    hint: str = ""


Runs: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading; the document's title is of level 1."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph."""

    runs: Runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list without numbers."""

    items: tuple[Runs, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table under its heading and a caption; the columns' shares of the width add up to 1."""

    heading: Heading
    caption: str
    head: tuple[str, ...]
    shares: tuple[float, ...]
    rows: tuple[tuple[Runs, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure: SVG, what it shows in a line, and the same as a text for who cannot see it."""

    name: str
    svg: str
    caption: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bibliography:
    """The list of references under its heading: number, BibTeX key and line of each."""

    heading: Heading
    entries: tuple[tuple[int, str, Runs], ...]


Block: TypeAlias = Heading | Paragraph | Items | Grid | Picture | Bibliography

_ADDRESS = re.compile(r"https?://[^\s<>\"'`\\{}]+")
_CELLS = ("Each cell is in the words of the abstract (of the summary, where the paper is marked so); it is empty where "
          "they do not say.")
_HEAD = ("Paper", "Year", "Problem", "Approach", "Data or benchmark", "Main result")
_SHARES = (0.2, 0.06, 0.19, 0.22, 0.14, 0.19)


def document(digest: Digest) -> tuple[Block, ...]:
    """The digest's blocks in reading order."""
    return tuple(_Author(digest).blocks())


def keys(digest: Digest) -> Mapping[int, str]:
    """The BibTeX key of each paper, by its number."""
    found = citation_keys([reference.paper for reference in digest.references])
    return {reference.label: key for reference, key in zip(digest.references, found, strict=True)}


class _Author:
    """Lays a digest out; knows its papers by id and their keys by number."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._papers = {reference.paper.id: reference.paper for reference in digest.references}
        self._keys = keys(digest)

    def blocks(self) -> Iterator[Block]:
        digest = self._digest
        yield Heading(text=digest.title or digest.topic or "Digest", level=1)
        yield from (Paragraph(runs=(Run(text=told, role="aside"),)) for told in self._about())
        yield from self._under("Summary", self._said(digest.summary))
        for section in digest.sections:
            yield from self._under(section.heading, self._section(section))
        yield from self._table()
        yield from self._under("Agreements", self._compared(digest.agreements))
        yield from self._under("Disagreements", self._compared(digest.disagreements))
        yield from self._under("Open problems", self._said(digest.open_problems))
        yield from self._under("Timeline and map", self._pictures())
        if digest.references:
            yield Bibliography(heading=Heading(text="References"), entries=tuple(
                (each.label, self._keys[each.label], _reference(each)) for each in digest.references))

    def _about(self) -> Iterator[str]:
        digest = self._digest
        count = len(digest.withheld)
        were = f"{count} sentences were" if count > 1 else "1 sentence was"
        withheld = f"{were} withheld: the papers do not support {'them' if count > 1 else 'it'}." if count else ""
        summaries = f"Where a paper is marked “summary”, its text is a {SUMMARY}." if any(
            paper.text_kind == "summary" for paper in self._papers.values()) else ""
        filtered = only(digest.where) if digest.where else ""
        model = f"Written with {digest.model}; every sentence was checked against the texts it cites." if (
            digest.engine == "llm" and digest.model) else ""
        if line := " ".join(filter(None, (digest.scope, filtered, withheld, summaries, model))):
            yield line
        if digest.notice:
            yield digest.notice

    def _under(self, heading: str, blocks: Iterable[Block], level: int = 2) -> Iterator[Block]:
        found = tuple(blocks)
        if found:
            yield Heading(text=heading, level=level)
            yield from found

    def _section(self, section: DigestSection) -> Iterator[Block]:
        yield from self._said(section.shared)
        yield from self._under("What each adds", self._said(section.adds), 3)
        yield from self._under("Where they differ", self._compared(section.differs), 3)

    def _compared(self, comparisons: Iterable[Comparison]) -> Iterator[Block]:
        for one in comparisons:
            about = one.about.strip()
            if about:
                yield Paragraph(runs=(Run(text=f"{about[:1].upper()}{about[1:]}:", role="strong"),))
            yield from self._said(one.sentences)

    def _said(self, sentences: Iterable[Sentence]) -> Iterator[Block]:
        """Quotes as items under their papers' names, all else as prose."""
        items: list[Runs] = []
        for group in paragraphs(sentences):
            runs = tuple(run for number, sentence in enumerate(group)
                         for run in (*(Run(text=" "),) * bool(number), *self._sentence(sentence)))
            if group[0].kind == "quote":
                items.append(runs)
                continue
            if items:
                yield Items(items=tuple(items))
                items = []
            yield Paragraph(runs=runs)
        if items:
            yield Items(items=tuple(items))

    def _sentence(self, sentence: Sentence) -> Iterator[Run]:
        cited = {citation.label: citation for citation in sentence.citations if citation.paper_id in self._papers}
        if sentence.kind == "quote":
            for paper in [self._papers[citation.paper_id] for citation in cited.values()][:1]:
                yield Run(text=paper.label, role="strong")
                yield Run(text=quote_intro(paper).removeprefix(paper.label))
            yield Run(text=f"“{sentence.text}”")
        else:
            yield Run(text=sentence.text)
        if cited:
            yield Run(text=" ")
        for label, citation in cited.items():
            paper = self._papers[citation.paper_id]
            shown = citation.support.quote if sentence.kind != "quote" else ""
            yield self._cite(label, f"{_named(paper)}{f': “{shown}”' if shown else ''}")
        if sentence.kind != "frame" and sentence.verdict == "weak":
            yield Run(text=" ")
            yield Run(text=WEAK, role="aside")

    def _cite(self, label: int, hint: str) -> Run:
        return Run(text=str(label), role="cite", target=self._keys[label], hint=hint)

    def _table(self) -> Iterator[Block]:
        papers = {reference.label: reference.paper for reference in self._digest.references}
        rows = tuple((self._paper_cell(row.label, papers[row.label]), _cell(short_year(papers[row.label])),
                      _cell(row.problem), _cell(row.approach), _cell(row.data), _cell(row.result))
                     for row in self._digest.table if row.label in papers)
        if rows:
            yield Grid(heading=Heading(text="Comparison"), caption=_CELLS, head=_HEAD, shares=_SHARES, rows=rows)

    def _paper_cell(self, label: int, paper: Paper) -> Runs:
        kind = (Run(text=" "), Run(text="(summary)", role="aside")) if paper.text_kind == "summary" else ()
        return (Run(text=paper.label), *kind, Run(text=" "), self._cite(label, _named(paper)))

    def _pictures(self) -> Iterator[Picture]:
        digest = self._digest
        if svg := figures.timeline(digest):
            dated = [reference for reference in digest.references if reference.paper.year is not None]
            left = len(digest.references) - len(dated)
            inferred = sum(reference.paper.year_inferred for reference in dated)
            notes = [f"{left} of {len(digest.references)} papers have no known year" if left else "",
                     f"{inferred} of the years {'are' if inferred > 1 else 'is'} inferred" if inferred else ""]
            told = "; ".join(filter(None, notes))
            years = sorted({reference.paper.year or 0 for reference in dated})
            text = "; ".join(f"{year}: {', '.join(str(each.label) for each in dated if each.paper.year == year)}"
                             for year in years)
            caption = "The papers by year, numbered as in the references."
            yield Picture(name="timeline", svg=svg, text=text, caption=f"{caption} {told}." if told else caption)
        if svg := figures.paper_map(digest):
            groups: dict[int, list[int]] = {}
            for point in digest.map:
                groups.setdefault(point.section, []).append(point.label)
            text = "; ".join(f"{digest.sections[number].heading}: {', '.join(map(str, sorted(labels)))}"
                             for number, labels in sorted(groups.items()) if number < len(digest.sections))
            yield Picture(name="map", svg=svg, text=text,
                          caption="The papers on a plane: those whose abstracts are alike lie near each other.")


def merged(runs: Sequence[Run]) -> Iterator[tuple[Run, ...]]:
    """The runs one by one, but citations that follow one another together."""
    together: list[Run] = []
    for run in runs:
        if run.role == "cite":
            together.append(run)
            continue
        if together:
            yield tuple(together)
            together = []
        yield (run,)
    if together:
        yield tuple(together)


def _cell(value: Excerpt | str | None) -> Runs:
    text = value.text if isinstance(value, Excerpt) else value
    return (Run(text=text),) if text else ()


def _named(paper: Paper) -> str:
    year = short_year(paper)
    return f"{paper.label} ({year})" if year else paper.label


def _reference(reference: Reference) -> Runs:
    """The paper's line: its title, linked where there is an address, who wrote it and when, what its text is."""
    paper = reference.paper
    address = link(paper) or ""
    linked = _ADDRESS.fullmatch(address) is not None
    words = paper.label.rstrip(".")
    title = Run(text=words, role="link", target=address) if linked else Run(text=words)
    rest = [part for part in (byline(paper), paper.venue or "", "" if linked else place(paper)) if part]
    # Every part ends in one stop; the title's stands outside of its link.
    runs = [title, Run(text=" ".join((_stopped(words).removeprefix(words), *map(_stopped, rest))))]
    if paper.text_kind == "summary":
        runs += [Run(text=" "), Run(text=f"{SUMMARY[:1].upper()}{SUMMARY[1:]}.", role="aside")]
    return tuple(runs)


def _stopped(text: str) -> str:
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."
