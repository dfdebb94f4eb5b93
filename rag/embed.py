"""Embedders: texts and their sentences become unit vectors, on this machine or by a server."""

from __future__ import annotations

import hashlib
import importlib.util
import itertools
import json
import sqlite3
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbedderError, SettingsError
from rag.marked import Embedded, Embedder, Marked, encodable
from rag.text import Span, estimate_tokens

if TYPE_CHECKING:
    from openai import OpenAI

_FORMS = ('allowed are "local", "sentence-transformers:MODEL" (or a folder), "fastembed:MODEL", "openai:MODEL" and '
          '"langchain:package.module:Class"')
_OPENAI_URL = "https://api.openai.com/v1"


def open_embedder(name: str | None = None, *, api_key: str | None = None, base_url: str | None = None,
                  timeout: float = 60) -> Embedder:
    """The embedder of that name. Opening loads nothing and asks no server; the first use does.

    Args:
        name: None or "local"; "sentence-transformers:MODEL" or ":FOLDER" and "fastembed:MODEL", where that package is
            installed; "openai:MODEL", any server that speaks OpenAI's embeddings endpoint; or
            "langchain:package.module:Class", a LangChain Embeddings class made without arguments.
        api_key: for "openai:"; may be absent where ``base_url`` names a server without one.
        base_url: for "openai:"; None: OpenAI's own.
        timeout: seconds a request may take, for "openai:".

    Raises:
        SettingsError: no embedder has that name, or it lacks its key or its package.
    """
    if name is None or name == "local":
        from rag.embedders.minilm import LocalEmbedder

        return LocalEmbedder()
    kind, _, rest = name.partition(":")
    if kind == "openai" and rest:
        if not api_key and not base_url:
            raise SettingsError(f'The embedder "{name}" needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL to a '
                                "server that asks for none.")
        server = OpenAIEmbeddings(rest, api_key=api_key, base_url=base_url or _OPENAI_URL, timeout=timeout)
        return LangChainEmbedder(server, name, window=8191)
    if kind in ("sentence-transformers", "fastembed") and rest:
        return _open_hub(name, kind, rest)
    if kind == "langchain" and rest:
        return LangChainEmbedder(_load(name, rest), name)
    raise SettingsError(f'There is no embedder "{name}"; {_FORMS}.')


def _open_hub(name: str, package: str, model: str) -> Embedder:
    from rag.embedders import encoders, hub
    from rag.embedders.hubembed import HubEmbedder

    if importlib.util.find_spec(package.replace("-", "_")) is None:
        raise SettingsError(f'The embedder "{name}" needs the package {package}: install it beside Vouch with '
                            f"`{sys.executable} -m pip install {package}`.")
    if package == "fastembed":
        return HubEmbedder(name, lambda: hub.fastembed_files(model), encoders.load_fastembed)
    return HubEmbedder(name, lambda: hub.sentence_transformers_files(model), encoders.load_sentence_transformers)


def _load(name: str, rest: str) -> Embeddings:
    module, _, attribute = rest.partition(":")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingsError(f'The embedder "{name}" cannot be imported ({error}); {_FORMS}.') from error
    try:
        embeddings: Embeddings = kind()
    except Exception as error:  # a foreign class may raise anything
        raise SettingsError(f'The embedder "{name}" cannot be made without arguments ({type(error).__name__}); '
                            "wrap it in a class of your own that can.") from error
    if not callable(getattr(embeddings, "embed_documents", None)):
        raise SettingsError(f'The embedder "{name}" is no LangChain Embeddings class; name one that is.')
    return embeddings


class Embeddings(Protocol):
    """The two methods of a LangChain Embeddings object that are used here."""

    def embed_documents(self, texts: list[str], /) -> list[list[float]]:
        """One vector a text."""

    def embed_query(self, text: str, /) -> list[float]:
        """The vector of a question."""


class LangChainEmbedder:
    """Any LangChain Embeddings object as an embedder. It reads sentences as texts of their own.

    Args:
        embeddings: the object; its vectors are made unit vectors.
        identity: names the model behind it.
        window: the most tokens it reads of a text, as rag.text.estimate_tokens counts; the rest is cut off.
    """

    _TEXTS, _TOKENS = 256, 100_000  # of one request; OpenAI's limits are 2,048 and 300,000

    def __init__(self, embeddings: Embeddings, identity: str, *, window: int = 512) -> None:
        self.identity = identity
        self.window = window
        self._embeddings = embeddings

    @cached_property
    def dimension(self) -> int:
        """Length of a vector; the first time it is asked for, one word is embedded.

        Raises:
            EmbedderError: the server gives no vector.
        """
        return len(self.embed_query("dimension"))

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed texts and spans, each different piece once; a blank span takes its text's own vector.

        Raises:
            EmbedderError: the server fails, or its vectors cannot be used.
        """
        pieces = [[text.text, *(text.text[a:b] if text.text[a:b].strip() else text.text for a, b in text.spans)]
                  for text in texts]
        vectors: dict[str, NDArray[np.float32]] = {}
        done = 0
        for batch in self._batches(dict.fromkeys(itertools.chain.from_iterable(pieces))):
            vectors.update(zip(batch, self._ask(self._embeddings.embed_documents, batch), strict=True))
            while done < len(pieces) and all(piece in vectors for piece in pieces[done]):
                done += 1
            if progress:
                progress(done)
        found = [np.stack([vectors[piece] for piece in group]) for group in pieces]
        return [Embedded(vector=rows[0], spans=rows[1:]) for rows in found]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, (d,).

        Raises:
            EmbedderError: the server fails, or its vector cannot be used.
        """
        vector: NDArray[np.float32] = self._ask(lambda texts: [self._embeddings.embed_query(texts[0])], [text])[0]
        return vector

    def embed_question(self, question: Marked) -> Embedded:
        """The vector of a question; its words alone would be read out of their context, so they get none."""
        vector = self.embed_query(question.text)
        return Embedded(vector=vector, spans=np.empty((0, len(vector)), np.float32))

    def count(self, text: str) -> int:
        """Tokens of the text, estimated upward."""
        return estimate_tokens(text)

    def _batches(self, texts: dict[str, None]) -> Iterator[list[str]]:
        batch: list[str] = []
        tokens = 0
        for text in texts:
            more = min(estimate_tokens(text), self.window)
            if batch and (len(batch) == self._TEXTS or tokens + more > self._TOKENS):
                yield batch
                batch, tokens = [], 0
            batch.append(text)
            tokens += more
        if batch:
            yield batch

    def _ask(self, ask: Callable[[list[str]], list[list[float]]], texts: list[str]) -> NDArray[np.float32]:
        try:
            reply = ask([self._sendable(text) for text in texts])
        except EmbedderError:
            raise
        except Exception as error:  # a foreign class may raise anything; the message might hold its key
            raise EmbedderError(f'The embedder "{self.identity}" failed ({type(error).__name__}); see its '
                                "documentation, or use the local embedder.") from error
        try:
            vectors = np.array(reply, np.float32)
        except (ValueError, TypeError):
            vectors = np.empty(0, np.float32)
        known = self.__dict__.get("dimension")
        norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
        if (vectors.ndim != 2 or len(vectors) != len(texts) or known not in (None, vectors.shape[1])
                or not (np.isfinite(norms) & (norms > 0)).all()):
            raise EmbedderError(f'The embedder "{self.identity}" sent no usable vectors for {len(texts)} texts; check '
                                "that the server has this model and that it is one for embeddings.")
        self.__dict__["dimension"] = vectors.shape[1]
        unit: NDArray[np.float32] = vectors / norms
        return unit

    def _sendable(self, text: str) -> str:
        text = encodable(text)
        while (tokens := estimate_tokens(text)) > self.window:
            text = text[:min(len(text) - 1, len(text) * self.window // tokens)]
        return text if text.strip() else "."  # servers refuse an empty text


class OpenAIEmbeddings:
    """OpenAI's embeddings endpoint as the two methods LangChainEmbedder needs.

    Not langchain_openai's: that one asks tiktoken, which may wait for ever for its download.
    """

    def __init__(self, model: str, *, api_key: str | None, base_url: str, timeout: float) -> None:
        self._model = model
        self._api_key = api_key
        self._base_url = base_url
        self._timeout = timeout

    @cached_property
    def _client(self) -> OpenAI:
        import openai

        # A redirect would carry the texts to a host that nobody chose.
        http_client = openai.DefaultHttpxClient(timeout=self._timeout, follow_redirects=False)
        weakref.finalize(self, http_client.close)
        return openai.OpenAI(api_key=self._api_key or "none", base_url=self._base_url, timeout=self._timeout,
                             max_retries=2, http_client=http_client)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.embed_documents([text])[0]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, in order.

        Raises:
            EmbedderError: the server cannot be reached, refuses, or sends something else. Says no word of the key.
        """
        import openai

        server = f"The embeddings server {urlsplit(self._base_url).hostname or self._base_url}"
        # "from None": what a server says of a refused key may repeat it.
        try:
            reply = self._client.embeddings.create(model=self._model, input=texts)
            vectors = {item.index: item.embedding for item in reply.data}
            if len(reply.data) != len(texts):
                raise ValueError("one vector a text is expected")
            return [vectors[index] for index in range(len(texts))]
        except openai.APITimeoutError:
            raise EmbedderError(f"{server} did not answer within {self._timeout:g} s; try again later, or use the "
                                "local embedder.") from None
        except openai.APIConnectionError:
            raise EmbedderError(f"{server} cannot be reached; check the network and OPENAI_BASE_URL.") from None
        except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
            raise EmbedderError(f"{server} refused the key ({error.status_code}); check OPENAI_API_KEY.") from None
        except openai.NotFoundError:
            raise EmbedderError(f'{server} has no model "{self._model}" (404); check the embedder\'s name and '
                                "OPENAI_BASE_URL.") from None
        except openai.RateLimitError:
            raise EmbedderError(f"{server} takes no more requests for now (429); wait, or check your account "
                                "with it.") from None
        except openai.APIStatusError as error:
            if 300 <= error.status_code < 400:
                raise EmbedderError(f"{server} redirects to another address ({error.status_code}), which is not "
                                    "followed; check OPENAI_BASE_URL.") from None
            raise EmbedderError(f"{server} failed ({error.status_code}); try again later, or use the local "
                                "embedder.") from None
        except (openai.OpenAIError, LookupError, ValueError, TypeError, AttributeError):
            raise EmbedderError(f"{server} sent no embeddings; check OPENAI_BASE_URL.") from None


class CachedEmbedder:
    """An embedder that keeps its vectors in an SQLite file, so that the next run need not embed again.

    Two processes may share the file. A text is known again by its embedder's identity, its words and its spans.

    Raises:
        EmbedderError: the file cannot be used.
    """

    _SLICE = 256  # texts embedded before they are written: what a killed run loses at most

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self._embedder = embedder
        self._path = path
        self.identity = embedder.identity
        self.window = embedder.window
        with self._database() as database:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("CREATE TABLE IF NOT EXISTS vectors "
                             "(key BLOB PRIMARY KEY, width INTEGER NOT NULL, data BLOB NOT NULL)")

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed what is not in the file, keep it, and return all in order."""
        keys = [self._key(text.text, text.spans) for text in texts]
        rows = self._read(keys)
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in rows}
        if progress and rows:
            progress(sum(key in rows for key in keys))
        pending = iter(new.items())
        while part := dict(itertools.islice(pending, self._SLICE)):
            fresh = self._embedder.embed(list(part.values()))
            made = {key: np.vstack([one.vector, one.spans]) for key, one in zip(part, fresh, strict=True)}
            self._write(made)
            rows |= made
            if progress:
                progress(sum(key in rows for key in keys))
        return [Embedded(vector=rows[key][0], spans=rows[key][1:]) for key in keys]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, (d,)."""
        key = self._key(text, None)
        rows = self._read([key])
        if key not in rows:
            rows = {key: self._embedder.embed_query(text)[np.newaxis]}
            self._write(rows)
        vector: NDArray[np.float32] = rows[key][0]
        return vector

    def embed_question(self, question: Marked) -> Embedded:
        """The vectors of a question and its words, which are not kept: questions seldom come twice."""
        return self._embedder.embed_question(question)

    def count(self, text: str) -> int:
        """Tokens of the text, as the embedder counts."""
        return self._embedder.count(text)

    def _key(self, text: str, spans: Sequence[Span] | None) -> bytes:
        return hashlib.sha256(json.dumps([self.identity, text, spans]).encode()).digest()

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        rows: dict[bytes, NDArray[np.float32]] = {}
        with self._database() as database:
            for at in range(0, len(keys), self._SLICE):
                part = keys[at:at + self._SLICE]
                marks = ",".join("?" * len(part))
                found = database.execute(f"SELECT key, width, data FROM vectors WHERE key IN ({marks})", part)
                rows.update((key, np.frombuffer(data, np.float32).reshape(-1, width)) for key, width, data in found)
        return rows

    def _write(self, rows: dict[bytes, NDArray[np.float32]]) -> None:
        with self._database() as database:
            database.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?, ?)",
                                 [(key, row.shape[1], row.tobytes()) for key, row in rows.items()])

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # A connection for each use: threads may share the embedder, and nothing stays open.
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=60)) as database, database:
                yield database
        except (sqlite3.Error, OSError) as error:
            raise EmbedderError(f"The cache of vectors {self._path} cannot be used ({error}); delete it, or name "
                                "another file.") from error
