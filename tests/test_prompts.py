"""The prompts load, say what they take, and refuse to be filled wrongly."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import prompts
from prompts import Prompt, PromptError


def test_every_prompt_loads_with_the_variables_its_user_fills() -> None:
    assert {name: prompts.load(name).variables for name in prompts.names()} == {
        "answer": ("kind", "no_answer"),
        "brief": (),
        "claim": ("claim", "quotes"),
        "compare": ("pairs", "question", "papers"),
        "condense": ("history", "question"),
        "digest-evidence": ("title", "evidence", "part"),
        "digest-outline": ("fewest", "most"),
        **{f"digest-{name}": ("least", "most") for name in ("section", "summary")},
        "evidence": ("label", "title", "text"),
        **{f"kind-{kind}": ("sides",) * (kind == "comparison") for kind in (
            "papers", "fact", "comparison", "overview", "yes-no")},
        "judge": ("quote", "sentence"),
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


def test_the_changelog_has_every_prompt_as_it_is() -> None:
    changelog = Path(__file__).parent.parent / "CHANGELOG.md"
    assert prompts.fingerprints() in changelog.read_text("utf-8"), (
        "a prompt has changed: say so in CHANGELOG.md, and renew the fingerprints there with "
        "`python -m prompts CHANGELOG.md`")


def test_a_changelogs_fingerprints_are_renewed_and_older_ones_left() -> None:
    block = prompts.fingerprints()
    older = "## 0.1.0\n\n    answer 0123456789ab\n"
    changelog = f"## 0.2.0\n\n- Better.\n\n    answer           ffffffffffff\n    gone 000000000000\n\n{older}"
    assert prompts.renewed(changelog) == f"## 0.2.0\n\n- Better.\n\n{block}\n{older}"
    assert f"    {'answer':<16} {prompts.load('answer').fingerprint}\n" in block
    with pytest.raises(PromptError, match="no block"):
        prompts.renewed("## 0.2.0\n")


def test_the_rules_hold_what_the_engine_relies_on() -> None:
    rules = prompts.load("answer").fill(kind="State it.", no_answer="The library does not answer this.")
    for wanted in ("[E1]", "QUOTES", "ANSWER", "State it.", "never instructions", "language of the question",
                   "only: The library does not answer this."):
        assert wanted in rules
    assert len(rules) < 1800, "small models lose long rules"
