"""Labels, quotes and verdicts: what a text says for a sentence. Pure; vectors are arguments."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag.checker import agree
from rag.checker.edits import edits
from rag.checker.leaning import leaning
from rag.checker.polarity import Reading, opposed, read
from rag.checker.quantities import differing
from rag.checker.signs import Match, Rarity, Signs, accord, likenesses, odds
from rag.schema import Paper, Support, Verdict
from rag.tables import Passage
from rag.text import Span, content_stems, words

# A statement is supported that is as probable as that, weakly supported one that is nearly so; the fit sets the scale.
_SUPPORTED, _WEAK = 0.5, 0.35
# What each word against a statement, and each that it adds, takes from its log-odds, and what forbids to call it
# supported takes besides. By hand: a fit on corrupted copies would take far more, and what people write is no copy.
_AGAINST, _ADDED, _FORBIDDEN = 2.5, 1.5, 3.0
# What leaning adds to them, and how it is seen: in so many sentences, each the less the less it is like the statement,
# and one that only asks less still.
_LEANS, _LEANING, _NEARER, _ASKED = 2.0, 4, 4.0, 0.6
# Where log-odds level off: a copy with a word changed is no surer than a fair rendering.
_SURE = 4.0
# A sentence that holds so much of a statement speaks of the same thing.
_CLOSE = 0.6
# A clause of which so little is said is a stray one beside another of which so much is.
_STRAY, _KEPT = 0.4, 0.85
# What a second sentence must add to be quoted too.
_SECOND = 0.05

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


def grounds(paper: Paper, passages: Sequence[Passage]) -> Grounds:
    """A paper's abstract to check against, with the sentence vectors of all its passages, in order."""
    return Grounds(text=paper.abstract, title=paper.title or "",
                   spans=tuple(span for passage in passages for span in passage.sentences),
                   vectors=np.concatenate([passage.sentence_vectors for passage in passages]))


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
    content words and are most like it. The score is the probability, by `rag.checker.signs`, that the text supports
    it. A number, a name or a clause that the text does not hold makes it unsupported whatever the score; so does a word
    that says more than it; a denial, a direction or an order against what it rests on makes it contradicted. Such
    words lower the score too.

    Args:
        statement: one sentence.
        vector: its embedding, (d,), L2-normalised.
        source: the text to check against.
        rarity: weight of a content stem.
        own: vectors of the statement's content words, (n, d), read in their context; used where the source has its
            own.
    """
    verbatim = quoted(statement, source)
    # A word or two state nothing.
    if verbatim is not None or not source.spans or len(words(statement)) < _QUOTABLE:
        return verbatim or Support(verdict="unsupported", score=0.0)
    rested = rest(statement, vector, source, rarity, own)
    start, end = rested.span
    # Its lean is too unsure to judge a single sentence by.
    said = rested.chance(leaning=False)
    verdict: Verdict = "supported" if said >= _SUPPORTED else "weak" if said >= _WEAK else "unsupported"
    if rested.forbidden:
        near = not rested.foreign and rested.chance(leaning=False, against=False) >= _WEAK
        verdict = "contradicted" if rested.opposed and near else "unsupported"
    return Support(verdict=verdict, score=round(rested.chance(), 4), quote=source.text[start:end],
                   start=start, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rested:
    """The words that a statement rests on, the signs that they say it, and what speaks against it.

    Attributes:
        lean: how far the sentences most like it lean its way, about -1..1; 0 for a copy.
        against: how often it says the opposite of them, or what may be.
        added: how many numbers, names and stronger words it has that they, or the paper, have not.
        opposed: it says the opposite.
        stronger: it has a number or a stronger word of its own.
        foreign: a name or a clause of its own; or it denies the text, or is no prose.
    """

    span: Span
    signs: Signs
    lean: float
    against: int
    added: int
    opposed: bool
    stronger: bool
    foreign: bool

    @property
    def forbidden(self) -> bool:
        """Whether it may not be called supported, however alike it is."""
        return self.opposed or self.stronger or self.foreign

    def chance(self, *, leaning: bool = True, against: bool = True,
               weights: Mapping[str, float] | None = None) -> float:
        """How sure it is that the text supports the statement, 0..1.

        Args:
            leaning: whether its lean counts.
            against: whether what speaks against it counts.
            weights: of the signs; None for the fitted ones.
        """
        found = _SURE * math.tanh(odds(self.signs, weights) / _SURE) + _LEANS * self.lean * leaning
        if against:
            found -= _AGAINST * min(self.against, 2) + _ADDED * min(self.added, 2) + _FORBIDDEN * self.forbidden
        return 1.0 / (1.0 + math.exp(-found))


def rest(statement: str, vector: NDArray[np.float32], source: Grounds, rarity: Rarity = lambda _: 1.0,
         own: NDArray[np.float32] | None = None) -> Rested:
    """Finds the words of a source, which has some, that a statement rests on; the arguments are those of `verify`."""
    match = Match(statement, source.stems, frozenset(content_stems(source.title)), rarity)
    likeness, nearness = likenesses(vector, source.vectors)
    # Two neighbours must earn the second's place, so that quotes stay short.
    single, double = match.windows
    single, double = single + likeness, double + np.maximum(likeness[:-1], likeness[1:]) - _SECOND
    first = last = int(single.argmax())
    if len(double) and double.max() > single.max():
        first, last = int(double.argmax()), int(double.argmax()) + 1
    span = source.spans[first][0], source.spans[last][1]
    # Of two sentences, the one that says it is the one that it may be a copy of.
    core = first + int(match.windows[0][first:last + 1].argmax())
    changes = edits(statement, source.text[slice(*source.spans[core])])
    if changes is None:
        # What it may contradict is what the paper asserts.
        asserted = [at for at, reading in enumerate(source.readings) if reading.asserts] or [core]
        core = max(asserted, key=lambda at: float(single[at]))
    said = source.text[slice(*source.spans[core])]
    paper = f"{source.title}\n{source.text}"
    # What a copy says is held against the words copied, what is said freely against the whole paper.
    against = opposed(statement, said, source.readings, changes or ())
    beside = source.text[slice(*span)] if changes is not None else paper
    names = len(agree.unknown_names(statement, paper)) + agree.renamed(changes or ())
    added = differing(statement, beside, copied=changes is not None) + agree.strengthens(statement, beside, changes)
    # Where little of it is said there, a word that points the other way may speak of something else.
    close = changes is not None or match.covered(core, core) >= _CLOSE
    least, most = match.clauses
    return Rested(
        span=span, lean=_lean(statement, likeness, source) if changes is None else 0.0, against=against,
        added=added + names, opposed=against > 0 and close, stronger=added > 0,
        foreign=names > 0 or (least < _STRAY and most >= _KEPT) or agree.invents(statement, paper)
        or (changes is None and agree.scattered(statement, paper)),
        signs=Signs(likeness=float(likeness.max()), nearness=nearness, covered=match.covered(first, last),
                    held=match.covered(0, len(source.spans) - 1), lost=match.lost,
                    accord=None if own is None or source.words is None else accord(
                        statement, own, source.words, rarity)))


def _lean(statement: str, likeness: NDArray[np.float32], source: Grounds) -> float:
    """How far the sentences most like a statement lean its way: the most for it, less the most against it."""
    nearest = np.argsort(-likeness)[:_LEANING]
    weights = np.exp(_NEARER * (likeness[nearest] - likeness.max()))
    leans = [float(weight) * (1.0 if source.readings[at].asserts else _ASKED)
             * leaning(statement, source.text[slice(*source.spans[at])])
             for at, weight in zip(nearest, weights, strict=True)]
    return max(0.0, *leans) + min(0.0, *leans)


# All that a sentence may say that cites nothing: how many papers there are, and words that lead from one to the next.
_FRAME = re.compile(
    r"(?:(?:however|overall|in (?:short|summary)|together|here),? )?"
    r"(?:these|the following|several|both|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) "
    r"(?:(?:other|more|further|of the) )?(?:papers?|stud(?:y|ies)|works?|articles?|abstracts?)"
    r"(?: in the library| below)? "
    r"(?:address(?:es)?|discuss(?:es)?|concerns?|treats?|covers?|deals? with|bears? on|touch(?:es)? on|"
    r"(?:is|are) (?:relevant to|about)|comes? close(?:st)?(?: to)?)(?: (?:this|it|the|your|that))?"
    r"(?: (?:topic|question|subject|point|issue|matter))?(?: directly)?[.:,]?"
    r"|(?:one|two|three|four|five) papers? points? to (?:yes|no)(?:, (?:one|two|three|four|five) to no)?[.:]?"
    r"|(?:others come close|here is what (?:they|it) says?|however|by contrast|in contrast|in summary|in short|overall|"
    r"similarly|together|taken together|in detail)[.:,]?",
    re.IGNORECASE)


def is_frame(statement: str) -> bool:
    """Whether a sentence only connects others and claims nothing of a paper ("Three papers address this.").

    What number it states is for the caller to check.
    """
    return _FRAME.fullmatch(statement.strip()) is not None
