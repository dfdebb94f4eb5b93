"""An answer as it grows from the engine's events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from rag.schema import Answer, Citation, Event, Evidence, Finished, Hit, Paper, Reference, Said, Sentence, Turn, Where
from ui.render import sentence_text
from ui.web.answer_html import answer_html, draft_html
from ui.web.pump import pumped

if TYPE_CHECKING:
    from rag.library import Library

STOPPED = "Stopped before the end; what stands here was checked."


class Draft:
    """Collects events until the answer is finished, or makes one of what was said when it was stopped."""

    def __init__(self, question: str, papers: int) -> None:
        self.question = question
        self.doing = f"Searching {papers:,} papers…"
        self.said: list[Sentence] = []
        self.hits: tuple[Hit, ...] = ()
        self.answer: Answer | None = None

    def follow(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Evidence(hits=hits):
                self.hits = hits
                self.doing = (f"Reading {len(hits)} paper{'' if len(hits) == 1 else 's'}…" if hits
                              else "None of them carries an answer…")
            case Said(sentence=sentence):
                self.said.append(sentence)
                self.doing = "Checking the next sentence…"
            case Finished(answer=answer):
                self.answer = answer

    def html(self) -> str:
        """The answer as it stands."""
        if self.answer is not None:
            return answer_html(self.answer)
        return draft_html(self.said, self._papers(), self.doing, [hit.paper.label for hit in self.hits])

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
            question=self.question, text=" ".join(map(sentence_text, self.said)), sentences=tuple(self.said),
            references=references, notice=STOPPED,
            engine="llm" if any(sentence.kind == "statement" for sentence in self.said) else "extractive",
        )

    def _papers(self) -> dict[str, Paper]:
        return {hit.paper.id: hit.paper for hit in self.hits}


def drafts(library: Library, question: str, history: tuple[Turn, ...], where: Where | None,
           given_up: Callable[[], bool]) -> Iterator[Draft]:
    """The draft, once before the first event and again after each; the last one holds the answer.

    Args:
        library: whom to ask.
        question: what was asked.
        history: the turns before it.
        where: which papers to look at.
        given_up: whether the rest of the answer is not wanted any more; then what was said so far is the answer.

    Raises:
        VouchError: the library cannot answer.
    """
    draft = Draft(question, len(library.papers))
    yield draft

    def work(tell: Callable[[Event], None]) -> None:
        for event in library.stream(question, history=history, where=where):
            tell(event)

    for event in pumped(work, given_up):
        draft.follow(event)
        yield draft
    if draft.answer is None:
        draft.stopped()
        yield draft
