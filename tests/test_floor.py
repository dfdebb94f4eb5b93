from __future__ import annotations

import json
import math
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Library, Where
from rag.floor import (
    FLOOR,
    Signals,
    Signs,
    Weights,
    addresses,
    confidence,
    coverage,
    fitted,
    rarity,
    select,
    signs,
    strength,
)
from rag.relevant import signals
from rag.retrieve import retrieve

WRITTEN = Path(__file__).parent / "data" / "abstention.jsonl"
cosines = st.floats(-1.0, 1.0)
papers = st.lists(st.builds(Signals, sentence=cosines, passage=cosines, accord=cosines, coverage=st.floats(0.0, 1.0)),
                  min_size=1, max_size=40)


def paper(of: float, accord: float = 0.7, held: float = 0.5) -> Signals:
    return Signals(sentence=of, passage=of, accord=accord, coverage=held)


def test_a_rare_word_weighs_more() -> None:
    assert rarity(0, 100) > rarity(1, 100) > rarity(50, 100) > rarity(100, 100) > 0


def test_coverage_counts_words_by_what_they_say() -> None:
    frequencies = {"common": 90, "rare": 1}
    assert coverage(["rare"], frequencies, 100) > 0.9 > 0.1 > coverage(["common"], frequencies, 100) > 0
    assert coverage(["rare", "common", "other"], frequencies, 100) == pytest.approx(1)
    assert coverage(["anything"], {}, 100) == 0


def test_a_paper_addresses_what_its_words_hold() -> None:
    assert addresses(paper(0.6, held=0.9))
    assert not addresses(paper(0.6, held=0.1))
    assert not addresses(paper(0.1, held=0.9))


def test_signs_of_several_papers() -> None:
    found = [paper(0.6, accord=0.7), paper(0.2, accord=0.8)]
    seen = signs(found)
    assert seen.strongest == strength(found[0])
    assert seen.lead == pytest.approx((strength(found[0]) - strength(found[1])) / 2)
    assert seen.accord == 0.8
    assert signs(found[::-1]) == seen


def test_log_odds_are_what_the_weights_say() -> None:
    weights = Weights(start=-2.0, strongest=3.0, lead=5.0, accord=1.0)
    seen = signs([paper(0.6), paper(0.2)])
    odds = -2.0 + 3.0 * seen.strongest + 5.0 * seen.lead + seen.accord
    found = confidence([paper(0.6), paper(0.2)], weights)
    assert math.log(found / (1 - found)) == pytest.approx(odds)


def test_nothing_found_answers_nothing() -> None:
    assert confidence([]) == 0.0
    assert select([], 1.0, 5) == ()


@given(papers)
def test_confidence_is_a_probability_whatever_the_order(found: list[Signals]) -> None:
    assert 0.0 <= confidence(found) <= 1.0
    assert confidence(found[::-1]) == pytest.approx(confidence(found))


@given(papers, st.floats(0.0, 0.5))
def test_nearer_papers_make_it_surer(found: list[Signals], nearer: float) -> None:
    best = max(found, key=strength)
    better = Signals(sentence=best.sentence + nearer, passage=best.passage, accord=best.accord, coverage=best.coverage)
    rest = [other for other in found if other is not best]
    assert confidence([better, *rest]) >= confidence([best, *rest]) - 1e-12


def test_every_sign_has_a_fitted_weight_that_speaks_for_an_answer() -> None:
    weights = fitted()
    assert [field.name for field in fields(Weights)] == ["start", *(field.name for field in fields(Signs))]
    assert weights.start < 0
    assert min(weights.strongest, weights.lead, weights.accord) > 0


def test_the_file_says_what_share_of_answerable_questions_it_is_right_for() -> None:
    stored = json.loads(files("rag").joinpath("abstention.json").read_text(encoding="utf-8"))
    assert 0.5 < stored["usual"] < 1


def test_select_keeps_what_is_near_the_strongest() -> None:
    assert select([0.6, 0.5, 0.2, 0.55], FLOOR, 10) == (0, 1, 3)
    assert select([0.6, 0.5, 0.2, 0.55], FLOOR, 2) == (0, 1)
    assert select([0.6, 0.5], FLOOR - 0.01, 10) == ()
    assert select([0.2, 0.19, 0.1], 0.9, 10) == (0,)


@pytest.mark.parametrize(("question", "answered"), [
    ("reward model overoptimization", True),
    ("a legged robot that survives falling over", True),
    ("Which year did the Berlin Wall fall?", False),
    ("How long should I boil an egg?", False),
    ("the offside rule in football", False),
])
def test_a_shelf_knows_what_it_holds(shelf: Library, question: str, answered: bool) -> None:
    assert (confidence(signals(retrieve(shelf.store, question, 40))) >= FLOOR) == answered


def test_without_the_paper_that_answers_it_is_less_sure(shelf: Library) -> None:
    found = retrieve(shelf.store, "quadruped", 40)
    rest = Where(ids=tuple(hit.paper.id for hit in found.hits[1:]))
    assert confidence(signals(retrieve(shelf.store, "quadruped", 40, rest))) < confidence(signals(found)) - 0.2


def test_written_questions_can_be_read() -> None:
    entries = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    kinds = [entry["type"] for entry in entries]
    assert kinds.count("answerable") >= 60
    assert kinds.count("near") >= 60
    assert kinds.count("far") >= 40
    assert len({entry["query"] for entry in entries}) == len(entries)
    assert all(bool(entry["relevant"]) == (entry["type"] == "answerable") for entry in entries)


@pytest.mark.slow
def test_written_questions_are_told_apart(corpus: Library) -> None:
    entries = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    sure: dict[str, list[bool]] = {"answerable": [], "near": [], "far": []}
    for entry in entries:
        sure[entry["type"]].append(confidence(signals(retrieve(corpus.store, entry["query"], 40))) >= FLOOR)
    shares = {kind: sum(flags) / len(flags) for kind, flags in sure.items()}
    assert shares["answerable"] >= 0.9
    assert shares["near"] <= 0.45
    assert shares["far"] <= 0.1
