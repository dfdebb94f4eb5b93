"""Language models: which one a name means, what it may take, and how each of its failures reads to a person.

Imported only where a model is used: LangChain's import alone takes a second.
"""

from __future__ import annotations

import functools
import hashlib
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rag.errors import ModelError, SettingsError
from rag.schema import Usage
from rag.settings import Settings, quiet, tiktoken_folder
from rag.text import estimate_tokens

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk, BaseMessage

OPENAI_URL = "https://api.openai.com/v1"

# Prefixes of VOUCH_MODEL that name a provider, with the package that speaks to it. Any other prefix is part of the
# model's own name ("llama3.1:8b").
PROVIDERS: Mapping[str, str] = {
    "openai": "langchain-openai",
    "anthropic": "langchain-anthropic",
    "ollama": "langchain-ollama",
    "google_genai": "langchain-google-genai",
    "mistralai": "langchain-mistralai",
    "groq": "langchain-groq",
    "deepseek": "langchain-deepseek",
    "openrouter": "langchain-openrouter",
    "xai": "langchain-xai",
}

# Context windows of hosted families, in tokens, rounded down. A local server's window is what it was started with,
# which its model's name does not tell: those get DEFAULT_WINDOW.
WINDOWS: Mapping[str, int] = {
    "gpt-5": 270_000, "gpt-4.1": 1_000_000, "gpt-4o": 128_000, "o3": 200_000, "o4": 200_000,
    "claude-": 200_000, "gemini-": 1_000_000,
}
DEFAULT_WINDOW = 8_192

RETRIES = 2
TOTAL = 10  # a whole answer may take this many time-outs
LONGEST = 40_000  # characters; no answer is that long, a model that repeats itself for ever is

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)

# SHA-1 of the address (tiktoken's name for the cached file) and SHA-256 of the content that tiktoken demands; a file
# with another content it would delete and download again.
_ENCODING = ("o200k_base", "fb374d419588a4632f3f557e76b4b70aebbca790",
             "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A chat model with what Vouch has to know of it.

    Attributes:
        timeout: seconds to the first token, all tries together, and between two tokens.
        window: tokens that question, evidence and answer may take together.
    """

    name: str
    chat: BaseChatModel
    timeout: float = 60.0
    window: int = DEFAULT_WINDOW

    def count(self, text: str) -> int:
        """Tokens of the text: counted for OpenAI's models where tiktoken's file is at hand, else estimated upward."""
        return _count_openai(text) if self.name.startswith("openai:") else estimate_tokens(text)

    def stream(self, messages: Sequence[BaseMessage], left: threading.Event | None = None) -> Iterator[str | Usage]:
        """Ask, and yield the answer's text in the pieces it comes in, then the usage where the server reports it.

        Reasoning and tool calls are left out.

        Args:
            messages: the prompt.
            left: set it to end the answer, and the request at the model's next token; so does closing the iterator.

        Raises:
            ModelError: whatever went wrong, in one sentence; pieces may have been yielded before.
        """
        return _stream(self, messages, threading.Event() if left is None else left)

    def ask(self, prompt: str, spent: Callable[[Usage], None]) -> str:
        """Ask in one message, and wait for the whole answer, without the thoughts that a model writes before it.

        Args:
            prompt: the message.
            spent: told the tokens it took, where the server reports them.

        Raises:
            ModelError: as `stream`.
        """
        from langchain_core.messages import HumanMessage

        said = []
        for piece in self.stream([HumanMessage(prompt)]):
            if isinstance(piece, Usage):
                spent(piece)
            else:
                said.append(piece)
        return _THOUGHTS.sub("", "".join(said))


def open_model(name: str, settings: Settings) -> Model:
    """The model of that name (as VOUCH_MODEL gives it), ready to be asked; nothing is sent.

    Raises:
        SettingsError: the name, the key, the address or the provider's package does not allow it.
    """
    quiet()  # LangChain would send every prompt to a tracing service that the environment happens to name
    return Model(name=name, chat=chat_model(name, settings), timeout=settings.timeout, window=window(name, settings))


def window(name: str, settings: Settings) -> int:
    """The model's context window in tokens: VOUCH_CONTEXT, else by the name of a hosted family, else 8,192."""
    model = _split(name)[1]
    known = (size for family, size in WINDOWS.items() if model.startswith(family))
    return settings.context or next(known, DEFAULT_WINDOW)


def chat_model(name: str, settings: Settings) -> BaseChatModel:
    """The LangChain chat model for a name.

    ``openai:gpt-5-mini`` is asked at OPENAI_BASE_URL or OpenAI's own address; a name without a known provider's
    prefix only at OPENAI_BASE_URL; any other provider through its own LangChain package.

    Raises:
        SettingsError: the name, the key, the address or the provider's package does not allow it.
    """
    provider, model = _split(name)
    if not model:
        raise SettingsError(f"VOUCH_MODEL is {name!r}, which names no model; write e.g. openai:gpt-5-mini.")
    if provider in ("", "openai"):
        return _openai_model(name, provider, model, settings)
    from langchain.chat_models import init_chat_model

    # Ollama cuts a prompt that its window does not hold without a word, so it is told the window.
    extra: dict[str, Any] = {"num_ctx": window(name, settings)} if provider == "ollama" else {
        "timeout": settings.timeout, "max_retries": 0}
    try:
        chat: BaseChatModel = init_chat_model(model, model_provider=provider, **extra)
    except ImportError as error:
        raise SettingsError(f"VOUCH_MODEL {name} needs the package {PROVIDERS[provider]}; install it with "
                            f"pip install {PROVIDERS[provider]}.") from error
    except Exception as error:  # each package has errors of its own, whose text may hold the key
        raise SettingsError(f"VOUCH_MODEL {name} cannot be set up ({type(error).__name__}); is the key of {provider} "
                            "set in the environment as its package wants it?") from error
    return chat


def _split(name: str) -> tuple[str, str]:
    prefix, colon, rest = name.strip().partition(":")
    return (prefix, rest.strip()) if colon and prefix in PROVIDERS else ("", name.strip())


def _openai_model(name: str, provider: str, model: str, settings: Settings) -> BaseChatModel:
    if settings.openai_base_url is None and not provider:
        raise SettingsError(f"VOUCH_MODEL {name} names no provider, so it needs OPENAI_BASE_URL (a local server's is "
                            "often http://localhost:11434/v1); a hosted model is written e.g. openai:gpt-5-mini.")
    if settings.openai_base_url is None and settings.openai_api_key is None:
        raise SettingsError(f"VOUCH_MODEL {name} needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys.")
    import openai
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    # Longer than the wait for a token, so that it is that wait which ends: this one frees the abandoned thread.
    timeout = openai.Timeout(1.5 * settings.timeout, connect=min(settings.timeout, 10.0))
    # The address is always given, so that no other variable (a gateway's) decides it. Trying again is left to
    # _stream, which knows how much time is left. Reasoning models take no temperature, and those are hosted.
    return ChatOpenAI(
        model=model,
        base_url=settings.openai_base_url or OPENAI_URL,
        api_key=SecretStr(settings.openai_api_key or "none"),
        timeout=timeout,
        # A redirect would carry the whole prompt to a host that nobody chose.
        http_client=openai.DefaultHttpxClient(timeout=timeout, follow_redirects=False),
        max_retries=0,
        use_responses_api=False,
        stream_usage=True,
        temperature=None if provider else 0.0,
        # A connection kept between two questions is mostly one that the server has long dropped.
        default_headers={"Connection": "close"},
    )


@functools.cache
def _encoding() -> Any:  # noqa: ANN401 - tiktoken.Encoding or None; tiktoken is imported late
    name, cached, content = _ENCODING
    folder = tiktoken_folder()
    path = folder / cached if folder else None
    if path is None or not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != content:
        return None
    import tiktoken

    return tiktoken.get_encoding(name)


def _count_openai(text: str) -> int:
    # Without its file tiktoken would download it, with no time-out.
    encoding = _encoding()
    return len(encoding.encode_ordinary(text)) if encoding else estimate_tokens(text)


def _stream(model: Model, messages: Sequence[BaseMessage], left: threading.Event) -> Iterator[str | Usage]:
    # The model is read in a thread of its own: HTTP time-outs count bytes, and a proxy's keep-alive comments, a
    # retry's wait or a server that trickles would each defeat them; here the time to a token is what counts.
    chunks: queue.Queue[AIMessageChunk | Exception | None] = queue.Queue(maxsize=64)
    deadline = time.monotonic() + model.timeout * TOTAL
    worker = threading.Thread(target=_pump, args=(model, messages, chunks, left), daemon=True, name="vouch model")
    worker.start()
    finish, length, usage = "", 0, None
    try:
        while not left.is_set():
            rest = deadline - time.monotonic()
            try:
                chunk = chunks.get(timeout=max(0.0, min(model.timeout, rest)))
            except queue.Empty:
                raise ModelError(_late(model, begun=bool(length), at_all=rest <= model.timeout)) from None
            if isinstance(chunk, Exception):
                raise ModelError(explain(chunk, model.name)) from chunk
            if chunk is None:
                break
            finish = finish or _finish(chunk.response_metadata)
            if reported := getattr(chunk, "usage_metadata", None):
                usage = Usage(input_tokens=reported["input_tokens"], output_tokens=reported["output_tokens"])
            text = chunk.text
            length += len(text)
            if length > LONGEST:
                raise ModelError(f"The model {model.name} did not come to an end; its answer was cut.")
            if text:
                yield text
        if left.is_set():
            return
        _demand_end(model.name, finish, length)
        if usage:
            yield usage
    finally:
        left.set()


def _late(model: Model, *, begun: bool, at_all: bool) -> str:
    if at_all:
        told = f"did not come to an end within {model.timeout * TOTAL:g} s"
    elif begun:
        told = f"stopped in mid-answer for {model.timeout:g} s"
    else:
        told = f"did not begin to answer within {model.timeout:g} s"
    return f"The model {model.name} {told}; is its server overloaded? VOUCH_TIMEOUT allows more."


def _pump(model: Model, messages: Sequence[BaseMessage], chunks: queue.Queue[AIMessageChunk | Exception | None],
          left: threading.Event) -> None:
    """Put the model's chunks into the queue, then None; or the error that ended them. Stops when ``left`` is set."""
    until = time.monotonic() + model.timeout
    for attempt in range(RETRIES + 1):
        begun = False
        try:
            for chunk in model.chat.stream(list(messages)):
                begun = True
                if not _put(chunks, chunk, left):
                    return
            _put(chunks, None, left)
            return
        except Exception as error:  # noqa: BLE001 - any provider's, any kind: raised again where the answer is read
            wait = _wait(error, attempt)
            if begun or wait is None or attempt == RETRIES or time.monotonic() + wait > until:
                _put(chunks, error, left)
                return
        if left.wait(wait):
            return


def _put(chunks: queue.Queue[AIMessageChunk | Exception | None], item: AIMessageChunk | Exception | None,
         left: threading.Event) -> bool:
    while not left.is_set():
        try:
            chunks.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False


def _wait(error: Exception, attempt: int) -> float | None:
    """Seconds to wait before trying again; None where that would not help."""
    status = getattr(error, "status_code", None)
    if status is None:
        return 0.2 * 2**attempt if _is(error, "ConnectionError", "ConnectError") else None
    if status not in (408, 409, 429, 500, 502, 503, 504, 529) or "insufficient_quota" in _told(error):
        return None
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return max(0.0, float(headers.get("retry-after", "")))
    except ValueError:
        return 0.5 * 2.0**attempt


def _told(error: BaseException) -> str:
    """All that the error says, for looking into; never shown."""
    return f"{error} {getattr(error, 'body', '')}"


def _is(error: BaseException, *names: str) -> bool:
    """Whether the name of the error's class, or of one it derives from, ends in one of the names."""
    # Every provider's client has classes of its own; importing them all to ask would be slow.
    return any(kind.__name__.endswith(names) for kind in type(error).__mro__)


def _finish(metadata: Mapping[str, Any]) -> str:
    """Why the model stopped, in its provider's own word; empty while it has not."""
    words = (metadata.get(name) for name in ("finish_reason", "stop_reason", "done_reason"))
    return next((str(word) for word in words if word), "")


def _demand_end(name: str, finish: str, length: int) -> None:
    reason = finish.casefold()
    if reason in ("length", "max_tokens"):
        raise ModelError(f"The model {name} was cut off at its length limit before its answer ended.")
    if reason in ("content_filter", "refusal", "safety"):
        raise ModelError(f"The model {name} refused to answer.")
    if not length:
        raise ModelError(f"The model {name} answered without any text; it may have refused, or be no chat model.")
    if not reason:
        raise ModelError(f"The answer of the model {name} broke off; its server ended the stream without a finish.")


_SAID = {
    400: "was sent something it does not accept",
    401: "refused the key; is the right one set?",
    402: "asks for payment; is there credit left?",
    403: "does not allow this key to use it",
    404: "is not known to the server; are VOUCH_MODEL and OPENAI_BASE_URL right?",
    408: "took too long",
    413: "found the question with its evidence too large",
    422: "was sent something it does not accept",
    429: "is rate limited; try again in a while",
}


def explain(error: BaseException, name: str) -> str:
    """One sentence for a person on why the model failed. Nothing the server wrote is in it: it might hold the key."""
    return f"The model {name} {_why(error)}".rstrip(".") + ("" if _why(error).endswith("?") else ".")


def _why(error: BaseException) -> str:
    told = _told(error)
    status = getattr(error, "status_code", None)
    if _is(error, "ContextOverflowError") or any(
            sign in told for sign in ("context_length_exceeded", "maximum context length", "exceeds the context",
                                      "exceed_context_size", "prompt is too long")):
        return "has too small a context window for the question with its evidence; set VOUCH_CONTEXT to its size"
    if "insufficient_quota" in told:
        return "has no quota left on this key; is there credit left?"
    if isinstance(status, int) and 300 <= status < 400:
        return f"was redirected to another address ({status}), which is not followed; is OPENAI_BASE_URL right?"
    if isinstance(status, int):
        return _SAID.get(status, f"failed with the server error {status}" if status >= 500 else
                         f"was refused by its server with status {status}")
    if _is(error, "TimeoutError", "TimeoutException", "ReadTimeout", "ConnectTimeout"):
        return "did not answer in time; is its server overloaded? VOUCH_TIMEOUT allows more"
    if _is(error, "ConnectionError", "ConnectError", "ProtocolError", "ReadError", "NetworkError"):
        return "could not be reached, or its server broke the connection; is it running at that address?"
    if _is(error, "APIError"):
        return "reported an error in the middle of its answer"
    return f"gave something that is no answer ({type(error).__name__}); is OPENAI_BASE_URL the address of its API?"
