"""A model's text of one section as it comes: its quotes found again, its sentences checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag import cite
from rag.digest.material import Material
from rag.drafted import Drafted
from rag.models.parse import Reader
from rag.models.picking import Picked, Picking
from rag.models.quoting import Resolving
from rag.schema import Citation, Sentence
from rag.survey import Withheld

# Sentences of a text that are checked at most, and characters that are read; one that goes on is not writing a section.
_CHECKED, _READ = 24, 16_000
_CLAUSE = 4  # words of a clause at least
_NEAREST = 5  # papers that are tried where those that a sentence cites do not hold it

_SET_BESIDE = re.compile(r";\s+|,\s+(?:while|whereas|but|yet|and|though)\s+", re.IGNORECASE)
_SET_BEFORE = re.compile(r"(?:while|whereas|where|although)\s+([^,;]+),\s+([^;]+)", re.IGNORECASE)


class Prose:
    """The checked sentences of a text that comes in pieces.

    Args:
        material: the digest's papers.
        among: ids of the papers the text is on, in the order of their labels E1, E2, ...
        said: texts that the digest holds already; they are not said twice. Those of this text are added.
        most: sentences that are kept.
    """

    def __init__(self, material: Material, among: Sequence[str], said: set[str], most: int) -> None:
        self.told: list[Sentence] = []
        self.withheld: list[Withheld] = []
        self._material, self._among, self._said, self._most = material, among, said, most
        self._picking, self._reader = Picking(), Reader()
        self._picked: list[Picked] = []
        self._length = 0
        self._seen: set[str] = set()
        self._resolving = Resolving(papers={paper_id: material.paper(paper_id).abstract for paper_id in among},
                                    given={f"E{number}": paper_id for number, paper_id in enumerate(among, 1)})

    def read(self, piece: str) -> None:
        """Takes a piece; of a text that has given all it may, nothing more is read."""
        if not self._full:
            self._length += len(piece)
            self._sort(self._picking.read(piece))

    def end(self) -> None:
        """Takes what is left when the text has ended; where it only quotes, its quotes are its sentences."""
        if not self._full:
            self._sort(self._picking.end())
            self._look_up()
            self._check(self._reader.end())
        if not self._seen:
            self._check(self._resolving.alone())

    @property
    def _full(self) -> bool:
        return len(self.told) == self._most or len(self._seen) >= _CHECKED or self._length > _READ

    def _sort(self, parts: Iterable[Picked | str]) -> None:
        for part in parts:
            if isinstance(part, Picked):
                self._picked.append(part)
                continue
            if not part.isspace():
                self._look_up()
            self._check(self._reader.read(part))

    def _look_up(self) -> None:
        for _ in self._resolving.quotes(tuple(self._picked)):
            pass
        self._picked.clear()

    def _check(self, drafts: Iterable[Drafted]) -> None:
        for item in drafts:
            drafted = self._resolving.sentence(item)
            if self._resolving.leads(drafted) or drafted.text in self._seen or drafted.text in self._said or self._full:
                continue
            self._seen.add(drafted.text)
            found = checked(self._material, drafted, self._among)
            if isinstance(found, Withheld):
                self.withheld.append(found)
            elif found.text not in self._said:
                self._said |= {drafted.text, found.text}
                self.told.append(found)


def checked(material: Material, drafted: Drafted, among: Sequence[str]) -> Sentence | Withheld:
    """The sentence as it passes the check.

    One that cites nothing is led to the paper that best holds it; one that cites the wrong papers, only to one that
    holds it word for word.
    One that sets papers beside each other passes where each of its clauses is held by a paper that it cites.

    Args:
        material: the digest's papers.
        drafted: its labels are ids of papers.
        among: ids of the papers it may be on.
    """
    found = material.check(drafted)
    if len(drafted.labels) > len(found.citations if isinstance(found, Sentence) else ()):
        found = _by_clauses(material, drafted) or found
    if isinstance(found, Sentence):
        return found
    vector = material.store.embedder.embed_query(drafted.text)
    others = sorted((paper_id for paper_id in among if paper_id not in drafted.labels),
                    key=lambda paper_id: -float(material.vectors[paper_id] @ vector))[:_NEAREST]
    other = material.check(replace(drafted, labels=tuple(others)))
    if isinstance(other, Withheld):
        return found
    best = max(other.citations, key=lambda citation: citation.support.score)
    holds = cite.quoted(drafted.text, material.grounds(best.paper_id)) if drafted.labels else (
        best.support.verdict == "supported")
    return replace(other, citations=(best,)) if holds else found


def _by_clauses(material: Material, drafted: Drafted) -> Sentence | None:
    before = _SET_BEFORE.fullmatch(drafted.text)
    clauses = before.groups() if before else tuple(_SET_BESIDE.split(drafted.text))
    if len(clauses) < 2 or any(len(clause.split()) < _CLAUSE for clause in clauses):
        return None
    citations: dict[str, Citation] = {}
    for clause in clauses:
        found = material.check(replace(drafted, text=clause))
        if isinstance(found, Withheld):
            return None
        best = max(found.citations, key=lambda citation: citation.support.score)
        citations.setdefault(best.paper_id, best)
    return Sentence(text=drafted.text, citations=tuple(citations.values()))
