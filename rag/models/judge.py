"""A second opinion on what a model wrote, by another model: whether the quote that a sentence rests on bears it out.

It sees sentence and quote and nothing else, and can only lower what the checker found.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import prompts
from rag.errors import ModelError
from rag.schema import Support, Verdict

if TYPE_CHECKING:
    from rag.llm import Model

# From the best down. A judge that calls a sentence contradicted says that nothing bears it out.
_ORDER: tuple[Verdict, ...] = ("supported", "weak", "unsupported")
_SAID: Mapping[str, Verdict] = {
    "supported": "supported", "partly": "weak", "partially": "weak", "weak": "weak", "unsupported": "unsupported",
    "not supported": "unsupported", "contradicted": "unsupported"}
_WORD = "|".join(sorted(_SAID, key=len, reverse=True))
_GIVEN = re.compile(rf'"verdict"\s*:\s*"({_WORD})\b', re.IGNORECASE)
_ALONE = re.compile(rf"\W*(?:verdict\W+)?({_WORD})(?: supported)?\W*", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Judge:
    """The second opinion in one answer. After its first failure it is asked no more.

    All that it says in one answer may take one time-out together, for the answer waits for it.

    Attributes:
        model: the one to ask.
        notice: one line on what went wrong, for the reader.
    """

    model: Model
    notice: str | None = None
    _failed: bool = False
    _took: float = 0.0

    def lower(self, text: str, support: Support) -> Support:
        """The support as the judge sees it: the same, or with a lower verdict. What it says amiss changes nothing.

        Args:
            text: the sentence.
            support: what the checker found for it. The score stays: the judge gives none.
        """
        if self._failed or support.verdict not in _ORDER[:-1]:
            return support
        prompt = prompts.load("judge").fill(quote=_line(support.quote), sentence=_line(text))
        try:
            said = self._ask(prompt)
        except ModelError as error:
            self._failed = True
            told = error if self._took < self.model.timeout else (
                f"The model {self.model.name} was given {self.model.timeout:g} s to judge the sentences, and they are "
                "over; VOUCH_TIMEOUT allows more.")
            self.notice = f"{told} The sentences stand as they were checked without it."
            return support
        found = verdict(said)
        if found is None:
            self.notice = f"The model {self.model.name} gave no verdict on a sentence, which stands as it was checked."
            return support
        return replace(support, verdict=max(support.verdict, found, key=_ORDER.index))

    def _ask(self, prompt: str) -> str:
        rest = self.model.timeout - self._took
        began = time.monotonic()
        try:
            return self.model.ask(prompt, json=True, within=rest, valid=lambda said: verdict(said) is not None)
        finally:
            self._took += time.monotonic() - began


def verdict(said: str) -> Verdict | None:
    """The one verdict that a judge's answer gives, as JSON or as a word alone; None where it gives none, or several."""
    given = {found.casefold() for found in _GIVEN.findall(said)}
    if not given and (alone := _ALONE.fullmatch(said)):
        given = {alone[1].casefold()}
    verdicts = {_SAID[word] for word in given}
    return verdicts.pop() if len(verdicts) == 1 else None


def _line(text: str) -> str:
    """On one line, so that no text can begin a line of the prompt's."""
    return " ".join(text.split())
