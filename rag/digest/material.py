"""What a digest is written from: its papers, their sentences, and the checker that every sentence passes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from rag import cite, floor
from rag.digest.phrases import Grammar, learn
from rag.drafted import Drafted
from rag.readable import leans, opening
from rag.retrieve import Found
from rag.schema import Citation, Hit, Paper, Sentence, Support, Verdict
from rag.store import Store
from rag.survey import Outline, Withheld
from rag.text import Span, content_stems

# So many of the library's papers show how it uses its words, and how rare a phrase is.
_READ = 800
# What a sentence of a digest may measure, in words, alone and with those it leans on; and what it must not be.
_SHORTEST, _LONGEST, _TOGETHER = 6, 55, 75
_BROKEN = re.compile(r"[?:]$|^[^\w\"“‘'\[$\\]|…|\.\.\.|[{}_^|].*[{}_^|]")
_MATHS = re.compile(r"\$[^$]*\$")
_POINTS = re.compile(  # elsewhere: to code, to data, to a page
    r"https?://|www\.|\bproject page\b|\b(?:code|models?|data(?:sets?)?|demo|weights|benchmark|videos?|checkpoints|"
    r"implementation)\b[^.]{0,60}\b(?:(?:publicly |freely |made |openly )*available|released|open-?sourced|"
    r"can be found)\b|"
    r"\b(?:open-?source|(?:publicly )?releas(?:e|ing)|make)\b[^.]{0,60}\b(?:code|weights|models?|data(?:sets?)?|"
    r"checkpoints)\b|\bpublicly (?:available|released)\b|\bto foster\b", re.IGNORECASE)
_REASONS: Mapping[Verdict, str] = {
    "contradicted": "The paper that it cites says otherwise.",
    "unsupported": "No paper that it cites says so.",
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A sentence of an abstract.

    Attributes:
        span: of ``text`` in the abstract: the sentence with those it leans on.
        alone: the sentence itself.
        place: of the sentence among so many (``of``), from 0.
        vector: the sentence's own, (d,), L2-normalised.
        readable: it stands by itself, or with what it brings along, and says something of its own.
    """

    paper_id: str
    text: str
    span: Span
    alone: str
    place: int
    of: int
    vector: NDArray[np.float32]
    readable: bool

    @property
    def plain(self) -> bool:
        """Whether it stands by itself."""
        return self.text == self.alone

    @property
    def at(self) -> float:
        """Where in the abstract it stands, 0 (first) to 1 (last)."""
        return self.place / max(1, self.of - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """The papers of a digest.

    Attributes:
        topic: what was asked for; empty for all the papers of a filter.
        papers: id to paper with its passages, in the order of the outline.
    """

    store: Store
    topic: str
    papers: Mapping[str, Found]
    _grounds: dict[str, cite.Grounds] = field(default_factory=dict)

    @cached_property
    def lines(self) -> Mapping[str, tuple[Line, ...]]:
        """The sentences of each paper, in order."""
        return {paper_id: tuple(_lines(found)) for paper_id, found in self.papers.items()}

    @cached_property
    def vectors(self) -> Mapping[str, NDArray[np.float32]]:
        """What each paper is about, (d,), L2-normalised: the mean of its passages'."""
        return {paper_id: mean([passage.vector for passage in found.passages if passage.vector is not None])
                for paper_id, found in self.papers.items()}

    @cached_property
    def middle(self) -> NDArray[np.float32]:
        """What is asked for, (d,), L2-normalised: the topic's vector, else the middle of the papers."""
        return self.store.embedder.embed_query(self.topic) if self.topic else mean(list(self.vectors.values()))

    @cached_property
    def grammar(self) -> Grammar:
        """How the library's papers use their words."""
        return learn(paper.abstract for paper in self.store.papers(self._read).values())

    @cached_property
    def _read(self) -> list[str]:
        """Ids of papers from all over the library."""
        ids = [paper.id for paper in self.store.catalogue.papers()]
        return ids[::max(1, len(ids) // _READ)][:_READ]

    @cached_property
    def _held(self) -> list[str]:
        return [f" {' '.join(stems)} " for stems in self.store.stems(self._read).values()]

    def shares(self, phrases: Sequence[str]) -> list[float]:
        """The share of the library's papers that hold each of these phrases, 0..1."""
        wanted = [f" {' '.join(content_stems(phrase))} " for phrase in phrases]
        return [sum(each in text for text in self._held) / max(1, len(self._held)) for each in wanted]

    def paper(self, paper_id: str) -> Paper:
        """The paper of that id."""
        return self.papers[paper_id].hit.paper

    def grounds(self, paper_id: str) -> cite.Grounds:
        """The paper's text as sentences are checked against it."""
        if paper_id not in self._grounds:
            found = self.papers[paper_id]
            self._grounds[paper_id] = cite.grounds(found.hit.paper, found.passages)
        return self._grounds[paper_id]

    def check(self, drafted: Drafted) -> Sentence | Withheld:
        """The sentence with those of its citations that hold, numbered 0; withheld where none does.

        Args:
            drafted: its labels are ids of papers; a frame passes as it is.
        """
        if drafted.frame:
            return Sentence(text=drafted.text, kind="frame", side=drafted.side)
        vector = cache(lambda: self.store.embedder.embed_query(drafted.text))
        supports: dict[str, Support] = {}
        for paper_id in dict.fromkeys(drafted.labels):
            if paper_id in self.papers:
                grounds = self.grounds(paper_id)
                supports[paper_id] = (cite.quoted(drafted.text, grounds)
                                      or cite.verify(drafted.text, vector(), grounds, self._rarity))
        held = {paper_id: support for paper_id, support in supports.items()
                if support.verdict in ("supported", "weak")}
        if not held:
            against = any(support.verdict == "contradicted" for support in supports.values())
            return Withheld(sentence=_sentence(drafted, supports),
                            reason=_REASONS["contradicted" if against else "unsupported"])
        return _sentence(drafted, held, verbatim=len(held) == 1 and cite.quoted(
            drafted.text, self.grounds(next(iter(held)))) is not None)

    def quote(self, line: Line) -> Sentence | Withheld:
        """A sentence in the paper's own words."""
        return self.check(Drafted(text=line.text, labels=(line.paper_id,)))

    def rarities(self, stems: Collection[str]) -> dict[str, float]:
        """What each stem weighs in this library, in nats."""
        total = self.store.words.count()
        return {stem: floor.rarity(count, total) for stem, count in self.store.words.frequencies(stems).items()}

    def _rarity(self, stem: str) -> float:
        return self.rarities([stem])[stem]


def gathered(store: Store, outline: Outline) -> Material:
    """The material for an outline; papers that the library no longer holds are left out.

    Raises:
        NoLibraryError: there is no library.
    """
    store.fresh()
    ids = list(outline.papers)
    passages, papers = store.passages(ids), store.papers(ids)
    return Material(store=store, topic=outline.topic, papers={
        paper_id: Found(hit=Hit(paper=papers[paper_id], score=1.0), passages=passages[paper_id], scores={})
        for paper_id in ids if paper_id in papers and paper_id in passages})


def mean(vectors: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The middle of some vectors, at least one, L2-normalised."""
    middle = np.mean(np.stack(vectors), axis=0)
    return np.asarray(middle / max(float(np.linalg.norm(middle)), 1e-9), np.float32)


def _lines(found: Found) -> list[Line]:
    paper = found.hit.paper
    spans = [span for passage in found.passages for span in passage.sentences]
    vectors = [vector for passage in found.passages if passage.sentence_vectors is not None
               for vector in passage.sentence_vectors]
    lines = []
    for place, ((start, end), vector) in enumerate(zip(spans, vectors, strict=True)):
        first = opening(paper.abstract, spans, place)
        begin = start if first is None else spans[first][0]
        text, alone = paper.abstract[begin:end], paper.abstract[start:end]
        whole = not _BROKEN.search(_MATHS.sub("x", alone))
        fits = _SHORTEST <= len(alone.split()) <= _LONGEST and len(text.split()) <= _TOGETHER
        readable = (first is not None and place - first < 2 and fits and whole
                    and not _POINTS.search(alone) and (place > 0 or not leans(alone)))
        lines.append(Line(paper_id=paper.id, text=text, span=(begin, end), alone=alone, place=place, of=len(spans),
                          vector=vector, readable=readable))
    return lines


def _sentence(drafted: Drafted, supports: Mapping[str, Support], *, verbatim: bool = False) -> Sentence:
    first = next(iter(supports.values()), None)
    citations = (Citation(label=0, paper_id=paper_id, support=support) for paper_id, support in supports.items())
    return Sentence(text=first.quote if verbatim and first else drafted.text, kind="quote" if verbatim else "statement",
                    side=drafted.side, citations=tuple(citations))
