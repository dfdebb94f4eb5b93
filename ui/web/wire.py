"""Which event moves which part of the page: Gradio's side of the chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from rag.errors import VouchError
from ui.web.answer_html import failure_html
from ui.web.chat import Chat, Message
from ui.web.filter import Pairs, chosen, named
from ui.web.page import Parts
from ui.web.shelf import header_html, status_html

# How many questions are answered at once; further ones wait their turn.
_AT_ONCE = 8
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUICK: dict[str, Any] = {**_QUIET, "queue": False}
# The composer's button, while an answer is under way and else.
_ANSWERING: dict[str, Any] = {"submit_btn": False, "stop_btn": "Stop"}
_RESTING: dict[str, Any] = {"submit_btn": "Ask", "stop_btn": False}


def wire(blocks: gr.Blocks, parts: Parts, chat: Chat) -> None:
    """Connect the parts to the chat; to be called inside ``gr.Blocks``."""
    p, on = parts, _Handlers(chat)
    conversation = [p.messages, p.bridge, p.earlier, p.composer]
    # A conversation that is opened while an answer in it is under way is followed until that has ended.
    follow: dict[str, Any] = {"outputs": conversation, "concurrency_limit": None, **_QUIET}
    surroundings = [p.header, p.messages]

    example = p.bridge.example_select(on.example, None, p.composer, **_QUICK)
    asking: dict[str, Any] = {
        "fn": on.ask, "inputs": [p.composer, p.messages, p.bridge, p.filter],
        "outputs": [p.messages, p.bridge, p.composer], "trigger_mode": "once", "concurrency_limit": _AT_ONCE, **_QUIET,
    }
    for asked in (p.composer.submit(**asking), example.then(**asking)):
        asked.then(on.rest, p.bridge, [p.composer, p.earlier], **_QUICK)
    p.composer.stop(on.stop, p.bridge, None, **_QUICK)

    p.bridge.select(on.cite, None, p.panel, **_QUICK)
    p.bridge.click(on.open, None, **follow)
    p.bridge.delete(on.delete, p.bridge, conversation, **_QUICK)
    p.fresh.click(on.blank, None, conversation, **_QUICK)
    p.filter.expand(on.fields, None, p.fields, **_QUICK)

    uploaded = p.upload.upload(on.add, p.upload, [p.status, p.upload], concurrency_limit=1, **_QUIET)
    sampled = p.bridge.apply(on.add_sample, None, p.status, concurrency_limit=1, **_QUIET)
    for done in (uploaded, sampled):
        done.then(on.surroundings, None, surroundings, **_QUICK)
    blocks.load(on.filter, None, p.filter, **_QUICK)
    blocks.load(on.load, None, **follow)
    blocks.load(on.surroundings, None, surroundings, **_QUICK)


class _Handlers:
    """The chat's methods in the shape that Gradio calls."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._shows: dict[str | None, object] = {}

    @contextmanager
    def _turned(self, request: gr.Request) -> Iterator[Callable[[], bool]]:
        """A page turns to something; gives a function that tells whether that is still what it shows.

        Gradio's own way to cancel an event works with a delay and may then hit a later one.
        """
        page, this = request.session_hash, object()
        self._shows[page] = this
        try:
            yield lambda: self._shows.get(page) is this
        finally:
            if self._shows.get(page) is this:
                del self._shows[page]

    def ask(self, question: str, shown: list[Message], current: str, pairs: Pairs, request: gr.Request,
            ) -> Iterator[tuple[object, ...]]:
        if not question.strip():
            return
        composer = gr.Textbox(value="", **_ANSWERING)
        where = chosen(pairs)
        with self._turned(request) as wanted:
            for messages, conversation in self.chat.answer(question.strip(), shown, current, where, wanted):
                yield messages, conversation, composer
                composer = gr.skip()
            if not wanted():
                yield gr.skip(), gr.skip(), gr.skip()  # else Gradio would show the last state once more

    def rest(self, current: str) -> tuple[object, ...]:
        return gr.Textbox(**_RESTING), self.chat.earlier(current)

    def example(self, event: gr.EventData) -> str:
        return str(event.question)

    def stop(self, current: str) -> None:
        self.chat.stop(current)

    def cite(self, event: gr.EventData) -> str:
        return self.chat.paper(event.target_paper, event.words)

    def open(self, event: gr.EventData, request: gr.Request) -> Iterator[tuple[object, ...]]:
        yield from self._follow(event.conversation, request)

    def delete(self, current: str, event: gr.EventData, request: gr.Request) -> tuple[object, ...]:
        self.chat.notebook.delete(event.conversation)
        if event.conversation == current:
            return self.blank(request)
        return gr.skip(), gr.skip(), self.chat.earlier(current), gr.skip()

    def blank(self, request: gr.Request) -> tuple[object, ...]:
        with self._turned(request):
            return [], "", self.chat.earlier(""), gr.Textbox(**_RESTING)

    def load(self, request: gr.Request) -> Iterator[tuple[object, ...]]:
        yield from self._follow(request.query_params.get("c", ""), request)

    def filter(self, request: gr.Request) -> list[tuple[str, str]]:
        return named(request.query_params.multi_items())

    def fields(self) -> object:
        try:
            return self.chat.fields()
        except VouchError:
            return gr.skip()  # the page tells already that the library cannot be read

    def add(self, paths: Sequence[str]) -> Iterator[tuple[object, ...]]:
        for line in self.chat.add(paths):
            yield status_html(line), gr.skip()
        yield gr.skip(), None

    def add_sample(self) -> Iterator[str]:
        for line in self.chat.add_sample():
            yield status_html(line)

    def surroundings(self) -> tuple[object, ...]:
        try:
            return header_html(self.chat.holdings()), gr.Chatbot(placeholder=self.chat.welcome())
        except VouchError as error:
            return header_html("The library cannot be read"), gr.Chatbot(placeholder=failure_html(str(error)))

    def _follow(self, id_: str, request: gr.Request) -> Iterator[tuple[object, ...]]:
        with self._turned(request) as wanted:
            for shown, under_way in self.chat.watch(id_, wanted):
                current = id_ if shown else ""
                composer = gr.Textbox(**_ANSWERING if under_way else _RESTING)
                yield shown, current, self.chat.earlier(current), composer
            if not wanted():
                yield gr.skip(), gr.skip(), gr.skip(), gr.skip()
