"""Which way a sentence leans on what a claim says. Pure.

A sentence is read clause by clause: which of its words go up, go down or stay, what stands near the words that say so,
and what that is compared with. Two sentences lean the same way where the same things go the same way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.checker import agree, polarity
from rag.checker.thesaurus import groups
from rag.text import content_stems, stem


def _stems(spelled: str) -> frozenset[str]:
    return frozenset(stem(word) for word in spelled.split())


_COMPARING = frozenset("than over versus vs compared relative rather instead against unlike behind".split())
# Their object is what the subject is compared with.
_BEATING = _stems("outperform surpass exceed beat outdo")
_TRAILING = _stems("underperform lag trail")
# Words that point, beside those that `rag.checker.polarity` knows.
_UP = _stems("most many much highest largest greatest strongest sooner earlier younger major substantial prevalent "
             "overestimate rival competitive enlarge elicit evoke heighten reinforce dominate dominant sustain "
             "maximize maximise accumulate accumulation expansion widespread thrive viable feasible trustworthy "
             "twice rapid rapidly synergistic synergy potentiate favourable favorable harmless benign")
_DOWN = _stems("few little seldom least lowest smallest later minority minor negligible scarce behind challenging "
               "antagonistic inverse negative deteriorate decay shortcoming weakness drawback hamper minimize minimise "
               "minimal insignificant irrelevant unlikely impossible futile useless prohibitive deleterious hazardous "
               "halt cessation scarcity inadequate interfere interference shrinkage neglect ignore erode erosion "
               "inactivate dysfunction defective slowly lesser blunt offset nullify negate vulnerable")
_NULL = re.compile(
    r"\b(?:unaffected|unchanged|unrelated|independent(?:ly)? of|regardless|irrespective|similar|same|comparable|"
    r"no (?:\w+ ){0,2}(?:associations?|effects?|differences?|changes?|correlations?|relation(?:ship)?s?|impact|"
    r"influence|benefits?|improvements?|increases?|reductions?|evidence)|"
    r"not (?:\w+ ){0,3}(?:associated|related|differ|affect(?:ed)?|influence|depend|change|significant(?:ly)?|improve|"
    r"different)|little (?:change|effect|difference))\b", re.IGNORECASE)
_RATIO = re.compile(r"\b(?:RR|OR|HR|(?:relative|hazard|odds|risk) (?:risk|ratio))s?\b[^.\d]{0,60}?(\d+[.·]\d+)")
_TOKEN = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*|[,;:.!?()](?=\s|$)")
_CLAUSE_ENDS = frozenset("; : . ! ? but while whereas although though however because that which who when where if "
                         "whether".split())
_LIST_MARKS = frozenset(", ( ) and or".split())
_ANTI = re.compile(r"anti-?([a-z]{5,})")
_NAMED_ANTI = ("antib", "antig", "antioxid", "antidep", "antici")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lean:
    """What one group of pointing words in a clause says.

    Attributes:
        sign: 1 up or simply so, -1 down or denied, 0 no change.
        points: whether any word points; else the clause only states.
        about: content stem to how near it stands to them, 0..1.
        beside: stems of what that is compared with.
    """

    sign: int
    points: bool
    about: Mapping[str, float]
    beside: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Word:
    """Where a word points (0: nowhere), the stems it stands for where it does not, and whether it denies."""

    sign: int = 0
    stems: tuple[str, ...] = ()
    denies: bool = False


def leaning(claim: str, sentence: str) -> float:
    """How far a sentence leans towards a claim: below 0 it says the opposite of the same things; about -1..1."""
    total = weight = 0.0
    for ours in leans(claim):
        whole = sum(ours.about.values()) + len(ours.beside)
        for theirs in leans(sentence):
            common = sum(near * theirs.about[word] for word, near in ours.about.items() if word in theirs.about)
            left = sum(theirs.about[word] for word in ours.beside - theirs.beside if word in theirs.about)
            right = sum(ours.about[word] for word in theirs.beside - ours.beside if word in ours.about)
            straight = len(ours.beside & theirs.beside)
            shared = (common + left + right + straight) / whole if whole else 0.0
            # Where what is compared has changed places, "more" is "less".
            turned = -1 if left and right and left + right > straight else 1
            total += shared ** 2 * _same(ours, theirs) * turned
            weight += shared ** 2
    return total / math.sqrt(weight) if weight else 0.0


def _same(ours: Lean, theirs: Lean) -> float:
    """How far two leans on the same things say the same, -1..1."""
    if not ours.points and not theirs.points:
        return 0.3
    if not theirs.points:
        return 0.0
    if not ours.sign or not theirs.sign:
        return 1.0 if ours.sign == theirs.sign else -0.5 if ours.points else 0.0
    return ours.sign * theirs.sign * (1.0 if ours.points else 0.7)


@lru_cache(maxsize=8192)
def leans(text: str) -> tuple[Lean, ...]:
    """What a sentence says goes up, goes down or stays."""
    clauses: list[list[str]] = [[]]
    for match in _TOKEN.finditer(text):
        token = match.group().casefold()
        if token in _CLAUSE_ENDS:
            clauses.append([])
        else:
            clauses[-1].append(token)
    found = [lean for clause in clauses if clause for lean in _read(clause)]
    for match in _RATIO.finditer(text):
        ratio = float(match.group(1).replace("·", "."))
        if ratio != 1.0:
            found.append(Lean(sign=1 if ratio > 1.0 else -1, points=True, beside=frozenset(),
                              about=dict.fromkeys(map(_sense, content_stems(text)), 0.5)))
    return tuple(found)


def _read(tokens: Sequence[str]) -> list[Lean]:
    """The leans of a clause."""
    read = [_word(token) for token in tokens]
    start, end, beside = _compared(tokens, read)
    chains = _chains(tokens, read, range(start, end))
    places = [at for at in range(start, end) if read[at].stems]
    null = _NULL.search(" ".join(tokens)) is not None
    if not chains:
        return [Lean(sign=0 if null else 1, points=null, beside=beside,
                     about={word: 1.0 for at in places for word in read[at].stems})]
    found = []
    for chain in chains:
        about: dict[str, float] = {}
        for side in ([at for at in reversed(places) if at < chain[0]], [at for at in places if at >= chain[0]]):
            for steps, at in enumerate(side):
                first, last = (at, chain[0]) if at < chain[0] else (chain[-1], at)
                between = sum(any(first < place < last for place in other) for other in chains if other is not chain)
                marks = sum(tokens[place] in _LIST_MARKS for place in range(first, last))
                near = 1.0 / (1.0 + 0.4 * steps) / (1 + 2 * between) / (1 + marks)
                for word in read[at].stems:
                    about[word] = max(about.get(word, 0.0), near)
        sign = math.prod(read[at].sign for at in chain)
        found.append(Lean(sign=0 if null else sign, points=True, about=about, beside=beside))
    return found


def _compared(tokens: Sequence[str], read: Sequence[_Word]) -> tuple[int, int, frozenset[str]]:
    """Where a clause without its comparison starts and ends, and the stems of what it compares with."""
    start, beside = 0, set[str]()
    if tokens[0] in _COMPARING and "," in tokens:
        start = tokens.index(",")
        beside.update(word for at in range(start) for word in read[at].stems)
    for at in range(start, len(tokens)):
        beats = stem(tokens[at]) in _BEATING | _TRAILING
        if beats or (tokens[at] in _COMPARING and any(word.sign for word in read[start:at])):
            stop = next((place for place in range(at + 1, len(tokens)) if tokens[place] in (",", "(")), len(tokens))
            beside.update(word for place in range(at + 1, stop) for word in read[place].stems)
            return start, at + 1 if beats else at, frozenset(beside)
    return start, len(tokens), frozenset(beside)


def _chains(tokens: Sequence[str], read: Sequence[_Word], among: range) -> list[list[int]]:
    """Places of the pointing words; together those that work on each other ("slows the decline", "not much higher").

    At most one content word lies between two of them, and three where the first denies.
    """
    chains: list[list[int]] = []
    for at in among:
        if not read[at].sign:
            continue
        if chains:
            last = chains[-1][-1]
            between = range(last + 1, at)
            if (not any(tokens[place] in _LIST_MARKS for place in between)
                    and sum(bool(read[place].stems) for place in between) <= (3 if read[last].denies else 1)):
                chains[-1].append(at)
                continue
        chains.append([at])
    return chains


@lru_cache(maxsize=32768)
def _word(token: str) -> _Word:
    if not token[0].isalnum():
        return _Word()
    root = stem(token)
    if root not in _DOWN and agree.negations(token):
        return _Word(sign=-1, denies=True)
    anti = _ANTI.fullmatch(token)
    if anti and not token.startswith(_NAMED_ANTI):
        return _Word(sign=-1, stems=tuple(map(_sense, content_stems(anti.group(1)))))
    if root in _UP | _BEATING:
        return _Word(sign=1)
    if root in _DOWN | _TRAILING:
        return _Word(sign=-1)
    pointers = polarity.read(token).pointers
    if pointers and abs(pointers[0].sign) == 1:
        return _Word(sign=pointers[0].sign)
    return _Word(stems=tuple(map(_sense, content_stems(token))))


def _sense(word: str) -> str:
    """One name for all stems that say the same."""
    same = groups(word)
    return f"={min(same)}" if same else word
