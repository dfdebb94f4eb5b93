"""`vouch mcp`: the library as tools of an assistant, over standard input and output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

from rag.errors import VouchError
from rag.schema import SUMMARY, Answer, ClaimReport, Reference
from rag.survey import Digest
from ui import render
from ui.asked import Ask, Check, Read, Search, Survey, mistake
from ui.claims import claim_lines

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

    from rag.library import Library

_WIDTH = 100
_INSTRUCTIONS = (
    "Vouch answers from the abstracts of the papers in the user's own library. Every sentence it returns was checked "
    "against the paper it cites: keep its [n] citations and quote its words exactly. Where it says that the library "
    "does not cover a question, say so, and offer no answer of your own as if it came from there.")


class _Tool(NamedTuple):
    """A tool: what it takes, what it is for, and its result as text."""

    asked: type[Ask | Check | Read | Search | Survey]
    title: str
    text: str
    told: Callable[[Any], str]


def _answer(answer: Answer) -> str:
    return "\n".join([*render.answer_lines(answer, _WIDTH), *_ids(answer.references)])


def _report(report: ClaimReport) -> str:
    return "\n".join([*claim_lines(report, _WIDTH), *_ids(report.references)])


def _digest(digest: Digest) -> str:
    from ui.digest.markdown import markdown

    return "\n".join([markdown(digest), *_ids(digest.references)])


def _ids(references: Sequence[Reference]) -> list[str]:
    """The line that tells what to read the papers by."""
    return ["", "Ids: " + ", ".join(f"[{item.label}] {item.paper.id}" for item in references)] if references else []


def _hits(found: dict[str, Any]) -> str:
    lines = [found["narrowed"]] if found["narrowed"] else []
    for number, hit in enumerate(found["hits"], start=1):
        lines.append(f"{number}. {render.paper_line(hit.paper)} (id {hit.paper.id})")
        lines.append(f"   “{render.best_words(hit, found['query'])}”")
    return "\n".join(lines) or "No paper fits."


def _paper(paper: dict[str, Any]) -> str:
    facts = {"Authors": ", ".join(paper["authors"]), "Year": paper["year"], "Venue": paper["venue"],
             "DOI": paper["doi"], "arXiv": paper["arxiv_id"], "Link": paper["url"], "Tags": ", ".join(paper["tags"])}
    known = [f"{name}: {value}" for name, value in facts.items() if value]
    kind = f"({SUMMARY})\n" if paper["text_kind"] == "summary" else ""
    return "\n".join([paper["label"], *known, "", f"{kind}{paper['abstract']}"])


TOOLS = {
    "search": _Tool(Search, "Search papers", (
        "Find papers in the user's library by topic, method or finding; best first, with ids and the best passages. "
        "Use it to see what is there; use ask for an answer.\n"
        'Examples: {"query": "reward overoptimization", "k": 5}; '
        '{"query": "ensembles of reward models", "where": {"since": 2023, "authors": ["Coste"]}}'), _hits),
    "ask": _Tool(Ask, "Ask the papers", (
        "Answer a question from the papers, with numbered citations; each sentence was checked against the abstract it "
        "cites. abstained is true where the library has no answer. Ask stand-alone questions: nothing is remembered "
        "from one call to the next.\n"
        'Examples: {"question": "Which papers use ensembles of reward models?"}; '
        '{"question": "What fraction of citations support their sentence?", "where": {"until": 2024}}'), _answer),
    "check": _Tool(Check, "Check a claim", (
        "Weigh one claim against the papers: supported, contradicted, mixed or no evidence, with the papers' own "
        "sentences for it and against it.\n"
        'Example: {"claim": "Process supervision beats outcome supervision on MATH"}'), _report),
    "digest": _Tool(Survey, "Survey a topic", (
        "Write a survey of a topic from the papers: sections by theme, a comparison table, agreements, disagreements, "
        "open problems and references; every sentence is cited and was checked. It takes some seconds. Without a topic "
        "it surveys all the papers of a filter, for instance what came in the last week.\n"
        'Examples: {"topic": "reward overoptimization", "length": "brief"}; {"where": {"added": "7d"}}'), _digest),
    "paper": _Tool(Read, "Read a paper", (
        "Read one paper of the library whole: title, authors, year, abstract, links, tags.\n"
        'Example: {"id": "p000012ab34cd"}'), _paper),
}


def serve(library: Library) -> None:
    """Serves until the assistant closes the connection. Nothing but the protocol is written to standard output."""
    import anyio
    from mcp.server.stdio import stdio_server

    server = build(library)

    async def run() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    anyio.run(run)


def build(library: Library) -> Server[Any]:
    """The server over a library, which stays open while it is served."""
    import anyio.to_thread
    from mcp.server import Server
    from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool, ToolAnnotations

    listed = ListToolsResult(tools=[
        Tool(name=name, title=tool.title, description=tool.text, input_schema=tool.asked.model_json_schema(),
             annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False)) for name, tool in TOOLS.items()])

    async def tools(_: ServerRequestContext[Any], __: PaginatedRequestParams | None) -> ListToolsResult:
        return listed

    async def call(_: ServerRequestContext[Any], params: CallToolRequestParams) -> CallToolResult:
        def work() -> CallToolResult:
            text, found = _call(library, params.name, params.arguments or {})
            return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=found,
                                  is_error=found is None)

        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)

    return Server("vouch", version=version("vouch"), title="Vouch", instructions=_INSTRUCTIONS,
                  on_list_tools=tools, on_call_tool=call)


def _call(library: Library, name: str, arguments: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """A tool's result as text and as data; what went wrong in one sentence, and None."""
    from pydantic import ValidationError

    if name not in TOOLS:
        return f"There is no tool {name!r}: use {', '.join(TOOLS)}.", None
    tool = TOOLS[name]
    try:
        found = tool.asked.model_validate(arguments).of(library)
        return tool.told(found), render.to_json(found)
    except ValidationError as error:
        first = error.errors()[0]
        return mistake(first["type"], first["loc"], first["msg"]), None
    except VouchError as error:
        return " ".join(str(error).split()), None
