"""The extractive engine: an answer in the papers' own words. Pure; it needs no model."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag import agree
from rag.drafted import Drafted
from rag.floor import coverage
from rag.retrieve import Found, Retrieved
from rag.text import content_stems

# A question for one fact is answered by at most so many sentences, the best first.
_FACTS = 5
_MEASURE = (r"(?:percentage|percent|fraction|share|proportion|part|distance|number|amount|accuracy|speed|height|depth|"
            r"width|length|size|rate|ratio|factor|margin|score|cost|price|age|year|temperature|budget)")
_HOW = (r"how\ (?:many|much|long|large|big|small|fast|quick(?:ly)?|slow(?:ly)?|often|far|close|accurate(?:ly)?|deep|"
        r"high|low|old|wide|tall|heavy)")
# Questions that want a number, a name, a time or a place rather than a list of papers.
_FACT = re.compile(
    rf"""^\W*(?:by|on|from|at|to|in|of|with|for|under)?\s*
    (?:{_HOW}|who|whom|whose|when|where|(?:what|which)\ {_MEASURE}
      |(?:what|which)\b(?!\ (?:papers?|works?|stud(?:y|ies)|articles?|research|are\ the\ (?:best|main)|is\ known))
        (?=.*\b(?:was|were|did|does|is|outperform\w*|achieve\w*|reach\w*)\b))""",
    re.IGNORECASE | re.VERBOSE)
# Questions whose answer is a quantity, and sentences that state one.
_QUANTITY = re.compile(rf"\b(?:{_HOW}|(?:what|which)\ {_MEASURE})\b", re.IGNORECASE | re.VERBOSE)
# An opening that leans on the sentence before it.
_LEANING = re.compile(
    r"^(?:this|these|those|it|its|they|their|such|here|the (?:former|latter|resulting|proposed|same)|however|moreover|"
    r"furthermore|therefore|thus|hence|consequently|additionally|instead|then|nevertheless|to this end|as a result|"
    r"in addition|for (?:example|instance)|in contrast|on the other hand|also|finally|meanwhile)\b", re.IGNORECASE)

# A paper speaking of itself: what it does and what it found.
_OWN = re.compile(r"\b(?:we|our|this (?:paper|work|study|survey|article)|results?|experiments?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Candidate:
    label: str
    text: str
    score: float


def asks_fact(question: str) -> bool:
    """Whether a question wants one fact ("how many ...") rather than papers on a subject."""
    return _FACT.match(question) is not None


def draft(retrieved: Retrieved, evidence: Mapping[str, Found], sure: Collection[str]) -> Iterator[Drafted]:
    """The answer's sentences, verbatim, each with the label of its paper.

    For a subject: a line that counts the papers which address it, each one's best sentence in order of relevance, and
    apart from them those that only come close. For a fact: the sentences that come closest, the best first, at most
    two a paper. No sentence comes twice.

    Args:
        retrieved: the question with its vector.
        evidence: label to relevant paper, most relevant first; at least one.
        sure: labels of the papers that may be said to address the question.
    """
    if asks_fact(retrieved.question):
        candidates = sorted((candidate for label, item in evidence.items()
                             for candidate in _candidates(retrieved, label, item)), key=lambda c: -c.score)
        least = 0.8 * candidates[0].score
        chosen = [candidate for candidate in candidates if candidate.score >= least]
        yield from _distinct(chosen, per_paper=2, most=_FACTS)
        return
    best = [max(_candidates(retrieved, label, item), key=lambda c: c.score) for label, item in evidence.items()]
    distinct = list(_distinct(best, per_paper=1, most=len(best)))
    addressing = [sentence for sentence in distinct if sentence.labels[0] in sure]
    close = [sentence for sentence in distinct if sentence.labels[0] not in sure]
    if addressing:
        yield Drafted(text=_count(len(addressing)))
        yield from addressing
    if close:
        yield Drafted(text="Others come close." if addressing else "These papers come closest.")
        yield from close


def _candidates(retrieved: Retrieved, label: str, item: Found) -> list[_Candidate]:
    abstract = item.hit.paper.abstract
    fact, quantity = asks_fact(retrieved.question), _QUANTITY.search(retrieved.question) is not None
    spans = [span for passage in item.passages for span in passage.sentences]
    likeness = [float(near) for passage in item.passages if passage.sentence_vectors is not None
                for near in passage.sentence_vectors @ retrieved.vector]
    found = []
    for place, ((start, end), near) in enumerate(zip(spans, likeness, strict=True)):
        text = abstract[start:end]
        score = (0.6 * near + 0.25 * coverage(content_stems(text), retrieved.frequencies, retrieved.papers)
                 + 0.15 * item.hit.score)
        if quantity and agree.numbers(text):
            score += 0.1
        elif not fact and _OWN.search(text):
            score += 0.06
        if text.endswith("?"):
            # A question answers none.
            score -= 0.2
        if place == 0:
            # Openings set the scene; what a paper found stands further down.
            score -= 0.03
        elif _LEANING.match(text):
            # It cannot be read alone, so what it leans on comes along, as far as a reader's patience goes.
            first = next((at for at in range(place - 1, max(-1, place - 3), -1)
                          if not _LEANING.match(abstract[spans[at][0]:])), place)
            score -= 0.03 * (place - first) or 0.12
            text = abstract[spans[first][0]:end]
        found.append(_Candidate(label, text, score))
    return found


def _distinct(candidates: Sequence[_Candidate], per_paper: int, most: int) -> Iterator[Drafted]:
    seen: list[frozenset[str]] = []
    papers: dict[str, int] = {}
    for candidate in candidates:
        stems = frozenset(content_stems(candidate.text))
        if papers.get(candidate.label, 0) == per_paper or any(_alike(stems, other) for other in seen):
            continue
        if len(seen) == most:
            return
        seen.append(stems)
        papers[candidate.label] = papers.get(candidate.label, 0) + 1
        yield Drafted(text=candidate.text, labels=(candidate.label,))


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) > 0.8 * max(1, len(a | b))


_SPELLED = "no one two three four five six seven eight nine ten eleven twelve".split()


def _count(papers: int) -> str:
    number = _SPELLED[papers] if papers < len(_SPELLED) else str(papers)
    return f"{number.capitalize()} {'paper addresses' if papers == 1 else 'papers address'} this."
