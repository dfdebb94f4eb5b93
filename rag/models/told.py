"""What a server tells of an answer's tokens and cost, as far as it can be so. Pure."""

from __future__ import annotations

import math
from typing import TypeGuard

from rag.schema import Usage


def dollars(told: object) -> float | None:
    """An amount: a finite number of at least 0, or its digits; None for anything else."""
    if isinstance(told, bool) or not isinstance(told, int | float | str):
        return None
    try:
        amount = float(told)
    except (ValueError, OverflowError):
        return None
    return amount if math.isfinite(amount) and amount >= 0.0 else None


def tokens(read: object, written: object) -> Usage | None:
    """Tokens that were read and written; None where these are no counts, or both 0: an answer takes some."""
    if not _is_count(read) or not _is_count(written) or not (read or written):
        return None
    return Usage(input_tokens=read, output_tokens=written)


def _is_count(told: object) -> TypeGuard[int]:
    return isinstance(told, int) and not isinstance(told, bool) and told >= 0
