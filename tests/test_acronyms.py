from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.search.acronyms import definitions, has_capitals, is_acronym, singular
from rag.text import words


@pytest.mark.parametrize(("text", "found"), [
    ("We tune with reinforcement learning from human feedback (RLHF).",
     ("rlhf", "reinforcement learning from human feedback")),
    ("RLHF (reinforcement learning from human feedback) is common.",
     ("rlhf", "reinforcement learning from human feedback")),
    ("Scenes as neural radiance fields (NeRFs; one a room) render fast.", ("nerf", "neural radiance fields")),
    ("It helps semi-supervised learning (SSL, for short).", ("ssl", "semi supervised learning")),
    ("Gaussian splatting in three dimensions. Large Language Models (LLMs) write.", ("llm", "large language models")),
    ("levels of insulin-like growth factor 1 (IGF-1) fell", ("igf1", "insulin like growth factor 1")),
    ("Naïve Bayes (NB) is a start", ("nb", "naive bayes")),
])
def test_definitions_are_found(text: str, found: tuple[str, str]) -> None:
    assert list(definitions(text)) == [found]


@pytest.mark.parametrize("text", [
    "It grew by a fifth (20 %).",
    "It is common (see above), and cheap (or so they say).",
    "The usual way (RLHF) costs much.",  # says nothing that spells it
    "We ask why. (WHO) said so.",  # another sentence
    "The graph model GM (GM) is small.",
    "empty () and unclosed (ABC",
])
def test_other_parentheses_define_nothing(text: str) -> None:
    assert list(definitions(text)) == []


@given(st.text(alphabet="aAbBcC (),.-s1é\u0301\uff9e\ud800", max_size=80))
def test_a_long_form_stands_in_the_text(text: str) -> None:
    for short, long in definitions(text):
        assert short
        assert f" {long} " in f" {' '.join(words(text))} "


def test_writing_of_acronyms() -> None:
    assert all(map(is_acronym, ["RLHF", "NeRF", "GPT-4", "mBERT", "L2"]))
    assert not any(map(is_acronym, ["Reward", "model", "2024", "R", "NEVERTHELESS", "a b", ""]))
    assert has_capitals("OctoBERT")
    assert not has_capitals("Paris")
    assert [singular(word) for word in ("RNNs", "GANs", "class", "GPT-4")] == ["rnn", "gan", "class", "gpt4"]
