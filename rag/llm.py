"""A language model: asked, read and counted, within the time and the money it may take; or remembered.

Imported only where a model is used: LangChain's import alone takes a second.
"""

from __future__ import annotations

import functools
import hashlib
import math
import queue
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError
from rag.models.cost import Account, Price, price
from rag.models.failure import explain, reached, status, wait
from rag.models.providers import DEFAULT_WINDOW, LEFT, asking, chat_model, provider_of, window
from rag.models.remembered import Remembered, key
from rag.models.told import dollars, tokens
from rag.schema import Usage
from rag.settings import Settings, quiet, tiktoken_folder
from rag.text import estimate_tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

RETRIES = 2
TOTAL = 10  # a whole answer may take this many time-outs
LONGEST = 40_000  # characters; no answer is that long, a model that repeats itself for ever is

_FRAME = 8  # tokens at most that a server puts around a message
_UNSURE = 1.3  # tokens that a prompt may have for each one counted: tokenizers differ
_STEP = 200  # characters after which it is counted anew what a model wrote

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)

# SHA-1 of the address (tiktoken's name for the cached file) and SHA-256 of the content that tiktoken demands; a file
# with another content it would delete and download again.
_ENCODING = ("o200k_base", "fb374d419588a4632f3f557e76b4b70aebbca790",
             "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """How much text a model takes.

    Attributes:
        name: the model's, as VOUCH_MODEL gives it.
        window: tokens that question, evidence and answer may take together.
    """

    name: str
    window: int = DEFAULT_WINDOW

    def count(self, text: str) -> int:
        """Tokens of the text: counted for OpenAI's models where tiktoken's file is at hand, else estimated upward."""
        return _count_openai(text) if self.name.startswith("openai:") else estimate_tokens(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Gauge):
    """A chat model with what Vouch has to know of it.

    Attributes:
        timeout: seconds to the first token, all tries together, and between two tokens.
        price: what it costs; None where that is not known.
        address: of its server, where it is not its provider's own.
        remembered: what it wrote before; None to remember nothing.
        limit: dollars that may be spent where it is on no account: each call then has one of its own.
        charged: the account it is on, where it is on one.
        shapeless: set once its server has refused to be asked for JSON.
    """

    chat: BaseChatModel
    timeout: float = 60.0
    price: Price | None = None
    address: str = ""
    remembered: Remembered | None = None
    limit: float | None = None
    charged: Account | None = None
    shapeless: threading.Event = field(default_factory=threading.Event)

    @property
    def account(self) -> Account:
        """What its calls are charged to, and limited by."""
        return Account(left=self.limit) if self.charged is None else self.charged

    def on(self, account: Account) -> Model:
        """The same model, with its calls on an account."""
        return replace(self, charged=account)

    def stream(self, messages: Sequence[BaseMessage], left: threading.Event | None = None, *, json: bool = False,
               within: float | None = None, valid: Callable[[str], bool] = bool) -> Iterator[str | Usage]:
        """Ask, and yield the answer's text in the pieces it comes in, then the usage where it is known.

        Reasoning and tool calls are left out. What the model wrote for the same messages before is yielded at once and
        without usage; the account tells.

        Args:
            messages: the prompt.
            left: set it to end the answer, and the request as soon as anything comes; so does closing the iterator.
            json: whether the answer is to be JSON, where the server can be told so; it may be none all the same.
            within: seconds that the whole answer may take; None for ten time-outs.
            valid: whether what it wrote, thoughts left out, is of use; what is not is not remembered.

        Raises:
            ModelError: whatever went wrong, in one sentence; pieces may have been yielded before.
        """
        known = _key(self, messages, json)
        account = self.account
        if self.remembered and not account.fresh and (text := self.remembered.find(known)) and valid(_said(text)):
            account.recalled += 1
            yield text
            return
        written = yield from _stream(self, account, messages, threading.Event() if left is None else left, json=json,
                                     within=self.timeout * TOTAL if within is None else within)
        if self.remembered and written and valid(_said(written)):
            self.remembered.keep(known, written)
            account.kept(functools.partial(self.remembered.drop, known))

    def ask(self, prompt: str, *, json: bool = False, within: float | None = None,
            valid: Callable[[str], bool] = bool) -> str:
        """Ask in one message, and wait for the whole answer, without the thoughts that a model writes before it.

        Args:
            prompt: the message.
            json: as for `stream`.
            within: as for `stream`.
            valid: as for `stream`.

        Raises:
            ModelError: as `stream`.
        """
        from langchain_core.messages import HumanMessage

        pieces = self.stream([HumanMessage(prompt)], json=json, within=within, valid=valid)
        return _said("".join(piece for piece in pieces if isinstance(piece, str)))


def open_model(name: str, settings: Settings, remembered: Remembered | None = None) -> Model:
    """The model of that name (as VOUCH_MODEL gives it), ready to be asked; nothing is sent.

    Raises:
        SettingsError: the name, the key, the address or the provider's package does not allow it.
    """
    quiet()  # LangChain would send every prompt to a tracing service that the environment happens to name
    return Model(name=name, chat=chat_model(name, settings), timeout=settings.timeout, window=window(name, settings),
                 price=price(name, settings), address=settings.openai_base_url or "", remembered=remembered,
                 limit=settings.max_cost)


def gauge(settings: Settings) -> Gauge:
    """How much text the model that the settings name takes; one at an unknown server where they name none."""
    name = settings.model or ""
    return Gauge(name=name, window=window(name, settings))


def _said(text: str) -> str:
    """What was written, without the thoughts before it."""
    return _THOUGHTS.sub("", text)


def _key(model: Model, messages: Sequence[BaseMessage], json: bool) -> str:
    # The messages hold the question, the evidence and the prompts, so that a changed prompt asks anew.
    return key(model.name, model.address, "json" if json else "text",
               [(message.type, message.text) for message in messages])


@functools.cache
def _encoding() -> Any:  # noqa: ANN401 - tiktoken.Encoding or None; tiktoken is imported late
    name, cached, content = _ENCODING
    folder = tiktoken_folder()
    path = folder / cached if folder else None
    if path is None or not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != content:
        return None
    import tiktoken

    return tiktoken.get_encoding(name)


def _count_openai(text: str) -> int:
    # Without its file tiktoken would download it, with no time-out.
    encoding = _encoding()
    return len(encoding.encode_ordinary(text)) if encoding else estimate_tokens(text)


@dataclass(slots=True, kw_only=True)
class _Reply:
    """What has come of a reply so far, and what it may come to.

    Attributes:
        read: tokens of the prompt at the most.
        most: tokens it may take; None for as many as the model likes.
        chunks: pieces that came, thoughts included: a token each at the least.
        usage: as the server told it.
    """

    model: Model
    account: Account
    read: int
    most: int | None
    text: str = ""
    chunks: int = 0
    finish: str = ""
    usage: Usage | None = None
    cost: float | None = None
    _counted: int = 0
    _tokens: int = 0

    def take(self, chunk: AIMessageChunk) -> str:
        """Adds a piece; gives its text.

        Raises:
            ModelError: the reply has grown beyond what it may be.
        """
        self.chunks += 1
        self.finish = self.finish or _finish(chunk.response_metadata)
        if (cost := dollars(chunk.response_metadata.get("cost"))) is not None:
            self.cost = cost
        reported = getattr(chunk, "usage_metadata", None) or {}
        if told := tokens(reported.get("input_tokens"), reported.get("output_tokens")):
            self.usage = told if self.usage is None or provider_of(self.model.name).openai else self.usage + told
        self.text += chunk.text
        if len(self.text) > LONGEST:
            raise ModelError(f"The model {self.model.name} did not come to an end; its answer was cut.")
        if self.most is not None and self.tokens > self.most:
            raise ModelError(f"The model {self.model.name} wrote more than VOUCH_MAX_COST allows; its answer was cut.")
        return chunk.text

    @property
    def tokens(self) -> int:
        """Tokens that were written, as far as was seen."""
        if len(self.text) - self._counted >= _STEP or self.finish:
            self._counted, self._tokens = len(self.text), self.model.count(self.text)
        return max(self._tokens, self.chunks)

    def settle(self, *, ended: bool) -> Usage | None:
        """What it took, charged to the account.

        What no server tells counts under a limit: as what was seen where the reply has ended, else as all that it could
        have come to, for a server may go on writing, or have been thinking unseen.
        """
        usage, price = self.usage, self.model.price
        if self.most is not None and (usage is None or not ended):
            usage = Usage(input_tokens=self.read, output_tokens=self.tokens if ended else self.most)
        if usage is None:
            return None
        cost = price.of(usage.input_tokens, usage.output_tokens) if price else None
        usage = replace(usage, cost=cost if self.cost is None else self.cost)
        self.account.charge(usage)
        return usage


def _stream(model: Model, account: Account, messages: Sequence[BaseMessage], left: threading.Event, *, json: bool,
            within: float) -> Generator[str | Usage, None, str]:
    """Yields as `Model.stream`; returns the whole of what was written, or nothing where the reader has left."""
    # The model is read in a thread of its own: HTTP time-outs count bytes, and a proxy's keep-alive comments, a
    # retry's wait or a server that trickles would each defeat them; here the time to a token is what counts.
    read = math.ceil(_UNSURE * sum(model.count(message.text) + _FRAME for message in messages))
    most = account.reply(model.name, model.price, read)
    reply = _Reply(model=model, account=account, read=read, most=most)
    with account.holding(model.price.of(read, most) if model.price and most is not None else 0.0):
        account.asked += 1
        return (yield from _read(reply, messages, left, json=json, within=within))


def _read(reply: _Reply, messages: Sequence[BaseMessage], left: threading.Event, *, json: bool,
          within: float) -> Generator[str | Usage, None, str]:
    model = reply.model
    chunks: queue.Queue[AIMessageChunk | Exception | None] = queue.Queue(maxsize=64)
    deadline = time.monotonic() + within
    worker = threading.Thread(target=_pump, args=(model, messages, reply.most, json, chunks, left), daemon=True,
                              name="vouch model")
    worker.start()
    # Whether the server may have begun to work, and whether what it took is already charged.
    working, settled = True, False
    try:
        while not left.is_set():
            rest = deadline - time.monotonic()
            try:
                chunk = chunks.get(timeout=max(0.0, min(model.timeout, rest)))
            except queue.Empty:
                told = _late(model, begun=bool(reply.text), within=within if rest <= model.timeout else None)
                raise ModelError(told) from None
            if isinstance(chunk, Exception):
                working = reply.chunks > 0 or reached(chunk)
                raise ModelError(explain(chunk, model.name)) from chunk
            if chunk is None:
                break
            if text := reply.take(chunk):
                yield text
        if left.is_set():
            return ""
        settled, usage = True, reply.settle(ended=bool(reply.finish))
        _demand_end(model.name, reply.finish, len(reply.text))
        if usage:
            yield usage
        return reply.text
    finally:
        left.set()
        if working and not settled:
            reply.settle(ended=False)


def _late(model: Model, *, begun: bool, within: float | None) -> str:
    if within is not None:
        told = f"did not come to an end within {within:.3g} s"
    elif begun:
        told = f"stopped in mid-answer for {model.timeout:g} s"
    else:
        told = f"did not begin to answer within {model.timeout:g} s"
    return f"The model {model.name} {told}; is its server overloaded? VOUCH_TIMEOUT allows more."


def _pump(model: Model, messages: Sequence[BaseMessage], most: int | None, json: bool,
          chunks: queue.Queue[AIMessageChunk | Exception | None], left: threading.Event) -> None:
    """Put the model's chunks into the queue, then None; or the error that ended them. Stops when ``left`` is set."""
    LEFT.set(left)
    until = time.monotonic() + model.timeout
    shaped = json and not model.shapeless.is_set()
    attempt = 0
    while True:
        begun = False
        try:
            for chunk in model.chat.stream(list(messages), **asking(model.name, most, shaped)):
                if json and not shaped:
                    model.shapeless.set()
                begun = True
                if not _put(chunks, chunk, left):
                    return
            _put(chunks, None, left)
            return
        except Exception as error:  # noqa: BLE001 - any provider's, any kind: raised again where the answer is read
            if shaped and not begun and status(error) in (400, 422):
                shaped = False  # perhaps it was the wish for JSON that was refused
                continue
            pause = wait(error, attempt)
            twice = most is not None and reached(error)  # under a limit nothing is paid for a second time
            if begun or twice or pause is None or attempt == RETRIES or time.monotonic() + pause > until:
                _put(chunks, error, left)
                return
        attempt += 1
        if left.wait(pause):
            return


def _put(chunks: queue.Queue[AIMessageChunk | Exception | None], item: AIMessageChunk | Exception | None,
         left: threading.Event) -> bool:
    while not left.is_set():
        try:
            chunks.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False


def _finish(metadata: Mapping[str, Any]) -> str:
    """Why the model stopped, in its provider's own word; empty while it has not."""
    words = (metadata.get(name) for name in ("finish_reason", "stop_reason", "done_reason"))
    return next((str(word) for word in words if word), "")


def _demand_end(name: str, finish: str, length: int) -> None:
    reason = finish.casefold()
    if reason in ("length", "max_tokens", "model_context_window_exceeded"):
        raise ModelError(f"The model {name} was cut off at its length limit before its answer ended.")
    if reason in ("content_filter", "refusal", "safety", "prohibited_content", "blocklist", "recitation", "spii"):
        raise ModelError(f"The model {name} refused to answer.")
    if not length:
        raise ModelError(f"The model {name} answered without any text; it may have refused, or be no chat model.")
    if not reason:
        raise ModelError(f"The answer of the model {name} broke off; its server ended the stream without a finish.")
