"""Where papers meet: their sentences on the same thing that say alike, or the opposite; and what they leave open."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from rag.checker.leaning import leaning
from rag.digest.cues import does, is_of_ours, offers, praises, speaks_of_itself
from rag.digest.material import Line, Material
from rag.digest.phrases import is_empty
from rag.text import content_stems

# Findings so near that share so much of what their words weigh speak of the same thing; those that lean so far one way
# agree, those that lean so far against each other differ.
_ABOUT, _ONE_WAY, _AGAINST = 0.6, 0.3, -0.3
_SHARED, _WORDS, _NAMED = 0.3, 2, 2
# What leaning is worth beside nearness; an agreement less sure than this is none a reader would see.
_LEAN, _SURE = 0.3, 0.85
# Two texts of one paper are no agreement.
_SAME = 0.93
# What stands earlier in an abstract is no finding of its own, unless it says so.
_LATE = 0.3


Pair = tuple[str, tuple[Line, Line]]


def differing(material: Material, ids: Sequence[str], used: Collection[str] = ()) -> list[Pair]:
    """Pairs of findings on the same thing that say the opposite, each under the words that they share."""
    return _pairs(material, ids, used, agreeing=False)


def agreeing(material: Material, ids: Sequence[str], used: Collection[str] = ()) -> list[Pair]:
    """Pairs of findings that say much the same, each under the words that they share."""
    return _pairs(material, ids, used, agreeing=True)


def _pairs(material: Material, ids: Sequence[str], used: Collection[str], *,
           agreeing: bool) -> list[Pair]:
    """The surest pairs first; a paper stands in one of them at most."""
    lines = [line for paper_id in ids for line in material.lines[paper_id]
             if line.readable and line.text not in used and _finds(line)]
    if len(lines) < 2:
        return []
    vectors = np.stack([line.vector for line in lines])
    near = vectors @ vectors.T
    words = [_words(line.alone) for line in lines]
    weight = material.rarities(frozenset[str]().union(*words))
    whole = [sum(weight[stem] for stem in own) for own in words]
    found = []
    for one, other in combinations(range(len(lines)), 2):
        if not _ABOUT <= near[one, other] < _SAME or lines[one].paper_id == lines[other].paper_id:
            continue
        first, second = lines[one], lines[other]
        shared = words[one] & words[other]
        # To contradict each other, both must be about little else.
        least = _SHARED * (min if agreeing else max)(whole[one], whole[other])
        if len(shared) < _WORDS or sum(weight[stem] for stem in shared) < least:
            continue
        # From either side: what one says may be only part of what the other does.
        lean = (leaning(first.alone, second.alone) + leaning(second.alone, first.alone)) / 2
        if lean >= _ONE_WAY if agreeing else lean <= _AGAINST:
            sure = float(near[one, other]) + _LEAN * abs(lean)
            if sure >= _SURE or not agreeing:
                found.append((sure, one, other))
    pairs: list[Pair] = []
    taken: set[str] = set()
    for _, one, other in sorted(found, key=lambda each: (-each[0], each[1:])):
        pair = lines[one], lines[other]
        about = _about(*pair)
        if taken & {line.paper_id for line in pair} or len(about.split()) < _NAMED:
            continue
        taken |= {line.paper_id for line in pair}
        pairs.append((about, pair))
    return pairs


def _finds(line: Line) -> bool:
    """Whether it states a finding on something, not what its paper sets out to do or how good its own way is."""
    own = speaks_of_itself(line.alone) or line.at >= _LATE
    return own and does("result", line.alone) and not offers(line.alone) and not (
        praises(line.alone) and is_of_ours(line.alone))


def _words(sentence: str) -> frozenset[str]:
    """Stems of the words that say what it is about."""
    return frozenset(stem for stem in content_stems(sentence) if len(stem) > 2 and not stem[0].isdigit()
                     and not is_empty(stem))


def _about(one: Line, other: Line) -> str:
    """The longest run of words of the one whose stems the other has too, of those that say what both are about."""
    runs = [run for line, against in ((one, other), (other, one)) for run in _runs(line.alone, against.alone)]
    best = max(runs, key=lambda run: sum(not is_empty(stem) for word in run for stem in content_stems(word)))
    return " ".join(best)


def _runs(sentence: str, other: str) -> Iterator[list[str]]:
    stems = set(content_stems(other))
    run: list[str] = []
    for word in [*sentence.split(), ""]:
        bare = word.strip(".,;:()\"'“”‘’")
        held = content_stems(bare)
        if (held and set(held) <= stems) or (run and bare.casefold() in ("of", "for", "in", "and")):
            run.append(bare)
        if bare != word or not run or run[-1] != bare:
            yield _trimmed(run)
            run = []


def _trimmed(run: list[str]) -> list[str]:
    while run and not content_stems(run[-1]):
        run = run[:-1]
    return run


# What is told for praise: a work that "opens up future research".
_FOR_OTHERS = re.compile(r"\b(?:opens?|pav(?:es?|ing)|lays?|inspir\w+|foundations?|facilitat\w+|foster\w*|sheds?|"
                         r"encourag\w+|guid(?:es?|ing)|benefit\w*)\b(?! problem| question| challenge)", re.IGNORECASE)


def unsettled(material: Material, ids: Sequence[str], most: int) -> Iterator[Line]:
    """Sentences that name what is open, the nearest to what is asked for first, one of a paper."""
    lines = [line for paper_id in ids for line in material.lines[paper_id]
             if line.readable and does("open", line.alone) and not does("approach", line.alone)
             and not _FOR_OTHERS.search(line.alone)]
    seen: set[str] = set()
    for line in sorted(lines, key=lambda line: -float(line.vector @ material.middle)):
        if len(seen) < most and line.paper_id not in seen:
            seen.add(line.paper_id)
            yield line


def stating(material: Material, ids: Sequence[str], role: Literal["confirms", "disputes"], most: int) -> list[Line]:
    """Sentences in which papers themselves say that they confirm or dispute what others hold, one of a paper."""
    lines = [line for paper_id in ids for line in material.lines[paper_id] if line.readable and does(role, line.alone)]
    ranked = sorted(lines, key=lambda line: -float(line.vector @ material.middle))
    return list({line.paper_id: line for line in reversed(ranked)}.values())[::-1][:most]
