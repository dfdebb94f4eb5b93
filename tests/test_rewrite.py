"""What a language model writes when it is to put a question in other words: short inert texts, or nothing."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm import open_model
from rag.models.cost import Account
from rag.models.rewrite import formulations, rewrite
from rag.schema import Usage
from rag.settings import Settings
from tests.stubs import Reply, StubModel


@pytest.mark.parametrize(("said", "found"), [
    ('{"questions": ["What is pruning?", "What is sparsity?"], "descriptions": ["We study pruning."]}',
     ("What is pruning?", "What is sparsity?", "We study pruning.")),
    ('Sure [as asked]:\n```json\n{"descriptions": ["We study pruning."]}\n```\nAnything else?', ("We study pruning.",)),
    ('{"questions": [{"question": "What is pruning?"}], "descriptions": "none"}', ("What is pruning?",)),
    ('{"questions": ["What is pruning?", "What is sparsity?",], }', ()),
    ('["We study pruning.", 7, null, ["We study sparsity."]]', ("We study pruning.",)),
    ("Questions:\n1. What is pruning?\n2) What is sparsity?\nDescriptions:\n- **We study pruning.**\n"
     "• “We study sparsity.”",
     ("What is pruning?", "What is sparsity?", "We study pruning.", "We study sparsity.")),
    ("What is pruning?\nWhat is sparsity?", ("What is pruning?", "What is sparsity?")),
    ('{"a": ["1 a", "2 a", "3 a", "4 a"], "b": ["1 b", "2 b", "3 b", "4 b"], "c": ["1 c"]}',
     ("1 a", "2 a", "3 a", "1 b", "2 b", "3 b")),
    ('["the asked question!", "We study pruning.", "we study PRUNING"]', ("We study pruning.",)),
    ('["See <img src=https://evil.example/x.png> https://evil.example/y for graphs"]', ("See for graphs",)),
])
def test_other_ways_to_put_a_question_are_read(said: str, found: tuple[str, ...]) -> None:
    assert formulations(said, "The asked question?") == found


@pytest.mark.parametrize("said", [
    "", "I am sorry, but I cannot help with that.", "{", '{"questions": 3}', "[1, 2]", "[" * 100_000, '{"a":' * 100_000,
    '["", " ", "the of", "???"]', "The question is already clear.", '["' + "x" * 1_000 + '"]',
])
def test_nonsense_is_no_rewriting(said: str) -> None:
    assert formulations(said, "The asked question?") == ()


@given(st.text() | st.lists(st.text(), max_size=9).map(lambda texts: "\n".join(f"- {text}" for text in texts)))
def test_whatever_is_written_a_rewriting_is_short_and_inert(said: str) -> None:
    found = formulations(said, "Why?")
    assert len(found) <= 6
    assert all(len(text) <= 300 and not re.search(r"<\w|://", text) for text in found)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") for text in found for c in text)


def test_thoughts_are_no_rewriting() -> None:
    account = Account()
    with StubModel(Reply(text="<think>- one\n- two")) as stub:
        model = open_model("stub", Settings(model="stub", openai_base_url=stub.url)).on(account)
        assert rewrite(model, "Why?") == ()
    assert account.usage == Usage(input_tokens=11, output_tokens=7, cost=0.0)
