"""Providers of language models: what a model's name means, whose package speaks to it, and in which words.

LangChain's packages are imported only where a model is set up.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import SettingsError
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

OPENAI_URL = "https://api.openai.com/v1"

_JSON = {"response_format": {"type": "json_object"}}

# Set in the thread that reads a reply: the event that its reader has left.
LEFT: ContextVar[threading.Event | None] = ContextVar("LEFT", default=None)


def _unwanted() -> bool:
    """Whether nobody waits any more for the reply that this thread reads."""
    left = LEFT.get()
    return left is not None and left.is_set()


def _usual(timeout: float, _window: int) -> dict[str, Any]:
    return {"timeout": timeout, "max_retries": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How a provider's package is spoken to.

    Attributes:
        package: what is to be installed.
        setup: seconds of patience and the window in tokens, as its chat model is told them. Trying again is left to
            whoever asks, who knows how much time is left.
        most: the name under which a call bounds the tokens that are written, thoughts included; empty for none.
        json: what asks for JSON; empty where nothing does.
        openai: whether the package stands on LangChain's client for OpenAI. Then both go into the body of the request
            as they are (that client reads JSON in a way of its own, and fails on an answer that is none), and usage
            that comes more than once is a running total, where elsewhere it adds up.
    """

    package: str
    setup: Callable[[float, int], dict[str, Any]] = _usual
    most: str = "max_tokens"
    json: Mapping[str, Any]
    openai: bool = False


# Prefixes of VOUCH_MODEL that name a provider. Any other prefix is part of the model's own name ("llama3.1:8b").
PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(package="langchain-openai", most="max_completion_tokens", json=_JSON, openai=True),
    "anthropic": Provider(package="langchain-anthropic", json={}),
    # Ollama cuts a prompt that its window does not hold without a word, so it is told the window.
    "ollama": Provider(package="langchain-ollama", most="", json={"format": "json"}, setup=lambda timeout, window: {
        "num_ctx": window, "client_kwargs": {"timeout": timeout}}),
    "google_genai": Provider(package="langchain-google-genai", most="max_output_tokens",
                             json={"response_mime_type": "application/json"}),
    "mistralai": Provider(package="langchain-mistralai", json=_JSON, setup=lambda timeout, _: {
        "timeout": math.ceil(timeout), "max_retries": 0}),
    "groq": Provider(package="langchain-groq", json=_JSON),
    "deepseek": Provider(package="langchain-deepseek", json=_JSON, openai=True, setup=lambda timeout, window: {
        **_usual(timeout, window), "stream_usage": True}),
    # Told not to try again, its package leaves that to OpenRouter's own client, which tries for an hour.
    "openrouter": Provider(package="langchain-openrouter", json=_JSON, setup=lambda timeout, _: {
        "timeout": math.ceil(1000 * timeout), "max_retries": 0, "model_kwargs": {"retries": None}}),
    "xai": Provider(package="langchain-xai", json=_JSON, openai=True, setup=lambda timeout, window: {
        **_usual(timeout, window), "stream_usage": True}),
}
# Whatever else speaks OpenAI's protocol knows the older name of the bound, and OpenAI's reasoning models refuse it.
_COMPATIBLE = Provider(package="langchain-openai", json=_JSON, openai=True)

# Context windows of hosted families, in tokens, rounded down. A local server's window is what it was started with,
# which its model's name does not tell: those get DEFAULT_WINDOW.
WINDOWS: Mapping[str, int] = {
    "gpt-5": 270_000, "gpt-4.1": 1_000_000, "gpt-4o": 128_000, "o3": 200_000, "o4": 200_000,
    "claude-": 200_000, "gemini-": 1_000_000,
}
DEFAULT_WINDOW = 8_192


def provider_of(name: str) -> Provider:
    """The provider of a model; that of OpenAI-compatible servers where none is named."""
    return PROVIDERS.get(split(name)[0], _COMPATIBLE)


def split(name: str) -> tuple[str, str]:
    """A name as VOUCH_MODEL gives it, as provider and model; no provider where none is named."""
    prefix, colon, rest = name.strip().partition(":")
    return (prefix, rest.strip()) if colon and prefix in PROVIDERS else ("", name.strip())


def window(name: str, settings: Settings) -> int:
    """The model's context window in tokens: VOUCH_CONTEXT, else by the name of a hosted family, else 8,192."""
    model = split(name)[1]
    known = (size for family, size in WINDOWS.items() if model.startswith(family))
    return settings.context or next(known, DEFAULT_WINDOW)


def asking(name: str, most: int | None, json: bool) -> dict[str, Any]:
    """The arguments of one call, in the words of the model's provider.

    Args:
        name: the model's, as VOUCH_MODEL gives it.
        most: tokens it may write; None leaves that to its server.
        json: whether to ask for JSON, where the provider has a word for that.
    """
    provider = provider_of(name)
    given = {**({provider.most: most} if most and provider.most else {}), **(provider.json if json else {})}
    return {"extra_body": given} if given and provider.openai else given


def chat_model(name: str, settings: Settings) -> BaseChatModel:
    """The LangChain chat model for a name.

    ``openai:gpt-5-mini`` is asked at OPENAI_BASE_URL or OpenAI's own address; a name without a known provider's
    prefix only at OPENAI_BASE_URL; any other provider through its own LangChain package.

    Raises:
        SettingsError: the name, the key, the address or the provider's package does not allow it.
    """
    provider, model = split(name)
    if not model:
        raise SettingsError(f"The model is named {name!r}, which names none; write e.g. openai:gpt-5-mini.")
    # Longer than the wait for a token, so that it is that wait which ends: this one frees the abandoned thread.
    patience = 1.5 * settings.timeout
    if provider in ("", "openai"):
        return _openai_model(name, provider, model, settings, patience)
    from langchain.chat_models import init_chat_model

    known = PROVIDERS[provider]
    try:
        chat: BaseChatModel = init_chat_model(model, model_provider=provider,
                                              **known.setup(patience, window(name, settings)))
    except ImportError as error:
        raise SettingsError(f"The model {name} needs the package {known.package}; install it with "
                            f"pip install {known.package}.") from error
    except Exception as error:  # each package has errors of its own, whose text may hold the key
        raise SettingsError(f"The model {name} cannot be set up ({type(error).__name__}); is the key of {provider} "
                            "set in the environment as its package wants it?") from error
    return chat


def _openai_model(name: str, provider: str, model: str, settings: Settings, patience: float) -> BaseChatModel:
    if settings.openai_base_url is None and not provider:
        raise SettingsError(f"The model {name} names no provider, so it needs OPENAI_BASE_URL (a local server's is "
                            "often http://localhost:11434/v1); a hosted model is written e.g. openai:gpt-5-mini.")
    if settings.openai_base_url is None and settings.openai_api_key is None:
        raise SettingsError(f"The model {name} needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys.")
    import openai
    from pydantic import SecretStr

    from rag.models.openaichat import OpenAIChat, client

    timeout = openai.Timeout(patience, connect=min(settings.timeout, 10.0))
    # The address is always given, so that no other variable (a gateway's) decides it. Reasoning models take no
    # temperature, and those are hosted.
    return OpenAIChat(
        model=model,
        base_url=settings.openai_base_url or OPENAI_URL,
        api_key=SecretStr(settings.openai_api_key or "none"),
        timeout=timeout,
        http_client=client(timeout, _unwanted),
        max_retries=0,
        use_responses_api=False,
        stream_usage=True,
        temperature=None if provider else 0.0,
        # A connection kept between two questions is mostly one that the server has long dropped.
        default_headers={"Connection": "close"},
    )
