"""Labels, quotes and verdicts: what a text says for a sentence. Pure; vectors are arguments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag import agree
from rag.edits import edits
from rag.polarity import Reading, opposed, read
from rag.quantities import differing
from rag.schema import Support, Verdict
from rag.signs import Match, Rarity, Signs, accord, likenesses, probability
from rag.text import Span, content_stems, words

# A statement is supported that is as probable as that, and weakly supported above half of it; the fit sets its scale.
_SUPPORTED = 0.5
_WEAK = 0.25

# A sentence that holds so much of a statement speaks of the same thing.
_CLOSE = 0.5

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
        words: one for each of its content words, (m, d), read in its context; None where they were not read.
    """

    text: str
    spans: tuple[Span, ...]
    vectors: NDArray[np.float32]
    title: str = ""
    words: NDArray[np.float32] | None = None

    @cached_property
    def stems(self) -> tuple[frozenset[str], ...]:
        """Content stems of each sentence."""
        return tuple(frozenset(content_stems(self.text[start:end])) for start, end in self.spans)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Which way each sentence points."""
        return tuple(read(self.text[start:end]) for start, end in self.spans)

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
            # Closing punctuation belongs to the quote where the quote has it too; "41%." has the per cent sign.
            closing = quote[quote.rfind(next(c for c in reversed(quote) if c.isalnum())) + 1:]
            while end < len(source.text) and source.text[end] in ".!?)\"'”’%" and source.text[end] in closing:
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


def verify(statement: str, vector: NDArray[np.float32], source: Grounds, rarity: Rarity = lambda _: 1.0,
           own: NDArray[np.float32] | None = None) -> Support:
    """What the source says for the statement: the verdict, how sure it is, and the words it rests on.

    Verbatim words are supported. Else the statement rests on the sentence, or the two neighbours, that cover its
    content words and are most like it. The score is the probability, by `rag.signs`, that the text supports it. A
    number, a name or a clause that the text does not hold makes it unsupported whatever the score; so does a word
    that says more than it; a denial or a direction against what it rests on makes it contradicted.

    Args:
        statement: one sentence.
        vector: its embedding, (d,), L2-normalised.
        source: the text to check against.
        rarity: weight of a content stem.
        own: vectors of the statement's content words, (n, d), read in their context; used where the source has its
            own.
    """
    verbatim = quoted(statement, source)
    if verbatim is not None or not source.spans:
        return verbatim or Support(verdict="unsupported", score=0.0)
    rested = rest(statement, vector, source, rarity, own)
    start, end = rested.span
    score = probability(rested.signs)
    return Support(verdict=_verdict(rested, score), score=round(score, 4),
                   quote=source.text[start:end], start=start, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """The words that a statement rests on, the signs that they support it, and what forbids to say so.

    Attributes:
        opposed: it says the opposite of them.
        added: it has a number, a name or a stronger word that they have not.
        foreign: it has a name that the whole text has not, denies the text or is no prose.
    """

    span: Span
    signs: Signs
    opposed: bool
    added: bool
    foreign: bool


def rest(statement: str, vector: NDArray[np.float32], source: Grounds, rarity: Rarity = lambda _: 1.0,
         own: NDArray[np.float32] | None = None) -> Rested:
    """Finds the words of a source, which has some, that a statement rests on; the arguments are those of `verify`."""
    match = Match(statement, source.stems, frozenset(content_stems(source.title)), rarity)
    likeness, nearness = likenesses(vector, source.vectors)
    best, best_score = (0, 0), -1.0
    for first in range(len(source.spans)):
        for last in (first, min(first + 1, len(source.spans) - 1)):
            # The second sentence must earn its place, so that quotes stay short.
            score = match.covered(first, last) + float(likeness[first:last + 1].max()) - 0.05 * (last - first)
            if score > best_score:
                best, best_score = (first, last), score
    first, last = best
    span = source.spans[first][0], source.spans[last][1]
    # Of two sentences, the one that says it is the one that may deny it.
    core = max(range(first, last + 1), key=lambda at: match.covered(at, at))
    said = source.text[slice(*source.spans[core])]
    paper = f"{source.title}\n{source.text}"
    changes = edits(statement, said)
    # What a copy says is held against the words copied, what is said freely against the whole paper.
    against = opposed(statement, said, source.readings, changes or ())
    beside = source.text[slice(*span)] if changes is not None else paper
    names = len(agree.unknown_names(statement, paper)) + agree.renamed(changes or ())
    added = differing(statement, beside) + agree.strengthens(statement, beside, changes or ())
    least, most = match.clauses
    # Where little of it is said there, a word that points the other way may speak of something else.
    close = changes is not None or match.covered(core, core) >= _CLOSE
    return Rested(
        span=span, opposed=against > 0 and close, added=added > 0, foreign=names > 0 or agree.invents(statement, paper),
        signs=Signs(likeness=float(likeness.max()), nearness=nearness, covered=match.covered(first, last),
                    held=match.covered(0, len(source.spans) - 1), lost=match.lost, clause=least, uneven=most - least,
                    against=min(against, 2), added=min(added + names, 2),
                    accord=None if own is None or source.words is None else accord(
                        statement, own, source.words, rarity)))


def _verdict(rested: Rested, score: float) -> Verdict:
    """The score's verdict, lowered by whatever the statement adds to the words it rests on."""
    if rested.foreign or score < _WEAK:
        return "unsupported"
    if rested.opposed:
        return "contradicted"
    if rested.added:
        return "unsupported"
    return "supported" if score >= _SUPPORTED else "weak"


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
