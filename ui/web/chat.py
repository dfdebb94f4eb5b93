"""What happens when somebody asks, checks, stops, opens a citation or a conversation, or adds files. Knows no Gradio.

Nothing of a conversation lives here but the answer under way: the page holds its id, the notebook its entries. So a
reloaded page, a second tab and a restarted server all go on where the last answer ended.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypedDict
from urllib.parse import unquote

from rag.errors import LibraryError, NoPaperError, VouchError
from rag.models.cost import spent
from rag.schema import Answer, ClaimReport, Turn, Usage, Where
from ui.claims import claim_lines
from ui.notebook import Entry, Notebook, new_id
from ui.web.adding import added, uploaded
from ui.web.answer_html import answer_html, draft_html, failure_html, question_html
from ui.web.card import card, cited_span, missing, unreadable
from ui.web.draft import drafts
from ui.web.filter import fields_html, only, unknown
from ui.web.live import Live
from ui.web.pump import pumped
from ui.web.report_html import report_html
from ui.web.shelf import earlier_html, holdings, welcome_html

if TYPE_CHECKING:
    from rag.library import Library


class Message(TypedDict):
    """One message as the chat component takes it."""

    role: str
    content: str


Shown: TypeAlias = list[Message]
# What is made of a question: HTML again and again as it grows, then what is kept of it.
Making: TypeAlias = Iterator[str | Entry]


class Chat:
    """The conversations of everybody who has the page open, over one library."""

    def __init__(self, library: Library, notebook: Notebook) -> None:
        self.library = library
        self.notebook = notebook
        self._live: dict[str, Live[Shown]] = {}
        self._keeping = threading.Lock()
        self._forgotten: set[str] = set()

    def answer(self, question: str, shown: Shown, conversation: str, where: Where | None,
               wanted: Callable[[], bool] = lambda: True) -> Iterator[tuple[Shown, str]]:
        """Answer a question at the end of a conversation, a longer answer each time.

        Who stops reading does not stop the answer: it is finished and kept without them.

        Args:
            question: what was asked; not blank.
            shown: the messages on the page so far.
            conversation: its id, empty for a new one.
            where: which papers to look at.
            wanted: whether the page still shows this conversation.

        Yields:
            The messages now, and the conversation's id.
        """
        history = self._entries(conversation)
        yield from self._made(question_html(question), shown, conversation, wanted, lambda live: self._answered(
            question, history, where, live))

    def afresh(self, place: int, shown: Shown, conversation: str,
               wanted: Callable[[], bool] = lambda: True) -> Iterator[tuple[Shown, str]]:
        """Ask a conversation's question once more, at its end, as it stood then; what a model wrote is not taken again.

        Args:
            place: its number in the conversation, from 0; nothing happens where that is no question.
            shown: the messages on the page so far.
            conversation: the conversation's id.
            wanted: whether the page still shows this conversation.
        """
        entries = self._entries(conversation)
        if not 0 <= place < len(entries) or isinstance(entries[place].answer, ClaimReport):
            return
        entry, history = entries[place], entries[:place]
        since = spent(tuple(map(_turn, entries[place:])))
        yield from self._made(question_html(entry.asked), shown, conversation, wanted, lambda live: self._answered(
            entry.asked, history, entry.where, live, fresh=True, since=since))

    def check(self, claim: str, shown: Shown, conversation: str, where: Where | None,
              wanted: Callable[[], bool] = lambda: True) -> Iterator[tuple[Shown, str]]:
        """Check a claim at the end of a conversation; takes and yields what `answer` does."""
        yield from self._made(question_html(claim, claim=True), shown, conversation, wanted, lambda live: self._checked(
            claim, where, live))

    def _answered(self, question: str, history: Sequence[Entry], where: Where | None, live: Live[Shown], *,
                  fresh: bool = False, since: float = 0.0) -> Making:
        turns = tuple(map(_turn, history))
        for draft in drafts(self.library, question, turns, where, live.given_up, fresh=fresh, spent=since):
            yield draft.html() if draft.answer is None else Entry(asked=question, answer=draft.answer, where=where)

    def _checked(self, claim: str, where: Where | None, live: Live[Shown]) -> Making:
        yield draft_html((), {}, "Weighing what the papers say…", narrowed=only(where) if where else None)

        def work(tell: Callable[[ClaimReport], None]) -> None:
            tell(self.library.check(claim, where))

        report = next(pumped(work, live.given_up), None)
        yield (failure_html("Stopped before the claim was checked.") if report is None
               else Entry(asked=claim, answer=report, where=where))

    def _made(self, asked: str, shown: Shown, conversation: str, wanted: Callable[[], bool],
              make: Callable[[Live[Shown]], Making]) -> Iterator[tuple[Shown, str]]:
        conversation = conversation or new_id()
        self._forgotten.discard(conversation)
        live = self._live[conversation] = Live[Shown]()
        live.start(self._growing([*shown, Message(role="user", content=asked)], conversation, make(live), live))
        for messages in live.watch(wanted):
            yield messages, conversation

    def _growing(self, asked: Shown, conversation: str, making: Making, live: Live[Shown]) -> Iterator[Shown]:
        try:
            for made in making:
                yield _with(asked, made) if isinstance(made, str) else self._kept(conversation, made, asked)
        except VouchError as error:
            yield _with(asked, failure_html(str(error)))
        except Exception:
            yield _with(asked, failure_html("Something broke inside Vouch; its log tells what."))
            raise
        finally:
            if self._live.get(conversation) is live:
                del self._live[conversation]

    def _kept(self, conversation: str, entry: Entry, asked: Shown) -> Shown:
        with self._keeping:
            if conversation in self._forgotten:
                return _with(asked, self._html(entry))
            before = self._entries(conversation)
            try:
                self.notebook.append(conversation, entry)
            except LibraryError as error:
                return _with(_with(asked, self._html(entry)), failure_html(f"This answer could not be kept: {error}"))
        return _with(asked, self._html(entry, len(before), _spent((*before, entry))))

    def _html(self, entry: Entry, place: int | None = None, spent: Usage | None = None) -> str:
        if isinstance(entry.answer, Answer):
            return answer_html(entry.answer, place, spent)
        told = None
        if entry.where:
            empty = not entry.answer.references and not self.library.papers.where(entry.where)
            told = unknown(entry.where) if empty else only(entry.where)
        return report_html(entry.answer, told, spent)

    def watch(self, conversation: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[tuple[Shown, bool]]:
        """A conversation's messages, again as long as an answer in it grows; none where there is no such conversation.

        Args:
            conversation: its id.
            wanted: whether the page still shows it.

        Yields:
            The messages now, and whether an answer is under way.
        """
        live = self._live.get(conversation)
        shown: Shown = []
        for shown in live.watch(wanted) if live else ():
            yield shown, True
        if wanted():
            yield shown or self.shown(conversation), False

    def stop(self, conversation: str) -> None:
        """Stop the answer that is under way in a conversation, if there is one."""
        if live := self._live.get(conversation):
            live.stop()

    def under_way(self, conversation: str) -> bool:
        """Whether an answer is under way in a conversation."""
        return conversation in self._live

    def delete(self, conversation: str) -> None:
        """Forget a conversation, and stop the answer that is under way in it.

        Raises:
            LibraryError: the notebook cannot be written.
        """
        with self._keeping:
            self.notebook.delete(conversation)
            self._forgotten.add(conversation)
        self.stop(conversation)

    def shown(self, conversation: str) -> Shown:
        """The messages of a conversation's entries; none where there is no such conversation."""
        messages: Shown = []
        entries = self._entries(conversation)
        for place, entry in enumerate(entries):
            asked = question_html(entry.asked, claim=isinstance(entry.answer, ClaimReport))
            messages = _with([*messages, Message(role="user", content=asked)],
                             self._html(entry, place, _spent(entries[:place + 1])))
        return messages

    def paper(self, target: str, words: str) -> str:
        """The card of a paper.

        Args:
            target: what a citation's link ends in: "id/start/end".
            words: the words that were cited, empty where none were.
        """
        paper_id, start, end = target.rsplit("/", 2)
        try:
            paper = self.library.papers[unquote(paper_id)]
        except NoPaperError:
            return missing(words)
        except VouchError as error:
            return unreadable(str(error))
        span = cited_span(paper, int(start), int(end), words)
        changed = "The paper’s text has changed since it was cited; then it said: “{}”"
        return card(paper, span, "" if span or not words else changed.format(words))

    def _entries(self, conversation: str) -> tuple[Entry, ...]:
        # Without its notebook the chat still answers; the list beside it tells what is wrong.
        with contextlib.suppress(LibraryError):
            return self.notebook.entries(conversation)
        return ()

    def earlier(self, current: str) -> str:
        """The list of conversations, as HTML; or why there is none."""
        try:
            return earlier_html(self.notebook.conversations(), current)
        except LibraryError as error:
            return failure_html(str(error))

    def add(self, copies: Sequence[str]) -> Iterator[str]:
        """Take uploaded files into the library, telling how far it is; the copies made by the upload are removed."""
        return uploaded(copies, self.library)

    def add_sample(self) -> Iterator[str]:
        """Take the bundled papers into the library."""
        from ingest.sample import sample_path

        return added([sample_path()], self.library)

    def holdings(self) -> str:
        """The library in one line."""
        return holdings(self.library)

    def welcome(self) -> str:
        """What stands where the first answer will be, as HTML."""
        return welcome_html(self.library)

    def fields(self) -> str:
        """The filter's fields, with what the library holds to choose from, as HTML."""
        if not self.library.exists:
            return fields_html()
        years = [paper.year for paper in self.library.papers.where(None)]
        return fields_html({year for year in years if year is not None}, years.count(None),
                           dict.fromkeys(source.file for source in self.library.files()), self.library.papers.tags())


def _with(messages: Shown, answer: str) -> Shown:
    return [*messages, Message(role="assistant", content=answer)]


def _turn(entry: Entry) -> Turn:
    """The entry as a turn that a follow-up may speak of: a report is an answer with both sides."""
    told = entry.answer
    if isinstance(told, ClaimReport):
        told = Answer(question=told.claim, kind="yes-no", text="\n".join(claim_lines(told, width=100_000)),
                      sentences=(*told.for_, *told.against), references=told.references, confidence=told.confidence,
                      engine=told.engine, model=told.model, usage=told.usage)
    return Turn(question=entry.asked, answer=told)


def _spent(entries: Sequence[Entry]) -> Usage | None:
    """What all the entries used together; None where fewer than two are known to have used anything."""
    used = [entry.answer.usage for entry in entries if entry.answer.usage]
    return sum(used[1:], start=used[0]) if len(used) > 1 else None
