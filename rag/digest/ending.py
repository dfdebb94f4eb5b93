"""A model's summary of a digest, and the sentences that lead from one section to the next, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from rag.digest.material import Material
from rag.digest.prose import checked
from rag.drafted import Drafted
from rag.models.parse import parse
from rag.schema import Sentence
from rag.survey import DigestSection, Withheld

if TYPE_CHECKING:
    from rag.llm import Gauge

_CHECKED = 24  # sentences of a summary that are checked at most

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_SUMMARY = re.compile(r"^\W*summary(?:\W*$|\s*\**:\**)", re.IGNORECASE)
_TRANSITIONS = re.compile(r"^\W*transitions?\W*$", re.IGNORECASE)
_NUMBERED = re.compile(r"^\W*(?:section\s*|to\s*)?(\d{1,2})\W*:\W*(?=\S)", re.IGNORECASE)


def gist(sections: Sequence[DigestSection], room: int, model: Gauge) -> tuple[str, Mapping[str, tuple[str, ...]]]:
    """The sections' sentences under labels E1, E2, ..., and the papers (ids) that each label's sentence cites.

    Args:
        sections: as they stand.
        room: tokens the text may count; each section gets the same share.
        model: counts them.
    """
    blocks, labels = [], dict[str, tuple[str, ...]]()
    for number, section in enumerate(sections, 1):
        lines = [f"Section {number}: {_line(section.heading)}"]
        left = room // len(sections) - model.count(lines[0])
        for sentence in (*section.shared, *section.adds):
            line = f"[E{len(labels) + 1}] {_line(sentence.text)}"
            if sentence.kind == "frame" or (left := left - model.count(line) - 1) < 0:
                continue
            lines.append(line)
            labels[f"E{len(labels) + 1}"] = tuple(citation.paper_id for citation in sentence.citations)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks), labels


def _line(text: str) -> str:
    return " ".join(text.split())


class Ending:
    """The checked summary, and transitions by the place (from 0) of the section that they open, of a text in pieces.

    Args:
        material: the digest's papers.
        evidence: what the model was given.
        labels: label in it to the papers (ids) behind it.
        papers: of each section.
        said: texts of the sections, which no transition says again.
        most: sentences of the summary that are kept.
    """

    def __init__(self, material: Material, evidence: str, labels: Mapping[str, tuple[str, ...]],
                 papers: Sequence[Sequence[str]], said: set[str], most: int) -> None:
        self.evidence = evidence
        self.summary: list[Sentence] = []
        self.transitions: dict[int, tuple[Sentence, ...]] = {}
        self.withheld: list[Withheld] = []
        self._material, self._labels, self._papers, self._said, self._most = material, labels, papers, said, most
        self._pieces: list[str] = []

    def read(self, piece: str) -> None:
        """Takes a piece."""
        self._pieces.append(piece)

    def end(self) -> None:
        """Reads the whole text, and checks it."""
        summary, leads = told(_THOUGHTS.sub("", "".join(self._pieces)), len(self._papers))
        everywhere = list(self._material.papers)
        for drafted in islice(parse([summary]), _CHECKED):
            once = all(sentence.text != drafted.text for sentence in self.summary)
            if once and len(self.summary) < self._most and (sentence := self._checked(drafted, everywhere)):
                self.summary.append(sentence)
        for place, text in leads.items():
            either = (*self._papers[place - 1], *self._papers[place])
            for drafted in islice(parse([text]), 1):
                if drafted.text not in self._said and (sentence := self._checked(drafted, either)):
                    self.transitions[place] = (sentence,)

    def _checked(self, drafted: Drafted, among: Sequence[str]) -> Sentence | None:
        names = (f"E{label}" if label.isdigit() else label.upper() for label in drafted.labels)
        meant = dict.fromkeys(paper_id for name in names for paper_id in self._labels.get(name, ()))
        found = checked(self._material, replace(drafted, labels=tuple(meant)), among)
        if isinstance(found, Sentence):
            return found
        self.withheld.append(found)
        return None


def told(said: str, sections: int) -> tuple[str, dict[int, str]]:
    """The summary that a reply holds, and the transitions by the place of their section, from 0. Pure."""
    summary, leads, behind = [], dict[int, str](), False
    for line in said.splitlines():
        if _TRANSITIONS.match(line):
            behind = True
        elif (found := _NUMBERED.match(line)) and 2 <= int(found[1]) <= sections:
            leads.setdefault(int(found[1]) - 1, line[found.end():])
        elif not behind:
            summary.append(_SUMMARY.sub("", line))
    return "\n".join(summary), leads
