"""OpenAI's chat model as LangChain has it, with what a call cost where the server says so (OpenRouter does)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import openai
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from rag.cost import dollars, tokens
from rag.providers import unwanted


class OpenAIChat(ChatOpenAI):
    """ChatOpenAI, whose streams also carry the server's own cost, in dollars, under "cost" in the response metadata.

    Of what a server tells of usage only counts and amounts are taken: LangChain would fail on anything else.
    """

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        told = chunk.get("usage")
        told = told if isinstance(told, dict) else {}
        counted = tokens(told.get("prompt_tokens"), told.get("completion_tokens"))
        usage = {"prompt_tokens": counted.input_tokens, "completion_tokens": counted.output_tokens} if counted else None
        converted = super()._convert_chunk_to_generation_chunk(
            {**chunk, "usage": usage}, default_chunk_class, base_generation_info)
        cost = told.get("cost")
        if converted is not None and counted and not isinstance(cost, str) and dollars(cost) is not None:
            # As text: LangChain adds a stream's metadata up, and refuses to add fractions.
            converted.message.response_metadata["cost"] = str(cost)
        return converted


def client(timeout: openai.Timeout) -> httpx.Client:
    """The connection to a server: it follows no redirect, which would carry the prompt to a host that nobody chose.

    It ends a reply that is `unwanted` at the next bytes of it, be they no token.
    """
    return openai.DefaultHttpxClient(timeout=timeout, follow_redirects=False, event_hooks={"response": [_watch]})


def _watch(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.SyncByteStream), "a client that waits has streams that wait"
    response.stream = _Watched(response.stream)


class _Watched(httpx.SyncByteStream):
    """A reply's bytes, until nobody wants them any more."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            if unwanted():
                return
            yield data

    def close(self) -> None:
        self._stream.close()
