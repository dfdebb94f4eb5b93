"""Papers to the evidence that a model is shown: as much as its window holds, under opaque labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from langchain_core.documents import Document

import prompts
from rag.schema import Hit
from rag.text import sentences


def documents(hits: Sequence[Hit]) -> list[Document]:
    """A document for each passage of each paper, in their order; a paper without passages gives its whole abstract."""
    found = []
    for rank, hit in enumerate(hits, 1):
        paper = hit.paper
        spans = [(passage.text, passage.start, passage.end) for passage in hit.passages]
        for text, start, end in spans or [(paper.abstract, 0, len(paper.abstract))]:
            metadata = {"paper_id": paper.id, "title": paper.label, "year": paper.year, "url": paper.url,
                        "text_kind": paper.text_kind,
                        "score": hit.score, "rank": rank, "start": start, "end": end}
            found.append(Document(page_content=text, metadata=metadata))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Evidence as the model gets it.

    Attributes:
        text: the passages under their papers' labels.
        labels: label ("E1", "E2", ... by rank) to paper id, of the papers that found room.
    """

    text: str
    labels: Mapping[str, str]


def pack(found: Sequence[Document], budget_tokens: int, count: Callable[[str], int]) -> Packed:
    """As much evidence as the budget holds: first each paper's best passage, then what else there is, both by rank.

    Passages are cut only between sentences, and packing stops at the first that does not fit, so that no paper is in
    while a better one is out. The best paper's best passage is always in, whole.

    Args:
        found: passages as `documents` gives them: papers by rank, each one's best passage first.
        budget_tokens: what the text may count.
        count: counts a text's tokens.
    """
    papers = [list(group) for _, group in groupby(found, key=lambda document: document.metadata["paper_id"])]
    chosen: list[list[Document]] = []
    spent = 0
    for paper in papers:
        head = count(_shown(len(chosen) + 1, [paper[0].model_copy(update={"page_content": ""})]))
        fitting = paper[0] if not chosen else _cut(paper[0], budget_tokens - spent - head, count)
        if fitting is None:
            break
        chosen.append([fitting])
        spent += head + count(fitting.page_content)
        if fitting is not paper[0]:
            break
    else:
        rest = [(paper, document) for paper, group in zip(chosen, papers, strict=True) for document in group[1:]]
        for paper, document in rest:
            fitting = _cut(document, budget_tokens - spent, count)
            if fitting is None:
                break
            paper.append(fitting)
            spent += count(fitting.page_content)
    return Packed(text="\n\n".join(_shown(number, paper) for number, paper in enumerate(chosen, 1)),
                  labels={f"E{number}": paper[0].metadata["paper_id"] for number, paper in enumerate(chosen, 1)})


def _cut(document: Document, budget: int, count: Callable[[str], int]) -> Document | None:
    """The document, or as many of its first sentences as the budget holds; None where not one does."""
    if count(document.page_content) <= budget:
        return document
    text, start = document.page_content, document.metadata["start"]
    ends = [end for _, end in sentences(text) if count(text[:end]) <= budget]
    if not ends:
        return None
    metadata = {**document.metadata, "end": start + ends[-1]}
    return Document(page_content=text[:ends[-1]], metadata=metadata)


def _shown(number: int, passages: Sequence[Document]) -> str:
    """One paper's passages in the order of its abstract, overlaps joined, under its label and title."""
    first = passages[0].metadata
    text, end = "", 0
    for passage in sorted(passages, key=lambda passage: passage.metadata["start"]):
        start = passage.metadata["start"]
        if not text:
            text = passage.page_content
        elif start <= end:
            text += passage.page_content[end - start:]
        else:
            text += f" … {passage.page_content}"
        end = max(end, passage.metadata["end"])
    title = first["title"] + (f" ({first['year']})" if first["year"] else "")
    return prompts.load("evidence").fill(label=f"E{number}", title=title, text=" ".join(text.split()))
