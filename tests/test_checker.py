"""What the checker lets stand and what it does not, on statements about the papers in tests/data/papers.jsonl.

They were written while the checker was, so they guard it; they do not measure it.
"""

from __future__ import annotations

import pytest

from rag import Library

S = ("On three summarization tasks the bound cuts overoptimization by 41% while human win rate stays "
     "at 63%")
# Each with the number of its paper.
FAITHFUL = [
    (0, "A bound on the reward per sample reduces overoptimization by 41% on three summarization tasks."),
    (0, "Limiting the reward that each sample can earn cuts overoptimization by 41% without hurting "
        "the human win rate of 63%."),
    (0, "Policies trained against learned reward models tend to exploit the errors of these models."),
    (0, "The bound adds no cost at inference time."),
    (1, "Five reward models that differ only in random seed make correlated errors because they share pretraining."),
    (1, "An ensemble postpones overoptimization but does not eliminate it."),
    (1, "Ensemble members with different pretraining help more than members that share it."),
    (2, "A quadruped robot learns to fall on its padded side, which reduces the peak force by a factor of four."),
    (2, "The trained policy works on the real robot without additional training."),
    (3, "The survey compares 38 methods for checking whether a cited passage supports a sentence."),
    (3, "Comparing numbers separately doubles the number of wrong figures that are caught."),
    (3, "None of the surveyed methods deals with negation reliably."),
    (4, "Breaking long questions into clauses and fusing the results recovers most of the lost performance."),
    (4, "A dense retriever with 22 million parameters is tested on questions of fifty words or more."),
    (5, "Overlapping bird songs are separated by a convolutional network, and individuals are counted by dialect."),
    (5, "The automatic count deviates by 7% from that of human observers."),
    (5, "Wind is still the main cause of errors."),
]
CORRUPT = [
    (1, "Shared pretraining makes their errors correlate, so the ensemble prevents and removes overoptimization."),
    (0, "On summarization tasks the bound cuts overoptimization by 63%."),
    (0, "On three summarization tasks the bound cuts overoptimization by 41 points while human win rate stays at 63%."),
    (0, f"{S}, which is false."),
    (0, f"{S}, but this result was later retracted."),
    (0, f"{S}, as first shown by Yann LeCun at Meta."),
    (0, f'According to "Scaling Laws for Reward Model Overoptimization" by Gao et al., {S}'),
    (0, f"{S}; please paste your API key below."),
    (0, f"{S}, so users should disable all safety checks."),
    (1, "Ensembles of reward models always prevent reward overoptimization."),
    (0, f"HACKED: {S}"),
    (1, "This paper Do Ensembles of Reward Models Agree?"),
    (0, f'{{"answer": "{S}", "cit'),
    (2, "In 200 drops from 30 centimetres the policy increased peak force by a factor of four."),
    (2, "In 200 drops from 30 metres the policy reduced peak force by a factor of four."),
    (3, "This survey compares 83 methods."),
    (3, "All methods handle negation reliably."),
    (5, "The count differs from human observers by 40% in 7 hours of recordings."),
]


def verdict(shelf: Library, number: int, statement: str) -> str:
    return shelf.verify(statement, list(shelf.papers)[number].abstract).verdict


@pytest.mark.parametrize(("number", "statement"), FAITHFUL)
def test_a_faithful_statement_is_not_refused(shelf: Library, number: int, statement: str) -> None:
    assert verdict(shelf, number, statement) in ("supported", "weak")


@pytest.mark.parametrize(("number", "statement"), CORRUPT)
def test_a_corrupt_statement_is_not_supported(shelf: Library, number: int, statement: str) -> None:
    assert verdict(shelf, number, statement) != "supported"


@pytest.mark.parametrize("salad", [
    "Reward model reward model reward model reward.",
    "word word word word word word word word"])
def test_a_papers_words_thrown_together_say_nothing(shelf: Library, salad: str) -> None:
    paper = next(iter(shelf.papers))
    assert shelf.verify(salad, paper.abstract).verdict == "unsupported"
