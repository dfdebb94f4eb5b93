"""Questions about the library itself, and greetings: told from questions about the papers, and true by counting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import ingest
from rag import Answer, Library, Turn, Where, open_library
from rag.conversation import greeting, holdings
from rag.conversation.converse import resolve
from rag.conversation.inventory import Inventory, asked
from rag.errors import NoLibraryError
from rag.marked import Embedder
from rag.settings import Settings
from tests.records import write_jsonl

YEAR = 2026
SAMPLE = Path(__file__).resolve().parents[1] / "ingest/sample/papers.jsonl"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Iterator[Library]:
    """A library of the bundled sample."""
    folder = tmp_path_factory.mktemp("sample")
    with open_library(settings=Settings(library=folder / "library"), embedder=embedder) as opened:
        ingest([SAMPLE], opened)
        yield opened


def told(library: Library, question: str, where: Where | None = None) -> Answer:
    inventory = asked(question)
    assert inventory is not None
    answer = holdings.counted(library.store, question, inventory, where, this_year=YEAR)
    assert answer is not None
    assert_true(library, answer)
    return answer


def assert_true(library: Library, answer: Answer) -> None:
    """Frames only; each citation opens the first words of the paper under its number."""
    shown = {reference.label: reference.paper for reference in answer.references}
    assert list(shown) == list(range(1, len(shown) + 1))
    cited = [citation for sentence in answer.sentences for citation in sentence.citations]
    assert {citation.label for citation in cited} == set(shown)
    for citation in cited:
        paper = library.papers[citation.paper_id]
        assert shown[citation.label] == paper
        assert citation.support.quote
        assert paper.abstract.startswith(citation.support.quote)
        assert paper.abstract[citation.support.start:citation.support.end] == citation.support.quote
    assert all(sentence.kind == "frame" and sentence.text in answer.text for sentence in answer.sentences)
    assert not answer.abstained


def titles(answer: Answer) -> set[str]:
    return {reference.paper.label.split(":")[0] for reference in answer.references}


# ---- which questions


@pytest.mark.parametrize(("question", "inventory"), [
    ("How many papers do you have?", Inventory(kind="count")),
    ("how many papers are in the library?", Inventory(kind="count")),
    ("How many papers do you have on RLHF?", Inventory(kind="count", rest="on RLHF")),
    ("How many papers on RLHF do you have since 2023?", Inventory(kind="count", rest="on RLHF since 2023")),
    ("how many papers by Jason Wei?", Inventory(kind="count", rest="by Jason Wei")),
    ("how many of them are from 2023?", Inventory(kind="count", rest="from 2023")),
    ("which are the newest?", Inventory(kind="newest")), ("What's new?", Inventory(kind="newest", many=1)),
    ("What is the most recent paper on RLHF?", Inventory(kind="newest", rest="on RLHF", many=1)),
    ("the 3 newest papers", Inventory(kind="newest", many=3)),
    ("Which of them is the oldest?", Inventory(kind="oldest", many=1)),
    ("which authors appear most?", Inventory(kind="authors")), ("what years do they cover?", Inventory(kind="years")),
    ("list all papers", Inventory(kind="list")),
    ("show all papers since 2023", Inventory(kind="list", rest="since 2023")),
    ("which files did you read?", Inventory(kind="files")), ("which venues are they from?", Inventory(kind="venues")),
    ("do you have the paper by Gao?", Inventory(kind="has", rest="by Gao")),
    ("do you have a paper called Lost in the Middle?", Inventory(kind="has", paper="Lost in the Middle")),
    ("Do you have the InstructGPT paper?", Inventory(kind="has", paper="InstructGPT")),
    ("who wrote it?", Inventory(kind="wrote")), ("When was “LIMA” published?", Inventory(kind="dated", paper="LIMA")),
])
def test_what_is_asked_of_the_library(question: str, inventory: Inventory) -> None:
    found = asked(question)
    assert found is not None
    assert (found.kind, found.rest, found.paper) == (inventory.kind, inventory.rest, inventory.paper)
    if inventory.kind in ("newest", "oldest"):
        assert found.many == inventory.many


@pytest.mark.parametrize("question", [
    "What is this library about?", "What topics do you cover?", "what do you know?", "what's in here?",
])
def test_what_it_is_about(question: str) -> None:
    found = asked(question)
    assert found is not None
    assert found.kind == "about"


@pytest.mark.parametrize("question", [
    "How many papers were used for training GPT?", "How many papers did the survey review?",
    "How many papers does S2ORC contain?", "how many papers are in the S2ORC corpus?",
    "How many papers on arXiv were used to train Galactica?", "how many papers cite it?",
    "What is the latest GPT model?", "What is the newest method for quantization?",
    "what do you know about RLHF?", "Do you have papers on RLHF?",
    "List papers on RLHF", "What papers address reward hacking?", "What years does the ImageNet benchmark cover?",
    "Which authors use ensembles?", "where was the data collected?", "How old are the participants?",
    "what is the library of Babel about?", "which topics do language models avoid?", "how many files does it need?",
    "What was the first paper on pruning?", "", "???", "papers " * 200,
])
def test_questions_about_what_papers_say_are_left_to_them(question: str) -> None:
    assert asked(question) is None


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    asked(text)
    greeting.greets(text)


# ---- the answers


def test_counts(sample: Library) -> None:
    total = len(sample.papers)
    assert told(sample, "how many papers do you have?").text == f"The library holds {total} papers, read from 1 file."
    since = told(sample, "how many papers since 2024 do you have?")
    assert since.text.startswith(f"3 papers of the library’s {total} fit that.")
    assert since.narrowed == f"Only papers since 2024: 3 of {total}."
    assert {reference.paper.year for reference in since.references} == {2024}
    assert told(sample, "how many papers?", Where(years=(None, 2017))).text.startswith("2 papers")


def test_papers_on_a_subject_are_counted_by_words_and_by_the_search(sample: Library) -> None:
    answer = told(sample, "How many papers do you have on quantization?")
    assert re.match(r"\d papers speak of quantization\.", answer.text)
    assert {"QLoRA", "GPTQ"} <= titles(answer)
    assert answer.notice is not None
    assert told(sample, "How many papers on underwater welding?").text.startswith("No paper here plainly speaks of ")


def test_newest_and_oldest(sample: Library) -> None:
    oldest = told(sample, "which is the oldest paper?")
    assert oldest.text == "The oldest is “Concrete Problems in AI Safety”, of 2016. [1]"
    newest = told(sample, "what is the newest paper?")
    assert newest.text.startswith("3 papers are of 2024, the newest year:")
    assert {reference.paper.year for reference in newest.references} == {2024}
    assert titles(told(sample, "What is the newest paper on quantization?")) == {"QLoRA"}
    ids = tuple(reference.paper.id for reference in told(sample, "the 2 oldest papers").references)
    assert told(sample, "which of them is the newest?", Where(ids=ids)).references[0].paper.year == 2017


def test_years_authors_venues_files(sample: Library) -> None:
    years = told(sample, "what years do the papers cover?")
    assert years.text.startswith("The papers are from 2016 to 2024 (2024: 3, ")
    authors = told(sample, "who are the most frequent authors?")
    name = re.match(r"(.+) appears most, on (\d+) papers\.", authors.text)
    assert name is not None
    assert len(authors.references) == int(name[2])
    assert all(name[1] in reference.paper.authors for reference in authors.references)
    assert "NeurIPS" in told(sample, "which venues are they from?").text
    assert told(sample, "which files did you read?").text == (
        f"The papers were read from 1 file: papers.jsonl ({len(sample.papers)} papers).")


def test_what_the_library_is_about(sample: Library) -> None:
    answer = told(sample, "what is this library about?")
    for count, subject in re.findall(r"(\d+) papers speak of ([^,]+),", answer.text):
        key = subject.casefold().removesuffix("s")
        assert sum(key in paper.text.casefold().replace("-", " ") or key in paper.text.casefold()
                   for paper in sample.papers) >= int(count) / 2
    assert "reward models" in answer.text
    assert len(answer.references) > 3


def test_lists(sample: Library) -> None:
    everything = told(sample, "list all papers")
    assert len(everything.references) == 20
    assert everything.text.startswith(f"There are {len(sample.papers)}; the first 20 of them:")
    assert titles(told(sample, "list all papers by Tim Dettmers")) == {"QLoRA", "LLM.int8()"}


@pytest.mark.parametrize(("question", "text"), [
    ("do you have the paper called Lost in the Middle?", "Yes: “Lost in the Middle: How Language Models Use Long"),
    ("is the LoRA paper in the library?", "Yes: “LoRA: Low-Rank Adaptation of Large Language Models”. [1]"),
    ("do you have anything by Tim Dettmers?", "Yes, 2 papers: [1][2]"),
    ("do you have anything by Nobody Knows?", "The library knows no paper by Nobody Knows."),
    ("how many papers by Nobody Knows?", "The library knows no paper by Nobody Knows."),
    ("how many papers from 2031?", "The library knows no paper from 2031."),
    ("do you have “Attention Is All You Need”?", "No paper here has that title: “Attention Is All You Need”."),
    ("who wrote the “ColBERT” paper?", "“ColBERT: Efficient and Effective Passage Search via Contextualized Late "),
    ("when was LIMA published?", "“LIMA: Less Is More for Alignment” is of 2023. [1]"),
    ("where was QLoRA published?", "“QLoRA: Efficient Finetuning of Quantized LLMs” was published at NeurIPS 2023."),
])
def test_one_paper(sample: Library, question: str, text: str) -> None:
    assert told(sample, question).text.startswith(text)


def test_who_wrote_the_one_that_was_spoken_of(sample: Library) -> None:
    lora = told(sample, "is the LoRA paper in the library?").references[0].paper
    answer = told(sample, "who wrote it?", Where(ids=(lora.id,)))
    assert all(author in answer.text for author in lora.authors)
    inventory = asked("Who wrote The Master and Margarita?")
    assert inventory is not None
    assert holdings.counted(sample.store, "", inventory, this_year=YEAR) is None


def test_follow_ups(sample: Library) -> None:
    quantized = sample.ask("Which papers study quantization?")
    history = (Turn(question=quantized.question, answer=quantized),)

    def follow(question: str) -> Answer | None:
        return holdings.answer(sample.store, question, resolve(question, history), this_year=YEAR)

    first, second = (reference.paper for reference in quantized.references[:2])
    wrote = follow("who wrote the second one?")
    assert wrote is not None
    assert wrote.rewritten_question == f"Who wrote “{second.label}”?"
    assert wrote.text.startswith(f"“{second.label}” was written by {second.authors[0]}")
    newest = follow("which of them is the newest?")
    assert newest is not None
    assert newest.references[0].paper.year == max(first.year or 0, second.year or 0)
    counted = follow("how many of them are from 2023?")
    assert counted is not None
    assert {reference.paper.id for reference in counted.references} == {
        reference.paper.id for reference in quantized.references if reference.paper.year == 2023}
    assert follow("what are they about?") is None
    assert follow("others?") is None
    assert follow("which of them use PPO?") is None


def test_a_library_without_years_titles_and_authors(library: Library, tmp_path: Path) -> None:
    bees = "Bees dance to tell where the flowers are. They do so at noon."
    ants = "Ants follow scent. It fades in rain."
    ingest([write_jsonl(tmp_path / "a.jsonl", {"abstract": bees}, {"abstract": ants})], library)
    for question, text in (("which are the newest?", "None of the papers has a known year."),
                           ("who wrote the most papers?", "None of the papers names its authors."),
                           ("which venues are they from?", "None of the papers names where it was published."),
                           ("what is this library about?", "The library holds 2 papers, read from 1 file.")):
        assert told(library, question).text == text
    library.remove([paper.id for paper in library.papers])
    assert told(library, "how many papers?").text == "The library holds no papers yet."


def test_no_library(library: Library) -> None:
    inventory = asked("how many papers?")
    assert inventory is not None
    with pytest.raises(NoLibraryError):
        holdings.counted(library.store, "how many papers?", inventory, this_year=YEAR)


# ---- greetings


@pytest.mark.parametrize(("said", "kind"), [
    ("hi", "hello"), ("Hello there!", "hello"), ("Good morning", "hello"), ("thanks a lot!", "thanks"),
    ("ok, thank you", "thanks"), ("who are you?", "who"), ("What can you do?", "help"), ("help", "help"),
    ("bye", "bye"),
])
def test_greetings(sample: Library, said: str, kind: greeting.Kind) -> None:
    found = greeting.greets(said)
    assert found == kind
    answer = greeting.answer(sample.store, said, kind)
    assert answer.kind == "greeting"
    assert all(sentence.kind == "frame" for sentence in answer.sentences)
    assert all(question in answer.text for question in sample.examples(2)) is (kind not in ("thanks", "bye"))


@pytest.mark.parametrize("question", [
    "hi-C maps", "Hello World programs", "thanks to attention", "What is DPO?", "who are you calling a bot",
    "helpfulness", "how does it work?", "what can transformers do?", "", "good morning effect in circadian studies",
])
def test_no_greeting(question: str) -> None:
    assert greeting.greets(question) is None


def test_a_greeting_needs_no_library(library: Library) -> None:
    assert "vouch ingest" in greeting.answer(library.store, "hi", "hello").text
