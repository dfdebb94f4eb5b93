"""Any model of sentence-transformers or fastembed as an embedder, with its own width, window, prefixes and pooling."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rag.embedders.encoders import BATCH, Model
from rag.embedders.hub import ModelFiles
from rag.errors import EmbedderError, VouchError
from rag.marked import Embedded, Marked, encodable
from rag.text import Span, estimate_tokens

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_PROBE = "How are these tokens pooled?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """A loaded model, the length of its vectors, and the tokenizer by which it pools late, if it does."""

    model: Model
    dimension: int
    late: Tokenizer | None


class HubEmbedder:
    """A model of a hub or a folder as an embedder; nothing is looked for or loaded before the first use.

    Where the model's own vector of a text is the mean over its tokens, the spans are means over theirs in the text's
    one forward pass (late pooling; Günther et al. 2024), through whatever layers follow the mean. A token belongs to
    the span that holds its last character, as its first may be the blank before a word. Models that pool otherwise
    (by their first token, say) were never taught that a mean says anything: their spans are texts of their own.

    Args:
        name: what the user calls it.
        find: finds the model's files.
        load: loads the model from them.
    """

    def __init__(self, name: str, find: Callable[[], ModelFiles], load: Callable[[ModelFiles], Model]) -> None:
        self._name = name
        self._find = find
        self._load = load
        self._loaded: _Tried | None = None
        self._lock = threading.RLock()  # neither the loading nor the models' tokenizers are made for several threads

    @cached_property
    def _files(self) -> ModelFiles:
        with self._lock, self._telling("cannot be found"):
            return self._find()

    @cached_property
    def identity(self) -> str:
        """Kind, name, and a hash over weights and prefixes."""
        with self._telling("cannot be read"):
            return self._files.identity

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._ready.dimension

    @property
    def window(self) -> int:
        """Tokens of the longest text that is read whole, special ones included, what goes before it not."""
        model = self._ready.model
        return model.window - self.count(model.prefixes[0])

    @property
    def _ready(self) -> _Tried:
        with self._lock:
            if self._loaded is None:
                files = self._files
                with self._telling(f"in {files.folder} cannot be loaded"):
                    self._loaded = _try(self._load(files))
            return self._loaded

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed texts and their spans, in the order given; a span without a token takes its text's own vector.

        Raises:
            EmbedderError: the model cannot be had, or fails.
        """
        order = sorted(range(len(texts)), key=lambda at: len(texts[at].text))
        done: dict[int, Embedded] = {}
        for start in range(0, len(order), BATCH):
            batch = order[start:start + BATCH]
            done.update(zip(batch, self._read([texts[at] for at in batch]), strict=True))
            if progress:
                progress(len(done))
        return [done[at] for at in range(len(texts))]

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question, (d,)."""
        with self._lock, self._telling("failed"):
            vector: NDArray[np.float32] = self._unit(self._ready.model.vectors([encodable(text)], question=True))[0]
            return vector

    def embed_question(self, question: Marked) -> Embedded:
        """The vector of a question, and those of its words where the model pools them late."""
        if self._ready.late:
            return self._read([question], question=True)[0]
        vector = self.embed_query(question.text)
        return Embedded(vector=vector, spans=np.empty((0, len(vector)), np.float32))

    @lru_cache(maxsize=1024)  # noqa: B019 - one embedder lives as long as its process; a paper is cut twice
    def count(self, text: str) -> int:
        """Tokens of the text, special ones not counted; estimated upward where the model has no such tokenizer."""
        tokenizer = self._ready.model.tokenizer
        if tokenizer is None:
            return estimate_tokens(text)
        return len(tokenizer.encode(encodable(text), add_special_tokens=False))

    def _read(self, texts: Sequence[Marked], *, question: bool = False) -> list[Embedded]:
        ready = self._ready
        known = [Marked(text=encodable(text.text), spans=text.spans) for text in texts]
        with self._lock, self._telling("failed"):
            return self._pool(known, ready.late, question) if ready.late else self._piecewise(known)

    def _pool(self, texts: Sequence[Marked], tokenizer: Tokenizer, question: bool) -> list[Embedded]:
        model = self._ready.model
        prefix = model.prefixes[question]
        encodings = tokenizer.encode_batch([prefix + text.text for text in texts])
        hidden = model.tokens([text.text for text in texts], question=question) or []
        found = []
        for text, encoding, vectors in zip(texts, encodings, hidden, strict=True):
            ends = _ends(encoding, len(vectors)) - len(prefix)
            found.append(self._unit(model.project(_means(vectors, ends, text.spans))))
        return [Embedded(vector=rows[0], spans=rows[1:]) for rows in found]

    def _piecewise(self, texts: Sequence[Marked]) -> list[Embedded]:
        pieces = [[text.text, *(text.text[a:b] if text.text[a:b].strip() else text.text for a, b in text.spans)]
                  for text in texts]
        different = sorted(set(chain.from_iterable(pieces)), key=len)
        rows = dict(zip(different, self._unit(self._ready.model.vectors(different, question=False)), strict=True))
        return [Embedded(vector=rows[first], spans=np.array([rows[piece] for piece in spans], np.float32).reshape(
            len(spans), self._ready.dimension)) for first, *spans in pieces]

    def _unit(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(norms) & (norms > 0)).all():
            raise EmbedderError(f'The embedder "{self._name}" gives vectors without a direction; see that its files '
                                "are whole, or use the local embedder.")
        unit: NDArray[np.float32] = (vectors / norms).astype(np.float32)
        return unit

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except VouchError:
            raise
        except Exception as error:  # a foreign model may raise anything
            code = "trust_remote_code" in str(error)
            raise EmbedderError(
                f'The embedder "{self._name}" {what} ({type(error).__name__}); '
                + ("it needs code of its own to be run, which Vouch does not do: name another." if code else
                   "see that its files are whole and that your machine can carry it, or use the local embedder.")
            ) from error


def _try(model: Model) -> _Tried:
    """Ask the model about a short text: how long is its vector, and is it the mean over the tokens?"""
    late = model.tokenizer
    for question in (False, True):
        vector = model.vectors([_PROBE], question=question)[0]
        tokens = model.tokens([_PROBE], question=question)
        if late is None or tokens is None or len(late.encode(model.prefixes[question] + _PROBE)) != len(tokens[0]):
            late = None
            continue
        mean = model.project(tokens[0].mean(axis=0, keepdims=True))[0]
        if mean.shape != vector.shape or mean @ vector < 0.9999 * np.linalg.norm(mean) * np.linalg.norm(vector):
            late = None
    return _Tried(model=model, dimension=len(vector), late=late)


def _ends(encoding: Encoding, read: int) -> NDArray[np.int64]:
    """Where each token's last character stands, -1 for special ones; of a text cut to ``read`` tokens those kept."""
    ends = np.array([end - 1 if end > start and not special else -1 for (start, end), special
                     in zip(encoding.offsets, encoding.special_tokens_mask, strict=True)], np.int64)
    closing = next((at for at, special in enumerate(reversed(encoding.special_tokens_mask)) if not special), 0)
    return np.concatenate([ends[:read - closing], ends[len(ends) - closing:]])


def _means(hidden: NDArray[np.float32], ends: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.float32]:
    """Means over all tokens and over each span's, (1 + n, h); over all for a span without one."""
    bounds = np.array(spans, np.int64).reshape(-1, 2)
    inside = (ends >= bounds[:, :1]) & (ends < bounds[:, 1:])
    inside[~inside.any(axis=1)] = True
    chosen = np.vstack([np.ones((1, len(ends)), np.float32), inside.astype(np.float32)])
    means: NDArray[np.float32] = chosen @ hidden / chosen.sum(axis=1, keepdims=True)
    return means
