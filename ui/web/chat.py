"""What happens when somebody asks, stops, opens a citation or a conversation, or adds files. Knows no Gradio.

Nothing of a conversation lives here but the answer under way: the page holds its id, the notebook its turns. So a
reloaded page, a second tab and a restarted server all go on where the last answer ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypedDict
from urllib.parse import unquote

from rag.errors import LibraryError, NoPaperError, VouchError
from rag.schema import Turn, Where
from ui.notebook import Notebook, new_id
from ui.web.adding import added, uploaded
from ui.web.answer_html import answer_html, failure_html, question_html
from ui.web.card import card, cited_span, missing, unreadable
from ui.web.draft import drafts
from ui.web.filter import fields_html
from ui.web.live import Live
from ui.web.shelf import earlier_html, holdings, welcome_html

if TYPE_CHECKING:
    from rag.library import Library


class Message(TypedDict):
    """One message as the chat component takes it."""

    role: str
    content: str


Shown: TypeAlias = list[Message]


class Chat:
    """The conversations of everybody who has the page open, over one library."""

    def __init__(self, library: Library, notebook: Notebook) -> None:
        self.library = library
        self.notebook = notebook
        self._live: dict[str, Live[Shown]] = {}

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
        conversation = conversation or new_id()
        live = self._live[conversation] = Live[Shown]()
        live.start(self._answered(question, shown, conversation, where, live))
        for messages in live.watch(wanted):
            yield messages, conversation

    def _answered(self, question: str, shown: Shown, conversation: str, where: Where | None,
                  live: Live[Shown]) -> Iterator[Shown]:
        asked = [*shown, Message(role="user", content=question_html(question))]
        try:
            for draft in drafts(self.library, question, self._turns(conversation), where, live.given_up):
                if draft.answer is None:
                    yield _with(asked, draft.html())
                else:
                    yield self._kept(conversation, Turn(question=question, answer=draft.answer), asked)
        except VouchError as error:
            yield _with(asked, failure_html(str(error)))
        except Exception:
            yield _with(asked, failure_html("Something broke inside Vouch; its log tells what."))
            raise
        finally:
            if self._live.get(conversation) is live:
                del self._live[conversation]

    def _kept(self, conversation: str, turn: Turn, asked: Shown) -> Shown:
        answered = _with(asked, answer_html(turn.answer))
        try:
            self.notebook.append(conversation, turn)
        except LibraryError as error:
            return _with(answered, failure_html(f"This answer could not be kept: {error}"))
        return answered

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

    def shown(self, conversation: str) -> Shown:
        """The messages of a conversation's turns; none where there is no such conversation."""
        messages: Shown = []
        for turn in self._turns(conversation):
            messages += _with([Message(role="user", content=question_html(turn.question))], answer_html(turn.answer))
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

    def _turns(self, conversation: str) -> tuple[Turn, ...]:
        # Without its notebook the chat still answers; the list beside it tells what is wrong.
        with contextlib.suppress(LibraryError):
            return self.notebook.turns(conversation)
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
