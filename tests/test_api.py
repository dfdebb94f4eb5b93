"""The door of programs at ``/v1``, over a real library; behind the page's own guards where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser.serving import served
from starlette.testclient import TestClient

from rag import Library, open_library
from rag.errors import BusyError
from rag.schema import Answer, ClaimReport, Event, Hit, Paper, Where
from rag.settings import Settings
from ui.render import to_json
from ui.web.api import api

pytestmark = pytest.mark.slow

QUESTION = "Which papers use ensembles of reward models?"


@pytest.fixture(scope="module")
def client(shelf: Library) -> TestClient:
    return TestClient(api(shelf))


@pytest.fixture(scope="module")
def page(shelf: Library) -> Iterator[httpx.Client]:
    """The whole application, served as `vouch serve` does."""
    with served("real", shelf.path) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


def events(body: str) -> list[tuple[str, Any]]:
    """Server-sent events: each one's name and its data."""
    found = []
    for block in body.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def cited(answer: dict[str, Any]) -> set[str]:
    return {reference["paper"]["id"] for reference in answer["references"]}


def timeless(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "timings"}


def test_search(client: TestClient, shelf: Library) -> None:
    found = client.post("/search", json={"query": "reward hacking", "k": 3}).json()
    assert set(found) == {"query", "narrowed", "hits", "notice"}
    assert found["hits"] == to_json(shelf.search("reward hacking", 3))
    assert set(found["hits"][0]) == {field.name for field in fields(Hit)}


def test_filters(client: TestClient, shelf: Library) -> None:
    years = {paper.year for paper in shelf.papers if paper.year}
    newest = max(years)
    found = client.post("/search", json={"query": "language models", "where": {"since": newest}}).json()
    assert {hit["paper"]["year"] for hit in found["hits"]} == {newest}
    listed = client.get("/papers", params={"since": newest}).json()
    assert listed["total"] == sum(paper.year == newest for paper in shelf.papers) == len(listed["papers"])
    one = next(iter(shelf.papers)).id
    assert [paper["id"] for paper in client.get("/papers", params={"ids": [one]}).json()["papers"]] == [one]


def test_ask_gives_the_answer(client: TestClient, shelf: Library) -> None:
    answer = client.post("/ask", json={"question": QUESTION}).json()
    assert set(answer) == {field.name for field in fields(Answer)}
    assert timeless(answer) == timeless(to_json(shelf.ask(QUESTION)))


def test_ask_streams_the_same_events(client: TestClient, shelf: Library) -> None:
    with client.stream("POST", "/ask", json={"question": QUESTION, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        got = events(response.read().decode())
    made = list(shelf.stream(QUESTION))
    assert [name for name, _ in got] == [type(event).__name__.lower() for event in made]
    assert [data for name, data in got if name == "said"] == [to_json(e) for e in made if type(e).__name__ == "Said"]
    assert got[-1][0] == "finished"
    assert timeless(got[-1][1]["answer"]) == timeless(to_json(shelf.ask(QUESTION)))


def test_a_conversation_sends_its_answers_back(client: TestClient) -> None:
    first = client.post("/ask", json={"question": QUESTION}).json()
    second = client.post("/ask", json={"question": "Which of them differ in their pretraining?",
                                       "history": [{"question": QUESTION, "answer": first}]}).json()
    assert second["rewritten_question"]
    assert second["references"]
    assert cited(second) <= cited(first)


def test_an_abstention_is_an_answer(client: TestClient) -> None:
    response = client.post("/ask", json={"question": "Who won the chess tournament in Baku?"})
    assert response.status_code == 200
    assert response.json()["abstained"] is True


def test_check_gives_the_report(client: TestClient, shelf: Library) -> None:
    claim = "Ensembles of reward models reduce overoptimization"
    report = client.post("/check", json={"claim": claim}).json()
    assert set(report) == {field.name for field in fields(ClaimReport)}
    assert timeless(report) == timeless(to_json(shelf.check(claim)))


def test_a_digest_and_its_outline(client: TestClient, shelf: Library) -> None:
    asked = {"topic": "reward models", "length": "brief", "where": {"since": 2020}}
    made = client.post("/digest", json=asked).json()
    where = Where(years=(2020, None))
    assert timeless(made) == timeless(to_json(shelf.digest("reward models", where, length="brief")))
    outline = client.post("/outline", json=asked).json()
    assert outline == to_json(shelf.outline("reward models", where, "brief"))
    outline["groups"][0]["heading"] = "My own heading"
    written = client.post("/digest", json={"outline": outline}).json()
    assert written["sections"][0]["heading"] == "My own heading"
    assert {reference["paper"]["id"] for reference in written["references"]} == {
        paper_id for group in outline["groups"] for paper_id in group["papers"]}
    assert client.post("/digest", json={"where": {"added": "1d"}, "length": "brief"}).json()["references"]


def test_papers_are_listed_in_parts_and_read_whole(client: TestClient, shelf: Library) -> None:
    everything = [paper.id for paper in shelf.papers]
    listed = client.get("/papers", params={"limit": 2, "offset": 1}).json()
    assert [paper["id"] for paper in listed["papers"]] == everything[1:3]
    assert listed["total"] == len(everything)
    paper = client.get(f"/papers/{everything[0]}").json()
    assert set(paper) == {field.name for field in fields(Paper)} | {"label", "tags"}


def test_health(client: TestClient, shelf: Library, tmp_path: Path) -> None:
    told = client.get("/health").json()
    assert (told["status"], told["papers"], told["model"]) == ("ok", len(shelf.papers), None)
    with open_library(settings=Settings(library=tmp_path / "none")) as empty:
        assert TestClient(api(empty)).get("/health").json()["papers"] == 0


@pytest.mark.parametrize(("path", "body", "status", "word"), [
    ("/search", {"query": " "}, 400, "query"),
    ("/search", {}, 400, "query"),
    ("/search", {"query": "x", "k": 0}, 400, "k"),
    ("/search", {"query": "x", "where": {"year": 2020}}, 400, "where.year"),
    ("/search", {"query": "x", "where": {"since": 2024, "until": 2020}}, 400, "swap"),
    ("/search", ["x"], 400, "dictionary"),
    ("/search", {"query": "x", "deep": True}, 400, "VOUCH_MODEL"),
    ("/ask", {"question": "x", "engine": "magic"}, 400, "engine"),
    ("/ask", {"question": "x", "engine": "llm"}, 400, "VOUCH_MODEL"),
    ("/ask", {"question": "x", "engine": "llm", "stream": True}, 400, "VOUCH_MODEL"),
    ("/ask", {"question": "x", "history": [{"question": "y"}]}, 400, "history.0.answer"),
    ("/check", {"question": "x"}, 400, "claim"),
    ("/digest", {}, 400, "topic"),
    ("/digest", {"topic": "x", "length": "long"}, 400, "length"),
    ("/digest", {"topic": "x", "engine": "llm"}, 400, "VOUCH_MODEL"),
    ("/digest", {"outline": {"topic": "x"}}, 400, "outline.title"),
    ("/outline", {"where": {"added": "soon"}}, 400, "no time"),
    ("/nothing", {}, 404, "README"),
])
def test_a_wrong_request_is_one_sentence(path: str, body: Any, status: int, word: str, client: TestClient) -> None:
    response = client.post(path, json=body)
    assert response.status_code == status
    assert set(response.json()) == {"error"}
    told = response.json()["error"]
    assert word in told
    assert "\n" not in told


def test_other_methods_and_papers_are_told(client: TestClient) -> None:
    assert client.get("/ask").status_code == 405
    assert "p404" in client.get("/papers/p404").json()["error"]
    assert client.get("/papers/p404").status_code == 404
    assert client.get("/papers", params={"sort": "year"}).status_code == 400


def test_an_absent_library_is_told(tmp_path: Path) -> None:
    with open_library(settings=Settings(library=tmp_path / "none")) as empty:
        client = TestClient(api(empty))
        for body in ({"question": "x"}, {"question": "x", "stream": True}):
            response = client.post("/ask", json=body)
            assert response.status_code == 404
            assert "vouch ingest" in response.json()["error"]
    assert list(tmp_path.iterdir()) == []


class Breaking(Library):
    """A library that fails in the middle of an answer."""

    def stream(self, *args: Any, **options: Any) -> Iterator[Event]:
        yield next(super().stream(*args, **options))
        raise BusyError("Another process is writing: wait for it.")


def test_a_failure_on_the_way_is_the_last_event(shelf: Library) -> None:
    with Breaking(shelf.path, shelf.settings) as breaking:
        body = TestClient(api(breaking)).post("/ask", json={"question": QUESTION, "stream": True}).text
    assert [name for name, _ in events(body)] == ["stage", "error"]
    assert events(body)[-1][1] == {"error": "Another process is writing: wait for it."}


# ---- what keeps others out

@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_of_another_site_sends_nothing(kind: str | None, page: httpx.Client) -> None:
    response = page.post("/v1/ask", content='{"question": "x"}', headers={"content-type": kind} if kind else {})
    assert response.status_code == 415
    assert "application/json" in response.json()["error"]


def test_it_stands_behind_the_guards_of_the_page(page: httpx.Client) -> None:
    asked = {"query": "reward"}
    assert page.post("/v1/search", json=asked).status_code == 200
    assert page.post("/v1/search", json=asked, headers={"origin": str(page.base_url).rstrip("/")}).status_code == 200
    refused = page.post("/v1/search", json=asked, headers={"origin": "https://evil.example"})
    assert (refused.status_code, set(refused.json())) == (403, {"error"})
    assert page.post("/v1/search", json=asked, headers={"host": "evil.example"}).status_code == 400
    assert page.get("/v1/papers", headers={"origin": "null"}).status_code == 403
    assert page.get("/v1/health").headers["content-security-policy"]
    assert page.get("/").status_code == 200
