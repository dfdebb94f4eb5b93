from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rag.text import content_stems, estimate_tokens, letters, normalise, sentences, stem, words


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences_end_where_a_reader_ends_them() -> None:
    expected = ["We use e.g. BERT (Devlin et al. 2019) at 0.5.", "It works!", "See Fig. 3 by J. Smith vs. others.",
                "Why?", '"So."']
    assert cut(" ".join(expected)) == expected


def test_tokenised_text_ends_at_lone_full_stops() -> None:
    assert cut("the lift was measured . it rose with speed .") == ["the lift was measured .", "it rose with speed ."]


def test_et_al_ends_a_sentence_before_a_capital() -> None:
    assert cut("We follow Jones et al. The result holds.") == ["We follow Jones et al.", "The result holds."]


@given(st.text(alphabet=st.sampled_from("ab.!? \n()A1,\"'é")))
def test_sentences_cover_all_but_white_space(text: str) -> None:
    spans = sentences(text)
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())
    assert list(spans) == sorted(spans)
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@given(st.text())
def test_normal_forms_are_stable(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert letters(letters(text)) == letters(text)
    assert estimate_tokens(text) >= len(text.split())


def test_words_fold_case_and_accents_and_keep_numbers() -> None:
    assert words("Über-GPT-4 reaches 1,000.5 points") == ["uber", "gpt", "4", "reaches", "1,000.5", "points"]


def test_content_stems_leave_out_what_carries_no_meaning() -> None:
    assert content_stems("The models were improving") == [stem("models"), stem("improving")]
    assert stem("improving") == stem("improves")
