"""One section in the papers' own words: what they share, what each adds, where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.digest.arrange import described
from rag.digest.cells import named_data
from rag.digest.cues import concludes, does, measured, offers, points_back, praises, sets_the_scene, speaks_of_itself
from rag.digest.headings import common
from rag.digest.material import Line, Material, mean
from rag.digest.meeting import differing
from rag.schema import Citation, Sentence, Support
from rag.survey import Comparison, DigestSection, Group, Withheld
from rag.text import content_stems, spelled

Vector = NDArray[np.float32]

# A section names at most so many phrases that such a share of its papers write of, so many times that of the library's;
# and quotes so many papers that set themselves apart from others.
_PHRASES, _HELD, _MORE, _APART = 2, 0.4, 2.0, 3
# What makes a sentence tell what its paper adds: by what it does, where it stands, how it reads.
_OFFERS, _FINDS, _FIGURE, _SCENE, _OPEN = 0.28, 0.22, 0.05, -0.25, -0.2
_ENDS, _BACK, _PRAISE, _TWO = 0.1, -0.22, -0.15, -0.2
# Longer sentences are harder to read, shorter ones say little: words beyond and below so many cost so much each.
_SHORT, _LONG, _EACH = 12, 32, 0.012


def section(material: Material, group: Group, used: set[str], withheld: list[Withheld]) -> DigestSection:
    """The section of a group.

    Args:
        material: the digest's papers.
        group: those of this section, under their heading.
        used: texts of the sentences that the digest has already; those of this section are added.
        withheld: takes the sentences that fail the check.
    """
    ids = [paper_id for paper_id in group.papers if paper_id in material.papers]
    middle = mean([material.vectors[paper_id] for paper_id in ids])
    said = _Said(material, used, withheld)
    # First, as such pairs are rare: each paper has other sentences to tell what it adds.
    differs = [Comparison(about=about, sentences=both) for about, pair in differing(material, ids, used)
               if len(both := tuple(said.all(pair))) > 1]
    adds = [sentence for paper_id in ids if (sentence := said.first(_adding(
        material.lines[paper_id], middle, material.middle)))]
    shared: list[Sentence] = []
    if len(ids) > 1:
        shared += _told_of(material, ids)
        if central := said.first(_central(material, ids)):
            shared.append(central)
    if tried := _tried(material, ids):
        differs.append(Comparison(about="What they are tried on", sentences=(tried,)))
    if apart := said.all(_apart(material, ids, middle), _APART):
        differs.append(Comparison(about="Set apart in their own words", sentences=tuple(apart)))
    return DigestSection(heading=group.heading, papers=tuple(ids), shared=tuple(shared), adds=tuple(adds),
                         differs=tuple(differs))


class _Said:
    """Quotes that pass the check and that nothing said holds yet."""

    def __init__(self, material: Material, used: set[str], withheld: list[Withheld]) -> None:
        self._material, self._used, self._withheld = material, used, withheld

    def first(self, lines: Iterable[Line]) -> Sentence | None:
        """The first that passes."""
        return next(iter(self.all(lines, 1)), None)

    def all(self, lines: Iterable[Line], most: int | None = None) -> list[Sentence]:
        """Those that pass, at most so many."""
        kept: list[Sentence] = []
        for line in lines:
            if most is not None and len(kept) == most:
                break
            if any(line.alone in text or text in line.text for text in self._used):
                continue
            checked = self._material.quote(line)
            if isinstance(checked, Withheld):
                self._withheld.append(checked)
            else:
                self._used.add(line.text)
                kept.append(checked)
        return kept


def _adding(lines: Sequence[Line], middle: Vector, asked: Vector) -> list[Line]:
    """The paper's sentences, the one that best tells what it adds first; what cannot be read alone only at the end."""
    offered = next((line.place for line in lines if offers(line.alone)), max(1, len(lines) // 3))

    def worth(line: Line) -> float:
        scene = sets_the_scene(line.alone) or (
            line.place < offered and line.of > 2 and not does("approach", line.alone) and not concludes(line.alone))
        told = _OFFERS * offers(line.alone) + _FINDS * (does("result", line.alone) and not scene) + _SCENE * scene
        told += _FIGURE * (measured(line.alone) is not None) + _BACK * points_back(line.alone)
        told += _ENDS * concludes(line.alone) + _OPEN * does("open", line.alone)
        told += _PRAISE * praises(line.alone) + _TWO * (not line.plain)
        near = 0.25 * float(line.vector @ middle) + 0.25 * float(line.vector @ asked)
        length = len(line.alone.split())
        return told + near - _EACH * (max(0, length - _LONG) + max(0, _SHORT - length))

    return sorted(lines, key=lambda line: (not line.readable, -worth(line), line.place))


def _central(material: Material, ids: Sequence[str]) -> Iterator[Line]:
    """Sentences that speak for all: nearest to what each of the papers says, of no paper's own doing."""
    lines = [line for paper_id in ids for line in material.lines[paper_id] if line.readable and line.plain]
    if not lines:
        return
    nearest = [np.max(np.stack([line.vector for line in lines]) @ np.stack(
        [line.vector for line in material.lines[paper_id]]).T, axis=1) for paper_id in ids]
    worth = np.mean(nearest, axis=0)
    for at, line in enumerate(lines):
        own = speaks_of_itself(line.alone) or does("approach", line.alone) or does("result", line.alone)
        worth[at] += (0.06 * (line.at <= 0.34) - 0.12 * own - 0.12 * points_back(line.alone)
                      - _EACH * max(0, len(line.text.split()) - _LONG))
    yield from (lines[at] for at in np.argsort(-worth, kind="stable")[:5])


def _apart(material: Material, ids: Sequence[str], middle: Vector) -> list[Line]:
    """Sentences in which papers set themselves apart from other work, at most one of each."""
    found = []
    for paper_id in ids:
        lines = [line for line in material.lines[paper_id] if line.readable and does("apart", line.alone)]
        if lines:
            found.append(max(lines, key=lambda line: float(line.vector @ middle)))
    return sorted(found, key=lambda line: -float(line.vector @ middle))


def _tried(material: Material, ids: Sequence[str]) -> Sentence | None:
    """On what each was tried, where at least two tell it: the words of their abstracts, one after the other."""
    cells = {paper_id: cell for paper_id in ids if (cell := named_data(
        material.paper(paper_id), material.lines[paper_id]))}
    if len({cell.text.casefold() for cell in cells.values()}) < 2:
        return None
    listed = "; ".join(f"“{cell.text}”" for cell in cells.values())
    return Sentence(text=f"They are tried on: {listed}.", kind="frame", citations=tuple(
        Citation(label=0, paper_id=paper_id, support=Support(
            verdict="supported", score=1.0, quote=cell.text, start=cell.start, end=cell.end))
        for paper_id, cell in cells.items()))


def _told_of(material: Material, ids: Sequence[str]) -> Iterator[Sentence]:
    """What most of the papers write of, told by counting: true by construction, with the words that show it."""
    asked = frozenset(content_stems(material.topic))
    named: list[tuple[str, dict[str, Support]]] = []
    for phrase, places in common(described(material, ids), material.grammar, material.shares):
        stems = content_stems(phrase)
        usual = material.shares([phrase])[0] * len(ids)
        said = any(set(stems) & set(content_stems(other)) for other, _ in named)
        if said or frozenset(stems) <= asked or len(places) < _MORE * usual:
            continue
        shown = {ids[place]: support for place in sorted(places) if (support := _shown(material, ids[place], stems))}
        if len(shown) >= max(2, _HELD * len(ids)):
            named.append((phrase, shown))
        if len(named) == _PHRASES:
            break
    for number, (phrase, shown) in enumerate(named):
        count = _count(len(shown), len(ids))
        lead = count.capitalize() if number else f"Of these {spelled(len(ids))} papers, {count}"
        yield Sentence(text=f"{lead} write of {phrase}.", kind="frame", citations=tuple(
            Citation(label=0, paper_id=paper_id, support=support) for paper_id, support in shown.items()))


def _shown(material: Material, paper_id: str, stems: Sequence[str]) -> Support | None:
    """The sentence of the abstract that holds the phrase."""
    for line in material.lines[paper_id]:
        held = content_stems(line.alone)
        if any(held[at:at + len(stems)] == list(stems) for at in range(len(held) - len(stems) + 1)):
            start = line.span[1] - len(line.alone)
            return Support(verdict="supported", score=1.0, quote=line.alone, start=start, end=line.span[1])
    return None


def _count(count: int, total: int) -> str:
    return ("both" if total == 2 else "all") if count == total else spelled(count)
