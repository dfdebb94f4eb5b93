"""Question to checked answer: retrieves, lets an engine draft, checks each sentence, and tells it as it happens."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag import agree, cite, extract, floor
from rag.converse import Resolved, resolve
from rag.deep import DEPTH, Deep
from rag.errors import ModelError
from rag.narrow import Narrowed, narrow
from rag.parse import Drafted
from rag.retrieve import Found, Retrieved, retrieve
from rag.schema import (
    Answer,
    Citation,
    EngineName,
    Event,
    Evidence,
    Finished,
    Reference,
    Said,
    Sentence,
    Stage,
    Support,
    Turn,
    Usage,
    Where,
)
from rag.store import Store
from rag.text import content_stems

if TYPE_CHECKING:
    from rag.chain import Writer

# Papers looked at for an answer, papers it may cite, and papers shown where there is no answer.
_LOOKED_AT = 40
_CITED = 20
# Papers that only come close fill an answer up to so many.
_CLOSE = 8
_NEAREST = 5
# Sentences of a model that are checked at most: an answer has a dozen.
_SENTENCES = 60


def answer(store: Store, question: str, history: Sequence[Turn] = (), where: Where | None = None,
           writer: Writer | None = None, *, this_year: int, deep: bool = False) -> Iterator[Event]:
    """Answers as it goes: stages, then the evidence, then each checked sentence, then the whole answer.

    A model that fails, or whose every sentence fails the check, is answered for by the papers' own words.

    Args:
        store: the library's.
        question: in the reader's words; a follow-up is resolved against the history.
        history: earlier turns, oldest first.
        where: only these papers.
        writer: the language model's engine; None for the extractive one.
        this_year: what "the last two years" in a question is counted from.
        deep: whether the writer also helps to search, where the plain search has found something.

    Raises:
        NoLibraryError: there is no library.
    """
    clock = _Clock()
    notice = None
    resolved = resolve(question, history, where)
    if writer is not None and history:
        try:
            standing = writer.condense(question, history)
            resolved = Resolved(question=standing, rewritten=standing if standing != question else None, where=where)
        except ModelError as error:
            writer, notice = None, _instead(error)
        yield clock.stage("condense")
    narrowed = narrow(store, resolved.question, resolved.where, this_year)
    retrieved = retrieve(store, narrowed.question, _LOOKED_AT, narrowed.where)
    yield clock.stage("retrieve")
    draft = _Draft(store=store, retrieved=retrieved, question=question, rewritten=resolved.rewritten, notice=notice,
                   narrowed=narrowed, timings=clock.seconds)
    if not draft.relevant and resolved.where != where:
        # The papers of the answer before do not answer it, so it was not about them.
        resolved = Resolved(question=question, where=where)
        narrowed = narrow(store, question, where, this_year)
        draft = _Draft(store=store, retrieved=retrieve(store, narrowed.question, _LOOKED_AT, narrowed.where),
                       question=question, rewritten=None, notice=notice, narrowed=narrowed, timings=clock.seconds)
    if deep and writer is not None and draft.relevant and len(draft.retrieved.evidence) > 1 and not draft.bare:
        draft = yield from _dig(draft, writer, narrowed.where, clock)
    yield Evidence(hits=tuple(item.hit for item in draft.relevant.values()), narrowed=narrowed.told)
    if not draft.relevant:
        yield from draft.abstain()
        return
    if writer is not None:
        draft.engine, draft.model = "llm", writer.name
        yield from _write(draft, writer, resolved.question)
        yield clock.stage("write")
        if draft.declined and not draft.numbers:
            yield from draft.abstain()
            return
        if not draft.numbers and draft.notice is None:
            draft.notice = _instead("Nothing the model wrote stood up to the papers.")
    if writer is None or draft.notice is not None:
        if not draft.numbers:
            draft.engine = "extractive"
        for drafted in extract.draft(draft.retrieved, draft.relevant, draft.sure):
            # Nothing was asked that these papers could address: they are what was asked for, or the first of them.
            if drafted.labels or not draft.bare:
                yield from draft.take(drafted)
        yield clock.stage("extract")
    yield Finished(answer=draft.finished())


def _dig(plain: _Draft, writer: Writer, where: Where | None, clock: _Clock) -> Generator[Stage, None, _Draft]:
    """The draft on what is found with the model's help; how sure it is of an answer stays as the plain search said."""
    deep = Deep(writer)
    question = plain.retrieved.question
    found = deep.widen(plain.store, plain.retrieved, DEPTH, where, deep.rewrite(question))
    yield clock.stage("rewrite")
    found = deep.rerank(found)
    yield clock.stage("rerank")
    deeper = _Draft(store=plain.store, retrieved=found, question=plain.question, rewritten=plain.rewritten,
                    notice=plain.notice, narrowed=plain.narrowed, timings=plain.timings, judged=plain.confidence)
    draft = deeper if deeper.relevant else plain
    draft.aside, draft.usage = deep.notice, deep.usage
    return draft


def _write(draft: _Draft, writer: Writer, question: str) -> Iterator[Said]:
    """The model's sentences that pass the check; a failure becomes the draft's notice."""
    from rag.chain import declines

    try:
        for number, item in enumerate(writer.draft(question, {label: it.hit for label, it in draft.relevant.items()})):
            if number == _SENTENCES:
                # Whoever writes on and on is not answering; what stood up so far is the answer.
                return
            if isinstance(item, Usage):
                draft.usage = item if draft.usage is None else draft.usage + item
            elif declines(item):
                draft.declined = True
            else:
                yield from draft.take(item)
    except ModelError as error:
        draft.notice = _instead(error)


def _instead(reason: object) -> str:
    return f"{reason} What follows is in the papers' own words."


class _Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def stage(self, name: str) -> Stage:
        now = perf_counter()
        self.seconds[name] = now - self._last
        self._last = now
        return Stage(name=name, seconds=self.seconds[name])


@dataclass(slots=True, kw_only=True)
class _Draft:
    """An answer in the making: takes drafted sentences, keeps those that pass the check, numbers their papers.

    Attributes:
        judged: how sure it is already known to be; None to judge by what was retrieved.
        aside: what went wrong without changing who answers; told where there is no worse.
    """

    store: Store
    retrieved: Retrieved
    question: str
    rewritten: str | None
    notice: str | None
    narrowed: Narrowed
    timings: Mapping[str, float]
    judged: float | None = None
    aside: str | None = None
    engine: EngineName = "extractive"
    model: str | None = None
    usage: Usage | None = None
    declined: bool = False
    told: list[Sentence] = field(default_factory=list)
    withheld: list[Sentence] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    relevant: dict[str, Found] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()
    confidence: float = 0.0
    _read: dict[str, cite.Grounds] = field(default_factory=dict)
    _drafted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        found = self.retrieved.evidence
        shown = signals(self.retrieved)
        self.confidence = floor.confidence(shown) if self.judged is None else self.judged
        kept = floor.select([floor.strength(each) for each in shown], self.confidence, _CITED)
        sure = {place for place in kept if floor.addresses(shown[place])}
        if self.bare:
            self.confidence, kept = 1.0, tuple(range(min(len(found), _CITED)))
            sure = set(kept)
        close = [place for place in kept if place not in sure][:max(0, _CLOSE - len(sure))]
        labels = {place: f"E{number}" for number, place in enumerate(sorted(sure | set(close)), 1)}
        self.relevant = {label: found[place] for place, label in labels.items()}
        self.sure = frozenset(labels[place] for place in sure)

    @property
    def bare(self) -> bool:
        """Whether the papers that fit the question's conditions are all that it asks for."""
        return self.narrowed.told is not None and not self.narrowed.question

    def take(self, drafted: Drafted) -> Iterator[Said]:
        """Checks a sentence; yields it if it may be shown, else withholds it. One that came before is left out."""
        if drafted.text in self._drafted:
            return
        self._drafted.add(drafted.text)
        sentence = self._checked(drafted)
        if sentence.verdict in ("supported", "weak"):
            self.told.append(sentence)
            yield Said(sentence=sentence)
        else:
            self.withheld.append(sentence)

    def _checked(self, drafted: Drafted) -> Sentence:
        """The sentence with those of its citations that hold; with the best support there is where none does."""
        if not drafted.labels and cite.is_frame(drafted.text):
            # What a model counts must be the papers it was given, or those it has cited.
            counted = {str(len(self.relevant)), str(len(self.numbers))}
            right = self.engine == "extractive" or agree.numbers(drafted.text) <= counted
            return Sentence(text=drafted.text, kind="frame" if right else "statement")
        # Embedded once, and only where the words do not speak for themselves.
        vector = cache(lambda: self.store.embedder.embed_query(drafted.text))
        named = [label for label in dict.fromkeys(drafted.labels) if label in self.relevant]
        supports = {label: self._support(drafted.text, label, vector) for label in named}
        held = {label: support for label, support in supports.items() if support.verdict in ("supported", "weak")}
        if not held:
            others = {label: self._support(drafted.text, label, vector)
                      for label in self.relevant if label not in supports}
            best = max(others, key=lambda label: others[label].score, default=None)
            if best is not None and others[best].verdict == "supported":
                held = {best: others[best]}
        if not held:
            return Sentence(text=drafted.text, citations=tuple(
                Citation(label=0, paper_id=self.relevant[label].hit.paper.id, support=support)
                for label, support in supports.items()))
        [(only, first), *more] = held.items()
        verbatim = not more and cite.quoted(drafted.text, self._grounds(only)) is not None
        # A quote shows the paper's own letters, not those the model copied.
        text = first.quote if verbatim else drafted.text
        return Sentence(text=text, kind="quote" if verbatim else "statement", citations=tuple(
            Citation(label=self._number(self.relevant[label].hit.paper.id), paper_id=self.relevant[label].hit.paper.id,
                     support=support) for label, support in held.items()))

    def _support(self, text: str, label: str, vector: Callable[[], NDArray[np.float32]]) -> Support:
        grounds = self._grounds(label)
        return cite.quoted(text, grounds) or cite.verify(text, vector(), grounds, self._rarity)

    def _rarity(self, stem: str) -> float:
        return floor.rarity(self.store.words.frequencies([stem])[stem], self.retrieved.papers)

    def _grounds(self, label: str) -> cite.Grounds:
        if label not in self._read:
            item = self.relevant[label]
            self._read[label] = cite.Grounds(
                text=item.hit.paper.abstract, title=item.hit.paper.title or "",
                spans=tuple(span for passage in item.passages for span in passage.sentences),
                vectors=np.concatenate([passage.sentence_vectors for passage in item.passages]))
        return self._read[label]

    def _number(self, paper_id: str) -> int:
        return self.numbers.setdefault(paper_id, len(self.numbers) + 1)

    def finished(self) -> Answer:
        """The answer as it stands."""
        papers = {item.hit.paper.id: item.hit.paper for item in self.relevant.values()}
        references = tuple(Reference(label=number, paper=papers[paper_id]) for paper_id, number in self.numbers.items())
        return Answer(question=self.question, rewritten_question=self.rewritten, narrowed=self.narrowed.told,
                      text=told(self.told, references), sentences=tuple(self.told), references=references,
                      withheld=tuple(self.withheld), confidence=self.confidence, engine=self.engine, model=self.model,
                      notice=self.notice or self.aside, usage=self.usage, timings=dict(self.timings))

    def abstain(self) -> Iterator[Event]:
        """What is said where the library has no answer; the nearest papers are shown, not claimed to answer."""
        sentence = Sentence(text="The library does not cover this.", kind="frame")
        yield Said(sentence=sentence)
        yield Finished(answer=Answer(
            question=self.question, rewritten_question=self.rewritten, narrowed=self.narrowed.told,
            text=sentence.text, sentences=(sentence,), withheld=tuple(self.withheld),
            nearest=tuple(item.hit.paper for item in self.retrieved.evidence[:_NEAREST]),
            abstained=True, confidence=self.confidence, engine=self.engine, model=self.model,
            notice=self.notice or self.aside, usage=self.usage, timings=dict(self.timings)))


def signals(retrieved: Retrieved) -> list[floor.Signals]:
    """What each of the papers found shows for the question."""
    return [floor.Signals(
        sentence=item.scores["sentence"], passage=item.scores["passage"], accord=item.scores["rocchio"],
        coverage=floor.coverage(content_stems(item.hit.paper.text), retrieved.frequencies, retrieved.papers),
    ) for item in retrieved.evidence]


def told(sentences: Sequence[Sentence], references: Sequence[Reference]) -> str:
    """The sentences as one plain text: quotes on lines of their own under their paper's name, the rest as prose."""
    names = {reference.paper.id: reference.paper for reference in references}
    lines: list[str] = []
    prose: list[str] = []
    for sentence in sentences:
        marks = "".join(f"[{citation.label}]" for citation in sentence.citations)
        if sentence.kind == "quote":
            if prose:
                lines.append(" ".join(prose))
                prose = []
            paper = names[sentence.citations[0].paper_id]
            about = ", ".join([str(paper.year)] * bool(paper.year) + ["summary"] * (paper.text_kind == "summary"))
            lines.append(f"- {paper.label}{f' ({about})' * bool(about)}: “{sentence.text}” {marks}")
        else:
            prose.append(f"{sentence.text} {marks}".strip())
    if prose:
        lines.append(" ".join(prose))
    return "\n".join(lines)
