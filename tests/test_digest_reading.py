"""A digest read back from JSON: the same again, and one sentence on what cannot be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.digest.reading import from_json, outline_from_json
from rag.errors import SourceError, VouchError
from rag.schema import Citation, Excerpt, Paper, Reference, Sentence, Support, Usage, Where
from rag.survey import Comparison, Digest, DigestSection, Group, Outline, Point, Row, Withheld
from ui.render import to_json

_PAPER = Paper(id="p1", title="On Falling", abstract="Robots fall. They rise.", authors=("A. Writer",), year=2024)
_SAID = Sentence(text="Robots fall.", kind="quote", citations=(Citation(
    label=1, paper_id="p1", support=Support(verdict="supported", score=1.0, quote="Robots fall.", start=0, end=12)),))
_DIGEST = Digest(
    topic="falling", title="Falling", scope="1 of 1 paper.", summary=(_SAID,),
    sections=(DigestSection(heading="Robots", papers=("p1",), adds=(_SAID,), differs=(
        Comparison(about="falls", sentences=(_SAID, _SAID)),)),),
    table=(Row(label=1, problem=Excerpt(text="Robots fall", start=0, end=11)),), open_problems=(_SAID,),
    map=(Point(label=1, x=0.5, y=1.0, section=0),), references=(Reference(label=1, paper=_PAPER),),
    withheld=(Withheld(sentence=_SAID, reason="No paper that it cites says so."),), length="brief",
    where=Where(years=(2020, None), authors=("Writer",)), generation=7, usage=Usage(input_tokens=1, output_tokens=2),
    timings={"total": 1})


def test_a_digest_comes_back_as_it_was() -> None:
    assert from_json(json.dumps(to_json(_DIGEST))) == _DIGEST


def test_an_outline_comes_back_as_it_was() -> None:
    made = Outline(topic="falling", title="Falling", groups=(Group(heading="Robots", papers=("p1",)),))
    assert outline_from_json(json.dumps(to_json(made))) == made


def test_what_a_later_version_adds_is_left_out() -> None:
    assert from_json(json.dumps({**to_json(_DIGEST), "mood": "bright"})) == _DIGEST


@pytest.mark.parametrize(("change", "told"), [
    ({"title": None}, "digest.title"), ({"length": "epic"}, "'brief'"), ({"sections": {}}, "digest.sections"),
    ({"sections": [{"papers": []}]}, "'heading'"), ({"generation": True}, "digest.generation"),
    ({"where": {"years": [1]}}, "digest.where.years"), ({"references": [3]}, "digest.references[0]"),
    ({"table": [{"label": 5}]}, "digest.table"), ({"map": [{"label": 2, "x": 0, "y": 0, "section": 9}]}, "digest.map"),
])
def test_a_bad_file_is_told_with_its_place(change: dict[str, object], told: str) -> None:
    with pytest.raises(SourceError) as caught:
        from_json(json.dumps({**to_json(_DIGEST), **change}))
    assert told in str(caught.value)


def test_a_file_without_a_topic_is_no_digest() -> None:
    with pytest.raises(SourceError, match="'topic'"):
        from_json("{}")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
                        st.sampled_from(["topic", "sections", "where", "x"]), inner, max_size=4)))
def test_no_document_brings_it_down(document: object) -> None:
    with pytest.raises(VouchError, match="digest"):
        from_json(json.dumps(document))


@given(st.text(max_size=20) | st.binary(max_size=20))
def test_no_text_brings_it_down(text: str | bytes) -> None:
    with pytest.raises(VouchError, match="digest"):
        from_json(text)
