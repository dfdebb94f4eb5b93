"""How well the checker tells faithful statements from corrupted ones, made of a library's own sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from time import perf_counter

import numpy as np

from rag import cite
from rag.checker.corrupt import Source, items
from rag.errors import NoPaperError
from rag.evaluate import percentile
from rag.library import Library
from rag.schema import Paper, Support

# The kinds that the fit (tests/bench/check.py) has learned from; the others only measure it. The rules that forbid were
# written by hand with all kinds but the paraphrases in view.
FITTED = frozenset({"clause dropped", "hedged", "synonyms", "wrong paper"})
# Papers that items are made of at most, and neighbours of each that the wrong one is chosen from.
_PAPERS, _NEAREST = 400, 10
# Made by reading, not by rule.
PARAPHRASED = "written paraphrases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of the statements of one kind.

    Attributes:
        faithful: whether they say what the paper says, so that none should be flagged.
        fitted: whether the fit has seen statements of this kind.
        flagged: share that is not "supported": refused, or shown as weakly supported.
        refused: share that is "unsupported" or "contradicted", and not shown.
    """

    kind: str
    faithful: bool
    fitted: bool
    items: int
    flagged: float
    refused: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Misjudged:
    """A corrupted statement that passed, or a faithful one that was flagged."""

    kind: str
    statement: str
    support: Support


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything that `vouch eval --checker` prints.

    Attributes:
        table: a row for each kind.
        misjudged: all that went wrong, to read.
        p50, p95: seconds for a statement and a paper whose vectors are there.
    """

    papers: int
    seed: int
    table: tuple[Row, ...]
    misjudged: tuple[Misjudged, ...]
    p50: float
    p95: float

    def share(self, *, faithful: bool, fitted: bool | None = None) -> float:
        """Share of the faithful, or of the corrupted, that is flagged; of the kinds fitted, or of the others."""
        chosen = [row for row in self.table if row.faithful is faithful and fitted in (None, row.fitted)]
        total = sum(row.items for row in chosen)
        return sum(row.flagged * row.items for row in chosen) / total if total else 0.0

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The audit as a table of name and value."""
        rows = [("papers", str(self.papers)), ("seed", str(self.seed))]
        for faithful, title, aim in ((True, "faithful", "at most 5 %"), (False, "corrupted", "at least 95 %")):
            rows += [(f"{title}: {row.kind}{'' if row.fitted else ' *'} ({row.items})",
                      f"{row.flagged:6.1%} flagged, {row.refused:6.1%} refused")
                     for row in self.table if row.faithful is faithful]
            rows += [(f"{title}, all", f"{self.share(faithful=faithful):6.1%} flagged (aim: {aim})"),
                     (f"{title}, not fitted (*)", f"{self.share(faithful=faithful, fitted=False):6.1%} flagged")]
        return (*rows, ("a check p50 / p95, ms", f"{1000 * self.p50:.1f} / {1000 * self.p95:.1f}"))


def audit(library: Library, seed: int = 0, each: int = 40, paraphrases: Sequence[tuple[Support, str]] = (),
          progress: Callable[[int, int], None] | None = None) -> Audit:
    """Makes statements of a library's sentences, checks them, and counts what became of each kind.

    Args:
        library: whose papers they are made of.
        seed: the same one makes the same statements of the same papers.
        each: statements of a kind at most.
        paraphrases: written ones that were checked against their papers, faithful all; a row of their own.
        progress: told how many of how many are done.

    Raises:
        NoLibraryError: there is no library yet.
    """
    library.store.fresh()
    papers = list(library.papers)
    chosen = Random(seed).sample(papers, min(_PAPERS, len(papers)))
    made = items(sources(library, chosen), seed, each) if chosen else ()
    read = grounds(library, [paper.id for paper in chosen])
    rarity = library.rarity()
    judged: dict[str, list[tuple[Support, str]]] = {}
    seconds = []
    for number, item in enumerate(made, 1):
        vector = library.store.embedder.embed_query(item.statement)
        began = perf_counter()
        support = cite.verify(item.statement, vector, read[item.cited], rarity)
        seconds.append(perf_counter() - began)
        judged.setdefault(item.kind, []).append((support, item.statement))
        if progress is not None:
            progress(number, len(made))
    faithful = {item.kind: item.faithful for item in made}
    if paraphrases:
        judged, faithful = {PARAPHRASED: list(paraphrases), **judged}, {PARAPHRASED: True, **faithful}
    return Audit(papers=len(papers), seed=seed, p50=percentile(seconds, 50), p95=percentile(seconds, 95),
                 table=tuple(_row(kind, faithful[kind], [support for support, _ in found])
                             for kind, found in judged.items()),
                 misjudged=tuple(Misjudged(kind=kind, statement=statement, support=support)
                                 for kind, found in judged.items() for support, statement in found
                                 if (support.verdict == "supported") is not faithful[kind]))


def _row(kind: str, faithful: bool, supports: Sequence[Support]) -> Row:
    return Row(kind=kind, faithful=faithful, fitted=kind in FITTED, items=len(supports),
               flagged=fmean(support.verdict != "supported" for support in supports),
               refused=fmean(support.verdict in ("unsupported", "contradicted") for support in supports))


def paraphrased(library: Library, written: Iterable[tuple[str, str]]) -> list[tuple[Support, str]]:
    """Checks sentences that a person wrote against the papers they are about.

    Args:
        library: that holds the papers.
        written: the arXiv id of a paper of it, and a sentence about it.

    Raises:
        NoPaperError: no paper has that arXiv id.
    """
    library.store.fresh()
    ids = {paper.arxiv_id: paper.id for paper in library.papers}
    pairs = list(written)
    unknown = [arxiv_id for arxiv_id, _ in pairs if arxiv_id not in ids]
    if unknown:
        raise NoPaperError(f"No paper has the arXiv id {unknown[0]!r}: a paraphrase names its paper by it.")
    rarity = library.rarity()
    told = list(dict.fromkeys(ids[arxiv_id] for arxiv_id, _ in pairs))
    read = dict(zip(told, grounds(library, told), strict=True))
    return [(cite.verify(sentence, library.store.embedder.embed_query(sentence), read[ids[arxiv_id]],
                         rarity), sentence) for arxiv_id, sentence in pairs]


def sources(library: Library, papers: Sequence[Paper]) -> list[Source]:
    """The papers as what items are made of, each with those of them that are most like it."""
    views = library.store.views([paper.id for paper in papers])
    vectors = np.stack([np.mean([view.passage for view in views[paper.id]], axis=0) for paper in papers])
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1.0)
    nearest = np.argsort(-alike, axis=1)[:, :min(_NEAREST, len(papers) - 1)]
    return [Source(text=paper.abstract, near=tuple(map(int, near)))
            for paper, near in zip(papers, nearest, strict=True)]


def grounds(library: Library, ids: Sequence[str]) -> list[cite.Grounds]:
    """Papers of the library as grounds to check against, with their stored vectors."""
    passages, papers = library.store.passages(ids), library.store.papers(ids)
    return [cite.grounds(papers[paper_id], passages[paper_id]) for paper_id in ids]
