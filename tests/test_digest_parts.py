"""The parts of a digest each by itself: groups, headings, cells, cues, the map, the numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rag.digest.cells import row
from rag.digest.cues import concludes, does, measured, offers, points_back, sets_the_scene
from rag.digest.groups import Described, group
from rag.digest.headings import Named, headings
from rag.digest.layout import layout
from rag.digest.material import Line
from rag.digest.numbering import numbered
from rag.digest.phrases import learn, phrases
from rag.schema import Citation, Paper, Reference, Sentence, Support
from rag.survey import Comparison, Digest, DigestSection, Point, Row
from rag.text import content_stems, sentences

BIRDS = "We count birds from their songs. The songs of forest birds differ by region. Bird songs are recorded at dawn."
ROBOTS = "Walking robots fall. A walking robot needs a controller. We train walking robots in simulation."
SOUP = "Soup recipes call for salt. The salt in a soup recipe is measured. We cook soup recipes by hand."


def _unit(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    made = np.array(rows, np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


# ---- groups


def test_papers_that_do_alike_stand_together() -> None:
    dice = np.random.default_rng(3)
    middles = np.eye(3, 16)[[0] * 7 + [1] * 6 + [2] * 5]
    vectors = _unit((middles + 0.1 * dice.normal(size=(18, 16))).tolist())
    texts = [BIRDS] * 7 + [ROBOTS] * 6 + [SOUP] * 5
    found = group(Described(vectors=vectors, stems=[content_stems(text) for text in texts]))
    assert found == (tuple(range(7)), tuple(range(7, 13)), tuple(range(13, 18)))


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_papers_stay_together(count: int) -> None:
    described = Described(vectors=np.zeros((count, 4), np.float32), stems=[["a"]] * count)
    assert group(described) == (((tuple(range(count))),) if count else ())


@given(count=st.integers(6, 40), seed=st.integers(0, 99))
def test_every_paper_is_in_one_group_of_two_at_least(count: int, seed: int) -> None:
    dice = np.random.default_rng(seed)
    words = [[f"w{number}" for number in dice.integers(0, 12, 6)] for _ in range(count)]
    found = group(Described(vectors=_unit(dice.normal(size=(count, 8)).tolist()), stems=words))
    assert sorted(place for places in found for place in places) == list(range(count))
    assert len(found) <= 8
    assert all(len(places) >= 2 for places in found)


def test_equal_papers_are_no_trouble() -> None:
    found = group(Described(vectors=_unit([[1] * 4] * 9), stems=[["same"]] * 9))
    assert sorted(place for places in found for place in places) == list(range(9))


# ---- phrases and headings


def _embed(text: str) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = _unit([[1] * 4])[0]
    return vector


def _headings(groups: Sequence[Sequence[int]], texts: Sequence[str],
              titles: Sequence[str | None] = ()) -> tuple[str, ...]:
    named = Named(titles=titles or [None] * len(texts), abstracts=texts,
                  vectors=_unit([[1] * 4] * len(texts)))
    return headings(groups, named, "", learn(texts), lambda found: [0.1] * len(found), _embed)


def test_a_heading_is_the_phrase_that_sets_a_group_apart() -> None:
    told = _headings([[0, 1], [2, 3]], [ROBOTS, ROBOTS, SOUP, SOUP])
    assert told[0].startswith("Walking robots")
    assert told[1].startswith("Soup recipes")


def test_headings_differ_where_the_texts_do_not() -> None:
    told = _headings([[0, 1], [2, 3], [4, 5]], ["Nothing here."] * 6, ["On Salt", "On Soup", "On Bread"] * 2)
    assert len({heading.casefold() for heading in told}) == 3
    assert all(told)


@given(st.lists(st.text(max_size=40), min_size=4, max_size=8))
def test_any_texts_get_headings_of_their_own(texts: list[str]) -> None:
    half = len(texts) // 2
    told = _headings([list(range(half)), list(range(half, len(texts)))], texts)
    assert len({heading.casefold() for heading in told}) == 2
    assert all(told)


def test_phrases_are_units_in_the_plural_where_there_are_several() -> None:
    texts = [ROBOTS, "A walking robot is built. Every walking robot walks.", BIRDS]
    found = {phrase.text for phrase in phrases([None] * 3, texts, learn(texts)).values()}
    assert "walking robots" in found
    assert not any(text.split()[-1] in ("are", "in", "we", "the") for text in found)


def test_a_titles_capitals_are_not_the_words_own() -> None:
    grammar = learn(["The policy is a policy. It follows Bayes in a Bayes net. A self made predictive thing."])
    assert grammar.spelled("Policy") == "policy"
    assert grammar.spelled("Bayes") == "Bayes"
    assert grammar.spelled("GPT-4") == "GPT-4"
    assert grammar.spelled("Self-Predictive") == "self-predictive"


# ---- cues and cells


@pytest.mark.parametrize(("sentence", "role"), [
    ("We propose a bound on the reward.", "approach"), ("A bound on the reward is proposed.", "approach"),
    ("Labels are costly and noise remains a challenge.", "problem"), ("We find that the bound helps.", "result"),
    ("How this scales remains an open question.", "open"), ("Contrary to common belief, noise helps.", "disputes"),
    ("This confirms earlier findings on noise.", "confirms"), ("Unlike earlier bounds, ours is free.", "apart"),
])
def test_a_sentence_is_told_by_its_words(sentence: str, role: str) -> None:
    assert does(role, sentence)  # type: ignore[arg-type]


def test_what_measures_and_what_does_not() -> None:
    assert all(measured(text) for text in ("by 41%", "cut by 41\\%", "3.5 points", "a 2x gain", "twice as fast"))
    assert not any(measured(text) for text in ("in 2023", "GPT-4", "a 7B model", "three tasks"))


def test_offers_and_what_points_back() -> None:
    assert offers("In this paper, we introduce a bound.")
    assert not offers("We use the bound.")
    assert points_back("This bound is free.")
    assert points_back("We also test the bound.")
    assert not points_back("This paper tests a bound.")


def test_the_labels_of_structured_abstracts_are_read() -> None:
    assert all(concludes(text) for text in ("CONCLUSIONS: It helps.", "Conclusion It helps.", "We conclude it helps."))
    assert all(sets_the_scene(text) for text in ("METHODS: We asked.", "Objective To ask.", "Background: It is so."))
    assert not any(concludes(text) or sets_the_scene(text) for text in (
        "Methods differ.", "Results vary.", "Conclusions are drawn.", "Design is hard."))


def _lines(abstract: str) -> list[Line]:
    spans = sentences(abstract)
    return [Line(paper_id="p", text=abstract[start:end], span=(start, end), alone=abstract[start:end], place=place,
                 of=len(spans), vector=np.ones(2, np.float32), readable=True)
            for place, (start, end) in enumerate(spans)]


def test_cells_are_cut_at_clauses() -> None:
    abstract = ("Reward models suffer from label noise. In this paper, we propose NoiseBound, a bound on the loss of "
                "each pair, which is cheap to compute. Experiments on the FallBench benchmark show that the bound cuts "
                "the error by 41%, while training takes no longer.")
    found = row(3, Paper(abstract=abstract), _lines(abstract))
    cells = [cell.text if cell else None for cell in (found.problem, found.approach, found.data, found.result)]
    assert cells == ["Reward models suffer from label noise", "NoiseBound, a bound on the loss of each pair",
                     "the FallBench benchmark", "the bound cuts the error by 41%"]


def test_a_cell_that_is_not_given_stays_empty() -> None:
    abstract = "Birds sing. They are heard at dawn."
    assert row(1, Paper(abstract=abstract), _lines(abstract)) == Row(label=1)


@given(st.text(max_size=300))
def test_cells_are_words_of_any_text(abstract: str) -> None:
    found = row(1, Paper(abstract=abstract), _lines(abstract))
    for cell in (found.problem, found.approach, found.data, found.result):
        assert cell is None or abstract[cell.start:cell.end] == cell.text != ""


# ---- the map and the numbers


def test_near_papers_lie_near_on_the_map() -> None:
    places = layout(_unit([[1, 0, 0.1], [1, 0.05, 0], [0, 1, 0], [0.05, 1, 0.1]]))
    away = np.linalg.norm(places[:, None] - places[None], axis=2)
    assert away[0, 1] < away[0, 2]
    assert away[2, 3] < away[1, 3]


@given(count=st.integers(0, 12), seed=st.integers(0, 9))
def test_a_map_is_the_same_each_time_and_has_no_paper_on_another(count: int, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 2, (count, 3)).astype(np.float32)
    places = layout(rows)
    assert places.shape == (count, 2)
    assert np.array_equal(places, layout(rows))
    assert ((places >= 0) & (places <= 1)).all()
    assert len({tuple(place) for place in places.tolist()}) == count


def _said(paper_id: str) -> Sentence:
    support = Support(verdict="supported", score=1.0, quote="x", start=0, end=1)
    return Sentence(text="x", kind="quote", citations=(Citation(label=0, paper_id=paper_id, support=support),))


def test_numbers_follow_the_reader() -> None:
    papers = [Paper(id=name, title=name) for name in "abc"]
    made = numbered(Digest(
        topic="", title="", summary=(_said("c"),), references=tuple(
            Reference(label=number, paper=paper) for number, paper in enumerate(papers, 1)),
        sections=(DigestSection(heading="h", papers=("a", "b", "c"), adds=(_said("b"), _said("c")), differs=(
            Comparison(about="x", sentences=(_said("b"), _said("c"))),)),),
        table=(Row(label=1), Row(label=2), Row(label=3)),
        map=tuple(Point(label=label, x=label / 3, y=0, section=0) for label in (1, 2, 3))))
    assert [(reference.label, reference.paper.id) for reference in made.references] == [(1, "c"), (2, "b"), (3, "a")]
    assert [citation.label for sentence in made.sentences for citation in sentence.citations] == [1, 2, 1, 2, 1]
    assert [row.label for row in made.table] == [1, 2, 3]
    assert [round(point.x * 3) for point in made.map] == [3, 2, 1]
    assert numbered(made) == made
