"""The summary of a digest: how its papers divide, then findings that cover the sections and repeat nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rag.digest.arrange import inside
from rag.digest.cues import does, is_of_ours, measured, points_back, praises, sets_the_scene, speaks_of_itself
from rag.digest.material import Line, Material, mean
from rag.digest.phrases import Grammar
from rag.schema import Sentence
from rag.survey import DigestSection, Length, Withheld

# Sentences of a summary, the first of which counts the papers; and how much likeness to one chosen costs another
# (maximal marginal relevance, Carbonell and Goldstein 1998).
_SENTENCES: dict[Length, int] = {"brief": 5, "standard": 7, "full": 8}
_LIKENESS = 0.35
# A sentence that stands in a section already is worth so much less.
_AGAIN = 0.06
# Longer sentences are harder to read, and what stands in an abstract's first third only sets the scene.
_LONG, _EACH, _SCENE = 30, 0.012, 0.34


def summary(material: Material, sections: Sequence[DigestSection], length: Length, used: set[str],
            withheld: list[Withheld]) -> tuple[Sentence, ...]:
    """Five to eight sentences; fewer where there are not so many papers."""
    papers = {paper_id for section in sections for paper_id in section.papers}
    if not papers:
        return ()
    told = [Sentence(text=_divided(sections, len(papers), material.grammar), kind="frame")]
    chosen: list[Line] = []
    left = {place: _worth(material, section, used) for place, section in enumerate(sections)}
    wanted = min(_SENTENCES[length] - 1, len(papers))
    turns = [place for _ in range(wanted) for place in range(len(sections))]
    for place in turns:
        if len(chosen) == wanted:
            break
        held = {line.paper_id for line in chosen}
        free = [(worth, line) for worth, line in left[place] if line.paper_id not in held]
        free.sort(key=lambda pair: -(pair[0] - _LIKENESS * max(
            (float(pair[1].vector @ other.vector) for other in chosen), default=0.0)))
        for _, line in free:
            checked = material.quote(line)
            if isinstance(checked, Withheld):
                withheld.append(checked)
                continue
            chosen.append(line)
            told.append(checked)
            break
    return tuple(told)


def _worth(material: Material, section: DigestSection, used: set[str]) -> list[tuple[float, Line]]:
    """The section's sentences that could stand in a summary, with what each is worth."""
    middle = mean([material.vectors[paper_id] for paper_id in section.papers])
    found = []
    for paper_id in section.papers:
        for line in material.lines[paper_id]:
            if not line.readable or not line.plain:
                continue
            text = line.alone
            worth = (0.4 * float(line.vector @ middle) + 0.7 * float(line.vector @ material.middle)
                     + 0.25 * does("result", text) + 0.04 * (measured(text) is not None)
                     - 0.2 * does("approach", text) - 0.08 * speaks_of_itself(text) - 0.25 * points_back(text)
                     - 0.1 * praises(text) - 0.12 * is_of_ours(text)
                     - 0.2 * (sets_the_scene(text) or (line.at < _SCENE and line.of > 2))
                     - _AGAIN * (line.text in used) - _EACH * max(0, len(text.split()) - _LONG))
            found.append((float(np.round(worth, 6)), line))
    return found


def _divided(sections: Sequence[DigestSection], count: int, grammar: Grammar) -> str:
    """How many papers there are on what."""
    names = [inside(section.heading, grammar) for section in sections]
    if len(sections) == 1:
        return f"{'This paper is' if count == 1 else f'These {count} papers are'} on {names[0]}."
    parts = [f"{name} ({len(section.papers)})" for name, section in zip(names, sections, strict=True)]
    return f"The {count} papers fall into {_number(len(sections))} themes: {'; '.join(parts)}."


def _number(count: int) -> str:
    return ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")[count] if count < 9 else str(count)
