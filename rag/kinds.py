"""What kind of answer a question asks for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from rag.schema import AnswerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a question asks for.

    Attributes:
        kind: of answer.
        sides: what is compared, for a comparison.
    """

    kind: AnswerKind = "papers"
    sides: tuple[str, ...] = ()


def understand(question: str) -> Asks:
    """The kind of answer that a question asks for."""
    del question
    return Asks()
