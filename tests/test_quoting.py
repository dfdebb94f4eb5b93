"""Quotes read off what a model writes, whatever shape it gives them, and found again in the papers or dropped."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafted import Drafted
from rag.models.picking import Picked, Picking
from rag.models.quoting import Quote, Quotes, Resolving, align, find


def read(text: str, sizes: tuple[int, ...] = ()) -> tuple[list[tuple[str, str, str]], str]:
    """The quotes as (name, label, text), and the prose; the text comes in pieces of these sizes."""
    picking, picked, prose = Picking(), [], ""
    pieces: list[str] = []
    at = 0
    while sizes and at < len(text):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(text[at:at + size])
        at += size
    for part in [part for piece in pieces or [text] for part in picking.read(piece)] + list(picking.end()):
        if isinstance(part, Picked):
            picked.append((part.name, part.label, part.text))
        else:
            prose += part
    return picked, prose.strip()


# ---- reading

TWO = [("Q1", "E3", "Pruning halves memory."), ("Q2", "E1", "It is slow")]
PROSE = "Pruning halves memory [Q1]. It is slow [Q2]."


@pytest.mark.parametrize("quotes", [
    'QUOTES\nQ1 [E3] "Pruning halves memory."\nQ2 [E1] "It is slow"\nANSWER\n',
    'QUOTES:\n\nQ1 [E3]: “Pruning halves memory.”\n\nQ2 [E1]: “It is slow”\n\nANSWER:\n\n',
    '**Quotes:**\n- **Q1** [E3] "Pruning halves memory."\n- **Q2** [E1] "It is slow"\n\n**Answer:** ',
    '## Quotes\n* [Q1] [E3] «Pruning halves memory.»\n* [Q2] [E1] «It is slow»\n\n---\n\n## Answer\n',
    'Q1 (E3): "Pruning halves memory."\nQ2 (E1): "It is slow".\nFINAL ANSWER: ',
    'Q1: "Pruning halves memory." [E3]\nQ2: "It is slow" (E1)\n\n',
    'Quote 1 (Evidence 3): "Pruning halves memory."\nQuote 2 (Evidence 1): "It is slow"\nAnswer: ',
    "Q1 [E3] 'Pruning halves memory.'\nQ2 [E1] ‘It is slow’\nANSWER\n",
    'Q1 [E3] Pruning halves memory.\nQ2 [E1] It is slow\nANSWER\n',
    'Q1: Pruning halves memory. [E3]\nQ2 - It is slow, from E1\n\nANSWER ',
    '[E3] "Pruning halves memory."\n[E1] "It is slow"\n\n',
    '1. [E3] "Pruning halves memory."\n2. [E1] "It is slow"\n\nAnswer:\n',
    '- "Pruning halves memory." [E3]\n- "It is slow" [E1]\n\n',
    'Q1 [E3] "Pruning halves memory." Q2 [E1] "It is slow" ANSWER ',
    'Q1 [E3] "Pruning\nhalves memory."\nQ2 [E1] "It is\nslow"\nANSWER\n',
    'Q1 [E3] "Pruning halves memory.\nQ2 [E1] "It is slow\n\nANSWER\n',
    'Q1 [E3] "Pruning halves memory.\nQ2 [E1] "It is slow\nANSWER\n',
    '<think>\nQ1 [E9] "maybe"\nANSWER\nNo.\n</think>\nQ1 [E3] "Pruning halves memory."\nQ2 [E1] "It is slow"\nANSWER\n',
    '<quotes>\nQ1 [E3] "Pruning halves memory."\nQ2 [E1] "It is slow"\n</quotes>\n<answer>\n',
    '```\nQ1 [E3] "Pruning halves memory."\nQ2 [E1] "It is slow"\n```\nANSWER\n',
    'Q1【E3】＂Pruning halves memory.＂\nQ2 【E1】 "It is slow"\nANSWER\n',
])
def test_quotes_in_any_shape_are_told_from_prose(quotes: str) -> None:
    picked, prose = read(quotes + PROSE)
    if "＂" in quotes:
        picked = [(name, label, text.strip("＂")) for name, label, text in picked]
    assert picked == TWO
    assert re.sub(r"\W*$|^\W*", "", prose) == PROSE.strip("[]. ").removesuffix("]")


@pytest.mark.parametrize("text", [
    "Pruning halves memory [E1]. It is slow [E2].",
    "[E1] Pruning halves memory.\n[E2] It is slow.",
    '"Pruning" halves memory [E1].',
    "'Pruning' halves memory [E1].",
    '[E1] "Pruning" is said to halve memory.',
    "[Q1] and [Q2] show that pruning helps.",
    "Q1 shows that pruning helps.",
    "E5 embeddings beat BM25 [E2].",
    "Answers vary [E1].",
    "Quotes are no proof [E1].",
    "Evidence is thin [E1].",
    "41% of the weights go [E1].",
    "The answer is pruning [E1].",
    '{"quotes": ["Pruning halves',
    "Q", "", "[", "[E1", "Q1 [E", "<thin", "*", "“",
])
def test_what_is_no_quote_is_prose_to_the_letter(text: str) -> None:
    assert read(text) == ([], text)


def test_prose_goes_on_its_way_at_once() -> None:
    picking = Picking()
    assert list(picking.read("Prun")) == ["Prun"]
    assert list(picking.read("ing [Q1].\nQ")) == ["ing [Q1].\n"]
    assert list(picking.read("uantising")) == ["Quantising"]


def test_quotes_may_come_late() -> None:
    picked, prose = read('Pruning helps [Q1].\nQ1 [E3] "Pruning halves memory."\nIt is slow [Q2].')
    assert picked == TWO[:1]
    assert prose == "Pruning helps [Q1].\nIt is slow [Q2]."


def test_words_quoted_in_prose_that_has_begun_belong_to_it() -> None:
    assert read('It helps.\n[E1] "Pruning halves memory."')[0] == []
    assert read('ANSWER\n"Pruning halves memory." [E1]') == ([], '"Pruning halves memory." [E1]')


def test_an_announcement_may_come_before_the_quotes() -> None:
    assert read(f'Here are the quotes:\n1. "Pruning halves memory." [E3]\n\n{PROSE}')[0] == TWO[:1]


def test_a_quote_that_never_ends_is_given_up() -> None:
    picked, prose = read('Q1 [E1] "' + "words and so on " * 400 + "\n\nPruning works [E1].")
    assert len(picked) == 1
    assert len(picked[0][2]) < 2100
    assert prose.endswith("Pruning works [E1].")


FRAGMENTS = st.sampled_from([
    "Q1 ", "Q2", "[E1]", "[E2] ", "E3", '"', "“", "”", "'", "Pruning halves memory.", "It is slow", "\n", "\n\n",
    "QUOTES", "ANSWER", "Answer:", "answer", "**", "- ", "1. ", "---", "<think>", "</think>", "<quotes>", "</answer>",
    ": ", " ", "[", "]", "(", "Q", "E", "quote", "Evidence 2", "from ", "…", "...", "é", "\u200b", "[Q1].", "`",
    "final ", "<",
])


@given(st.lists(FRAGMENTS, max_size=30).map("".join), st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_how_the_text_was_cut_makes_no_difference(text: str, sizes: list[int]) -> None:
    assert read(text, tuple(sizes)) == read(text)


@given(st.lists(FRAGMENTS, max_size=30).map("".join))
def test_no_word_of_prose_is_lost_or_comes_twice(text: str) -> None:
    if "<think>" in text:
        return
    picked, prose = read(text)
    given_words = re.findall(r"Pruning|slow", text)
    assert len(given_words) == len(re.findall(r"Pruning|slow", prose + "".join(quote for _, _, quote in picked)))


# ---- finding

A = ("Pruning removes weights. It halves the memory of a model (by 50.5% on average) and costs little. "
     "We don’t see any loss of accuracy on three tasks.")
B = "Quantising rounds the weights of a model to four bits. Its accuracy drops by 2 points on long texts."
PAPERS = {"E1": A, "E2": B}


def found(text: str, label: str = "E1") -> str | None:
    quote = find(Picked(name="Q1", label=label, text=text), PAPERS)
    if quote is None:
        return None
    assert PAPERS[quote.label][quote.start:quote.end] == quote.text
    return quote.text


@pytest.mark.parametrize(("text", "exact"), [
    ("It halves the memory of a model", "It halves the memory of a model"),
    ("Pruning removes weights.", "Pruning removes weights."),
    ("pruning Removes  weights", "Pruning removes weights"),
    ("We don't see any loss of accuracy on three tasks.", "We don’t see any loss of accuracy on three tasks."),
    ("It halves the memory of a network (by 50.5% on average) and costs little.",
     "It halves the memory of a model (by 50.5% on average) and costs little."),
    ("It halves the memory of models (by 50.5% on average) and costs little",
     "It halves the memory of a model (by 50.5% on average) and costs little"),
    ("Pruning removes ... It halves the memory of a model", "It halves the memory of a model"),
    ("It halves the memory of a model […] on three tasks", "It halves the memory of a model"),
    ("weights", "weights"),
])
def test_a_quote_is_given_in_the_papers_own_words(text: str, exact: str) -> None:
    assert found(text) == exact


@pytest.mark.parametrize("text", [
    "It halves the memory of a model (by 55.5% on average) and costs little.",
    "It halves the memory of a model (by 5.05% on average) and costs little.",
    "It does not halve the memory of a model (by 50.5% on average) and costs little.",
    "We see any loss of accuracy on three tasks, that is all.",
    "Penguins huddle in the cold of winter.",
    "It halves the time to train and the price of a long night in town.",
    "", "...", "[E1]", "50.5",
])
def test_what_no_paper_says_is_dropped(text: str) -> None:
    assert found(text) in (None, text if text == "50.5" else None)


def test_words_of_another_paper_are_that_papers() -> None:
    quote = find(Picked(name="Q1", label="E1", text="Quantising rounds the weights of a model"), PAPERS)
    assert quote == Quote(name="Q1", label="E2", text="Quantising rounds the weights of a model", start=0, end=40)
    assert find(Picked(name="Q1", label="E9", text="Quantising rounds the weights of a model"), PAPERS) == quote
    assert find(Picked(name="Q1", label="E9", text="of a model"), PAPERS) is None
    assert find(Picked(name="Q1", label="", text="Quantizing rounds the weight of a model"), PAPERS) is None


WORDS = B.rstrip(".").split()


@given(st.integers(0, len(WORDS) - 6), st.integers(6, 12), st.data())
def test_a_word_miscopied_in_six_makes_no_difference(start: int, length: int, data: st.DataObject) -> None:
    words = WORDS[start:start + length]
    if len(words) < 6:
        return
    at = data.draw(st.integers(1, len(words) - 2))
    if re.search(r"\d|four", words[at]):
        return
    said = " ".join([*words[:at], data.draw(st.sampled_from(["qualm", "qualm zeal"[:5], ""])), *words[at + 1:]])
    span = align(said, B)
    assert span is not None
    assert B[slice(*span)].rstrip(".") == " ".join(words).rstrip(".")


# ---- resolving


def resolving(*picked: Picked) -> tuple[Resolving, list[Quotes]]:
    made = Resolving(papers={"A": A, "B": B, "C": "Kept out for want of room."}, given={"E1": "A", "E2": "B"})
    return made, list(made.quotes(picked))


def test_sentences_rest_on_the_papers_of_their_quotes() -> None:
    made, [told] = resolving(Picked(name="Q1", label="E1", text="Pruning removes weights"),
                             Picked(name="Q2", label="E1", text="Nobody ever said so in any of these"),
                             Picked(name="Q3", label="E1", text="rounds the weights of a model to four bits"),
                             Picked(name="Q4", label="E3", text="Kept out for want of room."))
    assert [(quote.name, quote.label) for quote in told.kept] == [("Q1", "A"), ("Q3", "B")]
    for written, labels in {("Q1",): ("A",), ("Q3", "Q1"): ("B", "A"), ("Q2",): (), ("Q4",): (), ("Q9", "E2"): ("B",),
                            ("3",): ("B",), ("2",): ("B",), ("e1",): ("A",), ("E3",): (), ("Q1", "E1"): ("A",)}.items():
        assert made.sentence(Drafted(text="So.", labels=written)).labels == labels
    assert [drafted.labels for drafted in made.alone()] == [("A",), ("B",)]


def test_quotes_are_told_of_once_and_looked_up_in_bounded_number() -> None:
    pruning = Picked(name="Q1", label="E1", text="Pruning removes weights")
    made, told = resolving(*[pruning] * 100)
    kept = Quote(name="Q1", label="A", text="Pruning removes weights", start=0, end=23)
    assert told == [Quotes(kept=(kept,))]
    late = Picked(name="Q2", label="E2", text="rounds the weights of a model")
    assert list(made.quotes([late])) == []
    assert len(made.found) == 1
