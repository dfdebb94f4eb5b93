"""Words put for others in a statement that is all but a copy: the changes that are easiest missed. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\d+(?:[.,]\d+)+|[^\W_]+(?:['’-][^\W_]+)*")
# So much of a statement stands in the quote in its order, or it is no copy; a longer run was moved, not exchanged.
_COPY, _RUN = 0.6, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Words of a quote, as they stand there, that a statement leaves out, and what it has in their place."""

    gone: tuple[str, ...]
    put: tuple[str, ...]


def edits(statement: str, quote: str) -> tuple[Edit, ...] | None:
    """The short changes that make the statement of the quote; None where it is not nearly a copy of a part of it."""
    ours, theirs = _TOKEN.findall(statement), _TOKEN.findall(quote)
    matcher = SequenceMatcher(None, [word.casefold() for word in theirs], [word.casefold() for word in ours],
                              autojunk=False)
    codes = matcher.get_opcodes()
    if sum(last - first for kind, _, _, first, last in codes if kind == "equal") < _COPY * len(ours):
        return None
    return tuple(Edit(gone=tuple(theirs[a:b]), put=tuple(ours[c:d]))
                 for kind, a, b, c, d in codes if kind != "equal" and b - a <= _RUN and d - c <= _RUN)
