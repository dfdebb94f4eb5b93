"""Which of the papers found an answer may rest on, and how sure it is that there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rag import floor
from rag.retrieve import Found, Retrieved
from rag.text import content_stems

# Papers an answer may cite, and those that are shown where they are all that is asked for.
_CITED = 15
_SHOWN = 20


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


def relevant(retrieved: Retrieved, judged: float | None = None, most: int = _CITED) -> Relevant:
    """The papers found that pass the floor, at most so many.

    Args:
        retrieved: what was found.
        judged: how sure it is already known to be; None to judge by what was found.
        most: papers at most.
    """
    found = retrieved.evidence
    shown = signals(retrieved)
    confidence = floor.confidence(shown) if judged is None else judged
    near = floor.beside([item.hit.score for item in found])
    strong = floor.select([floor.strength(each) for each in shown], confidence, len(found))
    kept = [place for place in strong if place in near] or strong[:1]
    labels = {place: f"E{number}" for number, place in enumerate(kept[:most], 1)}
    return Relevant(papers={label: found[place] for place, label in labels.items()}, confidence=confidence,
                    sure=frozenset(label for place, label in labels.items() if floor.addresses(shown[place])))


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
