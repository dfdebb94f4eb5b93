"""Where papers meet: sentences of different papers on the same thing that say alike, or the opposite; open questions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import combinations

import numpy as np

from rag.digest.cues import does
from rag.digest.material import Line, Material
from rag.leaning import leaning
from rag.text import content_stems

# Findings so near speak of the same thing; those that are nearer and lean one way agree, those that lean so far
# against each other differ.
_ABOUT, _ALIKE, _ONE_WAY, _AGAINST = 0.6, 0.66, 0.15, -0.35
# Words that two sentences must share for a reader to see that they speak of one thing.
_SHARED = 3


def differing(material: Material, ids: Sequence[str], used: Collection[str] = ()) -> list[tuple[str, tuple[Line, Line]]]:
    """Pairs of findings on the same thing that say the opposite, each under the words that they share."""
    return _pairs(material, ids, used, agreeing=False)


def agreeing(material: Material, ids: Sequence[str], used: Collection[str] = ()) -> list[tuple[str, tuple[Line, Line]]]:
    """Pairs of findings that say much the same, each under the words that they share."""
    return _pairs(material, ids, used, agreeing=True)


def _pairs(material: Material, ids: Sequence[str], used: Collection[str], *,
           agreeing: bool) -> list[tuple[str, tuple[Line, Line]]]:
    """The surest pairs first; a paper stands in one of them at most."""
    lines = [line for paper_id in ids for line in material.lines[paper_id]
             if line.readable and line.text not in used and _finds(line)]
    if len(lines) < 2:
        return []
    vectors = np.stack([line.vector for line in lines])
    near = vectors @ vectors.T
    least = _ALIKE if agreeing else _ABOUT
    found = []
    for one, other in combinations(range(len(lines)), 2):
        if near[one, other] < least or lines[one].paper_id == lines[other].paper_id:
            continue
        first, second = lines[one], lines[other]
        shared = _shared(first.alone, second.alone)
        if len(shared) < _SHARED:
            continue
        lean = leaning(first.alone, second.alone)
        if lean >= _ONE_WAY if agreeing else lean <= _AGAINST:
            found.append((float(near[one, other]) + 0.3 * abs(lean), one, other))
    pairs: list[tuple[str, tuple[Line, Line]]] = []
    taken: set[str] = set()
    for _, one, other in sorted(found, key=lambda each: (-each[0], each[1:])):
        pair = lines[one], lines[other]
        if taken & {line.paper_id for line in pair}:
            continue
        taken |= {line.paper_id for line in pair}
        pairs.append((_about(*pair), pair))
    return pairs


def _finds(line: Line) -> bool:
    """Whether it states a finding, and not what its paper sets out to do."""
    return does("result", line.alone) and not does("approach", line.alone)


def _shared(one: str, other: str) -> list[str]:
    there = set(content_stems(other))
    return [stem for stem in dict.fromkeys(content_stems(one)) if stem in there]


def _about(one: Line, other: Line) -> str:
    """The longest run of words of the first whose stems the second has too, else the words that both hold."""
    stems = set(content_stems(other.alone))
    runs: list[list[str]] = [[]]
    for word in one.alone.split():
        bare = word.strip(".,;:()\"'“”‘’")
        if bare and (held := content_stems(bare)) and set(held) <= stems:
            runs[-1].append(bare)
            if bare != word.rstrip():
                runs.append([])
        elif bare.casefold() not in ("of", "for", "in", "and") or not runs[-1]:
            runs.append([])
        else:
            runs[-1].append(bare)
    trimmed = [_trimmed(run) for run in runs]
    best = max(trimmed, key=lambda run: sum(bool(content_stems(word)) for word in run))
    return " ".join(best)


def _trimmed(run: list[str]) -> list[str]:
    while run and not content_stems(run[-1]):
        run = run[:-1]
    return run


def unsettled(material: Material, ids: Sequence[str], most: int) -> Iterator[Line]:
    """Sentences that name what is open, the nearest to what is asked for first, one of a paper."""
    lines = [line for paper_id in ids for line in material.lines[paper_id]
             if line.readable and does("open", line.alone) and not does("approach", line.alone)]
    seen: set[str] = set()
    for line in sorted(lines, key=lambda line: -float(line.vector @ material.middle)):
        if len(seen) < most and line.paper_id not in seen:
            seen.add(line.paper_id)
            yield line
