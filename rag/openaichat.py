"""OpenAI's chat model as LangChain has it, with what a call cost where the server says so (OpenRouter does)."""

from __future__ import annotations

from typing import Any

from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI


class OpenAIChat(ChatOpenAI):
    """ChatOpenAI, whose streams also carry the server's own cost, in dollars, under "cost" in the response metadata."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        converted = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        cost = (chunk.get("usage") or {}).get("cost")
        if converted is not None and cost is not None:
            # As text: LangChain adds a stream's metadata up, and refuses to add fractions.
            converted.message.response_metadata["cost"] = str(cost)
        return converted
