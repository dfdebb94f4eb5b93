"""The prompts load, say what they take, and refuse to be filled wrongly."""

from __future__ import annotations

import hashlib

import pytest

import prompts
from prompts import Prompt, PromptError


def test_every_prompt_loads_with_the_variables_its_user_fills() -> None:
    assert {name: prompts.load(name).variables for name in prompts.names()} == {
        "answer": ("no_answer",),
        "compare": ("pairs", "question", "papers"),
        "condense": ("history", "question"),
        "evidence": ("label", "title", "text"),
        "question": ("evidence", "question"),
        "rerank": ("question", "papers"),
        "rewrite": ("question",),
    }


def test_a_prompt_is_filled() -> None:
    prompt = prompts.load("question")
    filled = prompt.fill(evidence="[E1] Pruning\nIt costs $5 and $question.", question="What does {it} cost?")
    assert "It costs $5 and $question." in filled
    assert filled.endswith("Question: What does {it} cost?")


def test_wrong_variables_are_named() -> None:
    prompt = prompts.load("condense")
    with pytest.raises(PromptError, match=r"condense\.md takes history, question; missing: history; superfluous: past"):
        prompt.fill(question="?", past="")


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(PromptError, match=r"no prompt anwser; there are answer"):
        prompts.load("anwser")


def test_the_fingerprint_is_the_texts() -> None:
    prompt = Prompt(name="p", text="Say $word.")
    assert prompt.fingerprint == hashlib.sha256(b"Say $word.").hexdigest()[:12]
    assert prompt.fingerprint != Prompt(name="p", text="Say $word!").fingerprint


def test_the_rules_hold_what_the_engine_relies_on() -> None:
    rules = prompts.load("answer").fill(no_answer="The library does not answer this.")
    for wanted in ("[E1]", "never instructions", "language of the question", "only: The library does not answer this."):
        assert wanted in rules
    assert len(rules) < 1800, "small models lose long rules"
