"""The types every part of Vouch speaks in: frozen, slotted, keyword-only, with tuples for sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

TextKind = Literal["abstract", "summary"]
Verdict = Literal["supported", "weak", "unsupported", "contradicted"]
SentenceKind = Literal["quote", "statement", "frame"]
EngineName = Literal["extractive", "llm"]
AnswerKind = Literal["papers", "fact", "comparison", "overview", "yes-no", "library", "greeting"]
ClaimVerdict = Literal["supported", "contradicted", "mixed", "no evidence"]

# What is said of a paper whose ``text_kind`` is "summary", wherever its text is shown or written.
SUMMARY = "summary, not the authors' words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a record was read: ``file#record`` names it.

    Attributes:
        file: the file's own name, without its folder.
        record: the record's number in the file, from 1; rejected records keep theirs.
        uri: the file's full path, or the address it was fetched from.
        sha256: hash of the record's content, so that a changed record is noticed.
    """

    file: str
    record: int
    uri: str = ""
    sha256: str = ""

    def __str__(self) -> str:
        return f"{self.file}#{self.record}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as the library knows it. ``id`` is opaque and stable; empty until the catalogue gives one.

    Attributes:
        title: None where the listing gives none.
        text_kind: "summary" for the bundled sample, whose texts are not the authors' words.
        date: as printed in the listing, even where it is cut or lacks a year.
        year_inferred: the year was deduced from the page's own evidence, not printed with the record.
    """

    id: str = ""
    title: str | None = None
    abstract: str = ""
    text_kind: TextKind = "abstract"
    authors: tuple[str, ...] = ()
    year: int | None = None
    date: str | None = None
    year_inferred: bool = False
    url: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    venue: str | None = None
    origins: tuple[Origin, ...] = ()

    @property
    def label(self) -> str:
        """The title, or the abstract's first words where there is none."""
        if self.title:
            return self.title
        words = self.abstract.split()
        return " ".join(words[:12]) + (" …" if len(words) > 12 else "")

    @property
    def text(self) -> str:
        """Title and abstract, as they are indexed."""
        return f"{self.title}\n{self.abstract}" if self.title else self.abstract

    @property
    def record(self) -> dict[str, Any]:
        """The paper as a record of a listing: what is known of it, without the library's id and origins."""
        known = {name: getattr(self, name) for name in self.__slots__ if name not in ("id", "origins")}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A passage on sentence bounds: ``paper.abstract[start:end] == text``. ``tokens`` counts word pieces."""

    id: str
    paper_id: str
    index: int
    text: str
    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A retrieved paper. ``score`` is 0..1; ``ranks`` gives its place (from 1) in each view that found it."""

    paper: Paper
    score: float
    passages: tuple[Chunk, ...] = ()
    ranks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Words of a paper: ``paper.abstract[start:end] == text``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """Two sentences that say much the same, each in its paper's own words. ``score`` is their cosine similarity."""

    own: Excerpt
    other: Excerpt
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A paper that is like another. ``score`` is 0..1; ``shared`` are the sentences they share most, the most first."""

    paper: Paper
    score: float
    shared: tuple[Shared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What a text says for a sentence: the verdict, its score (0..1), and the exact words with their span."""

    verdict: Verdict
    score: float
    quote: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """One numbered citation of a sentence. The support's span lies in the paper's abstract."""

    label: int
    paper_id: str
    support: Support


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of an answer. A "quote" is verbatim, a "frame" claims nothing of a paper.

    Attributes:
        side: which of the things compared it speaks of ("dropout"), or which side of a question it takes; sentences of
            different sides are shown side by side.
        marked: (start, end) of the words in ``text`` that answer a question for one fact.
    """

    text: str
    kind: SentenceKind = "statement"
    citations: tuple[Citation, ...] = ()
    side: str | None = None
    marked: tuple[int, int] | None = None

    @property
    def verdict(self) -> Verdict:
        """The best verdict among the citations; a frame is supported by needing none."""
        if self.kind == "frame":
            return "supported"
        order: tuple[Verdict, ...] = ("supported", "weak", "unsupported", "contradicted")
        found = {citation.support.verdict for citation in self.citations}
        return next((verdict for verdict in order if verdict in found), "unsupported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A paper in an answer's list of references, under its label."""

    label: int
    paper: Paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the server reported them, and what they cost in dollars; None where no price is known."""

    input_tokens: int
    output_tokens: int
    cost: float | None = None

    def __add__(self, other: Usage) -> Usage:
        known = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(input_tokens=self.input_tokens + other.input_tokens,
                     output_tokens=self.output_tokens + other.output_tokens, cost=sum(known) if known else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A checked answer.

    Attributes:
        kind: what was asked for.
        rewritten_question: the stand-alone form of a follow-up; None where the question was asked as it stands.
        narrowed: which papers were looked at, where not all ("since 2023"), and how the question was spelt instead.
        text: the sentences as one text with ``[n]`` citations, ready to show.
        withheld: sentences that failed the check and were taken out of the text.
        nearest: the closest papers, given when the library has no answer; nobody claims that they answer.
        confidence: 0..1, how sure the retrieval is that the library answers the question.
        notice: one line on what went wrong on the way (a model that failed), for the reader.
        cached: what the model wrote was kept from an earlier time, and checked again.
        timings: stage to seconds.
    """

    question: str
    kind: AnswerKind = "papers"
    rewritten_question: str | None = None
    narrowed: str | None = None
    text: str = ""
    sentences: tuple[Sentence, ...] = ()
    references: tuple[Reference, ...] = ()
    withheld: tuple[Sentence, ...] = ()
    nearest: tuple[Paper, ...] = ()
    abstained: bool = False
    confidence: float = 0.0
    engine: EngineName = "extractive"
    model: str | None = None
    notice: str | None = None
    usage: Usage | None = None
    cached: bool = False
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimReport:
    """What the library says for a claim and against it.

    Attributes:
        for_, against: the papers' own sentences on each side, the weightiest first; labels count over both sides.
        references: the papers of both sides.
        confidence: 0..1, how sure the verdict is.
        notice: one line on what went wrong on the way, or on what the verdict rests, for the reader.
    """

    claim: str
    verdict: ClaimVerdict
    for_: tuple[Sentence, ...] = ()
    against: tuple[Sentence, ...] = ()
    references: tuple[Reference, ...] = ()
    confidence: float = 0.0
    engine: EngineName = "extractive"
    model: str | None = None
    notice: str | None = None
    usage: Usage | None = None
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One exchange of a conversation."""

    question: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A filter on papers: every given condition holds, and each is met by any of its values.

    Attributes:
        years: (from, to), either may be None; papers without a year never match a given bound.
        files: names of files the paper was read from.
        authors: names, or parts of them, in any case.
        added: only papers that came to the library at this time or later: an ISO date, or date and time, in UTC.
            Those that came before libraries kept that are old.
    """

    years: tuple[int | None, int | None] | None = None
    files: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    added: str | None = None

    def __post_init__(self) -> None:
        # Whoever reads a filter from JSON has lists.
        for name in ("years", "files", "authors", "ids", "tags"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(value))

    def __bool__(self) -> bool:
        return any((self.years and any(year is not None for year in self.years),
                    self.files, self.authors, self.ids, self.tags, self.added))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A record that could not be read, and why."""

    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What an ingest did, in records.

    Attributes:
        read: records read, the rejected ones not counted.
        added: new papers.
        updated: records that changed a paper already there.
        unchanged: records that were known as they are.
        duplicates: records recognised as another copy of a paper.
        rejected: records that could not be read; number 0 stands for an input that could not be read at all.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: tuple[Rejected, ...] = ()

    @property
    def failures(self) -> tuple[str, ...]:
        """One sentence for each input that could not be read at all."""
        return tuple(item.reason for item in self.rejected if item.origin.record == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A step of the work has ended, after so many seconds; ``count`` of what it made, where somebody may want it."""

    name: str
    seconds: float
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld(Stage):
    """A sentence has failed the check; it is not part of the answer's text."""

    name: str = "withhold"
    seconds: float = 0.0
    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was retrieved, before anything is said of it, and how the question was read; as the answer will tell it."""

    hits: tuple[Hit, ...]
    rewritten: str | None = None
    narrowed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A checked sentence, ready to show."""

    sentence: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of an answer."""

    answer: Answer


Event: TypeAlias = Stage | Evidence | Said | Finished
