"""Something under way that is made once, whoever watches: pages come and go, and it still comes to its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")

# How long it goes on, in seconds, when no page watches it any more.
ALONE = 300.0
# How often, in seconds, a page that waits for news is asked whether it still does.
_PAUSE = 0.2


class Live(Generic[T]):
    """States that follow one another, made in a thread of their own.

    Args:
        alone: how long it goes on, in seconds, when nobody watches.
    """

    def __init__(self, alone: float = ALONE) -> None:
        self._alone = alone
        self._news = threading.Condition()
        self._made: tuple[int, T | None] = (0, None)
        self._over = False
        self._stopped = False
        self._watched_at = monotonic()

    def start(self, states: Iterable[T]) -> None:
        """Make the states, the last of which stays; they see for themselves whether they are `given_up`."""
        threading.Thread(target=self._make, args=(states,), daemon=True).start()

    def stop(self) -> None:
        """Give it up."""
        self._stopped = True

    def given_up(self) -> bool:
        """Whether somebody stopped it, or nobody has watched it for too long."""
        return self._stopped or monotonic() - self._watched_at > self._alone

    def watch(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[T]:
        """The latest state and then each newer one, until the last; who reads slowly misses some between.

        Args:
            wanted: whether the reader is still interested.
        """
        told = 0
        while wanted():
            with self._news:
                self._watched_at = monotonic()
                if self._made[0] == told and not self._over:
                    self._news.wait(timeout=_PAUSE)
                (count, latest), over = self._made, self._over
            if count > told and latest is not None and wanted():
                told = count
                yield latest
            elif over:
                return

    def _make(self, states: Iterable[T]) -> None:
        try:
            for state in states:
                with self._news:
                    self._made = (self._made[0] + 1, state)
                    self._news.notify_all()
        finally:
            with self._news:
                self._over = True
                self._news.notify_all()
