"""Cuts an abstract into passages on sentence bounds. Pure."""

from __future__ import annotations

from collections.abc import Callable

from rag.schema import Chunk
from rag.text import Span, sentences


def chunk(paper_id: str, abstract: str, budget: int,
          count: Callable[[str], int]) -> tuple[tuple[Chunk, tuple[Span, ...]], ...]:
    """Passages of at most ``budget`` tokens, each with the spans of its sentences in the abstract.

    Sentences are packed in order and never cut, save one that alone exceeds the budget: that one is cut between
    words. Every character of the abstract that is not white space lies in exactly one passage, and
    ``abstract[chunk.start:chunk.end] == chunk.text``. Most abstracts are one passage.

    Args:
        paper_id: whose abstract it is.
        abstract: the text.
        budget: tokens a passage may hold.
        count: tokens of a text, as the embedder counts them.

    Raises:
        ValueError: the budget is not positive.
    """
    if budget < 1:
        raise ValueError(f"a passage of {budget} tokens holds nothing")
    if not abstract.strip():
        return ()
    whole = sentences(abstract)
    # Nearly always so, and counted once instead of sentence by sentence.
    tokens = count(abstract)
    if tokens <= budget:
        start, end = whole[0][0], whole[-1][1]
        return ((Chunk(id=f"{paper_id}.0", paper_id=paper_id, index=0, text=abstract[start:end], start=start, end=end,
                       tokens=tokens), whole),)
    spans = [piece for span in whole for piece in _fit(abstract, span, budget, count)]
    groups: list[list[Span]] = []
    used = 0
    for span in spans:
        tokens = count(abstract[span[0]:span[1]])
        if groups and used + tokens <= budget:
            groups[-1].append(span)
            used += tokens
        else:
            groups.append([span])
            used = tokens
    return tuple(
        (_chunk(paper_id, index, abstract, group[0][0], group[-1][1], count), tuple(group))
        for index, group in enumerate(groups)
    )


def _chunk(paper_id: str, index: int, abstract: str, start: int, end: int, count: Callable[[str], int]) -> Chunk:
    text = abstract[start:end]
    return Chunk(id=f"{paper_id}.{index}", paper_id=paper_id, index=index, text=text, start=start, end=end,
                 tokens=count(text))


def _fit(text: str, span: Span, budget: int, count: Callable[[str], int]) -> list[Span]:
    """The span itself, or the pieces of it that fit, halved between words (inside a word where there is only one)."""
    start, end = span
    if count(text[start:end]) <= budget or end - start <= 1:
        return [span]
    middle = (start + end) // 2
    blanks = [at for at in range(start + 1, end) if text[at].isspace()]
    cut = min(blanks, key=lambda at: abs(at - middle)) if blanks else middle
    after = cut
    while after < end and text[after].isspace():
        after += 1
    before = len(text[:cut].rstrip())
    return [piece for half in ((start, before), (after, end)) if half[0] < half[1]
            for piece in _fit(text, half, budget, count)]
