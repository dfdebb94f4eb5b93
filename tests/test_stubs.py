"""The stub speaks the protocol that the real client expects."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

import openai
import pytest

from tests.stubs import DIMENSIONS, Reply, Request, StubModel, vector


def client(stub: StubModel) -> openai.OpenAI:
    return openai.OpenAI(base_url=stub.url, api_key="sk-stub", max_retries=0, timeout=5)


def test_an_answer_streamed_and_whole() -> None:
    with StubModel(Reply(text="Both work."), Reply(text="Both work.")) as stub, client(stub) as api:
        whole = api.chat.completions.create(model="m", messages=[{"role": "user", "content": "Which?"}])
        chunks = list(api.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Which?"}], stream=True))
    assert whole.choices[0].message.content == "Both work."
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Both work."
    assert chunks[-1].usage is not None
    assert [r.path for r in stub.requests] == ["/v1/chat/completions"] * 2
    assert stub.requests[0].headers["authorization"] == "Bearer sk-stub"
    assert stub.requests[1].prompt == "Which?"


def test_embeddings_as_floats_and_in_base64() -> None:
    with StubModel() as stub, client(stub) as api:
        plain = api.embeddings.create(model="m", input=["sparse attention", "cold starts"], encoding_format="float")
        packed = api.embeddings.create(model="m", input="sparse attention")
    assert [len(item.embedding) for item in plain.data] == [DIMENSIONS, DIMENSIONS]
    assert packed.data[0].embedding == pytest.approx(vector("sparse attention"), abs=1e-6)
    assert plain.data[0].embedding != plain.data[1].embedding


def test_an_unscripted_call_fails_the_test() -> None:
    def ask() -> None:
        wanted = pytest.raises(openai.APIStatusError, match="no reply is scripted")
        with StubModel() as stub, client(stub) as api, wanted:
            api.chat.completions.create(model="m", messages=[{"role": "user", "content": "?"}])

    with pytest.raises(AssertionError, match="beyond the script"):
        ask()


def test_a_reply_can_depend_on_the_request() -> None:
    def echo(request: Request) -> Reply:
        return Reply(text=request.json["model"])

    with StubModel(always=echo) as stub, client(stub) as api:
        said = [api.chat.completions.create(model=name, messages=[]).choices[0].message.content for name in "ab"]
    assert said == ["a", "b"]


def test_by_hand_it_answers_from_the_evidence() -> None:
    process = subprocess.Popen([sys.executable, "-u", "-m", "tests.stubs", "--port", "0"], stdout=subprocess.PIPE,
                               text=True)
    assert process.stdout is not None
    try:
        base = process.stdout.readline().split()[0].removeprefix("OPENAI_BASE_URL=")
        prompt = "[E1] Pruning\nPruning halves memory. It is fast."
        body = json.dumps({"messages": [{"role": "user", "content": prompt}]}).encode()
        with urllib.request.urlopen(f"{base}/chat/completions", body, timeout=10) as answer:
            said = json.load(answer)["choices"][0]["message"]["content"]
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
    assert said == 'QUOTES\nQ1 [E1] "Pruning halves memory."\nANSWER\nPruning halves memory [Q1].'
