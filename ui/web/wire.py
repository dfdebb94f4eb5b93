"""Which event moves which part of the page: Gradio's side of the chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from rag.errors import VouchError
from ui.web.answer_html import failure_html
from ui.web.chat import Chat, Message, Shown
from ui.web.filter import Pairs, chosen, named
from ui.web.page import MODES, Parts
from ui.web.shelf import header_html, status_html

# How many questions are answered at once; further ones wait their turn.
_AT_ONCE = 8
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_QUICK: dict[str, Any] = {**_QUIET, "queue": False}
# The composer's button while an answer is under way.
_ANSWERING: dict[str, Any] = {"submit_btn": False, "stop_btn": "Stop"}
# Leaves a conversation in the page itself: a question asked before the server has heard of it begins a new one.
_LEAVE = "() => [[], '']"


def wire(blocks: gr.Blocks, parts: Parts, chat: Chat) -> None:
    """Connect the parts to the chat; to be called inside ``gr.Blocks``."""
    p, on = parts, _Handlers(chat)
    conversation = [p.messages, p.bridge, p.earlier, p.composer]
    # A conversation that is opened while an answer in it is under way is followed until that has ended.
    follow: dict[str, Any] = {"outputs": conversation, "concurrency_limit": None, **_QUIET}
    surroundings = [p.header, p.messages]

    example = p.bridge.example_select(on.example, None, [p.composer, p.mode], **_QUICK)
    # Gradio would pass over what is asked before an answer that was left has noticed it; `_Handlers.ask` knows better.
    answering: dict[str, Any] = {"outputs": [p.messages, p.bridge, p.composer], "trigger_mode": "multiple",
                                 "concurrency_limit": _AT_ONCE, **_QUIET}
    asking: dict[str, Any] = {"fn": on.ask, "inputs": [p.composer, p.messages, p.bridge, p.filter, p.mode], **answering}
    afresh = p.bridge.retry(on.afresh, [p.messages, p.bridge], **answering)
    for asked in (p.composer.submit(**asking), example.then(**asking), afresh):
        # Two that end close together both let the composer rest: Gradio would pass over the second.
        asked.then(on.rest, [p.bridge, p.mode], [p.composer, p.earlier], trigger_mode="multiple", **_QUICK)
    p.composer.stop(on.stop, p.bridge, None, **_QUICK)
    p.mode.input(on.turn, [p.mode, p.bridge], p.composer, **_QUICK)

    p.bridge.select(on.cite, None, p.panel, **_QUICK)
    p.bridge.click(on.open, p.mode, **follow)
    p.bridge.delete(on.delete, [p.bridge, p.mode], conversation, **_QUICK)
    p.fresh.click(None, None, [p.messages, p.bridge], js=_LEAVE, **_QUICK)
    p.fresh.click(on.blank, p.mode, conversation, **_QUICK)
    p.filter.expand(on.fields, None, p.fields, **_QUICK)

    uploaded = p.upload.upload(on.add, p.upload, [p.status, p.upload], concurrency_limit=1, **_QUIET)
    sampled = p.bridge.apply(on.add_sample, None, p.status, concurrency_limit=1, **_QUIET)
    for done in (uploaded, sampled):
        done.then(on.surroundings, None, surroundings, **_QUICK)
    blocks.load(on.filter, None, p.filter, **_QUICK)
    blocks.load(on.load, p.mode, **follow)
    blocks.load(on.surroundings, None, surroundings, **_QUICK)


class _Handlers:
    """The chat's methods in the shape that Gradio calls."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._shows: dict[str | None, object] = {}
        self._asking: dict[str | None, object] = {}

    def _answered(self, current: str, request: gr.Request) -> bool:
        """Whether an answer is under way on the page."""
        page = request.session_hash
        return self.chat.under_way(current) or (page in self._asking and self._asking[page] is self._shows.get(page))

    @contextmanager
    def _turned(self, request: gr.Request, *, asking: bool = False) -> Iterator[Callable[[], bool]]:
        """A page turns to something; gives a function that tells whether that is still what it shows.

        Gradio's own way to cancel an event works with a delay and may then hit a later one.
        """
        page, this = request.session_hash, object()
        self._shows[page] = this
        if asking:
            self._asking[page] = this
        try:
            yield lambda: self._shows.get(page) is this
        finally:
            for held in (self._shows, self._asking):
                if held.get(page) is this:
                    del held[page]

    def ask(self, written: str, shown: list[Message], current: str, pairs: Pairs, mode: str, request: gr.Request,
            ) -> Iterator[tuple[object, ...]]:
        if not written.strip() or self._answered(current, request):
            return
        answer = self.chat.check if mode == "check" else self.chat.answer
        with self._turned(request, asking=True) as wanted:
            yield from self._told(answer(written.strip(), shown, current, chosen(pairs), wanted), wanted,
                                  gr.Textbox(value="", **_ANSWERING))

    def afresh(self, shown: list[Message], current: str, event: gr.EventData, request: gr.Request,
               ) -> Iterator[tuple[object, ...]]:
        if self._answered(current, request):
            return
        with self._turned(request, asking=True) as wanted:
            yield from self._told(self.chat.afresh(int(event.place), shown, current, wanted), wanted,
                                  gr.Textbox(**_ANSWERING))

    def _told(self, answers: Iterator[tuple[Shown, str]], wanted: Callable[[], bool], composer: object,
              ) -> Iterator[tuple[object, ...]]:
        for messages, conversation in answers:
            yield messages, conversation, composer
            composer = gr.skip()
        if not wanted():
            yield gr.skip(), gr.skip(), gr.skip()  # else Gradio would show the last state once more

    def rest(self, current: str, mode: str, request: gr.Request) -> tuple[object, ...]:
        return self.turn(mode, current, request), self.chat.earlier(current)

    def turn(self, mode: str, current: str, request: gr.Request) -> object:
        """The composer for what is to be done; its button is left alone while it stops an answer."""
        return gr.Textbox(placeholder=MODES[mode].hint) if self._answered(current, request) else _resting(mode)

    def example(self, event: gr.EventData) -> tuple[object, ...]:
        return gr.Textbox(value=str(event.question), placeholder=MODES["ask"].hint), "ask"

    def stop(self, current: str) -> None:
        self.chat.stop(current)

    def cite(self, event: gr.EventData) -> str:
        return self.chat.paper(event.target_paper, event.words)

    def open(self, mode: str, event: gr.EventData, request: gr.Request) -> Iterator[tuple[object, ...]]:
        yield from self._follow(event.conversation, mode, request)

    def delete(self, current: str, mode: str, event: gr.EventData, request: gr.Request) -> tuple[object, ...]:
        self.chat.delete(event.conversation)
        if event.conversation == current:
            return self.blank(mode, request)
        return gr.skip(), gr.skip(), self.chat.earlier(current), gr.skip()

    def blank(self, mode: str, request: gr.Request) -> tuple[object, ...]:
        with self._turned(request):
            return [], "", self.chat.earlier(""), _resting(mode)

    def load(self, mode: str, request: gr.Request) -> Iterator[tuple[object, ...]]:
        yield from self._follow(request.query_params.get("c", ""), mode, request)

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

    def _follow(self, id_: str, mode: str, request: gr.Request) -> Iterator[tuple[object, ...]]:
        with self._turned(request) as wanted:
            for shown, under_way in self.chat.watch(id_, wanted):
                current = id_ if shown else ""
                composer = gr.Textbox(**_ANSWERING) if under_way else _resting(mode)
                yield shown, current, self.chat.earlier(current), composer
            if not wanted():
                yield gr.skip(), gr.skip(), gr.skip(), gr.skip()


def _resting(mode: str) -> object:
    """The composer while no answer is under way."""
    return gr.Textbox(placeholder=MODES[mode].hint, submit_btn=MODES[mode].button, stop_btn=False)
