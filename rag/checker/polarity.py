"""Which way a sentence points: directions, denials and who does it to whom, and where two sentences differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.checker.directions import (
    AGAINST,
    DENYING,
    DIFFERENCE,
    EXCHANGED,
    HARMS,
    OPPOSITES,
    RELATIONS,
    SIGNS,
    UNCHANGED,
    stems,
)
from rag.checker.edits import Edit
from rag.text import content_stems, stem, words

_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|neither|none|nobody|nothing|without|cannot|lack(?:s|ed|ing)?|absence|fail(?:s|ed|ing)?|"
    r"unable|hardly|rarely|seldom|little|refute[sd]?|instead of|rather than)\b|n[’']t\b", re.IGNORECASE)
# What a sentence asks or sets out to do, it does not say.
_ASKING = re.compile(
    r"\b(?:whether|hypothes\w+|aim(?:s|ed)?|objectives?|purpose|unclear|unknown|debate[sd]?|designed to|in order to|"
    r"to (?:determine|investigate|evaluate|assess|examine|study|test|compare|clarify|explore)|"
    r"(?:we|were|was|been|have|has) (?:also )?"
    r"(?:examined?|investigated?|evaluated?|assess(?:ed)?|stud(?:y|ied)|explored?))\b",
    re.IGNORECASE)
# How far a negation reaches, in content words; what it may pass over to reach its first; what denies the word before.
_SCOPE = 4
_PASSED = stems("true case clear clearly evidence able fully always necessarily simply yet significant "
                 "significantly any need needs substantially statistically appear appears seem seems find found show "
                 "shown observe observed")
_BACKWARD = frozenset({"nothing", "nobody", "none", "neither"})
_CLAUSE = re.compile(
    r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|while|whereas|so|because|although|though|however|yet)\b", re.IGNORECASE)
_PASSIVE = re.compile(r"\b(?:is|are|was|were|be|been|being)\b[^.]{0,20}$")
# Content words around a pointer that it may speak of, and on each side of a relation that may stand in it.
_NEAR, _SIDE = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A word that points up or down, and what it speaks of.

    Attributes:
        word: its stem.
        sign: 1 or -1, with denials before it counted in; 2 for a difference of either sign, 0 where one is denied.
        axis: "amount", "merit", or "" for a difference: more of it may be better or worse.
        about: the content stems around it.
    """

    word: str
    sign: int
    axis: str
    about: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What a negation denies first of all, and all that it may reach."""

    head: str
    reach: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a sentence says of directions.

    Attributes:
        stems: all of its content stems.
        pointers: its words that point.
        denials: its negations.
        asserts: whether it says something of its subject, and does not only ask or set out to do something.
    """

    stems: frozenset[str]
    pointers: tuple[Pointer, ...]
    denials: tuple[Denial, ...]
    asserts: bool


@lru_cache(maxsize=4096)
def read(text: str) -> Reading:
    """The sentence's pointers and denials."""
    pointers: list[Pointer] = []
    denials: list[Denial] = []
    for clause in _clauses(text):
        _read_clause(clause, pointers, denials)
    return Reading(stems=frozenset(content_stems(text)), pointers=tuple(pointers), denials=tuple(denials),
                   asserts=_ASKING.search(text) is None)


def _clauses(text: str) -> Iterable[str]:
    return (clause for clause in _CLAUSE.split(text) if clause)


def _read_clause(clause: str, pointers: list[Pointer], denials: list[Denial]) -> None:
    tokens = [stem(word) for word in words(clause)]
    content = [token in SIGNS or bool(content_stems(token)) for token in tokens]
    places = [at for at, kept in enumerate(content) if kept]
    reached: set[int] = set()
    for match in _NEGATION.finditer(clause):
        first = len(words(clause[:match.end()]))
        behind = [at for at in places if at >= first and tokens[at] not in _PASSED]
        if match.group().casefold() in _BACKWARD and (before := [at for at in places if at < first - 1]):
            behind = [before[-1], *behind]
        if behind:
            denials.append(Denial(head=tokens[behind[0]], reach=frozenset(tokens[at] for at in behind[:_SCOPE])))
            reached.update(behind[:2])
    for at in places:
        sign, axis = SIGNS.get(tokens[at], (0, ""))
        some = tokens[at] in DIFFERENCE and not sign
        null = tokens[at] in UNCHANGED or (some and at in reached)
        if not sign and not null and not some:
            continue
        near = [place for place in places if 0 < abs(place - at) <= _NEAR]
        about = frozenset(tokens[place] for place in near if tokens[place] not in SIGNS)
        following = [tokens[place] for place in near if at < place <= at + 3]
        if axis == "merit" and any(word in HARMS for word in following):
            sign = -sign
        pointers.append(Pointer(word=tokens[at], sign=0 if null else 2 if some else -sign if at in reached else sign,
                                axis=axis,
                                about=about))


def opposed(statement: str, quote: str, paper: Sequence[Reading], changes: Sequence[Edit] = ()) -> int:
    """How often a statement says the opposite of the words it rests on.

    It denies what they say or says what they deny, points the other way, or has exchanged who does it to whom. What
    another sentence of the paper says as the statement does is not held against it, unless a word was put for another.

    Args:
        statement: one sentence.
        quote: the words it rests on.
        paper: all of its sentences, read.
        changes: what makes the statement of the quote, where it is nearly a copy.
    """
    ours, theirs = read(statement), read(quote)
    changed = sum(_denies(edit.gone) != _denies(edit.put) or _opposite(edit) for edit in changes)
    denied = _denied(ours, theirs, paper, denies=False) + _denied(theirs, ours, paper, denies=True)
    turned = _turned(ours, theirs, [pointer for reading in paper for pointer in reading.pointers])
    held = frozenset().union(*(reading.stems for reading in paper))
    return changed + denied + turned + _swapped(statement, quote) + _antonyms(ours.stems, theirs.stems, held)


def _denies(tokens: Iterable[str]) -> bool:
    return _NEGATION.search(" ".join(tokens)) is not None


def _opposite(edit: Edit) -> bool:
    """Whether a word was put for its opposite."""
    gone, put = ([stem(part) for token in tokens for part in words(token)] for tokens in (edit.gone, edit.put))
    return any(SIGNS.get(one, (0,))[0] * SIGNS.get(other, (0,))[0] < 0 or other in EXCHANGED.get(one, ())
               or any(one == prefix + other or other == prefix + one for prefix in DENYING)
               for one in gone for other in put)


def _denied(saying: Reading, denying: Reading, also: Sequence[Reading], *, denies: bool) -> int:
    """How many words the one says without denial that the other denies of the same things; not what is denied also."""
    own = frozenset(word for denial in saying.denials for word in denial.reach)
    count = 0
    for denial in denying.denials:
        rest = denial.reach - {denial.head}
        if denial.head in saying.stems - own and (not rest or rest & saying.stems):
            # Another sentence of the paper may say it as the statement does: without denial, or with.
            count += not any(reading is not denying and reading is not saying and denial.head in reading.stems
                             and (rest & saying.stems) <= reading.stems and bool(reading.denials) == denies
                             for reading in also)
    return count


def _turned(ours: Reading, theirs: Reading, paper: Sequence[Pointer]) -> int:
    """How many of our pointers meet an opposite one that speaks of the same, and none in the paper that agrees as far.

    What both say in the same word and the same way is put aside first.
    """
    own = [pointer for pointer in ours.pointers if not _said(pointer, theirs.pointers)]
    left = [pointer for pointer in theirs.pointers if not _said(pointer, ours.pointers)]
    turned = 0
    for pointer in own:
        agreed = max((_shared(pointer, other) for other in paper if other.sign == pointer.sign), default=0)
        here = max((_shared(pointer, other) for other in left if _against(pointer, other)), default=0)
        turned += here > agreed
    return turned


def _shared(one: Pointer, other: Pointer) -> int:
    """How many words two pointers both speak of, their own counted."""
    return len(one.about & other.about) + (one.word == other.word)


def _said(pointer: Pointer, others: Iterable[Pointer]) -> bool:
    return any(other.word == pointer.word and other.sign == pointer.sign for other in others)


def _against(one: Pointer, other: Pointer) -> bool:
    """Whether two pointers exclude each other; a difference of either sign excludes only none at all."""
    if one.sign == other.sign or (2 in (one.sign, other.sign) and 0 not in (one.sign, other.sign)):
        return False
    return 0 in (one.sign, other.sign) or one.axis == other.axis


def _antonyms(ours: frozenset[str], theirs: frozenset[str], held: frozenset[str]) -> int:
    """Words of ours of which the quote has only the opposite, and the paper nowhere the words themselves."""
    alone = ours - held
    prefixed = sum(any(word == prefix + other or other == prefix + word for prefix in DENYING)
                   for word in alone for other in theirs - ours if len(word) > 3 and len(other) > 3)
    return prefixed + sum(bool(OPPOSITES[word] & theirs - ours) for word in alone if word in OPPOSITES)


def _swapped(statement: str, quote: str) -> bool:
    """Whether what stands before a relation in the one stands behind it in the other, and the other way round."""
    theirs = _sides(quote)
    for verb, (before, behind) in _sides(statement):
        for other, (left, right) in theirs:
            if verb != other and not (verb in AGAINST and other in AGAINST):
                continue
            if SIGNS.get(verb, (1,))[0] * SIGNS.get(other, (1,))[0] < 0:
                left, right = right, left
            if (before - behind) & (right - left) and (behind - before) & (left - right):
                return True
    return False


def _sides(text: str) -> Sequence[tuple[str, tuple[frozenset[str], frozenset[str]]]]:
    """The relations of a text with the content stems before and behind them; a passive's sides are exchanged."""
    found = []
    for clause in re.split(r"[,;:.!?()]\s", text):
        for match in re.finditer(r"[A-Za-z]+", clause):
            verb = stem(match.group().casefold())
            if verb not in RELATIONS and match.group().casefold() not in ("than", "over", "from"):
                continue
            before, behind = clause[:match.start()], clause[match.end():]
            passive = re.match(r"\s+by\b", behind) and _PASSIVE.search(before)
            left, right = (frozenset(side) - SIGNS.keys() for side in (
                content_stems(before)[-_SIDE:], content_stems(behind)[:_SIDE]))
            found.append((verb, (right, left) if passive else (left, right)))
    return found
