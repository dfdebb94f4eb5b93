from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Paper
from rag.search.vocabulary import Vocabulary
from rag.search.wording import correct, others
from rag.tables import Changes

TEXTS = [
    "Gaussian splatting renders scenes. DistilBERT is distilled. A transformer learns in batches. We adapt templates.",
    "Gaussian noise and splatting of points. Cancer grows; a cancer is found early. We adapt the template.",
    "Reinforcement learning from human feedback (RLHF) invites over-optimization of a reward. Multi-head attention.",
    "RLHF suffers from overoptimization of rewards. RLHF is fine-tuning.",
    "Finetuning GPT-4 on multi-head layers: RLHF again. Large language models (LLMs) learn.",
    "GPT4 answers. Large language models (LLMs) and a large language model (LLM) write. Fine-tuning the pa-per.",
    "This paper on papers: the paper. A paper. Mixture of experts (MoE).",
    "Another paper. Principal component analysis (PCA) of plants. Passive cutaneous anaphylaxis (PCA) in mice.",
    "A paper on principal component analysis (PCA), and passive cutaneous anaphylaxis (PCA). To act is human.",
    "Papers where agents act. The action chunking transformer (ACT) moves an arm. They act on what acts.",
    "A paper in form and content. We inform. They inform. A paper, a paper, papers inform.",
    *["One more paper."] * 12,
]


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vocabulary]:
    opened = Vocabulary(tmp_path_factory.mktemp("words") / "vocabulary.sqlite")
    papers = tuple(Paper(id=str(number), abstract=text) for number, text in enumerate(TEXTS))
    opened.apply(Changes(mark=("a library", 1), papers=papers, passages=(), dropped=()))
    yield opened
    opened.close()


def _found(question: str, vocabulary: Vocabulary) -> set[str]:
    return set(others(question, vocabulary))


@pytest.mark.parametrize(("question", "corrected"), [
    ("gausian splating", "gaussian splatting"),
    ("distillbert", "distilbert"),
    ("Why does Gaussain noise help?", "Why does Gaussian noise help?"),
    ("to adatp tempates, (transfomer)-based", "to adapt templates, (transformer)-based"),
    ("overoptimzation of rewrds", "overoptimization of rewrds"),  # a short word that one paper holds is too little
    ("GAUSIAN NOISE", "GAUSSIAN NOISE"),
])
def test_misspelt_words_are_corrected(question: str, corrected: str, vocabulary: Vocabulary) -> None:
    assert correct(question, vocabulary) == corrected


@pytest.mark.parametrize("question", [
    "gaussian splatting of rewards",  # known
    "gaussians",  # a known stem
    "canker sores",  # another letter makes another word
    "GAUSIAN noise", "GaUSIAN noise",  # an acronym, for all we know
    "gausian2",
    "multihead layers",  # known as "multi-head"
    "multi head attention", "over optimization",
    "papr", "didn't", "zebras",
    "", "?!", "\ud800 \u0000",
])
def test_other_words_stay_as_they_are(question: str, vocabulary: Vocabulary) -> None:
    assert correct(question, vocabulary) == question


def test_a_word_of_the_language_is_not_misspelt(vocabulary: Vocabulary) -> None:
    assert correct("gausian noise", vocabulary) == "gaussian noise"
    assert correct("gausian noise", vocabulary, lambda word: word == "gausian") == "gausian noise"


@pytest.mark.parametrize(("question", "expected"), [
    ("overoptimization", {"optimization"}),  # "over" says nothing by itself
    ("fine-tuning", {"finetuning"}), ("fine tuning", {"finetuning"}), ("finetuning", {"fine", "tuning"}),
    ("over-optimization", {"overoptimization"}), ("over optimization", {"overoptimization"}),
    ("GPT-4", {"gpt4"}), ("GPT4", {"gpt"}),  # nor does "4"
    ("multihead", {"multi", "head"}),
    ("paper", set()),  # "pa-per" is a typesetter's
    ("in form", set()),
])
def test_compounds_meet(question: str, expected: set[str], vocabulary: Vocabulary) -> None:
    assert _found(question, vocabulary) == expected


@pytest.mark.parametrize(("question", "expected"), [
    ("what is RLHF", {"reinforcement", "learning", "human", "feedback"}),
    ("what is rlhf", {"reinforcement", "learning", "human", "feedback"}),
    ("do LLMs learn", {"large", "language", "model", "llm"}), ("do llms learn", {"large", "language", "model", "llm"}),
    ("LLM", {"large", "language", "model", "llms"}), ("DO LLMS LEARN", {"large", "language", "model", "llm"}),
    ("RLHF feedback", {"reinforcement", "learning", "human"}),
    ("MoE layers", set()),  # one paper's three letters
    ("MoE of many experts", {"mixture"}),  # unless the rest of the question fits
    ("PCA", set()),  # two meanings
    ("PCA of components", {"principal", "analysis"}), ("PCA as anaphylaxis", {"passive", "cutaneous"}),
    ("how do robots act", set()),  # a word, too
    ("reinforcement learning from human feedback", {"rlhf"}),
    ("a large language model", {"llm"}),
    ("principal component analysis", set()),  # "PCA" would bring the other
])
def test_acronyms_meet_what_they_stand_for(question: str, expected: set[str], vocabulary: Vocabulary) -> None:
    assert _found(question, vocabulary) == expected


def test_terms_count_less_than_what_was_asked(vocabulary: Vocabulary) -> None:
    found = others("RLHF fine-tuning GPT4", vocabulary)
    assert found
    assert all(0 < weight < 1 for weight in found.values())


def test_an_empty_library_knows_nothing(tmp_path: Path) -> None:
    empty = Vocabulary(tmp_path / "vocabulary.sqlite")
    assert correct("gausian splating with RLHF", empty) == "gausian splating with RLHF"
    assert others("gausian splating with RLHF", empty) == {}
    empty.close()


@given(place=st.integers(1, 10), swap=st.booleans(),
       word=st.sampled_from(["splatting", "transformer", "reinforcement"]))
def test_one_slip_in_a_long_word_is_undone(place: int, swap: bool, word: str, vocabulary: Vocabulary) -> None:
    at = min(place, len(word) - 2)
    slipped = word[:at] + (word[at + 1] + word[at] if swap else word[at + 1]) + word[at + 2:]
    corrected = correct(slipped, vocabulary)
    assert (corrected or slipped) in (word, slipped.replace("splating", "splatting"))


@given(question=st.text(max_size=60) | st.text(alphabet="GPT-4 gausinRLHF'’.\n", max_size=60))
def test_any_question_can_be_asked(question: str, vocabulary: Vocabulary) -> None:
    assert len(correct(question, vocabulary).split()) == len(question.split())
    assert all(word and word == word.casefold() for word in others(question, vocabulary))


def test_an_endless_word_is_nobodys_slip(vocabulary: Vocabulary) -> None:
    assert correct("z" * 5000, vocabulary) == "z" * 5000
