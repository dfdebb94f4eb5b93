"""What every embedder takes and gives: texts with marked sentences in, unit vectors out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.text import Span

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A text and the character spans of its sentences in it."""

    text: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedded:
    """Unit vectors: the text's own, (d,), and its spans', (n, d)."""

    vector: NDArray[np.float32]
    spans: NDArray[np.float32]


class Embedder(Protocol):
    """What turns text into unit vectors. Vectors of two embedders compare only if their ``identity`` is the same."""

    @property
    def identity(self) -> str:
        """Names the model and its weights; a library remembers it."""

    @property
    def dimension(self) -> int:
        """Length of a vector; a remote embedder may have to ask for one vector to know it."""

    @property
    def window(self) -> int:
        """Tokens of the longest text that is read whole, special ones included."""

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed texts with their spans, in order; ``progress`` is told how many are done so far."""

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question or a claim, (d,)."""

    def embed_question(self, question: Marked) -> Embedded:
        """A question's vector with those of its words in their context; no words' where only whole texts are read."""

    def count(self, text: str) -> int:
        """Tokens of the text, special ones not counted; estimated upward where only the server knows."""


def encodable(text: str) -> str:
    """The text with lone surrogates, which no tokenizer or server takes, replaced one for one."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", text)
