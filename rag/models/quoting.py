"""The quotes that a model picked, found again in the papers, and its sentences led back to their papers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rag import cite
from rag.checker import agree
from rag.drafted import Drafted
from rag.models.picking import Picked
from rag.text import Span

_ALIKE = 0.2  # part of a quote's words that may differ from the paper's
_LEFT_OUT = 0.95  # what a word left out costs, on either side
_ALIGNED = 150  # words of a quote that are aligned with a paper; it takes their number times the paper's
_TELLING = 5  # words at least, by which alone a quote's paper is found
_MOST = 40  # quotes that are looked up; a model that picks more repeats itself

_CUT = re.compile(r"""\[?(?:\.\s?){3,}\]?|\[?…\]?|["“”«»\n]""")
_ANNOUNCING = re.compile(r"\bquot(?:es?|ations?)\b.{0,40}:$", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:[.,]\d+)*%?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A paper's own words: ``abstract[start:end] == text`` in the evidence of that label."""

    name: str
    label: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """The quotes that a model is to rest on, once it has picked them; those that no paper holds are left out."""

    kept: tuple[Quote, ...] = ()


def find(picked: Picked, papers: Mapping[str, str]) -> Quote | None:
    """The words that the model meant, as a paper has them; None where none does.

    They are looked for as they stand, by their letters alone, then as a close match with the same numbers and denials.
    What stands in another paper than the one named is that paper's, if it is only that one's.

    Args:
        picked: the quote.
        papers: label to abstract.
    """
    own = papers.get(picked.label, "")
    # Of words with an ellipsis or quotation marks among them, the longest run that stands counts.
    parts = sorted((part.strip() for part in _CUT.split(picked.text)), key=len, reverse=True)
    telling = [text for text in dict.fromkeys((picked.text, *parts)) if len(_WORD.findall(text)) >= _TELLING]
    for text in dict.fromkeys((picked.text, *telling)):
        if span := _stands(text, own):
            return _quote(picked, picked.label, own, span)
    for text in telling:
        others = [(label, span) for label, paper in papers.items() if (span := _stands(text, paper))]
        if len(others) == 1:
            [(label, span)] = others
            return _quote(picked, label, papers[label], span)
    return next((_quote(picked, picked.label, own, span) for text in telling if (span := align(text, own))), None)


def _quote(picked: Picked, label: str, paper: str, span: Span) -> Quote:
    start, end = span
    return Quote(name=picked.name, label=label, text=paper[start:end], start=start, end=end)


def _stands(text: str, paper: str) -> Span | None:
    """Where the text stands in the paper, if need be by its letters alone."""
    if not _WORD.search(text):
        return None
    span = cite.locate(text, cite.Grounds(text=paper, spans=(), vectors=np.empty((0, 0), np.float32)))
    # "4.1" has the letters of "41".
    return span if span and agree.numbers(text) == agree.numbers(paper[slice(*span)]) else None


def align(text: str, paper: str) -> Span | None:
    """Where the paper says nearly the same words; None where more than a fifth of them differ.

    The least edit distance, in words, between the text and any part of the paper: Sellers, "The theory and computation
    of evolutionary distances" (1980).
    """
    wanted = [match.group().casefold() for match in _WORD.finditer(text)]
    words = [(match.group().casefold(), match.span()) for match in _WORD.finditer(paper)]
    known = {word for word, _ in words}
    allowed = int(_ALIKE * len(wanted))
    if not words or not 0 < len(wanted) <= _ALIGNED or sum(word not in known for word in wanted) > allowed:
        return None
    # For each place in the paper: the cost of ending there, and where that alignment begins. A word left out costs a
    # little less than one put for another, so that no strange word stands at either end.
    row = [(0.0, place) for place in range(len(words) + 1)]
    for word in wanted:
        before, row = row, [(row[0][0] + _LEFT_OUT, 0)]
        for place, (other, _) in enumerate(words, 1):
            row.append(min((before[place - 1][0] + (word != other), before[place - 1][1]),
                           (before[place][0] + _LEFT_OUT, before[place][1]), (row[-1][0] + _LEFT_OUT, row[-1][1])))
    cost, last = min((cost, -place) for place, (cost, _) in enumerate(row))
    first, last = row[-last][1], -last
    if cost > allowed or first >= last:
        return None
    start, end = words[first][1][0], words[last - 1][1][1]
    found = paper[start:end]
    # Words may be miscopied; another number, or a denial more, is another statement.
    if (agree.numbers(text), agree.negations(text)) != (agree.numbers(found), agree.negations(found)):
        return None
    return start, end + (paper[end:end + 1] in (".", "!", "?") and text[-1] in ".!?")


@dataclass(slots=True, kw_only=True)
class Resolving:
    """From what a model calls papers and quotes to the papers meant.

    Attributes:
        papers: the caller's label to abstract.
        given: the label that the model was given to the caller's.
        found: the quotes that papers hold, each once.
    """

    papers: Mapping[str, str]
    given: Mapping[str, str] = field(default_factory=dict)
    found: list[Quote] = field(default_factory=list)
    _looked_up: int = 0

    def quotes(self, picked: Sequence[Picked]) -> Iterator[Quotes]:
        """Finds what was picked; tells of it the first time, which is when a model is done with picking."""
        first, taken = not self._looked_up, picked[:_MOST - self._looked_up]
        self._looked_up += len(taken)
        papers = {label: self.papers[label] for label in self.given.values()}
        for each in taken:
            quote = find(replace(each, label=self.given.get(each.label, "")), papers)
            if quote and quote not in self.found:
                self.found.append(quote)
        if first:
            yield Quotes(kept=tuple(self.found))

    def sentence(self, drafted: Drafted) -> Drafted:
        """The sentence with the caller's labels, those that nobody gave left out."""
        labels = (label for written in drafted.labels for label in self._meant(written))
        return replace(drafted, labels=tuple(dict.fromkeys(labels)))

    def _meant(self, written: str) -> Iterator[str]:
        # A number alone is a quote's where there are quotes.
        name = f"Q{written}" if written.isdigit() else written
        quoted = [quote.label for quote in self.found if quote.name == name]
        if quoted:
            yield from quoted
        elif label := self.given.get(f"E{written}" if written.isdigit() else written.upper()):
            yield label

    def leads(self, drafted: Drafted) -> bool:
        """Whether a sentence only announces the quotes."""
        return not drafted.labels and _ANNOUNCING.search(drafted.text) is not None

    def alone(self) -> list[Drafted]:
        """The quotes as an answer."""
        return [Drafted(text=quote.text, labels=(quote.label,)) for quote in self.found]
