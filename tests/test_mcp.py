"""`vouch mcp` as an assistant has it: a process of its own, spoken to by the protocol's official client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent
from starlette.testclient import TestClient

from rag import Library
from rag.schema import Answer, ClaimReport, Paper
from ui.cli import main
from ui.render import to_json
from ui.web.api import api

ROOT = Path(__file__).resolve().parents[1]
# Each test starts a process.
pytestmark = pytest.mark.slow
QUESTION = "Which papers use ensembles of reward models?"
CLAIM = "Ensembles of reward models reduce overoptimization"
T = TypeVar("T")


def speak(folder: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    """What comes of work with a client of a server over the library in a folder."""
    server = StdioServerParameters(command=sys.executable, args=["-m", "ui.cli", "mcp", "--library", str(folder)],
                                   cwd=ROOT, env=dict(os.environ))

    async def run() -> T:
        async with Client(stdio_client(server)) as client:
            return await work(client)

    return asyncio.run(run())


def call(folder: Path, *calls: tuple[str, dict[str, Any]]) -> list[CallToolResult]:
    async def work(client: Client) -> list[CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    return speak(folder, work)


def text(result: CallToolResult) -> str:
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


def timeless(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "timings"}


def test_the_tools_tell_what_they_take(shelf: Library) -> None:
    async def work(client: Client) -> Any:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in speak(shelf.path, work)}
    assert set(tools) == {"search", "ask", "check", "digest", "paper"}
    for tool in tools.values():
        assert tool.annotations.read_only_hint
        assert tool.input_schema["additionalProperties"] is False
        example = json.loads(tool.description.partition("Example")[2].partition(": ")[2].splitlines()[0].split("; ")[0])
        assert set(tool.input_schema.get("required", ())) <= set(example) <= set(tool.input_schema["properties"])


def test_each_tool_gives_text_and_data(shelf: Library) -> None:
    one = next(iter(shelf.papers))
    found, answer, report, paper = call(
        shelf.path, ("search", {"query": "reward hacking", "k": 2}), ("ask", {"question": QUESTION}),
        ("check", {"claim": CLAIM}), ("paper", {"id": one.id}))
    assert [hit["paper"]["id"] for hit in found.structured_content["hits"]] == [
        hit.paper.id for hit in shelf.search("reward hacking", 2)]
    assert all(hit["paper"]["id"] in text(found) for hit in found.structured_content["hits"])
    assert set(answer.structured_content) == {field.name for field in fields(Answer)}
    for reference in answer.structured_content["references"]:
        assert f"[{reference['label']}] {reference['paper']['id']}" in text(answer)
    assert set(report.structured_content) == {field.name for field in fields(ClaimReport)}
    assert report.structured_content["claim"] == CLAIM
    assert set(paper.structured_content) == {field.name for field in fields(Paper)} | {"label", "tags"}
    assert one.abstract in text(paper)
    assert not any(result.is_error for result in (found, answer, report, paper))


def test_what_goes_wrong_is_one_sentence_and_ends_nothing(shelf: Library) -> None:
    wrong = [("ask", {}, "question"), ("ask", {"question": "x", "limit": 3}, "limit"),
             ("ask", {"question": "x", "engine": "llm"}, "VOUCH_MODEL"), ("paper", {"id": "p404"}, "p404"),
             ("search", {"query": "x", "where": {"since": 2024, "until": 2020}}, "swap"), ("sing", {}, "sing")]
    *failed, fine = call(shelf.path, *((name, arguments) for name, arguments, _ in wrong), ("search", {"query": "x"}))
    for (_, _, word), result in zip(wrong, failed, strict=True):
        assert result.is_error
        assert word in text(result)
        assert len(text(result).splitlines()) == 1
    assert not fine.is_error


def test_an_absent_library_is_told_and_not_made(tmp_path: Path) -> None:
    [result] = call(tmp_path / "none", ("ask", {"question": "x"}))
    assert result.is_error
    assert "vouch ingest" in text(result)
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_the_protocol_is_said_and_it_ends_with_its_input(shelf: Library) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}}
    ask = {"jsonrpc": "2.0", "id": 2, "method": "tools/call",
           "params": {"name": "ask", "arguments": {"question": QUESTION}}}
    with subprocess.Popen([sys.executable, "-m", "ui.cli", "mcp", "--library", str(shelf.path)], cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        for message in (hello, {"jsonrpc": "2.0", "method": "notifications/initialized"}, ask):
            running.stdin.write(json.dumps(message) + "\n")
            running.stdin.flush()
        said = [json.loads(running.stdout.readline()) for _ in range(2)]
        running.stdin.close()
        assert running.stdout.read() == ""
        assert running.stderr.read() == ""
        assert running.wait(timeout=30) == 0
    assert [message["id"] for message in said] == [1, 2]
    assert said[0]["result"]["serverInfo"]["name"] == "vouch"


@pytest.mark.parametrize(("work", "field", "words"), [
    ("ask", "question", QUESTION), ("ask", "question", "Who won the chess tournament in Baku?"),
    ("check", "claim", CLAIM), ("digest", "topic", "reward models")])
def test_every_door_gives_the_same(work: str, field: str, words: str, shelf: Library,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    works: dict[str, Callable[[str], object]] = {"ask": shelf.ask, "check": shelf.check, "digest": shelf.digest}
    by_python = timeless(to_json(works[work](words)))
    assert main([work, words, "--json", "--library", str(shelf.path)]) == 0
    by_command = timeless(json.loads(capsys.readouterr().out))
    by_http = timeless(TestClient(api(shelf)).post(f"/{work}", json={field: words}).json())
    [by_mcp] = call(shelf.path, (work, {field: words}))
    assert by_python == by_command == by_http == timeless(by_mcp.structured_content)
