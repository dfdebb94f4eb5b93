"""A claim and the quotes found for it, read by a language model: which side each takes. It adds nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import prompts
from rag.errors import ModelError

if TYPE_CHECKING:
    from rag.checker.stance import Side
    from rag.llm import Model

# "neither" stands for quotes that take no side.
_SAID: Mapping[str, Side | None] = {
    "supports": "for", "support": "for", "supported": "for", "contradicts": "against", "contradict": "against",
    "contradicted": "against", "neither": None, "none": None, "neutral": None}
_PAIR = re.compile(rf'"?\b(\d{{1,3}})"?\s*[:=.)\]-]+\s*"?({"|".join(_SAID)})\b', re.IGNORECASE)


def weigh(model: Model, claim: str, quotes: Sequence[str]) -> Mapping[int, Side | None]:
    """Which side each quote takes in the model's eyes, by its place in the sequence; what it leaves out is missing.

    Raises:
        ModelError: the model failed, or said nothing of any quote.
    """
    numbered = "\n".join(f"{number}. {' '.join(quote.split())}" for number, quote in enumerate(quotes, 1))
    said = model.ask(prompts.load("claim").fill(claim=" ".join(claim.split()), quotes=numbered), json=True,
                     valid=lambda said: bool(sides(said)))
    read = {number - 1: side for number, side in sides(said).items() if 1 <= number <= len(quotes)}
    if not read:
        raise ModelError(f"The model {model.name} did not say which side any quote takes.")
    return read


def sides(said: str) -> Mapping[int, Side | None]:
    """What a model's answer says of each number, wherever it stands; of a number it calls two things, nothing."""
    found: dict[int, Side | None] = {}
    twice: set[int] = set()
    for number, word in _PAIR.findall(said) or _listed(said):
        side = _SAID[word.casefold()]
        if found.setdefault(int(number), side) != side:
            twice.add(int(number))
    return {number: side for number, side in found.items() if number not in twice}


def _listed(said: str) -> list[tuple[str, str]]:
    """A bare list of words in JSON, numbered from 1."""
    start = said.find("[")
    try:
        listed, _ = json.JSONDecoder().raw_decode(said, start) if start >= 0 else ([], 0)
    except (ValueError, RecursionError):
        return []
    return [(str(number), word) for number, word in enumerate(listed, 1)
            if isinstance(word, str) and word.casefold() in _SAID]
