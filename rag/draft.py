"""An answer in the making: each sentence checked before it is kept, its papers numbered as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag import cite, floor
from rag.checker import agree
from rag.drafted import Drafted
from rag.look import Looked
from rag.models.cost import Account
from rag.retrieve import Found
from rag.schema import (
    Answer,
    Citation,
    EngineName,
    Event,
    Finished,
    Reference,
    Said,
    Sentence,
    Support,
    Withheld,
)
from rag.store import Store

if TYPE_CHECKING:
    from rag.models.judge import Judge

# Papers shown where there is no answer.
_NEAREST = 5


@dataclass(slots=True, kw_only=True)
class Draft:
    """An answer in the making: takes drafted sentences, keeps those that pass the check, numbers their papers.

    Attributes:
        looked: what was found, and which of it may be cited.
        judge: gives a second opinion on what a model wrote.
        remark: what the reader should know of how the question was read; told whatever else is.
        aside: what went wrong without changing who answers; told where there is no worse.
    """

    store: Store
    looked: Looked
    question: str
    rewritten: str | None
    timings: Mapping[str, float]
    judge: Judge | None = None
    remark: str | None = None
    notice: str | None = None
    aside: str | None = None
    engine: EngineName = "extractive"
    model: str | None = None
    account: Account | None = None
    declined: bool = False
    told: list[Sentence] = field(default_factory=list)
    withheld: list[Sentence] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    _leading: list[Sentence] = field(default_factory=list)
    _read: dict[str, cite.Grounds] = field(default_factory=dict)
    _drafted: set[str] = field(default_factory=set)

    @property
    def _papers(self) -> Mapping[str, Found]:
        return self.looked.relevant.papers

    def take(self, drafted: Drafted) -> Iterator[Said | Withheld]:
        """Checks a sentence; keeps it if it may be shown, else withholds it. One that came before is left out."""
        if drafted.text in self._drafted:
            return
        self._drafted.add(drafted.text)
        sentence = self._checked(drafted)
        if sentence.verdict not in ("supported", "weak"):
            self.withheld.append(sentence)
            yield Withheld(sentence=sentence)
        elif sentence.kind == "frame" and not drafted.frame and not agree.numbers(drafted.text):
            # What only leads on is said when something follows.
            self._leading.append(sentence)
        else:
            # Where the papers speak in a model's stead, nothing of its own leads to them.
            for said in (*(self._leading if self.engine == "llm" else ()), sentence):
                self.told.append(said)
                yield Said(sentence=said)
            self._leading.clear()

    def _checked(self, drafted: Drafted) -> Sentence:
        """The sentence with those of its citations that hold; with the best support there is where none does."""
        if drafted.frame or (not drafted.labels and cite.is_frame(drafted.text)):
            # What a model counts must be the papers that it has cited.
            right = drafted.frame or agree.numbers(drafted.text) <= {str(len(self.numbers) or "no")}
            return Sentence(text=drafted.text, kind="frame" if right else "statement", side=drafted.side)
        # Embedded once, and only where the words do not speak for themselves.
        vector = cache(lambda: self.store.embedder.embed_query(drafted.text))
        named = [label for label in dict.fromkeys(drafted.labels) if label in self._papers]
        supports = {label: self._support(drafted.text, label, vector) for label in named}
        held = {label: support for label, support in supports.items() if support.verdict in ("supported", "weak")}
        if not held:
            others = {label: self._support(drafted.text, label, vector)
                      for label in self._papers if label not in supports}
            best = max(others, key=lambda label: others[label].score, default=None)
            if best is not None and others[best].verdict == "supported":
                held = {best: others[best]}
        if not held:
            return self._unheld(drafted, supports)
        [(only, first), *more] = held.items()
        verbatim = not more and cite.quoted(drafted.text, self._grounds(only)) is not None
        if self.judge is not None and not verbatim:
            judged = {label: self.judge.lower(drafted.text, support) for label, support in held.items()}
            held = {label: support for label, support in judged.items() if support.verdict in ("supported", "weak")}
            if not held:
                return self._unheld(drafted, judged)
        # A quote shows the paper's own letters, not those the model copied.
        text = first.quote if verbatim else drafted.text
        return Sentence(text=text, kind="quote" if verbatim else "statement", side=drafted.side,
                        marked=drafted.marked if text == drafted.text else None,
                        citations=tuple(self._citation(label, support) for label, support in held.items()))

    def _unheld(self, drafted: Drafted, supports: Mapping[str, Support]) -> Sentence:
        return Sentence(text=drafted.text, side=drafted.side, citations=tuple(
            Citation(label=0, paper_id=self._papers[label].hit.paper.id, support=support)
            for label, support in supports.items()))

    def _support(self, text: str, label: str, vector: Callable[[], NDArray[np.float32]]) -> Support:
        grounds = self._grounds(label)
        return cite.quoted(text, grounds) or cite.verify(text, vector(), grounds, self._rarity)

    def _rarity(self, stem: str) -> float:
        return floor.rarity(self.store.words.frequencies([stem])[stem], self.looked.retrieved.papers)

    def _grounds(self, label: str) -> cite.Grounds:
        if label not in self._read:
            item = self._papers[label]
            self._read[label] = cite.grounds(item.hit.paper, item.passages)
        return self._read[label]

    def _citation(self, label: str, support: Support) -> Citation:
        paper_id = self._papers[label].hit.paper.id
        number = self.numbers.setdefault(paper_id, len(self.numbers) + 1)
        return Citation(label=number, paper_id=paper_id, support=support)

    def finished(self) -> Answer:
        """The answer as it stands."""
        papers = {item.hit.paper.id: item.hit.paper for item in self._papers.values()}
        references = tuple(Reference(label=number, paper=papers[paper_id]) for paper_id, number in self.numbers.items())
        return replace(self._answer(), text=told(self.told, references), sentences=tuple(self.told),
                       references=references)

    @property
    def _aside(self) -> str | None:
        return self.aside or (self.judge.notice if self.judge else None)

    def _answer(self) -> Answer:
        return Answer(question=self.question, kind=self.looked.asks.kind, rewritten_question=self.rewritten,
                      narrowed=self.looked.narrowed.told, withheld=tuple(self.withheld),
                      confidence=self.looked.relevant.confidence, engine=self.engine, model=self.model,
                      notice=" ".join(filter(None, (self.notice or self._aside, self.remark))) or None,
                      usage=self.account.usage if self.account else None,
                      cached=self.account is not None and self.engine == "llm" and self.account.cached,
                      timings=dict(self.timings))

    def abstain(self) -> Iterator[Event]:
        """What is said where the library has no answer; the nearest papers are shown, not claimed to answer."""
        sentence = Sentence(text="The library does not cover this.", kind="frame")
        yield Said(sentence=sentence)
        yield Finished(answer=replace(
            self._answer(), text=sentence.text, sentences=(sentence,), abstained=True,
            nearest=tuple(item.hit.paper for item in self.looked.retrieved.evidence[:_NEAREST])))


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
