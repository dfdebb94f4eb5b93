from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Library
from rag.checker.agree import numbers
from rag.cite import Grounds, is_frame, locate, quoted
from rag.text import sentences

TEXT = ("A policy trained against a learned reward model soon exploits its errors. On three tasks the bound cuts "
        "overoptimization by 41% while the win rate stays at 63%. The bound does not slow inference.")


def source(text: str) -> Grounds:
    spans = sentences(text)
    return Grounds(text=text, spans=spans, vectors=np.zeros((len(spans), 2), dtype=np.float32))


@pytest.mark.parametrize(("quote", "found"), [
    ("soon exploits its errors", "soon exploits its errors"),
    ("SOON exploits — its errors.", "soon exploits its errors."),
    ("the bound cuts over-optimization by 41 %", "the bound cuts overoptimization by 41"),
])
def test_quotes_are_found_by_their_letters(quote: str, found: str) -> None:
    span = locate(quote, source(TEXT))
    assert span is not None
    assert TEXT[span[0]:span[1]].startswith(found)


@pytest.mark.parametrize("quote", ["soon exploits his errors", "xploits its err", "", "…"])
def test_what_is_not_there_is_not_found(quote: str) -> None:
    assert locate(quote, source(TEXT)) is None


@pytest.mark.parametrize(("quote", "text"), [
    ("Reward models generalise well.", "It is not true that reward models generalise well."),
    ("Error falls by 41 percent.", "Error falls by 4.1 percent."),
    ("a bound", "There is a bound."),
])
def test_the_same_letters_are_not_always_a_quote(quote: str, text: str) -> None:
    assert quoted(quote, source(text)) is None


@given(st.data())
def test_every_run_of_words_is_found_exactly(data: st.DataObject) -> None:
    words = TEXT.split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    span = locate(" ".join(words[first:last + 1]), source(TEXT))
    assert span is not None
    assert TEXT[span[0]:span[1]].rstrip(".").casefold() == " ".join(words[first:last + 1]).rstrip(".").casefold()


@pytest.mark.parametrize(("sentence", "verdict"), [
    ("On three tasks the bound cuts overoptimization by 41% while the win rate stays at 63%.", "supported"),
    ("The bound reduces overoptimization by 41%.", "supported"),
    ("The bound cuts overoptimization by 14%.", "unsupported"),
    ("The bound slows inference by 20%.", "contradicted"),
    ("The bound slows inference.", "contradicted"),
    ("The bound does not cut overoptimization.", "contradicted"),
    ("The bound cuts overoptimization by 4.1% and the win rate to 6.3%.", "unsupported"),
    ("Convolutional networks recognise birds in forest recordings.", "unsupported"),
])
def test_verdicts(shelf: Library, sentence: str, verdict: str) -> None:
    support = shelf.verify(sentence, TEXT)
    assert support.verdict == verdict
    assert TEXT[support.start:support.end] == support.quote


def test_a_flipped_direction_is_never_supported(shelf: Library) -> None:
    assert shelf.verify("The bound increases overoptimization by 41%.", TEXT).verdict in ("contradicted", "unsupported")


def test_verify_survives_empty_texts(shelf: Library) -> None:
    assert shelf.verify("Something is claimed.", "").verdict == "unsupported"
    assert shelf.verify("", TEXT).verdict == "unsupported"


def test_numbers_have_one_spelling() -> None:
    assert numbers("Two of 1,000 models, 3.5x and 41%") == {"2", "1000", "3.5", "41"}


@pytest.mark.parametrize(("sentence", "frame"), [
    ("Three papers address this.", True), ("These papers come closest.", True), ("However:", True),
    ("No papers address this.", False),
    ("All authors agree.", False), ("However, the papers report opposite results.", False),
    ("Ensembles help.", False), ("Three papers use ensembles.", False), ("", False),
    ("Both papers deal with this question.", True), ("Here is what they say:", True), ("In detail:", True),
    ("Overall, two other studies bear on the subject.", True), ("Both papers address overfitting.", False),
    ("Both prefer ensembles.", False), ("These papers are about birds.", False), ("Here is what works.", False),
    ("Two papers address this with ensembles.", False), ("One paper covers it best.", False),
])
def test_frames_claim_nothing(sentence: str, frame: bool) -> None:
    assert is_frame(sentence) is frame
