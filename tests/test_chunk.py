from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chunk import chunk


def count(text: str) -> int:
    return len(text.split())


def test_a_short_abstract_is_one_passage() -> None:
    [(passage, spans)] = chunk("p", "One sentence. Another one.", 10, count)
    assert (passage.text, passage.tokens, passage.index) == ("One sentence. Another one.", 4, 0)
    assert spans == ((0, 13), (14, 26))


def test_sentences_are_not_cut() -> None:
    text = "Alpha beta gamma. Delta epsilon. Zeta eta theta iota."
    assert [passage.text for passage, _ in chunk("p", text, 5, count)] == [
        "Alpha beta gamma. Delta epsilon.", "Zeta eta theta iota."]


def test_a_budget_must_hold_something() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        chunk("p", "Text.", 0, count)


@given(st.text(alphabet=st.sampled_from("ab. \nA1é")), st.integers(1, 9))
def test_every_character_is_in_one_passage(text: str, budget: int) -> None:
    found = chunk("p", text, budget, count)
    for passage, spans in found:
        assert text[passage.start:passage.end] == passage.text
        assert all(passage.start <= start < end <= passage.end for start, end in spans)
        assert passage.tokens <= budget or not any(c.isspace() for c in passage.text)
    assert "".join("".join(passage.text.split()) for passage, _ in found) == "".join(text.split())
    assert [passage.id for passage, _ in found] == [f"p.{index}" for index in range(len(found))]
