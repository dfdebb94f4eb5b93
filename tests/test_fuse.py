from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.fuse import fuse, normalise, ranks

EVEN = {"passage": 0.5, "words": 0.5}
scores = st.lists(st.floats(-5, 5) | st.just(float("nan")), min_size=1, max_size=12)


@given(scores, scores)
def test_fused_scores_lie_between_zero_and_one(a: list[float], b: list[float]) -> None:
    size = min(len(a), len(b))
    fused = fuse({"passage": np.array(a[:size]), "words": np.array(b[:size])}, EVEN)
    assert fused.shape == (size,)
    assert ((fused >= 0) & (fused <= 1 + 1e-9)).all()


def test_what_no_view_found_counts_as_lowest() -> None:
    fused = fuse({"passage": np.array([0.9, 0.5, np.nan]), "words": np.array([1.0, np.nan, 3.0])},
                 EVEN)
    assert fused.tolist() == [0.5, 0.0, 0.5]


def test_a_view_that_found_nothing_takes_no_share() -> None:
    fused = fuse({"passage": np.array([0.2, 0.4]), "words": np.array([np.nan, np.nan])}, EVEN)
    assert fused.tolist() == [0.0, 1.0]


def test_a_view_without_weight_is_left_out() -> None:
    fused = fuse({"passage": np.array([0.2, 0.4]), "title": np.array([1.0, 0.0])}, EVEN)
    assert fused.tolist() == [0.0, 1.0]


def test_ranks_start_at_one_and_leave_out_the_unfound() -> None:
    assert ranks(np.array([0.1, np.nan, 0.7])).tolist() == [2, 0, 1]


def test_equal_scores_are_all_best() -> None:
    assert normalise(np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
