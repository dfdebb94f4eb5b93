"""An answer as it grows from the engine's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.schema import (
    Answer,
    Citation,
    Event,
    Evidence,
    Finished,
    Hit,
    Paper,
    Reference,
    Said,
    Sentence,
    Stage,
    Turn,
    Where,
    Withheld,
)
from ui.render import sentence_text
from ui.web.answer_html import draft_html
from ui.web.filter import only, unknown
from ui.web.pump import pumped

if TYPE_CHECKING:
    from rag.library import Library

STOPPED = "Stopped before the end; what stands here was checked."


class Draft:
    """Collects events until the answer is finished, or makes one of what was said when it was stopped.

    Args:
        question: what was asked.
        searching: what is done first, for the reader.
        where: the filter it was asked under; the answer tells it before the conditions that the question itself set.
        deep: whether a model helps to search.
        condensed: whether a model reads the question in its conversation before it is searched for.
    """

    def __init__(self, question: str, searching: str, where: Where | None = None, *, deep: bool = False,
                 condensed: bool = False) -> None:
        self.question = question
        self.searching = searching
        self.doing = "Reading the question in its conversation…" if condensed else searching
        self.deep = deep
        self.rewritten: str | None = None
        self.given = only(where) if where else None
        self.narrowed = self.given
        self.said: list[Sentence] = []
        self.withheld: list[Sentence] = []
        self.hits: tuple[Hit, ...] = ()
        self.answer: Answer | None = None

    def follow(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Stage(name="condense"):
                self.doing = self.searching
            case Stage(name="retrieve") if self.deep:
                self.doing = "Putting the question in other words…"
            case Stage(name="rewrite"):
                self.doing = "Ordering the papers…"
            case Stage(name="quote", count=count):
                self.doing = f"Writing from {'the quotes' if count is None else _count(count, 'quote')}…"
            case Stage(name="write") if not self.said:
                self.doing = "Taking the papers’ own words…"
            case Evidence(hits=hits, rewritten=rewritten, narrowed=narrowed):
                self.hits = hits
                self.rewritten = rewritten
                self.narrowed = self._told(narrowed)
                self.doing = f"Reading {_count(len(hits), 'paper')}…" if hits else self.doing
            case Said(sentence=sentence):
                self.said.append(sentence)
                self.doing = "Checking the next sentence…"
            case Withheld(sentence=sentence):
                self.withheld.append(sentence)
                self.doing = "Checking the next sentence…"
            case Finished(answer=answer):
                self.answer = replace(answer, narrowed=self._told(answer.narrowed))

    def html(self) -> str:
        """The answer as it stands, unfinished."""
        return draft_html(self.said, self._papers(), self.doing, [hit.paper.label for hit in self.hits],
                          self.rewritten, self.narrowed)

    def stopped(self) -> None:
        """Make an answer of what was said so far, unless it is finished."""
        if self.answer is not None:
            return
        papers = self._papers()
        first: dict[int, Citation] = {}
        for sentence in self.said:
            for citation in sentence.citations:
                first.setdefault(citation.label, citation)
        references = tuple(Reference(label=label, paper=papers[citation.paper_id])
                           for label, citation in sorted(first.items()) if citation.paper_id in papers)
        self.answer = Answer(
            question=self.question, rewritten_question=self.rewritten, narrowed=self.narrowed,
            text=" ".join(map(sentence_text, self.said)), sentences=tuple(self.said), references=references,
            withheld=tuple(self.withheld), notice=STOPPED,
            engine="llm" if any(sentence.kind == "statement" for sentence in self.said) else "extractive",
        )

    def _told(self, narrowed: str | None) -> str | None:
        return " ".join(filter(None, (self.given, narrowed))) or None

    def _papers(self) -> dict[str, Paper]:
        return {hit.paper.id: hit.paper for hit in self.hits}


def drafts(library: Library, question: str, history: tuple[Turn, ...], where: Where | None,
           given_up: Callable[[], bool], *, fresh: bool = False, spent: float = 0.0) -> Iterator[Draft]:
    """The draft, once before the first event and again after each; the last one holds the answer.

    Args:
        library: whom to ask.
        question: what was asked.
        history: the turns before it.
        where: which papers to look at.
        given_up: whether the rest of the answer is not wanted any more; then what was said so far is the answer.
        fresh: whether a model is asked anew, though what it wrote before is kept.
        spent: dollars that the conversation has cost beside those turns.

    Raises:
        VouchError: the library cannot answer.
    """
    searching = "Searching…" if where else f"Searching {_count(len(library.papers), 'paper')}…"
    model = library.settings.model is not None
    draft = Draft(question, searching, where, deep=library.settings.deep and model, condensed=model and bool(history))
    yield draft

    def work(tell: Callable[[Event], None]) -> None:
        for event in library.stream(question, history=history, where=where, fresh=fresh, spent=spent):
            tell(event)

    for event in pumped(work, given_up):
        if where and _found_nothing(event) and not library.papers.where(where):
            draft.given = unknown(where)
        draft.follow(event)
        yield draft
    if draft.answer is None:
        draft.stopped()
        yield draft


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _found_nothing(event: Event) -> bool:
    return isinstance(event, Finished) and event.answer.abstained and not event.answer.nearest
