"""Prices, what a conversation has cost, and what is left of its limit."""

from __future__ import annotations

import pytest

from rag.errors import ModelError
from rag.models.cost import FREE, LEAST_REPLY, MOST_REPLY, Account, Price, open_account, price, spent
from rag.schema import Answer, Turn, Usage
from rag.settings import Settings

LISTED = Price(read=0.25, written=2.0)
GIVEN = Price(read=1.0, written=3.0)
HERE = "http://localhost:11434/v1"


def turn(cost: float | None, told: bool = True) -> Turn:
    usage = Usage(input_tokens=10, output_tokens=5, cost=cost) if told else None
    return Turn(question="?", answer=Answer(question="?", usage=usage))


@pytest.mark.parametrize(("name", "settings", "costs"), [
    ("openai:gpt-5-mini", Settings(), None),
    ("openai:gpt-5-mini", Settings(openai_base_url="https://gateway.example/v1"), None),
    ("groq:llama", Settings(openai_base_url=HERE), None),
    # On this machine.
    ("llama3.1:8b", Settings(openai_base_url=HERE), FREE),
    ("llama3.1:8b", Settings(openai_base_url="http://127.0.0.2:8000/v1"), FREE),
    ("llama3.1:8b", Settings(openai_base_url="http://[::1]:8000/v1"), FREE),
    ("openai:gpt-5-mini", Settings(openai_base_url="http://models.localhost/v1"), FREE),
    ("llama3.1:8b", Settings(openai_base_url="http://192.168.0.7:8000/v1"), None),
    ("ollama:llama3.1:8b", Settings(), FREE),
    # VOUCH_PRICE is VOUCH_MODEL's wherever it runs, and that of any other model that runs elsewhere.
    ("openai:gpt-5-mini", Settings(model="openai:gpt-5-mini", price=(1, 3)), GIVEN),
    ("llama3.1:8b", Settings(model="llama3.1:8b", price=(1, 3), openai_base_url=HERE), GIVEN),
    ("ollama:llama3.1:8b", Settings(model="openai:gpt-4o", price=(1, 3)), FREE),
    ("groq:llama", Settings(model="openai:gpt-4o", price=(1, 3)), GIVEN),
])
def test_prices(name: str, settings: Settings, costs: Price | None) -> None:
    assert price(name, settings) == costs


def test_tokens_cost_what_they_cost() -> None:
    assert LISTED.of(1_000_000, 500_000) == 1.25
    assert LISTED.of(0, 0) == FREE.of(10, 10) == 0.0


def test_a_conversation_has_cost_what_is_known_of_its_answers() -> None:
    assert spent([]) == 0.0
    assert spent([turn(0.25), turn(None), turn(None, told=False), turn(0.5)]) == 0.75


def test_an_answer_may_cost_what_the_conversation_has_left() -> None:
    history = [turn(0.25), turn(0.5)]
    assert open_account(Settings(), history).left is None
    assert open_account(Settings(max_cost=1.0), history).left == 0.25
    assert open_account(Settings(max_cost=0.5), history, fresh=True) == Account(left=0.0, fresh=True)


def test_calls_are_charged_to_the_account() -> None:
    account = Account(left=1.0)
    account.charge(Usage(input_tokens=10, output_tokens=5, cost=0.25))
    account.charge(Usage(input_tokens=1, output_tokens=1))
    assert (account.left, account.usage) == (0.75, Usage(input_tokens=11, output_tokens=6, cost=0.25))


@pytest.mark.parametrize("cost", [-5.0, float("nan"), float("inf"), float("-inf")])
def test_what_is_no_amount_gives_nothing_back(cost: float) -> None:
    assert spent([turn(0.25), turn(cost)]) == 0.25


def test_what_is_set_aside_for_a_call_no_other_takes() -> None:
    account = Account(left=0.02)
    with account.holding(0.012):
        with pytest.raises(ModelError, match=r"leaves this conversation \$0\.008"):
            account.reply("m", GIVEN, 5000)
        assert account.part(1.0).left == pytest.approx(0.008)
    account = Account(left=0.02)
    with pytest.raises(KeyError), account.holding(0.012):
        raise KeyError
    assert (account.held, account.reply("m", GIVEN, 5000)) == (0.0, 5000)


def test_a_reply_may_take_what_is_left() -> None:
    assert Account(left=None).reply("m", None, 5000) is None
    assert Account(left=0.0).reply("m", FREE, 5000) is None
    assert Account(left=10.0).reply("m", GIVEN, 5000) == MOST_REPLY
    # 5,000 tokens read leave a cent, which 3,333 written fit into.
    assert Account(left=0.015).reply("m", GIVEN, 5000) == 3333


@pytest.mark.parametrize("left", [0.0, 0.004, 0.008, -1.0])
def test_less_than_a_short_reply_is_not_begun(left: float) -> None:
    with pytest.raises(ModelError, match=rf"could cost \${GIVEN.of(5000, LEAST_REPLY):.2g}.*leaves this conversation"):
        Account(left=left).reply("m", GIVEN, 5000)


def test_written_words_may_be_free() -> None:
    assert Account(left=0.006).reply("m", Price(read=1.0, written=0.0), 5000) == MOST_REPLY
    with pytest.raises(ModelError):
        Account(left=0.004).reply("m", Price(read=1.0, written=0.0), 5000)


def test_it_is_known_what_was_spared() -> None:
    assert not Account().cached
    assert Account(recalled=2).cached
    assert not Account(recalled=2, asked=1).cached


def test_calls_side_by_side_have_parts_of_an_account() -> None:
    account = Account(left=1.0, fresh=True)
    first, second = account.part(0.75), account.part(0.75)
    assert (first, second, account.left) == (Account(left=0.75, fresh=True), Account(left=0.25, fresh=True), 0.0)
    first.charge(Usage(input_tokens=10, output_tokens=5, cost=0.5))
    first.asked, second.recalled = 1, 2
    account.join(first)
    account.join(second)
    assert (account.left, account.usage) == (0.5, Usage(input_tokens=10, output_tokens=5, cost=0.5))
    assert (account.asked, account.recalled) == (1, 2)
    assert Account().part(1.0) == Account()


def test_what_a_part_remembered_is_forgotten_with_all() -> None:
    account, forgotten = Account(), list[str]()
    part = account.part(0.0)
    part.kept(lambda: forgotten.append("part"))
    account.join(part)
    account.forget()
    assert forgotten == ["part"]
