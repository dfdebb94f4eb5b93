from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.kinds import Wanted, understand
from rag.phrase import phrase
from rag.readable import leans, opening
from rag.text import sentences

WRITTEN = Path(__file__).parent / "data" / "facts.jsonl"


@pytest.mark.parametrize("question", [
    "What papers address reward overoptimization?", "reward overoptimization", "Which studies deal with sign language?",
    "Can you list works on unlearning?", "Are there any papers on birdsong?", "How can we keep a policy from cheating?",
    "What causes hallucination, and how can it be reduced?", "Why do transformers learn in context?",
    "Where can a reward come from when none is given?", "What methods reduce forgetting?",
    "Which model should a question be sent to?", "", "???", "🐧",
])
def test_what_is_no_other_kind_wants_papers(question: str) -> None:
    assert understand(question).kind == "papers"


@pytest.mark.parametrize(("question", "wanted", "of"), [
    ("How many languages does it cover?", "count", "languag"),
    ("On how many data sets was it tested?", "count", "dataset"),
    ("In the small model, how often is it right?", "number", None),
    ("What accuracy does the small network reach?", "number", "accuraci"),
    ("What share of the labels is wrong?", "share", None),
    ("How much faster is the student than its teacher?", "factor", None),
    ("How long does training take?", "time", None),
    ("From what distance can it be seen?", "length", "distanc"),
    ("How much does one example cost?", "money", None),
    ("When was the model published?", "date", None),
    ("Who annotated the reviews?", "person", None),
    ("Which network was used as teacher?", "name", "network"),
    ("Of the recordings, how many birds are on two?", "count", "bird"),
])
def test_a_fact_has_a_type(question: str, wanted: Wanted, of: str | None) -> None:
    asks = understand(question)
    assert (asks.kind, asks.wanted) == ("fact", wanted)
    assert of is None or of in asks.of


@pytest.mark.parametrize(("question", "sides"), [
    ("dropout vs weight decay", ("dropout", "weight decay")),
    ("Dropout versus weight decay for small data sets", ("Dropout", "weight decay")),
    ("What is the difference between dropout and weight decay?", ("dropout", "weight decay")),
    ("How does dropout differ from weight decay?", ("dropout", "weight decay")),
    ("Compare dropout with weight decay", ("dropout", "weight decay")),
    ("Is dropout better than weight decay?", ("dropout", "weight decay")),
    ("Dropout or weight decay: which regularises better?", ("Dropout", "weight decay")),
    ("Dropout, weight decay or early stopping: what helps?", ("Dropout", "weight decay", "early stopping")),
    ("Is it better to grade every step or just the answer?", ("grade every step", "answer")),
])
def test_a_comparison_names_its_sides(question: str, sides: tuple[str, ...]) -> None:
    asks = understand(question)
    assert (asks.kind, asks.sides) == ("comparison", sides)


@pytest.mark.parametrize("question", [
    "What is a hypernetwork?", "what is RLHF", "overview of continual learning", "Explain mixtures of experts",
    "state of the art in text-to-3D generation", "Tell me about diffusion models",
])
def test_an_overview(question: str) -> None:
    assert understand(question).kind == "overview"


@pytest.mark.parametrize("question", ["Does dropout help?", "Are labels of test sets wrong?", "Is attention enough?"])
def test_yes_or_no(question: str) -> None:
    assert understand(question).kind == "yes-no"


@given(st.text(alphabet="a ,?(:-\n", max_size=30), st.sampled_from(["a", " ", "(", "-", ", ", "how many ", "a vs "]))
def test_only_the_beginning_of_a_long_text_is_looked_at(begins: str, more: str) -> None:
    folded = " ".join((begins + more * 1_000).split())[:400]
    assert understand(begins + more * 20_000) == understand(folded)
    assert len(folded) < 400 or understand(folded) == understand(folded + " is a vs b?")


def test_white_space_says_nothing() -> None:
    assert understand("what is the difference \n between" + " " * 9_000 + "a\tcat and a dog?").sides == ("cat", "dog")


@given(st.text(max_size=200))
def test_any_text_has_a_kind(question: str) -> None:
    asks = understand(question)
    assert (len(asks.sides) > 1) == (asks.kind == "comparison")
    assert asks.kind == "fact" or asks.wanted is None


# ---- the phrase that answers


@pytest.mark.parametrize(("question", "sentence", "marked"), [
    ("How many languages does it cover?", "The 3 models cover 20 languages in 2021.", "20 languages"),
    ("How many words does it hold?", "It holds more than 2000 words by 100 signers.", "2000 words"),
    ("What accuracy does it reach?", "With 50 layers, accuracy rises to 91.5% (2% more than before).", "91.5%"),
    ("What share of the labels is wrong?", "Of 12 sets, 6% of the labels are wrong.", "6%"),
    ("How much faster is it?", "It is 8 times faster and needs 30 ms.", "8 times"),
    ("How long does it take?", "On 4 GPUs with 80 GB it takes 15 minutes.", "15 minutes"),
    ("From what height is it dropped?", "In 200 drops from 30 centimetres it broke 4 times.", "30 centimetres"),
    ("How much does one example cost?", "One of 500 examples costs $0.031.", "$0.031"),
    ("When was it published?", "It was published with 12 others on July 07, 2024.", "July 07, 2024"),
    ("Which network was the teacher?", "A pre-trained PhaseNet network taught the P and S picker.", "PhaseNet"),
    ("Which data sets were used?", "We use the data sets CUB, CARS and In-Shop.", "CUB, CARS and In-Shop"),
    ("From how much to how much did it fall?", "It fell from 55.1 down to 30.0 points.", "55.1 down to 30.0"),
    ("How many models are compared?", "Five models such as GPT-4 and Llama 2 are compared in 3D.", "Five models"),
])
def test_the_phrase_is_of_the_type_asked_for(question: str, sentence: str, marked: str) -> None:
    found = phrase(sentence, understand(question), question)
    assert found is not None
    assert sentence[found.start:found.end] == marked


@pytest.mark.parametrize(("question", "sentence"), [
    ("How many of the 200 drops failed?", "There were 200 drops."),  # asked, so no answer
    ("How many models are there?", "GPT-4 writes in 3D (1) first and 2) next."),
    ("Which network was the teacher?", "The network was a large one."),
    ("What papers address dropout?", "There are 12 of them by Srivastava."),
])
def test_what_is_not_asked_for_is_not_marked(question: str, sentence: str) -> None:
    assert phrase(sentence, understand(question), question) is None


@given(st.text(max_size=300), st.sampled_from([
    "How many?", "What share?", "Which one was it?", "When was it?", "How long?", "How much faster?", "How far?"]))
def test_a_phrase_lies_in_its_text(text: str, question: str) -> None:
    found = phrase(text, understand(question), question)
    assert found is None or (0 <= found.start < found.end <= len(text) and 0 <= found.fit <= 1)


# ---- what can be read alone


@pytest.mark.parametrize("sentence", [
    "However, it fails.", "This improves accuracy.", "These results hold.", "For example, birds sing.", "It is slow.",
    "To address this problem, we sing.", "We tackle these challenges with songs.", "In contrast, birds sing.",
    "Such models are large.", "The latter is better.",
])
def test_what_leans_on_the_sentence_before(sentence: str) -> None:
    assert leans(sentence)


@pytest.mark.parametrize("sentence", [
    "This paper presents a bird.", "In this work, we sing.", "We count birds.", "Itself a bird, the robin sings.",
    "Theories of birdsong abound.", "Firstly, we sing.", "Thistles grow.",
])
def test_what_can_be_read_alone(sentence: str) -> None:
    assert not leans(sentence)


def test_a_quote_opens_where_it_can_be_read() -> None:
    text = ("Birds sing. However, they stop. Thus it is quiet. Wind blows. It howls. This is loud. It lasts. "
            "Then it ends. We do two things: 1. Listening.")
    spans = sentences(text)
    assert [opening(text, spans, place) for place in range(8)] == [0, 0, 0, 3, 3, 3, 3, None]
    cut = next(place for place, span in enumerate(spans) if text[slice(*span)].endswith("1."))
    assert opening(text, spans, cut) is None


def test_written_questions_name_a_sentence_without_its_text() -> None:
    entries = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    assert len({entry["query"] for entry in entries}) == len(entries) >= 100
    assert {entry["part"] for entry in entries} == {"dev", "held out", "fresh"}
    assert all(len(entry["answer"].split()) <= 5 for entry in entries)
    facts = sum(understand(entry["query"]).kind == "fact" for entry in entries)
    assert facts >= 0.97 * len(entries)
