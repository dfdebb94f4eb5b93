"""Headings for groups of papers: the noun phrases that set each group apart. Pure; vectors come from a callable."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.digest.phrases import Grammar, Phrase, phrases
from rag.search.acronyms import definitions, has_capitals, singular
from rag.text import content_stems, letters

Embed = Callable[[str], NDArray[np.float32]]
Shares = Callable[[Sequence[str]], Sequence[float]]

# Phrases of a group that are compared with its papers' vectors; the rest say less anyway.
_TRIED = 14
# A second phrase is put beside the first where it is worth so much of it and tells of so many other papers.
_WORTH, _OTHERS = 0.33, 0.15
# Two phrases whose vectors are so near say the same.
_SAME = 0.78
_LENGTHS = (0.65, 1.0, 1.08, 0.95)
# One word alone heads a section only where so many of its papers hold it; else it counts so much less.
_MOST_HOLD, _ALONE = 0.5, 0.35
# One of several words comes before it that is worth so much of it; beside another it must stand in so many papers.
_SEVERAL, _ACRONYM, _NEARLY_ALL = 0.3, 0.1, 0.7
_ENOUGH = 4
# Where a title's head ends, and how many words of one may head a section.
_HEAD, _WORDS = re.compile(r"[:.?!]\s"), 10
# A phrase that fewer of a section's papers hold tells little of it, and counts so much less.
_LEAST, _FEW = 0.12, 0.4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Named:
    """What papers are named by, one entry a paper.

    Attributes:
        titles: None where there is none.
        abstracts: their texts.
        vectors: (n, d), L2-normalised.
    """

    titles: Sequence[str | None]
    abstracts: Sequence[str]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Weighed:
    phrase: Phrase
    inside: frozenset[int]
    weight: float
    vector: NDArray[np.float32]


def headings(groups: Sequence[Sequence[int]], papers: Named, topic: str, grammar: Grammar,
             shares: Shares, embed: Embed, taken: Sequence[str] = ()) -> tuple[str, ...]:
    """A heading for each group, all different.

    A phrase weighs by how many of the group's papers hold it, by how much fewer of the other groups' and of the
    library's do (class-based tf-idf, Grootendorst 2022), and by how near its vector is to the group's; a heading is the
    weightiest, with a second one where that tells of other papers.

    Args:
        groups: places of the papers.
        papers: what they are named by.
        topic: what all of them are about, which sets none of them apart.
        grammar: how the library uses its words.
        shares: gives the share of the library's papers that hold each of some phrases, 0..1.
        embed: gives a phrase's vector.
        taken: headings that are in use already.
    """
    found = phrases(papers.titles, papers.abstracts, grammar)
    asked = frozenset(content_stems(topic))
    long = _long_forms(papers.abstracts)
    middle = papers.vectors.mean(axis=0)
    told: list[str] = []
    used: list[tuple[str, ...]] = []
    for group in groups:
        weighed = _weighed(frozenset(group), found, len(papers.abstracts), asked, shares,
                           embed, papers.vectors[list(group)].mean(axis=0), middle if len(groups) > 1 else 0 * middle)
        heading, keys = _composed(weighed, len(group), long, used)
        used += keys
        others = {other.casefold() for other in (*taken, *told)}
        told.append(heading if heading and heading.casefold() not in others else
                    _apart(group, weighed, long, papers, others))
    return tuple(told)


def common(papers: Named, grammar: Grammar, shares: Shares) -> list[tuple[str, frozenset[int]]]:
    """What some papers share that others do not: phrases, the most telling first, with the places of their papers.

    Only phrases of several words, which at least two of the papers hold.
    """
    found = [phrase for phrase in phrases(papers.titles, papers.abstracts, grammar).values()
             if len(phrase.key) > 1 and len(phrase.papers) > 1]
    worth = {phrase.key: len(phrase.papers) * math.log(1 / max(share, 1e-3))
             for phrase, share in zip(found, shares([phrase.text for phrase in found]), strict=True)}
    ranked = sorted(found, key=lambda phrase: (-worth[phrase.key], phrase.key))
    return [(phrase.text, frozenset(phrase.papers)) for phrase in ranked]


def _weighed(group: frozenset[int], found: Mapping[tuple[str, ...], Phrase], total: int, asked: frozenset[str],
             shares: Shares, embed: Embed, centre: NDArray[np.float32], others: NDArray[np.float32]) -> list[_Weighed]:
    """The group's phrases, the weightiest first.

    ``centre`` is the middle of the group's vectors, ``others`` that of all papers'.
    """
    least = min(len(group), max(2, math.ceil(_LEAST * len(group))))
    weights: list[tuple[float, Phrase, frozenset[int]]] = []
    for key, phrase in found.items():
        inside = frozenset(phrase.papers & group)
        # What few of the papers write of tells of all only where a title says so, in several words.
        if not inside or (len(inside) < least and not (len(key) > 1 and phrase.titled & group)):
            continue
        share, outside = len(inside) / len(group), len(phrase.papers - group) / max(1, total - len(group))
        titled = len(phrase.titled & group) / len(group)
        apart = math.log((share + 0.03) / (outside + 0.03))
        if apart <= 0:
            continue
        own = sum(part not in asked for part in key) / len(key)
        length = _LENGTHS[len(key) - 1] * (_ALONE if len(key) == 1 and share < _MOST_HOLD else 1.0)
        length *= _FEW if len(inside) < least else 1.0
        weights.append((apart * share ** 0.7 * (1 + titled) * length * (0.6 + 0.4 * own), phrase, inside))
    best = sorted(weights, key=lambda each: (-each[0], each[1].key))[:3 * _TRIED]
    rare = shares([phrase.text for _, phrase, _ in best])
    best = sorted(((weight * math.log(1 + 1 / max(share, 1e-3)), phrase, inside)
                   for (weight, phrase, inside), share in zip(best, rare, strict=True)),
                  key=lambda each: (-each[0], each[1].key))[:_TRIED]
    apart_from = centre - others
    length = max(float(np.linalg.norm(apart_from)), 1e-9)
    told = []
    for weight, phrase, inside in best:
        vector = embed(phrase.text)
        near = max(0.05, 0.5 * float(vector @ apart_from) / length + 0.5 * float(vector @ centre))
        told.append(_Weighed(phrase, inside, weight * near, vector))
    return sorted(told, key=lambda each: (-each.weight, each.phrase.key))


def _composed(weighed: Sequence[_Weighed], size: int, long: Mapping[str, str],
              taken: Sequence[tuple[str, ...]]) -> tuple[str, list[tuple[str, ...]]]:
    """The weightiest phrase that no heading has yet, and a second where that tells of other papers."""
    free = [each for each in weighed if each.phrase.key not in taken]
    if not free:
        return "", []
    first = free[0]
    # Several words say more than one, and much more than an acronym.
    enough = (_ACRONYM if has_capitals(first.phrase.text) else _SEVERAL) * first.weight
    first = next((each for each in free if len(each.phrase.key) > 1 and each.weight >= enough), first)
    # A longer phrase that says the same more fully takes its place.
    fuller = [each for each in free[1:] if set(first.phrase.key) < set(each.phrase.key)
              and each.weight >= 0.7 * first.weight and len(each.phrase.key) <= 3]
    first = fuller[0] if fuller else first
    words = set(first.phrase.key)
    # One word beside another phrase says little, and four words are enough.
    others = [each for each in free if each is not first and len(first.phrase.key) < _ENOUGH > len(each.phrase.key)
              and (len(each.phrase.key) > 1 or (len(first.phrase.key) > 1 and len(each.inside) >= _NEARLY_ALL * size))
              and not words & set(each.phrase.key)
              and letters(first.phrase.text) not in letters(each.phrase.text)
              and float(each.vector @ first.vector) < _SAME
              and each.weight >= _WORTH * first.weight
              and len(each.inside - first.inside) >= _OTHERS * (size - len(first.inside))]
    second = max(others, key=lambda each: each.weight * len(each.inside - first.inside), default=None)
    if second is None:
        return _opened(_spelled(first.phrase, long)), [first.phrase.key]
    # The longer one leads: "noisy rewards and games".
    pair = sorted((first.phrase, second.phrase), key=lambda phrase: len(phrase.key) == 1)
    return _opened(" and ".join(_spelled(phrase, long) for phrase in pair)), [phrase.key for phrase in pair]


def _apart(group: Sequence[int], weighed: Sequence[_Weighed], long: Mapping[str, str], papers: Named,
           used: Collection[str]) -> str:
    """A heading that is not in use (folded), for a group without a phrase of its own: what a paper of it is called."""
    names = [*(_opened(_spelled(each.phrase, long)) for each in weighed),
             *(_HEAD.split(papers.titles[place] or papers.abstracts[place])[0] for place in group)]
    shortened = (" ".join(name.split()[:_WORDS]) for name in names)
    own = (name for name in shortened if name and name.casefold() not in used)
    return next(own, f"Papers {len(used) + 1}")


def _spelled(phrase: Phrase, long: Mapping[str, str]) -> str:
    """The phrase; an acronym that is all of it with what it stands for."""
    text = phrase.text
    form = long.get(singular(text)) if len(phrase.key) == 1 else None
    return f"{form} ({text})" if form else text


def _long_forms(abstracts: Iterable[str]) -> dict[str, str]:
    return {short: long for abstract in abstracts for short, long in definitions(abstract)}


def _opened(text: str) -> str:
    """With a capital, unless the first word is written with its own."""
    first = text.split(" ", 1)[0]
    return text if any(c.isupper() for c in first) else text[:1].upper() + text[1:]
