"""Settings: the only reader (and writer) of the process's environment in rag, ingest and ui."""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rag.errors import SettingsError

# What Vouch forbids its dependencies, whatever the environment says: reporting, tracing, and model hubs. LangSmith
# traces whole prompts as soon as one of its switches is on, so every spelling of it is switched off.
_FORBIDDEN = {
    "ANONYMIZED_TELEMETRY": "False",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGSMITH_TRACING_V2": "false",
    "LANGCHAIN_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_GATEWAY": "false",
}
_HUB_OFFLINE = os.environ.get("HF_HUB_OFFLINE")  # what the user says of it, before quiet() has its say


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address that starts with http:// or https://")
    return text.rstrip("/")


def _number(text: str, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(wanted) from None
    if not math.isfinite(value):
        raise ValueError(wanted)
    return value


def _seconds(text: str) -> float:
    wanted = "a number of seconds above 0"
    if (value := _number(text, wanted)) <= 0:
        raise ValueError(wanted)
    return value


def _dollars(text: str) -> float:
    wanted = "an amount of dollars, 0 or more"
    if (value := _number(text.strip().removeprefix("$"), wanted)) < 0:
        raise ValueError(wanted)
    return value


def _price(text: str) -> tuple[float, float]:
    read, slash, written = text.partition("/")
    if slash:
        with contextlib.suppress(ValueError):
            return _dollars(read), _dollars(written)
    raise ValueError("two amounts of dollars with a slash between, for a million tokens read and written, e.g. 0.25/2")


def _window(text: str) -> int:
    wanted = "a whole number of tokens, 1024 or more"
    try:
        value = int(text.replace("_", ""))
    except ValueError:
        raise ValueError(wanted) from None
    if value < 1024:
        raise ValueError(wanted)
    return value


def _switch(text: str) -> bool:
    if text.casefold() not in ("yes", "no"):
        raise ValueError("yes or no")
    return text.casefold() == "yes"


def _key(text: str) -> str:
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("letters, digits and signs without blanks")
    return text


def _default_library() -> Path:
    import platformdirs

    return platformdirs.user_data_path("vouch") / "library"


def _read(env: str, doc: str, default: str, read: Callable[[str], object] = str) -> dict[str, object]:
    """How a field is read: the variable, what it does, its default in words (for the table), text to value."""
    return {"env": env, "doc": doc, "default": default, "read": read}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with its default. The key is never part of ``repr`` or ``str``.

    Attributes:
        library: the folder the library lies in.
        model: the language model to use; None means that no model is ever called.
        timeout: seconds a model may take to its first token, and between two tokens.
        context: the model's window in tokens; None lets Vouch go by the model's name.
        deep: whether the model helps to search; without a model it changes nothing.
        judge: the model of the second opinion on what the first wrote.
        max_cost: dollars that the models may cost in one conversation.
        price: of the model in dollars for a million tokens: (read, written).
    """

    library: Path = field(default_factory=_default_library, metadata=_read(
        "VOUCH_LIBRARY", "folder of the library", "the user's data folder", _path))
    model: str | None = field(default=None, metadata=_read(
        "VOUCH_MODEL", "language model, e.g. openai:gpt-5-mini, ollama:llama3.1:8b, or llama3.1:8b at OPENAI_BASE_URL",
        "none: no model is called"))
    embeddings: str = field(default="local", metadata=_read(
        "VOUCH_EMBEDDINGS", "embedder of the papers: local, sentence-transformers:MODEL (or a folder), "
        "fastembed:MODEL, openai:MODEL, langchain:MODULE:CLASS", "local"))
    chroma_url: str | None = field(default=None, metadata=_read(
        "VOUCH_CHROMA_URL", "address of a Chroma server to use instead of the embedded one", "embedded", _url))
    timeout: float = field(default=60.0, metadata=_read(
        "VOUCH_TIMEOUT", "seconds to wait for a model's first token, and for each one after", "60", _seconds))
    context: int | None = field(default=None, metadata=_read(
        "VOUCH_CONTEXT", "the model's context window in tokens, where its server is set to another than usual",
        "by the model's name, else 8192", _window))
    deep: bool = field(default=False, metadata=_read(
        "VOUCH_DEEP", "yes: the model also helps to search, by rewriting the question and ordering the papers found",
        "no", _switch))
    judge: str | None = field(default=None, metadata=_read(
        "VOUCH_JUDGE", "second language model, named as for VOUCH_MODEL: looks over each sentence that the first "
        "wrote, beside the quote it rests on, and can only lower its verdict", "none"))
    max_cost: float | None = field(default=None, metadata=_read(
        "VOUCH_MAX_COST", "dollars that the models may cost in one conversation; one that could cost more, or whose "
        "price is unknown, is not asked", "no limit", _dollars))
    price: tuple[float, float] | None = field(default=None, metadata=_read(
        "VOUCH_PRICE", "price of the model in dollars for a million tokens, read/written, e.g. 0.25/2", "unknown; "
        "nothing for a model on this machine", _price))
    openai_api_key: str | None = field(default=None, repr=False, metadata=_read(
        "OPENAI_API_KEY", "key of the OpenAI-compatible server; sends nothing unless VOUCH_MODEL is set", "none", _key))
    openai_base_url: str | None = field(default=None, metadata=_read(
        "OPENAI_BASE_URL", "address of an OpenAI-compatible server, e.g. http://localhost:11434/v1",
        "OpenAI's own, for openai: models", _url))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One line of the table of settings: the variable's name, its default in words, and what it does."""

    name: str
    default: str
    doc: str


FIELDS: tuple[Field, ...] = tuple(
    Field(name=f.metadata["env"], default=f.metadata["default"], doc=f.metadata["doc"]) for f in fields(Settings)
)


def load(env_file: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    The environment wins over the file, and an empty value counts as none.

    Args:
        env_file: a file of ``NAME=value`` lines; None reads ``.env`` in the user's configuration folder if it is there.
            The current folder's ``.env`` is never read.
        environ: the environment; None takes the process's own.

    Raises:
        SettingsError: the file cannot be read, a value cannot be used, or a ``VOUCH_`` name is unknown.
    """
    environ = os.environ if environ is None else environ
    given = {**_read_file(env_file), **{name: value for name, value in environ.items() if value.strip()}}
    known = {f.metadata["env"]: f for f in fields(Settings)}
    for name in sorted(given):
        if name.startswith("VOUCH_") and name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise SettingsError(f"There is no setting {name}; the nearest is {nearest}. Correct or unset it.")
    values: dict[str, Any] = {}
    for name, f in known.items():
        if name not in given:
            if f.default_factory is not MISSING:
                values[f.name] = f.default_factory()
            continue
        text = given[name].strip()
        try:
            values[f.name] = f.metadata["read"](text)
        except ValueError as error:
            value = repr(text) if f.repr else "not shown here"
            raise SettingsError(f"{name} is {value}, but it has to be {error}.") from None
    return Settings(**values)


def _read_file(env_file: Path | None) -> dict[str, str]:
    import dotenv

    path = user_file() if env_file is None else env_file.expanduser()
    if not path.is_file():
        if env_file is None:
            return {}
        raise SettingsError(f"There is no settings file {path}; give the path of one that exists.")
    try:
        # Not interpolated: "${HOME}" in a file is text, and another variable's value is nobody's business here.
        found = dotenv.dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read ({error}); mend or move it.") from error
    return {name: value for name, value in found.items() if value and value.strip()}


def user_file() -> Path:
    """The file of settings that is read where it exists: `.env` in the user's configuration folder."""
    import platformdirs

    return platformdirs.user_config_path("vouch") / ".env"


def quiet() -> None:
    """Forbid every dependency to report, trace or fetch on its own. Call it before the first of them is imported.

    A tracing switch or a key that happens to lie in the environment then sends nothing.
    """
    os.environ.update(_FORBIDDEN)


def downloading() -> dict[str, str]:
    """The environment of a process that fetches a model which a setting names: as quiet, but not kept from the hub.

    Where the user has set HF_HUB_OFFLINE, that holds.
    """
    environ = {**os.environ, **_FORBIDDEN}
    del environ["HF_HUB_OFFLINE"]
    return environ if _HUB_OFFLINE is None else {**environ, "HF_HUB_OFFLINE": _HUB_OFFLINE}


def tiktoken_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder in which tiktoken keeps the encodings it has fetched; None where it is told to keep none."""
    environ = os.environ if environ is None else environ
    for name in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if name in environ:
            return Path(environ[name]) if environ[name] else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"
