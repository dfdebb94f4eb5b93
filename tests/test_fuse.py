from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.fuse import fuse, normalise, ranks

scores = st.lists(st.floats(-5, 5) | st.just(float("nan")), min_size=1, max_size=12)


@given(scores, scores)
def test_fused_scores_lie_between_zero_and_one(a: list[float], b: list[float]) -> None:
    size = min(len(a), len(b))
    fused = fuse({"passage": np.array(a[:size]), "words": np.array(b[:size])})
    assert fused.shape == (size,)
    assert ((fused >= 0) & (fused <= 1 + 1e-9)).all()


def test_what_no_view_found_counts_as_lowest() -> None:
    fused = fuse({"passage": np.array([0.9, 0.5, np.nan]), "words": np.array([1.0, np.nan, 3.0])},
                 {"passage": 0.5, "words": 0.5})
    assert fused.tolist() == [0.5, 0.0, 0.5]


def test_a_view_that_found_nothing_takes_no_share() -> None:
    fused = fuse({"passage": np.array([0.2, 0.4]), "words": np.array([np.nan, np.nan])})
    assert fused.tolist() == [0.0, 1.0]


def test_ranks_start_at_one_and_leave_out_the_unfound() -> None:
    assert ranks(np.array([0.1, np.nan, 0.7])).tolist() == [2, 0, 1]


def test_equal_scores_are_all_best() -> None:
    assert normalise(np.array([2.0, 2.0])).tolist() == [1.0, 1.0]
