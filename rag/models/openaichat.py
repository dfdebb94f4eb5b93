"""OpenAI's chat model as LangChain has it, with what a call cost where the server says so (OpenRouter does)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from rag.models.told import dollars, tokens


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


def client(timeout: openai.Timeout, unwanted: Callable[[], bool]) -> httpx2.Client:
    """The connection to a server: it follows no redirect, which would carry the prompt to a host that nobody chose.

    Args:
        timeout: of a request.
        unwanted: asked whenever something comes of a reply, be it no token; true ends the reply, and its request.
    """
    watch = functools.partial(_watch, unwanted)
    return openai.DefaultHttpxClient(timeout=timeout, follow_redirects=False, event_hooks={"response": [watch]})


def _watch(unwanted: Callable[[], bool], response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream), "a client that waits has streams that wait"
    response.stream = _Watched(response.stream, unwanted)


class _Watched(httpx2.SyncByteStream):
    """A reply's bytes, until nobody wants them any more."""

    def __init__(self, stream: httpx2.SyncByteStream, unwanted: Callable[[], bool]) -> None:
        self._stream = stream
        self._unwanted = unwanted

    def __iter__(self) -> Iterator[bytes]:
        for data in self._stream:
            if self._unwanted():
                return
            yield data

    def close(self) -> None:
        self._stream.close()
