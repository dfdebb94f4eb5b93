"""A sentence as an engine gives it to be checked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A sentence an engine wrote: its text without citation marks, and the labels it cites in order.

    What a model wrote holds a word at least, and no address, HTML tag, link, picture or square bracket. Labels are as
    the model gave them ("E1", or "1" where it left the letter out): some may have been invented. ``side`` and
    ``marked`` are as `rag.schema.Sentence` has them. A ``frame`` claims nothing of a paper; only the extractive engine
    says so of its own.
    """

    text: str
    labels: tuple[str, ...] = ()
    side: str | None = None
    marked: tuple[int, int] | None = None
    frame: bool = False
