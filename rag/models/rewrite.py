"""A question in other words, by a language model: the questions it is made of, and abstracts that would answer it.

The descriptions are after Ravfogel et al., "Retrieving Texts based on Abstract Descriptions". What the model writes is
searched for beside the question, never shown and never answered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import prompts
from rag.models.inert import inert, plain
from rag.text import content_stems, letters

if TYPE_CHECKING:
    from rag.llm import Model

_EACH = 3  # sub-questions at most, and descriptions
_LONGEST = 300  # characters of each: an abstract's sentence, not an abstract
_READ = 8_000  # characters of an answer that are looked at
_TRIES = 8  # brackets that may begin its JSON

_MARKED = re.compile(r"[ \t]*(?:[-*•]|\d{1,2}[.):])[ \t]+(\S.*)")


def rewrite(model: Model, question: str) -> tuple[str, ...]:
    """Further formulations to search for with the question, in one call; none where the answer holds none.

    Args:
        model: the one to ask.
        question: one that stands alone.

    Raises:
        ModelError: the model failed.
    """
    return formulations(model.ask(prompts.load("rewrite").fill(question=question), json=True), question)


def formulations(said: str, question: str) -> tuple[str, ...]:
    """What a model's answer offers to search for: at most six short texts, none of them the question itself.

    Lists in JSON are read wherever they stand in the answer; without them, lines of a list, or lines that ask.
    """
    said = said[:_READ]
    known = {letters(question)}
    kept = []
    for text in _listed(said) or _lines(said):
        tidy = _tidy(text)
        if content_stems(tidy) and letters(tidy) not in known:
            known.add(letters(tidy))
            kept.append(tidy)
    return tuple(kept[:2 * _EACH])


def _listed(said: str) -> list[object]:
    """What the first JSON object or array in the answer lists, so much of each list; empty where there is none."""
    for start in islice(re.finditer(r"[{\[]", said), _TRIES):
        try:
            found, _ = json.JSONDecoder().raw_decode(said, start.start())
        except (ValueError, RecursionError):
            continue
        lists = found.values() if isinstance(found, dict) else [found]
        if listed := [text for each in lists if isinstance(each, list) for text in islice(_flat(each), _EACH)]:
            return listed
    return []


def _flat(items: Iterable[object]) -> Iterator[object]:
    """The items; of an object, what it holds."""
    for item in items:
        yield from item.values() if isinstance(item, dict) else [item]


def _lines(said: str) -> list[str]:
    lines = said.splitlines()
    return [marked[1] for line in lines if (marked := _MARKED.fullmatch(line))] or [
        line for line in lines if line.rstrip().endswith("?")]


def _tidy(text: object) -> str:
    """The text made inert, without quotation marks around it, cut between words; empty where it is none."""
    if not isinstance(text, str):
        return ""
    tidy = inert("".join(map(plain, text[:2 * _LONGEST]))).strip(" \"'“”‘’*_`")
    return tidy if len(tidy) <= _LONGEST else tidy[:_LONGEST].rpartition(" ")[0]
