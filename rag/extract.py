"""The extractive engine: an answer in the papers' own words. Pure; it needs no model."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.candidates import Candidate, candidates, odds
from rag.checker import polarity
from rag.drafted import Drafted
from rag.kinds import Asks
from rag.retrieve import Found, Retrieved
from rag.text import content_stems, spelled

Embed = Callable[[str], NDArray[np.float32]]

# A question for one fact gets at most so many sentences, so many of one paper, and none so much less likely than the
# best; from so likely a best, the others only come close.
_FACTS, _OF_ONE, _FAINT = 8, 3, 0.02
_CLEAR, _HEARD = 0.5, 3
# Sentences with vectors so alike that have so much of the shorter one's words in common say much the same; those that
# have so much of both in common, and point opposite ways, differ. Of looser pairs few are what a reader calls a
# contradiction, and a line of ours must not make one up.
_ALIKE, _SHARED, _SAME = 0.76, 0.45, 0.5
# A comparison gives each side at most so many sentences, and all together so many, better such as weigh one against the
# other. A side that is not named may be meant, where a sentence comes so near it, and so much nearer than any other.
_OF_SIDE, _OF_BOTH = 3, 3
_MEANT, _AHEAD = 0.35, 0.1
_WEIGHED = 0.1
_WEIGHING = re.compile(
    r"\b(?:than|versus|vs|whereas|while|unlike|compar(?:e[ds]?|ing|able|ison)|outperform\w*|better|worse|superior|"
    r"inferior|similar|differ\w*|trade-?offs?|beat|surpass\w*|rival|instead of|rather)\b", re.IGNORECASE)
# Sentences that say what a thing is, at most; they open with it.
_DEFINED = 2
_DEFINING = re.compile(
    r"^(.{3,90}?)\s(?:\([^()]*\)\s)?(?:is|are|was|(?:has|have) (?:become|emerged as)|refers? to|aims? (?:to|at)|seeks?|"
    r"enables?|allows?|describes?|involves?|concerns|stands for|means?)\s", re.IGNORECASE)
_OURS = re.compile(r"\b(?:we|our|this|that|which|existing|previous|most|many|while|although|despite|if|when|as)\b",
                   re.IGNORECASE)
_SURVEY = re.compile(r"\b(?:surveys?|reviews?|overview|tutorial|introduction to|primer|taxonomy|challenges and|"
                     r"best practices|perspectives?)\b", re.IGNORECASE)


def draft(retrieved: Retrieved, evidence: Mapping[str, Found], sure: Collection[str], asks: Asks,
          embed: Embed) -> Iterator[Drafted]:
    """The answer's sentences, verbatim, each with the label of its paper, between lines that claim nothing.

    For a subject: how many papers address it, those that say alike or differ together, then each one's best sentence
    in order of relevance, and apart from them those that only come close. For a fact: the sentences most likely to hold
    it, its phrase marked. For a comparison: the best on each side. For an overview: what the thing is, surveys,
    findings. No sentence comes twice.

    Args:
        retrieved: the question with its vector.
        evidence: label to relevant paper, most relevant first; at least one.
        sure: labels of the papers that may be said to address the question.
        asks: what kind of answer is wanted.
        embed: gives the vector of a side of a comparison.
    """
    found = list(candidates(retrieved, evidence, asks))
    if asks.kind == "fact":
        yield from _fact(found)
        return
    told: Iterable[Drafted] = ()
    if asks.kind == "comparison":
        told = list(_compared(found, asks.sides, embed))
    elif asks.kind == "overview":
        told = _overview(found, evidence, sure, frozenset(retrieved.frequencies))
    yield from told or _papers(found, sure)


# ---- one fact


def _fact(found: Sequence[Candidate]) -> Iterator[Drafted]:
    # What lacks a phrase of the type asked for does not answer, where others have one.
    found = [one for one in found if one.signs.fit] or found
    likely = odds(found)
    ordered = [found[at] for at in np.argsort(-likely, kind="stable") if likely[at] >= _FAINT * likely.max()]
    chosen: list[Candidate] = []
    if likely.max() < _CLEAR:
        # Where no sentence stands out, the papers found first are each heard.
        for label in list(dict.fromkeys(one.label for one in found))[:_HEARD]:
            chosen += [one for one in ordered if one.label == label][:1]
    for one in ordered:
        if len(chosen) < _FACTS and _new(one, chosen):
            chosen.append(one)
    chosen.sort(key=ordered.index)
    for number, candidate in enumerate(chosen):
        if number == 1 and likely.max() >= _CLEAR:
            yield _frame("Others come close.")
        yield _quote(candidate, marked=True)


def _new(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    """Whether nothing chosen holds the sentence already, and its paper has not had its share."""
    same = [other for other in chosen if other.label == candidate.label]
    return len(same) < _OF_ONE and not any(
        other.start < candidate.end and candidate.start < other.end for other in same)


# ---- papers on a subject


def _papers(found: Iterable[Candidate], sure: Collection[str], noun: str = "paper") -> Iterator[Drafted]:
    best: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.label not in best or candidate.telling > best[candidate.label].telling:
            best[candidate.label] = candidate
    addressing = [candidate for label, candidate in best.items() if label in sure]
    close = [candidate for label, candidate in best.items() if label not in sure]
    if addressing:
        yield _frame(f"{_counted(len(addressing), noun)} this.")
        yield from _grouped(addressing, noun)
    if close:
        yield _frame("Others come close." if addressing else "These papers come closest.")
        yield from map(_quote, close)


def _grouped(told: Sequence[Candidate], noun: str) -> Iterator[Drafted]:
    """What differs and what is much the same together, under a line that says so; then the rest."""
    left = list(told)
    for alike, line in ((_differs, "{} of them differ."), (_agrees, "{} of them say much the same.")):
        for one in told:
            group = [other for other in left if other is one or (one in left and alike(one, other))]
            if one in group and len(group) > 1:
                group = group[:2] if alike is _differs else group
                left = [other for other in left if other not in group]
                yield _frame(line.format(spelled(len(group)).capitalize()))
                yield from map(_quote, group)
    if left and len(left) < len(told):
        yield _frame(f"{_counted(len(left), f'other {noun}')} this.")
    yield from map(_quote, left)


def _agrees(one: Candidate, other: Candidate) -> bool:
    words, others = frozenset(content_stems(one.alone)), frozenset(content_stems(other.alone))
    shared = len(words & others) / max(1, min(len(words), len(others)))
    return float(one.vector @ other.vector) >= _ALIKE and shared >= _SHARED and not _differs(one, other)


def _differs(one: Candidate, other: Candidate) -> bool:
    words, others = frozenset(content_stems(one.alone)), frozenset(content_stems(other.alone))
    return (float(one.vector @ other.vector) >= _ALIKE and len(words & others) >= _SAME * len(words | others)
            and polarity.opposed(one.alone, other.alone, ()) > 0)


# ---- sides of a comparison


def _compared(found: Sequence[Candidate], sides: Sequence[str], embed: Embed) -> Iterator[Drafted]:
    """The best sentences on several sides together, then on each; none where only one side is spoken of."""
    stems = [frozenset(content_stems(side)) for side in sides]
    named = np.array([[_names(candidate.alone, at, stems) for at in range(len(sides))] for candidate in found])
    near = np.stack([candidate.vector for candidate in found]) @ np.stack([embed(side) for side in sides]).T
    telling = np.array([candidate.telling + _WEIGHED * (_WEIGHING.search(candidate.alone) is not None)
                        for candidate in found])
    told: list[Candidate] = []

    def best(worth: NDArray[np.float64], fits: NDArray[np.bool_], most: int) -> list[Candidate]:
        chosen: list[Candidate] = []
        for at in np.argsort(-worth, kind="stable"):
            if fits[at] and len(chosen) < most and _new(found[at], told):
                chosen.append(found[at])
                told.append(found[at])
        return chosen

    several = named.sum(axis=1) > 1
    together = best(telling, several, _OF_BOTH)
    alone = ~several & np.array([not candidate.aside for candidate in found])
    parts = []
    for side in range(len(sides)):
        ahead = near[:, side] - np.delete(near, side, axis=1).max(axis=1)
        meant = named[:, side] | ((ahead >= _AHEAD) & (near[:, side] >= _MEANT))
        parts.append(best(telling + _WEIGHED * ahead / _AHEAD, alone & meant, _OF_SIDE))
    if together or sum(map(bool, parts)) > 1:
        yield from map(_quote, together)
        for name, part in zip(sides, parts, strict=True):
            yield from (_quote(candidate, side=name) for candidate in part)


def _names(sentence: str, side: int, stems: Sequence[frozenset[str]]) -> bool:
    """Whether a sentence names a side: by all of the words that are its own, or most where they are many.

    Where a side has no word of its own ("supervised", beside "self-supervised"), words of the other's do not count.
    """
    others = frozenset().union(*(these for at, these in enumerate(stems) if at != side))
    # A letter ("best-of-n") names nothing that another sentence may not be about.
    own = frozenset(stem for stem in stems[side] - others if len(stem) > 1)
    if not own:
        own, theirs = stems[side], others - stems[side]
        sentence = " ".join(token for token in sentence.split() if theirs.isdisjoint(content_stems(token)))
    return len(own & frozenset(content_stems(sentence))) >= min(len(own), max(2, (len(own) + 1) // 2))


# ---- an overview


def _overview(found: Sequence[Candidate], evidence: Mapping[str, Found], sure: Collection[str],
              subject: Collection[str]) -> Iterator[Drafted]:
    """What the thing is, the surveys of it, and what the other papers found."""
    defining = sorted((candidate for candidate in found if candidate.label in sure and _defines(candidate, subject)),
                      key=lambda candidate: -candidate.signs.near)
    first = list({candidate.label: candidate for candidate in reversed(defining[:_DEFINED])}.values())[::-1]
    yield from map(_quote, first)
    rest = [candidate for candidate in found if candidate not in first]
    surveys = [label for label in sure if _SURVEY.search(evidence[label].hit.paper.title or "")]
    said = [one for one in rest if one.label in surveys]
    # A survey says in its own words what it covers.
    covering = [one for one in said if _SURVEY.search(one.alone)]
    yield from _papers([*covering, *(one for one in said if one.label not in {it.label for it in covering})], surveys,
                       "survey")
    yield from _papers([one for one in rest if one.label not in surveys], sure, "other paper" if surveys else "paper")


def _defines(candidate: Candidate, subject: Collection[str]) -> bool:
    """Whether it opens with the subject and says what that is or does."""
    found = _DEFINING.match(candidate.alone)
    if found is None or _OURS.search(found.group(1)):
        return False
    named = frozenset(content_stems(found.group(1))) & frozenset(subject)
    return 2 * len(named) > len(subject)


# ---- sentences


def _quote(candidate: Candidate, *, marked: bool = False, side: str | None = None) -> Drafted:
    return Drafted(text=candidate.text, labels=(candidate.label,), side=side,
                   marked=candidate.marked if marked else None)


def _frame(text: str) -> Drafted:
    return Drafted(text=text, frame=True)


def _counted(number: int, noun: str) -> str:
    return f"{spelled(number).capitalize()} {f'{noun} addresses' if number == 1 else f'{noun}s address'}"
