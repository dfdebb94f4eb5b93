"""What a server tells of usage is some only where it can be."""

from __future__ import annotations

import pytest

from rag.models.told import dollars, tokens
from rag.schema import Usage


@pytest.mark.parametrize(("told", "amount"), [
    (0, 0.0), (0.25, 0.25), ("0.25", 0.25), (-5, None), (float("nan"), None), ("NaN", None), (float("inf"), None),
    (True, None), (None, None), ({"a": 1}, None), ([1], None), ("abc", None), (10**400, None),
])
def test_dollars(told: object, amount: float | None) -> None:
    assert dollars(told) == amount


@pytest.mark.parametrize(("read", "written", "known"), [
    (10, 5, True), (0, 5, True), (0, 0, False), (-10**9, 5, False), (None, None, False), ("10", "5", False),
    (True, 5, False), (1.5, 5, False),
])
def test_tokens(read: object, written: object, known: bool) -> None:
    assert tokens(read, written) == (Usage(input_tokens=read, output_tokens=written) if known else None)  # type: ignore[arg-type]
