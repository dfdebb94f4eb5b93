"""What was read of papers, kept at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """One thing a paper, read when it is first asked for and forgotten when the library has changed.

    Args:
        read: gives it for papers by id, leaving out those that are gone.
        most: papers it is kept for; one more, and all are forgotten.
    """

    def __init__(self, read: Callable[[Sequence[str]], Mapping[str, T]], most: int) -> None:
        self._read = read
        self._most = most
        self._look = -1
        self._found: dict[str, T] = {}

    def get(self, ids: Sequence[str], look: int) -> dict[str, T]:
        """It for each of these papers that is there, in their order; what an earlier look found is forgotten."""
        if look != self._look or len(self._found) > self._most:
            self._found, self._look = {}, look
        missing = [paper_id for paper_id in ids if paper_id not in self._found]
        if missing:
            self._found.update(self._read(missing))
        return {paper_id: self._found[paper_id] for paper_id in ids if paper_id in self._found}
