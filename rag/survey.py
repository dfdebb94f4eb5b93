"""The types of a digest: a survey of what some of the library's papers do, cited and checked sentence by sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.schema import EngineName, Excerpt, Reference, Sentence, Usage, Where

Length = Literal["brief", "standard", "full"]
Stage = Literal["searching", "grouping", "writing", "comparing", "summarising"]

# How many papers a digest of each length rests on, at most.
MOST: Mapping[Length, int] = {"brief": 12, "standard": 30, "full": 120}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Papers that a section is about, by id, under its heading."""

    heading: str
    papers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What a digest will be about, to be edited before it is written: title, headings, their order, which papers where.

    Attributes:
        topic: what was asked for; empty for all the papers of a filter.
        chosen: how the papers were chosen, as the scope line goes on after their number.
        scope: the scope line, of the papers as they were first grouped.
        where: the filter it was made with.
        notice: what the reader should know of the choice (a doubt whether the library covers the topic).
    """

    topic: str
    title: str
    groups: tuple[Group, ...]
    chosen: str = ""
    scope: str = ""
    length: Length = "standard"
    where: Where = field(default_factory=Where)
    notice: str | None = None

    @property
    def papers(self) -> tuple[str, ...]:
        """The ids of all the papers, each once."""
        return tuple(dict.fromkeys(paper_id for group in self.groups for paper_id in group.papers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Sentences of several papers on the same thing, side by side. ``about`` names the thing in a few words."""

    about: str
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSection:
    """A theme.

    Attributes:
        papers: ids, in the order of ``adds``.
        shared: what its papers have in common.
        adds: what each of them adds, a sentence a paper where the extractive engine wrote it.
        differs: where they differ.
        engine: who wrote it: a section that the model failed is extractive in a model's digest.
    """

    heading: str
    papers: tuple[str, ...] = ()
    shared: tuple[Sentence, ...] = ()
    adds: tuple[Sentence, ...] = ()
    differs: tuple[Comparison, ...] = ()
    engine: EngineName = "extractive"

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All its sentences in reading order."""
        return (*self.shared, *self.adds, *(sentence for one in self.differs for sentence in one.sentences))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A paper in the table of comparison, by its number; a cell that the abstract does not give is None."""

    label: int
    problem: Excerpt | None = None
    approach: Excerpt | None = None
    data: Excerpt | None = None
    result: Excerpt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A paper on the map, x and y in 0..1; near papers are alike. ``section`` counts from 0."""

    label: int
    x: float
    y: float
    section: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A sentence that failed the check, and why it did. Its citations have label 0."""

    sentence: Sentence
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A survey-style digest.

    Attributes:
        topic: what was asked for; empty for all the papers of a filter.
        scope: one line: how many papers of how many, of which years, how they were chosen, that it rests on abstracts.
        agreements, disagreements, open_problems: as the abstracts themselves state them.
        table: a row a paper, in the order of their numbers.
        references: the papers, numbered by first use in reading order.
        where: the filter it was made with.
        generation: the library's when it was made; what came later is new to it.
        notice: one line on what the reader should know: a doubt, a model that failed.
        timings: stage to seconds.
    """

    topic: str
    title: str
    scope: str = ""
    summary: tuple[Sentence, ...] = ()
    sections: tuple[DigestSection, ...] = ()
    table: tuple[Row, ...] = ()
    agreements: tuple[Comparison, ...] = ()
    disagreements: tuple[Comparison, ...] = ()
    open_problems: tuple[Sentence, ...] = ()
    map: tuple[Point, ...] = ()
    references: tuple[Reference, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    length: Length = "standard"
    where: Where = field(default_factory=Where)
    generation: int = 0
    engine: EngineName = "extractive"
    model: str | None = None
    notice: str | None = None
    usage: Usage | None = None
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All its sentences in reading order."""
        compared = (one.sentences for one in (*self.agreements, *self.disagreements))
        return (*self.summary, *(sentence for section in self.sections for sentence in section.sentences),
                *(sentence for group in compared for sentence in group), *self.open_problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Digest in the making: the stage that goes on, how much of it is done, and the digest as it stands.

    Whoever stops listening keeps ``digest``: it is whole in itself, only shorter.
    """

    stage: Stage
    done: int
    total: int
    digest: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an update changed.

    Attributes:
        added: ids of the papers that are new in the digest.
        gone: labels (titles) of those that the library no longer holds.
        told: that in a sentence or two.
    """

    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    told: str = ""
