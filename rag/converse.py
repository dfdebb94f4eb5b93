"""What a follow-up question refers to, without a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.schema import Paper, Turn, Where
from rag.text import content_stems

_PLURAL = re.compile(
    r"\b(?:they|them|their|those|these|(?:that|this|the same|said) (?:paper|work|study|method|approach|article)|"
    r"the (?:former|latter))\b", re.IGNORECASE)
_SINGULAR = re.compile(r"\b(?:it|its)\b", re.IGNORECASE)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_ORDINAL = re.compile(
    rf"\b(?:the )?({'|'.join(_ORDINALS)}|last)(?: (?:one|paper|work|study))\b"
    r"(?! (?:on|to|about|that|which|in|of|for)\b)|\[(\d+)\]|#(\d+)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A question that stands alone, and the filter that its references set. ``rewritten`` None: it stood alone."""

    question: str
    rewritten: str | None = None
    where: Where | None = None


def resolve(question: str, history: Sequence[Turn], where: Where | None = None) -> Resolved:
    """Resolves "the second one" and "which of them" to the papers last shown; leaves any other question as it is."""
    shown = _shown(history)
    if not shown or (where and where.ids):
        return Resolved(question=question, where=where)
    base = where or Where()
    ordinal = _ORDINAL.search(question)
    if ordinal:
        paper = _pick(ordinal, shown)
        if paper is not None:
            return Resolved(question=question, rewritten=f"{question} (“{paper.label}”)",
                            where=replace(base, ids=(paper.id,)))
    singular = _SINGULAR.search(question)
    # In "what is pruning and why does it work?" the question itself says what "it" is.
    if _PLURAL.search(question) or (singular and not content_stems(question[:singular.start()])):
        count = "the paper" if len(shown) == 1 else f"the {len(shown)} papers"
        return Resolved(question=question, rewritten=f"{question} (among {count} of the answer before)",
                        where=replace(base, ids=tuple(paper.id for paper in shown)))
    return Resolved(question=question, where=where)


def _shown(history: Sequence[Turn]) -> tuple[Paper, ...]:
    """The papers of the last answer that cited any, in the order of their labels."""
    for turn in reversed(history):
        if turn.answer.references:
            ordered = sorted(turn.answer.references, key=lambda reference: reference.label)
            return tuple(reference.paper for reference in ordered)
    return ()


def _pick(found: re.Match[str], shown: Sequence[Paper]) -> Paper | None:
    word, *numbers = found.groups()
    if word:
        place = len(shown) if word.casefold() == "last" else _ORDINALS.index(word.casefold()) + 1
    else:
        place = int(next(number for number in numbers if number))
    return shown[place - 1] if 1 <= place <= len(shown) else None
