"""Which side a sentence takes on a claim, and when it may be told."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.checker.leaning import leaning, leans
from rag.checker.stance import Cues, Side, as_claim, probabilities, side, take, verdict
from rag.cite import Grounds
from rag.embedders.minilm import LocalEmbedder
from rag.marked import Marked
from rag.text import sentences

CLAIMS = Path(__file__).parent / "data" / "claims.jsonl"


def grounds(text: str, embedder: LocalEmbedder, title: str = "") -> Grounds:
    spans = sentences(text)
    [embedded] = embedder.embed([Marked(text=text, spans=spans)])
    return Grounds(text=text, spans=spans, title=title, vectors=embedded.spans)


# ---- questions


@pytest.mark.parametrize(("question", "claim"), [
    ("Does vitamin D reduce fractures?", "vitamin D reduce fractures"),
    ("Is process supervision better than outcome supervision?", "process supervision better than outcome supervision"),
    ("So, can language models learn without labels?", "language models learn without labels"),
    ("Don't larger reward models overfit less?", "larger reward models overfit less"),
    ("Is it true that ensembles help against overoptimization?", "ensembles help against overoptimization"),
    ("Is there any evidence that pruning harms accuracy?", "pruning harms accuracy"),
])
def test_a_yes_no_question_is_a_claim(question: str, claim: str) -> None:
    assert as_claim(question) == claim


@pytest.mark.parametrize("question", [
    "What reduces fractures?", "Is BERT or GPT better?", "Can you find papers on pruning?", "Are there papers on bees?",
    "Do you have anything on RLHF?", "Vitamin D reduces fractures.", "Is it?", "",
])
def test_other_questions_claim_nothing(question: str) -> None:
    assert as_claim(question) is None


# ---- directions


@pytest.mark.parametrize(("claim", "towards", "away"), [
    ("Coffee lowers blood pressure.", "Blood pressure was reduced by coffee.", "Coffee increased blood pressure."),
    ("Coffee raises blood pressure.", "Blood pressure rose after coffee.", "Coffee did not increase blood pressure."),
    ("Rats sleep longer than mice.", "Rats slept longer than mice.", "Mice slept longer than rats."),
    ("The ensemble outperforms the single model.", "The single model was worse than the ensemble.",
     "The single model outperformed the ensemble."),
    ("Extract of sage slows the growth of tumours.", "Sage extract inhibited tumour growth.",
     "Sage extract stimulated tumour growth."),
    ("Meat raises the risk of diabetes.", "For meat and diabetes the odds ratio was 1.63.",
     "For meat and diabetes the odds ratio was 0.63."),
    ("Age affects memory strongly.", "Memory was strongly affected by age.", "Memory was unaffected by age."),
])
def test_sentences_lean_to_their_side(claim: str, towards: str, away: str) -> None:
    assert leaning(claim, towards) > 0 > leaning(claim, away)


def test_a_sentence_on_other_things_leans_nowhere() -> None:
    assert leaning("Coffee lowers blood pressure.", "Graph networks predict traffic better than chance.") == 0.0


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_texts_can_be_compared(claim: str, sentence: str) -> None:
    assert math.isfinite(leaning(claim, sentence))
    assert all(lean.sign in (-1, 0, 1) and all(0.0 < near <= 1.0 for near in lean.about.values())
               for lean in leans(sentence))


# ---- stances


def test_a_finding_is_preferred_to_an_aim(embedder: LocalEmbedder) -> None:
    text = ("We examined whether green tea lowers the heart rate of cyclists. Forty cyclists took part for a month. "
            "Green tea significantly lowered the heart rate of the cyclists.")
    claim = "Green tea lowers the heart rate of cyclists."
    taken = take(claim, embedder.embed_query(claim), grounds(text, embedder), lambda _: 1.0, around=0.2)
    best = taken.stances[0]
    assert (best.side, text[best.start:best.end]) == (
        "for", "Green tea significantly lowered the heart rate of the cyclists.")
    assert taken.supports > taken.contradicts


def test_the_opposite_finding_counts_against(embedder: LocalEmbedder) -> None:
    text = "Forty cyclists took part for a month. Green tea significantly raised the heart rate of the cyclists."
    claim = "Green tea lowers the heart rate of cyclists."
    taken = take(claim, embedder.embed_query(claim), grounds(text, embedder), lambda _: 1.0, around=0.2)
    assert taken.contradicts > taken.supports
    assert taken.stances[0].side == "against"


def test_a_paper_without_sentences_takes_no_side() -> None:
    empty = Grounds(text="", spans=(), vectors=np.empty((0, 4), np.float32))
    taken = take("Bees count.", np.ones(4, np.float32), empty, lambda _: 1.0, around=0.0)
    assert (taken.supports, taken.contradicts, taken.stances) == (0.0, 0.0, ())


@given(*[st.floats(-1.0, 1.0)] * 4)
def test_probabilities_are_shared_out(likeness: float, lead: float, held: float, lean: float) -> None:
    supports, contradicts = probabilities(Cues(likeness=likeness, lead=lead, held=held, lean=lean))
    assert 0.0 <= supports <= 1.0
    assert 0.0 <= contradicts <= 1.0
    assert supports + contradicts <= 1.0 + 1e-9
    further, _ = probabilities(Cues(likeness=likeness, lead=lead, held=held, lean=lean + 0.5))
    assert further >= supports


@pytest.mark.parametrize(("held", "supports", "contradicts", "told"), [
    (0.9, 0.6, 0.2, "for"), (0.9, 0.2, 0.6, "against"), (0.9, 0.4, 0.4, None), (0.9, 0.1, 0.05, None),
    (0.3, 0.6, 0.2, None)])
def test_a_side_is_told_where_it_is_clear(held: float, supports: float, contradicts: float, told: Side | None) -> None:
    assert side(Cues(held=held), supports, contradicts) == told


@pytest.mark.parametrize(("for_", "against", "speaks", "found"), [
    (0.7, 0.0, 0.9, "supported"), (0.0, 0.7, 0.9, "contradicted"), (0.7, 0.6, 0.9, "mixed"),
    (0.7, 0.1, 0.9, "supported"), (0.0, 0.0, 0.3, "no evidence"), (0.0, 0.0, 0.8, "no evidence")])
def test_verdicts(for_: float, against: float, speaks: float, found: str) -> None:
    said, confidence = verdict(for_, against, speaks)
    assert said == found
    assert 0.0 < confidence < 1.0


def test_the_surer_the_papers_the_surer_the_verdict() -> None:
    assert verdict(0.5, 0.0, 0.6)[1] <= verdict(0.8, 0.0, 0.9)[1]
    assert verdict(0.0, 0.0, 0.3)[1] <= verdict(0.0, 0.0, 0.01)[1]


# ---- the written claims


def test_the_written_claims_are_whole() -> None:
    lines = [json.loads(line) for line in CLAIMS.read_text("utf-8").splitlines()]
    assert {tuple(line) for line in lines} == {("claim", "origin", "label")}
    assert {line["label"] for line in lines} == {"support", "contradict", "none"}
    assert len({(line["claim"], line["origin"]) for line in lines}) == len(lines)
    assert all(5 <= len(line["claim"].split()) <= 20 and line["origin"].count("#") == 1 for line in lines)
