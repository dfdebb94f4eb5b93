"""Models asked through the real clients, at a server that fails in every way servers do."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import json
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiktoken_ext.openai_public  # type: ignore[import-untyped]
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage

from rag import llm
from rag.errors import ModelError, SettingsError
from rag.llm import Model, open_model
from rag.models import providers
from rag.models.cost import LEAST_REPLY, MOST_REPLY, Account
from rag.models.providers import asking, chat_model, window
from rag.models.remembered import Remembered
from rag.schema import Usage
from rag.settings import Settings
from rag.text import estimate_tokens
from tests.stubs import Reply, StubModel

pytestmark = pytest.mark.slow

KEY = "sk-very-secret-0123456789"
QUESTION = [HumanMessage("Which papers prune?")]


def at(stub: StubModel, timeout: float = 5.0) -> Model:
    return open_model("llama3.1:8b", Settings(openai_base_url=stub.url, openai_api_key=KEY, timeout=timeout))


def said(model: Model) -> str:
    return "".join(piece for piece in model.stream(QUESTION) if isinstance(piece, str))


def failure(*replies: Reply, timeout: float = 5.0) -> str:
    """The one sentence that is left of a failure."""
    with StubModel(*replies) as stub, pytest.raises(ModelError) as error:
        said(at(stub, timeout))
    told = str(error.value)
    assert "\n" not in told
    assert KEY not in told
    assert "llama3.1:8b" in told
    return told


def test_text_comes_in_pieces_and_the_usage_last() -> None:
    with StubModel(Reply(chunks=("Pruning ", "works [E", "1]."), usage=(21, 4))) as stub:
        assert list(at(stub).stream(QUESTION)) == [
            "Pruning ", "works [E", "1].", Usage(input_tokens=21, output_tokens=4, cost=0.0)]
    request = stub.requests[0]
    assert request.path == "/v1/chat/completions"
    assert request.json["model"] == "llama3.1:8b"
    assert request.json["stream_options"] == {"include_usage": True}
    assert request.headers["authorization"] == f"Bearer {KEY}"


def test_a_server_may_report_no_usage() -> None:
    with StubModel(Reply(text="Fine.", usage=None)) as stub:
        assert list(at(stub).stream(QUESTION)) == ["Fine."]


def test_reasoning_and_tool_calls_are_left_out() -> None:
    with StubModel(Reply(text="Fine.", reasoning=("Let me", " think."), tool_call="search")) as stub:
        assert said(at(stub)) == "Fine."


def test_no_key_is_sent_where_there_is_none() -> None:
    with StubModel(Reply(text="Fine.")) as stub:
        assert said(open_model("m", Settings(openai_base_url=stub.url))) == "Fine."
    assert stub.requests[0].headers["authorization"] == "Bearer none"


@pytest.mark.parametrize(("reply", "told"), [
    (Reply(status=401, message=f"Incorrect API key provided: {KEY}"), "refused the key"),
    (Reply(status=403), "does not allow"),
    (Reply(status=404, message="model not found"), "not known to the server"),
    (Reply(status=400, message="bad"), "does not accept"),
    (Reply(status=400, message="maximum context length is 8192", code="context_length_exceeded"), "context window"),
    (Reply(status=413), "too large"),
    (Reply(status=429, message="no quota", code="insufficient_quota"), "no quota"),
    (Reply(status=429, headers={"Retry-After": "3600"}), "rate limited"),
    (Reply(status=418), "status 418"),
    (Reply(body="<!doctype html><p>Welcome", headers={"Content-Type": "text/html"}), "no answer"),
    (Reply(body="data: {broken\n\n", headers={"Content-Type": "text/event-stream"}), "no answer"),
    (Reply(text="Half an answer", event='{"error": {"message": "boom", "code": 500}}'), "error in the middle"),
    (Reply(text="Half an answer", event="{broken"), "no answer"),
    (Reply(text="Half an answer [E1", cut_after=3), "broke off"),
    (Reply(text="Half an answer [E1", cut_after=3, cut="reset"), "broke the connection"),
    (Reply(text="Whole, but unfinished.", finish_reason=None), "broke off"),
    (Reply(text="Half an", finish_reason="length"), "length limit"),
    (Reply(text="", finish_reason="content_filter"), "refused to answer"),
    (Reply(refusal="I cannot help with that."), "without any text"),
    (Reply(text="Never seen.", choices=False), "without any text"),
    (Reply(text=""), "without any text"),
    (Reply(text="", reasoning=("I think",)), "without any text"),
    (Reply(tool_call="search", finish_reason="tool_calls"), "without any text"),
])
def test_every_failure_is_one_sentence(reply: Reply, told: str) -> None:
    assert told in failure(reply)


def test_what_came_before_a_cut_was_given() -> None:
    with StubModel(Reply(chunks=("One. ", "Two"), cut_after=2)) as stub:
        pieces = at(stub).stream(QUESTION)
        assert [next(pieces), next(pieces)] == ["One. ", "Two"]
        with pytest.raises(ModelError, match="broke off"):
            next(pieces)


def test_a_server_that_is_not_there_is_told() -> None:
    with StubModel() as stub:
        model = at(stub, timeout=0.3)
    with pytest.raises(ModelError, match="could not be reached"):
        said(model)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_prompt_is_not_carried_to_another_host(status: int) -> None:
    with StubModel() as other:
        told = failure(Reply(status=status, headers={"Location": f"{other.url}/chat/completions"}))
        assert f"was redirected to another address ({status})" in told
        assert other.requests == []


@pytest.mark.parametrize("reply", [
    Reply(hang=True), Reply(text="Late.", delay=2), Reply(comments=True, gap=0.05),
    Reply(status=429, headers={"Retry-After": "1"}),
])
def test_the_time_to_the_first_token_is_bounded(reply: Reply) -> None:
    told = failure(reply, timeout=0.3)
    assert "within 0.3 s" in told or "rate limited" in told


def test_the_time_between_tokens_is_bounded() -> None:
    assert "stopped in mid-answer for 0.3 s" in failure(Reply(chunks=("One.", " Two."), gap=1.5), timeout=0.3)


def test_the_whole_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm, "TOTAL", 2)
    slow = Reply(chunks=("word ",) * 100, gap=0.04)
    assert "did not come to an end within 0.6 s" in failure(slow, timeout=0.3)


def test_a_model_that_never_ends_is_stopped() -> None:
    assert "did not come to an end" in failure(Reply(chunks=("again " * 500,) * 30))


@pytest.mark.parametrize("first", [
    Reply(status=429), Reply(status=429, headers={"Retry-After": "0.1"}), Reply(status=500),
    Reply(status=503, headers={"Retry-After": "0.1"}), Reply(reset=True),
])
def test_a_passing_failure_is_tried_again(first: Reply) -> None:
    with StubModel(first, Reply(text="Fine.")) as stub:
        assert said(at(stub)) == "Fine."
    assert len(stub.requests) == 2


def test_it_is_tried_three_times_in_all() -> None:
    limited = Reply(status=429, headers={"Retry-After": "0.05"})
    with StubModel(limited, limited, limited) as stub, pytest.raises(ModelError, match="rate limited"):
        said(at(stub))
    assert len(stub.requests) == 3


def test_nothing_is_tried_again_once_text_has_come() -> None:
    with StubModel(Reply(text="Half an", cut_after=1, cut="reset")) as stub, pytest.raises(ModelError):
        said(at(stub))
    assert len(stub.requests) == 1


def test_leaving_ends_the_request() -> None:
    with StubModel(Reply(chunks=("word ",) * 400, gap=0.01)) as stub:
        pieces = at(stub).stream(QUESTION)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
        assert stub.client_left.wait(2)


def test_leaving_ends_a_request_that_only_keeps_alive() -> None:
    with StubModel(Reply(comments=True, gap=0.02)) as stub:
        with pytest.raises(ModelError, match=r"within 0\.3 s"):
            said(at(stub, timeout=0.3))
        assert stub.client_left.wait(5)


def test_the_whole_time_of_a_call_may_be_bounded() -> None:
    with StubModel(Reply(chunks=("word ",) * 100, gap=0.05)) as stub, pytest.raises(ModelError, match=r"within 0\.4 s"):
        at(stub).ask("Which?", within=0.4)


def test_an_openai_model_goes_to_openai_whatever_else_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/other")
    monkeypatch.setenv("LANGSMITH_GATEWAY", "http://127.0.0.1:9/gateway")
    chat: Any = chat_model("openai:gpt-5-mini", Settings(openai_api_key=KEY))
    assert (chat.openai_api_base, chat.model_name, chat.temperature) == (providers.OPENAI_URL, "gpt-5-mini", None)
    assert KEY not in repr(chat)


@pytest.mark.parametrize(("name", "settings", "told"), [
    ("llama3.1:8b", Settings(openai_api_key=KEY), "names no provider, so it needs OPENAI_BASE_URL"),
    ("gpt-5-mini", Settings(openai_api_key=KEY), "openai:gpt-5-mini"),
    ("openai:gpt-5-mini", Settings(), "needs OPENAI_API_KEY"),
    ("openai:", Settings(openai_api_key=KEY), "names none"),
])
def test_a_model_that_cannot_be_set_up_is_a_settings_error(name: str, settings: Settings, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        chat_model(name, settings)


@pytest.mark.parametrize("provider", sorted(set(providers.PROVIDERS) - {"openai"}))
def test_a_provider_without_its_package_names_it(provider: str) -> None:
    package = providers.PROVIDERS[provider].package
    if importlib.util.find_spec(package.replace("-", "_")):
        pytest.skip(f"{package} is installed")
    with pytest.raises(SettingsError, match=f"pip install {package}"):
        chat_model(f"{provider}:some-model", Settings())


def test_any_langchain_model_can_be_asked() -> None:
    fake = GenericFakeChatModel(messages=iter([AIMessage("Some words here")]))
    with pytest.raises(ModelError, match="broke off"):  # it gives no finish reason
        said(Model(name="fake", chat=fake))


# ---- what it costs


def limited(stub: StubModel, left: float | None, name: str = "m", **more: Any) -> Model:
    """A model at two dollars for a million tokens read, four for a million written."""
    settings = Settings(model=name, price=(2.0, 4.0), openai_base_url=stub.url, timeout=5.0, **more)
    return open_model(name, settings).on(Account(left=left))


def test_tokens_are_priced() -> None:
    with StubModel(Reply(text="Fine.", usage=(1000, 500))) as stub:
        model = limited(stub, None)
        assert list(model.stream(QUESTION))[-1] == Usage(input_tokens=1000, output_tokens=500, cost=0.004)
    assert model.account.usage == Usage(input_tokens=1000, output_tokens=500, cost=0.004)
    assert "max_tokens" not in stub.requests[0].json


def test_of_an_unknown_price_nothing_is_said() -> None:
    with StubModel(Reply(text="Fine.", usage=(1000, 500))) as stub:
        model = replace(limited(stub, None), price=None)
        assert list(model.stream(QUESTION))[-1] == Usage(input_tokens=1000, output_tokens=500)


def event(delta: dict[str, Any], usage: dict[str, Any] | None, finish: str | None = None) -> str:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "m",
             "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk | ({'usage': usage} if usage else {}))}\n\n"


def test_what_the_server_says_it_cost_counts_and_usage_may_be_a_running_total() -> None:
    body = (event({"content": "Fi"}, {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10, "cost": 0.1})
            + event({"content": "ne."}, {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "cost": 0.25},
                    "stop") + "data: [DONE]\n\n")
    with StubModel(Reply(body=body, headers={"Content-Type": "text/event-stream"})) as stub:
        model = limited(stub, 1.0)
        assert list(model.stream(QUESTION)) == ["Fi", "ne.", Usage(input_tokens=9, output_tokens=2, cost=0.25)]
    assert model.account.left == 0.75


COUNTED = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}


@pytest.mark.parametrize("cost", ["abc", "0.1", {"a": 1}, -5, True, None])
def test_what_is_no_cost_is_not_taken_for_one(cost: Any) -> None:
    body = event({"content": "Fine."}, {**COUNTED, "cost": cost}, "stop") + "data: [DONE]\n\n"
    with StubModel(Reply(body=body, headers={"Content-Type": "text/event-stream"})) as stub:
        assert list(limited(stub, 1.0).stream(QUESTION))[-1] == Usage(input_tokens=9, output_tokens=2, cost=26e-6)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("usage", [
    {"prompt_tokens": -10**9, "completion_tokens": 5}, {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0},
    {"prompt_tokens": None, "completion_tokens": None}, {"prompt_tokens": 1.5, "completion_tokens": 5},
    {**COUNTED, "prompt_tokens_details": {"cached_tokens": "all"}, "prompt_tokens": None},
])
def test_what_is_no_usage_counts_as_none_told(usage: dict[str, Any]) -> None:
    body = event({"content": "Fine."}, usage, "stop") + "data: [DONE]\n\n"
    with StubModel(Reply(body=body, headers={"Content-Type": "text/event-stream"})) as stub:
        model = limited(stub, 1.0)
        assert said(model) == "Fine."
    assert model.account.usage is not None
    assert model.account.usage.input_tokens > 9
    assert model.account.usage.output_tokens > 0


def test_a_call_beside_an_open_one_has_what_that_leaves() -> None:
    """As a judge's while the answer that it judges is written."""
    with StubModel(Reply(chunks=("One. ", "Two."), usage=(100, 100)), Reply(text="supported")) as stub:
        model = limited(stub, 0.036)
        pieces = model.stream(QUESTION)
        next(pieces)
        with pytest.raises(ModelError, match="VOUCH_MAX_COST leaves this conversation"):
            model.ask("Judge.")
        list(pieces)
        assert model.ask("Judge.") == "supported"
    assert model.account.held == 0.0


def test_on_no_account_each_call_has_one_of_its_own() -> None:
    with StubModel(always=lambda _: Reply(text="Fine.", usage=(1000, 500))) as stub:
        model = open_model("m", Settings(model="m", price=(2.0, 4.0), max_cost=0.01, openai_base_url=stub.url))
        for _ in range(4):
            assert said(model) == "Fine."
    assert (model.account.usage, model.account.left) == (None, 0.01)


def test_what_does_not_fit_is_not_asked() -> None:
    told = r"m was not asked: it could cost \$0\.0041.*VOUCH_MAX_COST"
    with StubModel() as stub, pytest.raises(ModelError, match=told):
        said(limited(stub, 0.004))
    assert stub.requests == []


def test_no_call_escapes_the_limit() -> None:
    with StubModel() as stub, pytest.raises(ModelError, match="VOUCH_MAX_COST leaves this conversation"):
        said(open_model("m", Settings(model="m", price=(2.0, 4.0), max_cost=0.004, openai_base_url=stub.url)))
    assert stub.requests == []


def test_a_limit_without_a_price_names_the_setting() -> None:
    with StubModel() as stub, pytest.raises(ModelError, match="price is not known; VOUCH_PRICE sets it"):
        said(replace(limited(stub, 1.0), price=None))
    assert stub.requests == []


def test_what_costs_nothing_is_asked_under_any_limit() -> None:
    with StubModel(Reply(text="Fine.")) as stub:
        assert said(at(stub).on(Account(left=0.0))) == "Fine."
    assert "max_tokens" not in stub.requests[0].json


@pytest.mark.parametrize(("name", "parameter"), [("m", "max_tokens"), ("openai:gpt-5-mini", "max_completion_tokens")])
def test_the_reply_is_bounded_by_what_is_left(name: str, parameter: str) -> None:
    with StubModel(Reply(text="Fine."), Reply(text="Fine.")) as stub:
        said(limited(stub, 0.01, name))
        said(limited(stub, 100.0, name))
    first, second = (request.json[parameter] for request in stub.requests)
    assert LEAST_REPLY < first < 0.01 / 4e-6
    assert second == MOST_REPLY


def test_a_server_that_ignores_the_bound_is_left() -> None:
    with StubModel(Reply(chunks=("word ",) * 8000, gap=0.0001, usage=None)) as stub:
        model = limited(stub, 0.006)
        with pytest.raises(ModelError, match="wrote more than VOUCH_MAX_COST allows"):
            said(model)
        assert stub.client_left.wait(5)
    assert model.account.left is not None
    assert -1e-9 < model.account.left < 4e-6


@pytest.mark.parametrize(("reply", "least", "most"), [
    (Reply(text="Fine.", usage=None), 3, 9),  # it has ended: what was seen
    (Reply(text="Half an", cut_after=1, usage=None), MOST_REPLY, MOST_REPLY),  # it may have gone on
    (Reply(reset=True), MOST_REPLY, MOST_REPLY),
    (Reply(hang=True), MOST_REPLY, MOST_REPLY),
    (Reply(status=401), 0, 0),
])
def test_what_no_server_tells_counts_under_a_limit(reply: Reply, least: int, most: int) -> None:
    with StubModel(reply) as stub:
        model = replace(limited(stub, 1.0), timeout=0.5)
        with contextlib.suppress(ModelError):
            said(model)
        usage = model.account.usage
        assert len(stub.requests) == 1, "nothing is paid for twice"
    assert least <= (usage.output_tokens if usage else 0) <= most


def test_an_answer_that_is_left_counts_under_a_limit() -> None:
    with StubModel(Reply(chunks=("word ",) * 400, gap=0.01)) as stub:
        model = limited(stub, 1.0)
        pieces = model.stream(QUESTION)
        next(pieces)
        pieces.close()  # type: ignore[attr-defined]
    assert model.account.usage is not None
    assert model.account.usage.output_tokens == MOST_REPLY


# ---- JSON where the server has it


def test_json_is_asked_for_and_what_is_none_is_given_as_it_is() -> None:
    with StubModel(Reply(text="No JSON.", usage=None)) as stub:
        assert at(stub).ask("Which?", json=True) == "No JSON."
    assert stub.requests[0].json["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_to_give_json_is_asked_without_and_then_no_more(status: int) -> None:
    refused = Reply(status=status, message="'response_format.type' must be 'json_schema' or 'text'")
    with StubModel(refused, Reply(text="Fine."), Reply(text="Fine.")) as stub:
        model = at(stub)
        assert model.ask("Which?", json=True) == "Fine."
        assert model.on(Account()).ask("Which?", json=True) == "Fine."
    assert ["response_format" in request.json for request in stub.requests] == [True, False, False]


def test_what_is_refused_without_json_too_is_told_and_json_is_asked_for_again() -> None:
    bad = Reply(status=400, message="bad")
    with StubModel(bad, bad, Reply(text="Fine.")) as stub:
        model = at(stub)
        with pytest.raises(ModelError, match="does not accept"):
            model.ask("Which?", json=True)
        assert model.ask("Which?", json=True) == "Fine."
    assert ["response_format" in request.json for request in stub.requests] == [True, False, True]


@pytest.mark.parametrize(("name", "words"), [
    ("m", {"extra_body": {"max_tokens": 9, "response_format": {"type": "json_object"}}}),
    ("openai:m", {"extra_body": {"max_completion_tokens": 9, "response_format": {"type": "json_object"}}}),
    ("anthropic:m", {"max_tokens": 9}), ("ollama:m", {"format": "json"}),
    ("google_genai:m", {"max_output_tokens": 9, "response_mime_type": "application/json"}),
    ("groq:m", {"max_tokens": 9, "response_format": {"type": "json_object"}}),
])
def test_each_provider_is_asked_in_its_own_words(name: str, words: dict[str, Any]) -> None:
    assert asking(name, 9, json=True) == words
    assert asking(name, None, json=False) == {}


# ---- what it wrote before


@pytest.fixture
def remembered(tmp_path: Path) -> Remembered:
    return Remembered(tmp_path / "replies.sqlite")


def test_what_it_wrote_is_not_asked_for_again(remembered: Remembered) -> None:
    with StubModel(Reply(chunks=("Pruning ", "works."))) as stub:
        model = replace(at(stub), remembered=remembered)
        first, second = model.on(Account(left=0.0)), model.on(Account(left=0.0))
        assert said(first) == "Pruning works."
        assert list(second.stream(QUESTION)) == ["Pruning works."]
    assert (first.account.cached, second.account.cached) == (False, True)
    assert second.account.usage is None


def test_fresh_asks_again_and_renews(remembered: Remembered) -> None:
    with StubModel(Reply(text="Old."), Reply(text="New.")) as stub:
        model = replace(at(stub), remembered=remembered)
        assert said(model) == "Old."
        assert said(model.on(Account(fresh=True))) == "New."
        assert said(model) == "New."


@pytest.mark.parametrize("other", ["messages", "name", "server", "json"])
def test_anything_else_is_another_question(other: str, remembered: Remembered) -> None:
    with StubModel(Reply(text="One."), Reply(text="Two.")) as stub:
        model = replace(at(stub), remembered=remembered)
        assert said(model) == "One."
        messages = [HumanMessage("Which papers prune??")] if other == "messages" else QUESTION
        if other in ("name", "server"):
            model = replace(model, **{"name": {"name": "llama3.2:8b"}, "server": {"address": "http://other"}}[other])
        assert next(model.stream(messages, json=other == "json")) == "Two."


@pytest.mark.parametrize("failing", [
    Reply(text="Half an", finish_reason="length"), Reply(text="Half an", cut_after=1), Reply(text=""),
    Reply(text="Half an", cut_after=1, cut="reset"), Reply(text="Whole, but unfinished.", finish_reason=None),
])
def test_what_failed_is_not_remembered(failing: Reply, remembered: Remembered) -> None:
    with StubModel(failing, Reply(text="Fine.")) as stub:
        model = replace(at(stub), remembered=remembered)
        with pytest.raises(ModelError):
            said(model)
        assert said(model) == "Fine."


@pytest.mark.parametrize("closed", [True, False])
def test_what_was_left_is_not_remembered(closed: bool, remembered: Remembered) -> None:
    with StubModel(Reply(chunks=("Pruning ", "works.")), Reply(text="Fine.")) as stub:
        model, left = replace(at(stub), remembered=remembered), threading.Event()
        pieces = model.stream(QUESTION, left)
        next(pieces)
        if closed:
            pieces.close()  # type: ignore[attr-defined]
        left.set()
        list(pieces)
        assert "".join(str(piece) for piece in model.stream(QUESTION, threading.Event())).startswith("Fine.")
        assert said(model) == "Fine."


def test_what_came_to_nothing_can_be_forgotten(remembered: Remembered) -> None:
    with StubModel(Reply(text="Nonsense."), Reply(text="Fine.")) as stub:
        model = replace(at(stub), remembered=remembered).on(Account())
        assert said(model) == "Nonsense."
        model.account.forget()
        assert said(model) == "Fine."


def test_what_is_of_no_use_is_neither_kept_nor_recalled(remembered: Remembered) -> None:
    with StubModel(*(Reply(text=text) for text in ("Nonsense.", "<think>Yes</think>No.", "Yes.", "Fine."))) as stub:
        model = replace(at(stub), remembered=remembered)
        valid: Callable[[str], bool] = lambda said: "Yes" in said  # noqa: E731 - what is of use here
        told = [model.ask("Which?", valid=valid) for _ in range(4)]
        assert told == ["Nonsense.", "No.", "Yes.", "Yes."]
        assert model.ask("Which?", valid=lambda said: "Fine" in said) == "Fine."


@pytest.mark.parametrize(("name", "given", "tokens"), [
    ("openai:gpt-5-mini", None, 270_000), ("anthropic:claude-sonnet", None, 200_000), ("llama3.1:8b", None, 8_192),
    ("gpt-oss:20b", None, 8_192), ("llama3.1:8b", 32_768, 32_768), ("openai:gpt-5-mini", 16_000, 16_000),
])
def test_windows(name: str, given: int | None, tokens: int) -> None:
    assert window(name, Settings(context=given)) == tokens


@pytest.fixture
def encodings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    llm._encoding.cache_clear()
    return tmp_path


def test_tokens_are_estimated_where_tiktoken_would_have_to_download(encodings: Path) -> None:
    model = Model(name="openai:gpt-5-mini", chat=GenericFakeChatModel(messages=iter(())))
    assert model.count("Pruning halves the memory.") == estimate_tokens("Pruning halves the memory.")


def test_a_damaged_encoding_is_neither_used_nor_fetched_again(encodings: Path) -> None:
    damaged = encodings / llm._ENCODING[1]
    damaged.write_bytes(b"not an encoding")
    model = Model(name="openai:gpt-5-mini", chat=GenericFakeChatModel(messages=iter(())))
    assert model.count("Pruning.") == estimate_tokens("Pruning.")
    assert damaged.read_bytes() == b"not an encoding"


def test_the_encodings_names_are_tiktokens() -> None:
    source = inspect.getsource(tiktoken_ext.openai_public.o200k_base)
    address = re.search(r'"(https://[^"]+)"', source)
    assert address is not None
    name, cached, content = llm._ENCODING
    assert hashlib.sha1(address[1].encode()).hexdigest() == cached
    assert f'expected_hash="{content}"' in source
    assert f'"name": "{name}"' in source
