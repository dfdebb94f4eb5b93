"""Which of the papers found an answer may rest on, and how sure it is that there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rag import floor
from rag.retrieve import Found, Retrieved
from rag.text import content_stems, letters

# Papers an answer may cite, and those that are shown where they are all that is asked for.
_CITED = 15
_SHOWN = 20
# A search that finds fewer papers spreads their scores over the whole range, so that far is not far.
_PLENTY = 20
# Papers that name a side of a comparison, at most, beside those that are near the whole of it.
_OF_SIDE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevant:
    """The papers that an answer may rest on; none where the library does not answer.

    Attributes:
        papers: label ("E1", "E2", ... by rank) to paper.
        sure: labels of those that may be said to address the question; the others only come close.
        confidence: probability that the library answers, 0..1.
    """

    papers: Mapping[str, Found] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()
    confidence: float = 0.0


def relevant(retrieved: Retrieved, judged: float | None = None, most: int = _CITED,
             sides: Sequence[str] = ()) -> Relevant:
    """The papers found that pass the floor, at most so many.

    Args:
        retrieved: what was found.
        judged: how sure it is already known to be; None to judge by what was found.
        most: papers at most.
        sides: what a question compares. A paper on one of them alone is far from the question as a whole, so the first
            few that name it count too.
    """
    found = retrieved.evidence
    shown = signals(retrieved)
    confidence = floor.confidence(shown) if judged is None else judged
    scores = [item.hit.score for item in found]
    near = floor.beside(scores) if len(found) >= _PLENTY else range(len(found))
    strong = floor.select([floor.strength(each) for each in shown], confidence, len(found))
    kept = [place for place in strong if place in near] or list(strong[:1])
    if kept:
        kept = sorted({*kept, *(place for side in sides for place in _naming(side, retrieved))})
    labels = {place: f"E{number}" for number, place in enumerate(kept[:most], 1)}
    return Relevant(papers={label: found[place] for place, label in labels.items()}, confidence=confidence,
                    sure=frozenset(label for place, label in labels.items() if floor.addresses(shown[place])))


def _naming(side: str, retrieved: Retrieved) -> list[int]:
    """Places of the first papers that hold all words of a side; those of "best-of-n" as one word."""
    stems = frozenset(content_stems(side))
    compounds = [letters(word) for word in side.split() if "-" in word]
    return [place for place, item in enumerate(retrieved.evidence)
            if stems <= frozenset(content_stems(item.hit.paper.text))
            and all(compound in letters(item.hit.paper.text) for compound in compounds)][:_OF_SIDE]


def everything(retrieved: Retrieved) -> Relevant:
    """All that was found, as what was asked for: where nothing was asked but who wrote and when."""
    papers = {f"E{number}": item for number, item in enumerate(retrieved.evidence[:_SHOWN], 1)}
    return Relevant(papers=papers, sure=frozenset(papers), confidence=1.0)


def signals(retrieved: Retrieved) -> list[floor.Signals]:
    """What each of the papers found shows for the question."""
    return [floor.Signals(
        sentence=item.scores["sentence"], passage=item.scores["passage"], accord=item.scores["rocchio"],
        coverage=floor.coverage(content_stems(item.hit.paper.text), retrieved.frequencies, retrieved.papers),
    ) for item in retrieved.evidence]
