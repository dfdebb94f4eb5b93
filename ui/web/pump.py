"""Work that runs in a thread of its own while somebody reads what it tells."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class _GivenUp(Exception):  # noqa: N818 - no error: it unwinds the work that nobody waits for any more
    """Raised inside the work when it goes on after it was given up."""


def pumped(work: Callable[[Callable[[T], None]], None], given_up: Callable[[], bool] = lambda: False) -> Iterator[T]:
    """What the work tells, as it tells it; ends when the work does, or at once when the work is given up.

    A reader who leaves does not stop the work: only giving it up does. Work that hangs cannot hold the reader: its
    thread is left behind and unwinds the next time it tells something.

    Args:
        work: does the work; it is given a function to tell things with.
        given_up: whether the rest of the work is not wanted any more.

    Raises:
        Exception: whatever the work raised.
    """
    told: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    left = threading.Event()

    def tell(item: T) -> None:
        if given_up():
            raise _GivenUp
        told.put(item)

    def run() -> None:
        end = _End()
        try:
            work(tell)
        except _GivenUp:
            pass
        except Exception as error:
            if left.is_set():
                raise  # nobody reads any more: the thread's own hook tells it
            end.error = error
        finally:
            told.put(end)

    threading.Thread(target=run, daemon=True).start()
    try:
        while True:
            over = given_up()
            try:
                # What was told before it was given up still counts.
                item = told.get(timeout=0 if over else 0.1)
            except queue.Empty:
                if over:
                    return
                continue
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return
            yield item
    finally:
        left.set()


class _End:
    """The last thing in the queue, with what the work died of."""

    error: Exception | None = None
