"""The numbers of a digest's papers, in the order in which a reader meets them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rag.schema import Sentence
from rag.survey import Comparison, Digest, DigestSection


def numbered(digest: Digest) -> Digest:
    """The digest with its papers numbered by first use: citations, references, table and map.

    Papers that nothing cites come last, in the order they had. What is withheld keeps the number 0.
    """
    met = (citation.paper_id for sentence in digest.sentences for citation in sentence.citations)
    held = {reference.paper.id: reference for reference in digest.references}
    order = {paper_id: number for number, paper_id in enumerate(
        dict.fromkeys([*(paper_id for paper_id in met if paper_id in held), *held]), 1)}
    moved = {reference.label: order[paper_id] for paper_id, reference in held.items()}

    def compared(all_: tuple[Comparison, ...]) -> tuple[Comparison, ...]:
        return tuple(replace(one, sentences=_all(one.sentences, order)) for one in all_)

    def section(one: DigestSection) -> DigestSection:
        return replace(one, shared=_all(one.shared, order), adds=_all(one.adds, order), differs=compared(one.differs))

    return replace(
        digest, summary=_all(digest.summary, order), sections=tuple(map(section, digest.sections)),
        agreements=compared(digest.agreements), disagreements=compared(digest.disagreements),
        open_problems=_all(digest.open_problems, order),
        references=tuple(sorted((replace(reference, label=order[paper_id]) for paper_id, reference in held.items()),
                                key=lambda reference: reference.label)),
        table=tuple(sorted((replace(row, label=moved[row.label]) for row in digest.table), key=lambda row: row.label)),
        map=tuple(sorted((replace(point, label=moved[point.label]) for point in digest.map),
                         key=lambda point: point.label)))


def _all(sentences: tuple[Sentence, ...], order: Mapping[str, int]) -> tuple[Sentence, ...]:
    return tuple(replace(sentence, citations=tuple(
        replace(citation, label=order.get(citation.paper_id, 0)) for citation in sentence.citations))
        for sentence in sentences)
