"""Work that runs in a thread of its own while somebody watches it and may give it up."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")


class _Stopped(Exception):  # noqa: N818 - no error: it unwinds the work that nobody waits for any more
    """Raised inside the work when it goes on after it was given up."""


def pumped(work: Callable[[Callable[[T], None]], None], stop: threading.Event) -> Iterator[T]:
    """What the work tells, as it tells it; ends when the work does, or at once when ``stop`` is set.

    A model that hangs cannot hold the reader: the thread is left behind and unwinds the next time it tells something.

    Args:
        work: does the work; it is given a function to tell things with.
        stop: set by anybody to give the work up.

    Raises:
        Exception: whatever the work raised.
    """
    told: queue.SimpleQueue[T | _End] = queue.SimpleQueue()

    def tell(item: T) -> None:
        if stop.is_set():
            raise _Stopped
        told.put(item)

    def run() -> None:
        end = _End()
        try:
            work(tell)
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - carried to the reader, who raises it
            end.error = error
        finally:
            told.put(end)

    threading.Thread(target=run, daemon=True).start()
    try:
        while not stop.is_set():
            try:
                item = told.get(timeout=0.1)
            except queue.Empty:
                continue
            if isinstance(item, _End):
                if item.error:
                    raise item.error
                return
            yield item
    finally:
        stop.set()


class _End:
    """The last thing in the queue, with what the work died of."""

    error: Exception | None = None
