from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rag import Library, Where
from rag.retrieve import retrieve
from rag.search import feedback


def unit(*rows: tuple[float, ...]) -> np.ndarray:
    vectors = np.array(rows, np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_question_moves_half_way_to_the_mean_of_the_papers() -> None:
    moved = feedback.move(unit((1, 0))[0], unit((0, 1), (0, 1)), np.array([0.2, 0.9]))
    assert moved == pytest.approx(unit((1, 1))[0], abs=1e-6)


def test_a_question_without_papers_stays_where_it_is() -> None:
    vector = unit((3, 4))[0]
    assert feedback.move(vector, np.empty((0, 2), np.float32), np.empty(0)) is vector


def test_words_that_tell_the_papers_from_the_rest_come_first() -> None:
    papers = [["proxi", "reward", "model", "model"], ["proxi", "gold", "model"]]
    found = feedback.expand(papers, np.array([1.0, 0.5]), {"proxi": 6.0, "reward": 3.0, "model": 0.1, "gold": 5.0})
    assert next(iter(found)) == "proxi"
    assert min(found, key=lambda stem: found[stem]) == "model"
    assert sum(found.values()) == pytest.approx(1)


def test_papers_without_words_bring_none() -> None:
    assert feedback.expand([[], []], np.array([1.0, 1.0]), {}) == {}


def test_a_paper_among_the_wanted_rises_above_its_equal_among_the_unwanted() -> None:
    wanted, unwanted = [(1.0, 0.01 * i) for i in range(7)], [(0.01 * i, 1.0) for i in range(7)]
    scores = np.array([0.5, *[0.9] * 6, 0.5, *[0.1] * 6])
    smoothed = feedback.smooth(scores, unit(*wanted, *unwanted))
    assert smoothed[0] > smoothed[7]


@given(st.integers(0, 130).flatmap(lambda n: st.tuples(
    arrays(np.float64, n, elements=st.floats(0, 1)), arrays(np.float32, (n, 3), elements=st.floats(-1, 1, width=32)))))
def test_smoothed_scores_stay_between_zero_and_one(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    scores, rows = drawn
    vectors = (rows + 2) / np.linalg.norm(rows + 2, axis=1, keepdims=True)
    smoothed = feedback.smooth(scores, vectors)
    assert smoothed.shape == scores.shape
    assert ((smoothed >= 0) & (smoothed <= 1 + 1e-9)).all()


def test_feedback_finds_a_paper_by_the_words_of_the_first(shelf: Library) -> None:
    found = retrieve(shelf.store, "overoptimization", k=10)
    by_words = [item for item in found.evidence if "rm3" in item.scores and "words" not in item.scores]
    assert by_words


def test_a_filter_holds_for_what_feedback_brings(shelf: Library) -> None:
    where = Where(years=(2024, None))
    assert {hit.paper.year for hit in shelf.search("reward model", k=20, where=where)} == {2024}


def test_a_filter_that_leaves_nothing_finds_nothing(shelf: Library) -> None:
    assert shelf.search("reward model", where=Where(years=(1900, 1901))) == ()


def test_other_ways_to_put_it_are_searched_for_too(shelf: Library) -> None:
    alone = [hit.paper.id for hit in retrieve(shelf.store, "bird song", k=20).hits]
    wanted = alone[-1]
    text = shelf.papers[wanted].abstract
    helped = [hit.paper.id for hit in retrieve(shelf.store, "bird song", k=20, also=(text,)).hits]
    assert helped.index(wanted) < alone.index(wanted)
