"""A library that plays a script: what the real one says only now and then, such as a sentence withheld, on demand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rag.errors import NoPaperError, VouchError
from rag.schema import (
    Answer,
    Citation,
    ClaimReport,
    Event,
    Evidence,
    Finished,
    Hit,
    Origin,
    Paper,
    Reference,
    Said,
    Sentence,
    Stage,
    Support,
    Turn,
    Usage,
    Where,
    Withheld,
)
from rag.settings import Settings

PAPERS = (
    Paper(
        id="p/1 ä", title="Tides of Reward: When Optimising a Proxy Goes Too Far", year=2023, date="Mar 2",
        year_inferred=True, authors=("Ada Quill", "Bo Fern", "Cy Marsh"), arxiv_id="2303.00001",
        abstract="Reward models stand in for what people want. We find that optimising a learned reward too hard "
                 "lowers the true reward, and that the gap grows with the square root of the KL distance, "
                 "$d = \\sqrt{D_{KL}}$. Larger reward models shrink it. "
                 "Training cost $5 to $10 a run on \\394 <b>scenes</b>.",
        origins=(Origin(file="listing.txt", record=3), Origin(file="saved page.html", record=12)),
    ),
    Paper(
        id="p2", title="Ensembles Against Overoptimisation", year=2024, text_kind="summary", authors=("Dee Holm",),
        abstract="The paper trains several reward models and takes the lowest of their scores. It reports that this "
                 "removes most of the overoptimisation at a small cost in speed.",
        url="https://example.org/ensembles", origins=(Origin(file="sample.jsonl", record=7),),
    ),
    Paper(
        id="p3", origins=(Origin(file="listing.txt", record=9),),
        abstract="Images of rivers are sorted by season with a small network. "
                 "<img src=https://example.org/x.png> The labels come from gauges.",
    ),
)


def cite(paper: Paper, label: int, words: str, verdict: str = "supported") -> Citation:
    start = paper.abstract.index(words)
    return Citation(label=label, paper_id=paper.id,
                    support=Support(verdict=verdict, score=0.8, quote=words, start=start, end=start + len(words)))  # type: ignore[arg-type]


FIRST = "optimising a learned reward too hard lowers the true reward"
LOWEST = "takes the lowest of their scores"
QUOTE = "It reports that this removes most of the overoptimisation at a small cost in speed."
SENTENCES = (
    Sentence(text="Two papers in the library deal with it.", kind="frame"),
    Sentence(text="Pushing a learned reward too far lowers the true one; the gap is $\\sqrt{D_{KL}}$ at $5 a run.",
             citations=(cite(PAPERS[0], 1, FIRST),)),
    Sentence(text="Ensembles of reward models are one remedy, and they may be cheap.",
             citations=(cite(PAPERS[1], 2, LOWEST, "weak"), cite(PAPERS[0], 1, FIRST, "weak"))),
    Sentence(text=QUOTE, kind="quote", citations=(cite(PAPERS[1], 2, QUOTE),)),
)


ASKED = "asked.jsonl"


def last_asked(folder: Path) -> dict[str, Any]:
    """What the library in that folder, perhaps in another process, was asked last."""
    lines = (folder / ASKED).read_text(encoding="utf-8").splitlines()
    return dict(json.loads(lines[-1]))


class Shelf(dict[str, Paper]):
    def where(self, where: Where | None) -> tuple[Paper, ...]:
        return tuple(self.values())

    def tags(self, paper_id: str | None = None) -> tuple[str, ...]:
        return ()

    def __missing__(self, key: str) -> Paper:
        raise NoPaperError(f"No paper has the id {key!r}.")


def quote(place: int, label: int, words: str, **more: Any) -> Sentence:
    return Sentence(text=words, kind="quote", citations=(cite(PAPERS[place], label, words),), **more)


REFERENCES = tuple(Reference(label=n, paper=paper) for n, paper in enumerate(PAPERS[:2], start=1))
OUT = Sentence(text="Every remedy works for <script>alert(1)</script> all models.",
               citations=(cite(PAPERS[0], 1, "Larger reward models shrink it.", "unsupported"),))
NO = Sentence(text="The library does not cover this.", kind="frame")
LARGER = "Larger reward models shrink it."
USAGE = Usage(input_tokens=1200, output_tokens=90, cost=0.0031)
# What is answered where the question holds the word; the usual answer where it holds none.
ANSWERS = {
    "nothing": Answer(question="", sentences=(NO,), abstained=True, nearest=PAPERS),
    "compare": Answer(question="", kind="comparison", references=REFERENCES, sentences=(
        Sentence(text="Two papers speak of either.", kind="frame"), quote(0, 1, LARGER, side="larger models"),
        quote(1, 2, QUOTE, side="ensembles"))),
    "how much": Answer(question="", kind="fact", references=REFERENCES[1:], sentences=(
        quote(1, 2, QUOTE, marked=(QUOTE.index("a small"), QUOTE.index("."))),)),
    "newest": Answer(question="", kind="library", references=REFERENCES, sentences=(
        Sentence(text="These are the newest:", kind="frame"),
        *(Sentence(text=f"“{paper.title}”, {paper.year}.", kind="frame", citations=(Citation(
            label=label, paper_id=paper.id, support=Support(verdict="supported", score=1.0)),))
          for label, paper in enumerate(PAPERS[:2], 1)))),
    "hello": Answer(question="", kind="greeting", sentences=(
        Sentence(text="Hello. Ask what the papers say.", kind="frame"),)),
}
REPORT = ClaimReport(claim="", verdict="mixed", for_=(quote(0, 1, LARGER), ), against=(quote(1, 2, QUOTE), ),
                     references=REFERENCES, confidence=0.72)


class ScriptedLibrary:
    """Answers by keyword: as `ANSWERS` has it; "broken" fails, "slow" takes its time, "model" had to fall back.

    What a "kept" question got is kept.
    """

    def __init__(self, path: Path, delay: float = 0.0, empty: bool = False) -> None:
        self.path = path
        self.settings = Settings(library=path)
        self.delay = delay
        self.exists = not empty
        self.papers = Shelf() if empty else Shelf((paper.id, paper) for paper in PAPERS)

    def files(self) -> tuple[Origin, ...]:
        return (Origin(file="listing.txt", record=1), Origin(file="sample.jsonl", record=1)) if self.exists else ()

    def examples(self, n: int = 4) -> tuple[str, ...]:
        return ("What papers address reward overoptimisation?", "How are rivers sorted by season?",
                "What do ensembles cost?", "Which papers report KL distances?")[:n]

    def search(self, query: str, k: int = 10, where: Where | None = None,
               deep: bool | None = None) -> tuple[Hit, ...]:
        return tuple(Hit(paper=paper, score=0.5) for paper in PAPERS[:k])

    def _note(self, **asked: Any) -> None:
        with (self.path / ASKED).open("a", encoding="utf-8") as log:
            log.write(json.dumps(asked) + "\n")

    def check(self, claim: str, where: Where | None = None) -> ClaimReport:
        self._note(claim=claim, years=where.years if where else None)
        time.sleep(1.5 if "slow" in claim else self.delay)
        if "nothing" in claim:
            return ClaimReport(claim=claim, verdict="no evidence", confidence=0.9)
        return replace(REPORT, claim=claim)

    def stream(self, question: str, history: Sequence[Turn] = (), where: Where | None = None, *,
               fresh: bool = False, spent: float = 0.0) -> Iterator[Event]:
        self._note(question=question, history=[turn.question for turn in history],
                   years=where.years if where else None, fresh=fresh, spent=spent)
        delay = 1.2 if "slow" in question else self.delay
        rewritten = "What does the KL distance do to reward models?" if history else None
        time.sleep(delay)
        yield Stage(name="retrieve", seconds=delay)
        if "broken" in question:
            raise VouchError("The word index cannot be read; run: vouch doctor --repair")
        scripted = next((answer for word, answer in ANSWERS.items() if word in question), None)
        answer = replace(scripted or _usual(question, fresh), question=question, rewritten_question=rewritten)
        yield Evidence(hits=() if answer.abstained else self.search(question, 3), rewritten=rewritten)
        for sentence in answer.sentences:
            time.sleep(delay)
            yield Said(sentence=sentence)
            if sentence == SENTENCES[1]:
                yield Withheld(sentence=OUT)
        yield Finished(answer=answer)


def _usual(question: str, fresh: bool) -> Answer:
    fell_back = "model" in question
    return Answer(
        question=question, sentences=SENTENCES, references=REFERENCES, withheld=(OUT,),
        engine="extractive" if fell_back else "llm", model=None if fell_back else "llama3.1:8b",
        usage=None if fell_back else USAGE, cached="kept" in question and not fresh,
        notice="The model stopped answering after 30 s; this answer is made of the papers’ own words."
        if fell_back else None,
    )
