"""Calls of a language model side by side, each on a part of one account, read in one place as they come."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import ModelError
from rag.models.cost import MOST_REPLY, Account

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.llm import Model

_AT_ONCE = 8  # calls that run beside each other, as many as a digest has sections
_BEAT = 0.5  # seconds after which one who waits is told that nothing has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of the text that a call gives; calls count from 0."""

    call: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A call is over: ``error`` says why, where its text is not whole. ``account`` is the call's own."""

    call: int
    account: Account
    error: ModelError | None = None


def ask(model: Model, asked: Sequence[Sequence[BaseMessage]]) -> Generator[Piece | Ended | None]:
    """Asks all at once, and yields what comes, of one or the other, until all have ended; None where nothing comes.

    A limit on what may be spent holds for all together: a call that might go beyond it beside others waits for them. A
    call that gave no text while others did is asked once more when nothing else runs, until that fails too: some
    servers answer one at a time. Not under a limit, where it may have been paid for. Closing the iterator ends the
    calls.

    Args:
        model: what the calls take is charged to its account.
        asked: the messages of each call.
    """
    account, lefts = model.account, list[threading.Event]()
    waiting, again = deque(range(len(asked))), deque[Ended]()
    running: dict[int, Account] = {}
    spoke: set[int] = set()
    retried: set[int] = set()
    hopeless = False
    came: queue.Queue[tuple[int, str | ModelError | None]] = queue.Queue()

    def begin(call: int, price: float) -> None:
        running[call] = account.part(price)
        lefts.append(threading.Event())  # a call sets its own when it is over
        threading.Thread(target=_read, args=(model.on(running[call]), asked[call], lefts[-1], call, came), daemon=True,
                         name="vouch call").start()

    try:
        while waiting or again or running:
            if not waiting and not running:
                failed = again.popleft()
                if hopeless or not spoke:
                    yield failed
                    continue
                retried.add(failed.call)
                begin(failed.call, 0.0)
            while waiting and len(running) < _AT_ONCE:
                most = _most(model, asked[waiting[0]])
                if running and account.left is not None and account.left < most:
                    break
                begin(waiting.popleft(), most)
            try:
                call, item = came.get(timeout=_BEAT)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, str):
                spoke.add(call)
                yield Piece(call=call, text=item)
                continue
            ended = Ended(call=call, account=running.pop(call), error=item)
            account.join(ended.account)
            free = ended.account.asked and account.left is None
            hopeless = hopeless or (item is not None and call in retried)
            if item and free and len(asked) > 1 and call not in spoke | retried:
                again.append(ended)
            else:
                yield ended
    finally:
        for left in lefts:
            left.set()


def _most(model: Model, messages: Sequence[BaseMessage]) -> float:
    """Dollars that a call may cost, generously; 0 where it costs nothing, or nobody knows what."""
    read = 2 * sum(model.count(message.text) for message in messages)
    return model.price.of(read, MOST_REPLY) if model.price else 0.0


def _read(model: Model, messages: Sequence[BaseMessage], left: threading.Event, call: int,
          came: queue.Queue[tuple[int, str | ModelError | None]]) -> None:
    """Puts the pieces of a call into the queue, then None; or the error that ended it."""
    end: ModelError | None = ModelError(f"The answer of the model {model.name} could not be read.")
    try:
        for piece in model.stream(messages, left):
            if isinstance(piece, str):
                came.put((call, piece))
        end = None
    except ModelError as error:
        end = error
    finally:
        came.put((call, end))
