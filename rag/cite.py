"""Labels, quotes and verdicts: what a text says for a sentence. Pure; vectors are arguments."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag.schema import Support, Verdict
from rag.text import Span, content_stems, stem, words

Rarity = Callable[[str], float]

# A statement is supported where the text covers most of its weighty words and means nearly the same; weak where it
# covers about half. Set by reading pairs of statements and abstracts, not by fitting.
_SUPPORTED = 0.62
_WEAK = 0.42

# A word or two may stand anywhere; they quote nothing.
_QUOTABLE = 3

_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|neither|none|nobody|nothing|without|cannot|lacks?|lacking|fail(?:s|ed|ing)?|unable|hardly|"
    r"rarely)\b|n[’']t\b", re.IGNORECASE)
# How far a negation reaches, in content words.
_SCOPE = 3
_UP = frozenset(stem(word) for word in
                "improve improves increase increases higher better raise raises boost gain gains outperform "
                "outperforms exceed exceeds surpass faster more larger greater strengthen accelerate enhance rise "
                "grow".split())
_DOWN = frozenset(stem(word) for word in
                  "degrade degrades decrease decreases lower worse reduce reduces drop drops decline underperform "
                  "underperforms slower less smaller weaken hurt hurts harm harms deteriorate cut cuts shrink mitigate "
                  "prevent eliminate limit".split())
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_SPELLED = {name: str(value) for value, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve".split())}


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
    sentence = next((first for first, last in reversed(source.spans) if first <= start), start)
    if numbers(source.text[start:end]) != numbers(statement) or _negations(source.text[sentence:start]):
        # The same letters, but not the same number; or words from behind a "not".
        return None
    return Support(verdict="supported", score=1.0, quote=source.text[start:end], start=start, end=end)


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
    quote = source.text[start:end]
    score = min(max(best_score, 0.0), 1.0)
    stated = f"{source.title}\n{source.text}"
    return Support(verdict=_verdict(statement, quote, stated, score), score=round(score, 4), quote=quote,
                   start=start, end=end)


def _verdict(statement: str, quote: str, text: str, score: float) -> Verdict:
    if score < _WEAK:
        return "unsupported"
    if not numbers(statement) <= numbers(text):
        return "unsupported"
    if _opposed(statement, quote):
        return "contradicted" if score >= _SUPPORTED else "unsupported"
    if score < _SUPPORTED or not numbers(statement) <= numbers(quote):
        return "weak"
    return "supported"


def numbers(text: str) -> frozenset[str]:
    """The numbers a text states, in one spelling: "1,000" and "1000", "two" and "2" are the same."""
    digits = {match.group().replace(",", "").rstrip(".") for match in _NUMBER.finditer(text)}
    spelled = {_SPELLED[word] for word in words(text) if word in _SPELLED and word != "one"}
    return frozenset(digits | spelled)


def _coverage(claim: frozenset[str], covering: frozenset[str], rarity: Rarity) -> float:
    total = sum(rarity(word) for word in claim)
    return sum(rarity(word) for word in claim & covering) / total if total else 0.0


def _opposed(statement: str, quote: str) -> bool:
    """Whether one denies what the other says, or they point in opposite directions and in no common one."""
    ours, theirs = frozenset(content_stems(statement)), frozenset(content_stems(quote))
    we_deny, they_deny = _denied(statement), _denied(quote)
    if (they_deny & (ours - we_deny)) or (we_deny & (theirs - they_deny)):
        return True
    up, down = bool(ours & _UP), bool(ours & _DOWN)
    return (up and not down and bool(theirs & _DOWN) and not theirs & _UP) or (
        down and not up and bool(theirs & _UP) and not theirs & _DOWN)


def _negations(text: str) -> list[re.Match[str]]:
    return list(_NEGATION.finditer(text))


def _denied(text: str) -> frozenset[str]:
    """The content words that a negation reaches: the next three behind it, as far as the clause goes."""
    reached: set[str] = set()
    for match in _negations(text):
        clause = re.split(r"[,;:.!?()]|\b(?:but|and|while|whereas)\b", text[match.end():], maxsplit=1)[0]
        reached.update(content_stems(clause)[:_SCOPE])
    return frozenset(reached)


# All that a sentence may say that cites nothing: how many papers there are, and words that lead from one to the next.
_FRAME = re.compile(
    r"(?:(?:these|the following|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) "
    r"(?:papers?|stud(?:y|ies)|works?)(?: in the library)? "
    r"(?:address(?:es)?|discuss(?:es)?|concerns?|come closest)(?: (?:this|the|your))?(?: (?:topic|question|subject))?"
    r"|however|by contrast|in contrast|in summary|in short|overall|similarly|together)[.:,]?", re.IGNORECASE)


def is_frame(statement: str) -> bool:
    """Whether a sentence only connects others and claims nothing of a paper ("Three papers address this.")."""
    return _FRAME.fullmatch(statement.strip()) is not None
