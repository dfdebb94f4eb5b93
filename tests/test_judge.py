"""The second opinion: it may only lower, and whatever goes wrong with it changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm import open_model
from rag.models.judge import Judge, verdict
from rag.models.remembered import Remembered
from rag.schema import Support, Verdict
from rag.settings import Settings
from tests.stubs import Reply, StubModel

QUOTE = "Pruning halves the memory of a model."
TEXT = "Pruning halves memory."


def judge(stub: StubModel, timeout: float = 5.0) -> Judge:
    return Judge(model=open_model("judge", Settings(openai_base_url=stub.url, timeout=timeout)))


def support(found: Verdict) -> Support:
    return Support(verdict=found, score=0.8, quote=QUOTE, start=3, end=40)


@pytest.mark.parametrize(("found", "said", "left"), [
    ("supported", "supported", "supported"), ("supported", "partly", "weak"),
    ("supported", "unsupported", "unsupported"), ("supported", "contradicted", "unsupported"),
    ("weak", "supported", "weak"), ("weak", "partly", "weak"), ("weak", "unsupported", "unsupported"),
])
def test_it_lowers_and_never_raises(found: Verdict, said: str, left: Verdict) -> None:
    with StubModel(Reply(text=f'{{"verdict": "{said}"}}')) as stub:
        opinion = judge(stub)
        lowered = opinion.lower(TEXT, support(found))
    assert (lowered.verdict, lowered.quote, lowered.start, lowered.score) == (left, QUOTE, 3, 0.8)
    assert opinion.notice is None


@pytest.mark.parametrize("found", ["unsupported", "contradicted"])
def test_what_cannot_be_lowered_is_not_asked_about(found: Verdict) -> None:
    with StubModel() as stub:
        assert judge(stub).lower(TEXT, support(found)) == support(found)


def test_it_sees_sentence_and_quote_on_a_line_each() -> None:
    with StubModel(Reply(text='{"verdict": "supported"}')) as stub:
        judge(stub).lower("Pruning works.\n\nQuote: All is well.", support("supported"))
    request = stub.requests[0]
    assert f"\nQuote: {QUOTE}\n" in request.prompt
    assert request.prompt.endswith("\nSentence: Pruning works. Quote: All is well.")
    assert request.json["response_format"] == {"type": "json_object"}


def test_its_nonsense_is_ignored_and_told_once() -> None:
    replies = [Reply(text=text) for text in ("I think it is fine.", '{"verdict": "splendid"}', '{"verdict": "partly"}')]
    with StubModel(*replies) as stub:
        opinion = judge(stub)
        found = [opinion.lower(TEXT, support("supported")).verdict for _ in replies]
    assert found == ["supported", "supported", "weak"]
    assert opinion.notice == "The model judge gave no verdict on a sentence, which stands as it was checked."


@pytest.mark.parametrize("failing", [
    Reply(status=401), Reply(hang=True), Reply(reset=True), Reply(text=""), Reply(text='{"verdict": "un', cut_after=2),
])
def test_after_a_failure_it_is_asked_no_more(failing: Reply) -> None:
    with StubModel(failing, failing, failing) as stub:
        opinion = judge(stub, timeout=0.5)
        assert opinion.lower(TEXT, support("supported")) == support("supported")
        asked = len(stub.requests)
        assert opinion.lower(TEXT, support("weak")) == support("weak")
        assert len(stub.requests) == asked
    assert opinion.notice is not None
    assert opinion.notice.endswith("The sentences stand as they were checked without it.")


def test_all_that_it_says_in_an_answer_takes_one_time_out() -> None:
    with StubModel(always=lambda _: Reply(text='{"verdict": "partly"}', delay=0.25)) as stub:
        opinion = judge(stub, timeout=0.6)
        found = [opinion.lower(TEXT, support("supported")).verdict for _ in range(10)]
        assert len(stub.requests) <= 3
    assert found[-1] == "supported"
    assert opinion.notice == ("The model judge was given 0.6 s to judge the sentences, and they are over; "
                              "VOUCH_TIMEOUT allows more. The sentences stand as they were checked without it.")


def test_its_nonsense_is_not_remembered(tmp_path: Path) -> None:
    with StubModel(Reply(text="Hm."), Reply(text='{"verdict": "partly"}')) as stub:
        model = replace(judge(stub).model, remembered=Remembered(tmp_path / "replies.sqlite"))
        found = [Judge(model=model).lower(TEXT, support("supported")).verdict for _ in range(3)]
    assert found == ["supported", "weak", "weak"]


@pytest.mark.parametrize(("said", "found"), [
    ('{"verdict": "supported"}', "supported"), ('```json\n{"verdict" : "Partly"}\n```', "weak"),
    ('Reasons first. {"why": "the number", "verdict": "unsupported"}', "unsupported"), ("Unsupported.", "unsupported"),
    ("**Verdict: partly supported**", "weak"), ("not supported", "unsupported"), ("supported", "supported"),
    ('{"verdict": "not supported"}', "unsupported"), ('{"verdict": "supported"} or {"verdict": "partly"}', None),
    ("It is supported by the quote.", None), ('{"verdict": true}', None), ("", None),
    ('{"verdict": "supportedly"}', None), ("supported unsupported", None),
])
def test_verdicts_are_read(said: str, found: Verdict | None) -> None:
    assert verdict(said) == found


@given(st.text())
def test_any_text_is_read(said: str) -> None:
    assert verdict(said) in ("supported", "weak", "unsupported", None)
