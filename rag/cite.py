"""Labels, quotes and verdicts: what a text says for a sentence. Pure; vectors are arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag import agree
from rag.schema import Support, Verdict
from rag.text import Span, content_stems, words

Rarity = Callable[[str], float]

# A statement is supported where the text covers most of its weighty words and means nearly the same; weak where it
# covers about half. Set by reading pairs of statements and abstracts, not by fitting.
_SUPPORTED = 0.62
_WEAK = 0.42

# A word or two may stand anywhere; they quote nothing.
_QUOTABLE = 3


@dataclass(frozen=True)
class Grounds:
    """A text that statements are checked against.

    Attributes:
        text: what quotes are cut from.
        spans: its sentences.
        vectors: one for each sentence, (len(spans), d), L2-normalised.
        title: the paper's, whose words a statement may use freely.
    """

    text: str
    spans: tuple[Span, ...]
    vectors: NDArray[np.float32]
    title: str = ""

    @cached_property
    def stems(self) -> tuple[frozenset[str], ...]:
        """Content stems of each sentence."""
        return tuple(frozenset(content_stems(self.text[start:end])) for start, end in self.spans)

    @cached_property
    def letters(self) -> tuple[str, tuple[int, ...]]:
        """The text's letters and digits, folded in case, and the place of each in the text."""
        kept = [(folded, at) for at, c in enumerate(self.text) for folded in c.casefold() if folded.isalnum()]
        return "".join(c for c, _ in kept), tuple(at for _, at in kept)


def locate(quote: str, source: Grounds) -> Span | None:
    """Where the quote stands in the text: exactly, else by its letters and digits alone; None where it does not.

    A quote must begin and end where words of the text do.
    """
    at = source.text.find(quote)
    if quote and at >= 0 and _whole(source.text, at, at + len(quote)):
        return at, at + len(quote)
    wanted = "".join(folded for c in quote for folded in c.casefold() if folded.isalnum())
    folded, places = source.letters
    at = folded.find(wanted) if wanted else -1
    while at >= 0:
        start, end = places[at], places[at + len(wanted) - 1] + 1
        if _whole(source.text, start, end):
            # Closing punctuation belongs to the quote where the quote has it too.
            while end < len(source.text) and source.text[end] in ".!?)\"'”’" and quote.rstrip().endswith(
                    source.text[end]):
                end += 1
            return start, end
        at = folded.find(wanted, at + 1)
    return None


def _whole(text: str, start: int, end: int) -> bool:
    inside_left = start > 0 and text[start - 1].isalnum() and text[start].isalnum()
    inside_right = end < len(text) and text[end - 1].isalnum() and text[end].isalnum()
    return not (inside_left or inside_right)


def quoted(statement: str, source: Grounds) -> Support | None:
    """Full support where the statement is the source's own words; None where it is not, or is under three words."""
    span = locate(statement.strip(), source) if len(words(statement)) >= _QUOTABLE else None
    if span is None:
        return None
    start, end = span
    quote = source.text[start:end]
    sentence = next((first for first, last in reversed(source.spans) if first <= start), start)
    if agree.numbers(quote) != agree.numbers(statement) or agree.negations(source.text[sentence:start]):
        # The same letters, but not the same number; or words from behind a "not".
        return None
    return Support(verdict="supported", score=1.0, quote=quote, start=start, end=end)


def verify(statement: str, vector: NDArray[np.float32], source: Grounds, rarity: Rarity = lambda _: 1.0) -> Support:
    """What the source says for the statement: the verdict, its score and the words it rests on.

    Verbatim words are supported. Else the best sentence, or two neighbours, must cover the statement's content words
    (weighted by rarity; the title's words count as said everywhere) and be near in meaning; each of its numbers must
    stand there; and negation and direction must agree, or the verdict is "contradicted".

    Args:
        statement: one sentence.
        vector: its embedding, (d,), L2-normalised.
        source: the text to check against.
        rarity: weight of a content stem.
    """
    verbatim = quoted(statement, source)
    if verbatim is not None or not source.spans:
        return verbatim or Support(verdict="unsupported", score=0.0)
    claim = frozenset(content_stems(statement))
    titled = frozenset(content_stems(source.title))
    likeness = np.clip((source.vectors @ vector - 0.2) / 0.6, 0.0, 1.0)
    best, best_score = (0, 0), -1.0
    for first in range(len(source.spans)):
        for last in (first, first + 1):
            if last >= len(source.spans):
                continue
            covered = _coverage(claim, titled.union(*source.stems[first:last + 1]), rarity)
            # The second sentence must earn its place, so that quotes stay short.
            score = 0.5 * covered + 0.5 * float(likeness[first:last + 1].max()) - 0.05 * (last - first)
            if score > best_score:
                best, best_score = (first, last), score
    start, end = source.spans[best[0]][0], source.spans[best[1]][1]
    # Of two sentences, the one that says it is the one that may deny it.
    core = max(range(best[0], best[1] + 1), key=lambda at: _coverage(claim, source.stems[at], rarity))
    quote = source.text[start:end]
    score = min(max(best_score, 0.0), 1.0)
    verdict = _verdict(statement, quote, source.text[slice(*source.spans[core])], source, score)
    return Support(verdict=verdict, score=round(score, 4), quote=quote,
                   start=start, end=end)


def _verdict(statement: str, quote: str, core: str, source: Grounds, score: float) -> Verdict:
    """The score's verdict, lowered by whatever the statement adds to the words it rests on."""
    paper = f"{source.title}\n{source.text}"
    if score < _WEAK or agree.invents(statement, paper) or agree.strays(statement, paper):
        return "unsupported"
    if agree.opposed(statement, core):
        return "contradicted" if score >= _SUPPORTED else "unsupported"
    if not agree.counted_alike(statement, quote):
        return "unsupported"
    if agree.strengthens(statement, quote) or not agree.numbers(statement) <= agree.numbers(quote):
        return "weak"
    return "supported" if score >= _SUPPORTED else "weak"


def _coverage(claim: frozenset[str], covering: frozenset[str], rarity: Rarity) -> float:
    total = sum(rarity(word) for word in claim)
    return sum(rarity(word) for word in claim & covering) / total if total else 0.0


# All that a sentence may say that cites nothing: how many papers there are, and words that lead from one to the next.
_FRAME = re.compile(
    r"(?:(?:these|the following|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) "
    r"(?:papers?|stud(?:y|ies)|works?)(?: in the library)? "
    r"(?:address(?:es)?|discuss(?:es)?|concerns?|come closest)(?: (?:this|the|your))?(?: (?:topic|question|subject))?"
    r"|others come close|however|by contrast|in contrast|in summary|in short|overall|similarly|together)[.:,]?",
    re.IGNORECASE)


def is_frame(statement: str) -> bool:
    """Whether a sentence only connects others and claims nothing of a paper ("Three papers address this.")."""
    return _FRAME.fullmatch(statement.strip()) is not None
