"""A claim weighed: what the library's papers say for it and against it, in their own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from rag import cite
from rag.checker import agree
from rag.checker.agree import prose
from rag.checker.stance import SPEAKS, Side, Stance, Taken, as_claim, side, take, verdict
from rag.drafted import Drafted
from rag.errors import ModelError
from rag.floor import rarity
from rag.relevant import relevant
from rag.retrieve import Found, Retrieved, retrieve
from rag.schema import Citation, ClaimReport, Reference, Sentence, Support, Where
from rag.store import Store
from rag.text import content_stems, spelled

if TYPE_CHECKING:
    from rag.chain import Writer

# Papers looked at, those weighed, and those quoted on a side.
_LOOKED_AT, _WEIGHED, _QUOTED = 30, 10, 5
_SIDES: tuple[Side, ...] = ("for", "against")
# Content words of a claim at least: fewer name a thing, and say nothing of it.
_WORDS = 3

# A report tells how sure it is; an answer takes a side only where that is more likely right than not.
_SURE = 0.5
# The share of a claim's words that a sentence must hold to take a side; how far against it a paper must lean that
# passes for saying it.
_SPOKEN, _FAR = 0.34, -0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A paper and what it says on a claim.

    Attributes:
        side: the likelier one.
        clear: whether it may be told.
    """

    found: Found
    taken: Taken
    side: Side
    clear: bool

    @property
    def speaks(self) -> float:
        """How likely it is that the paper takes any side, 0..1."""
        return self.taken.supports + self.taken.contradicts

    @property
    def score(self) -> float:
        """How likely it is that the paper takes its side, 0..1."""
        return self.taken.supports if self.side == "for" else self.taken.contradicts

    @property
    def stances(self) -> tuple[Stance, ...]:
        """Its sentences on that side, the surest first."""
        return tuple(stance for stance in self.taken.stances if stance.side == self.side)


def check(store: Store, claim: str, where: Where | None = None, writer: Writer | None = None) -> ClaimReport:
    """What the library says for a claim and against it.

    A model reads the quotes that were found and may take any away, or turn one that speaks for the claim against it;
    it adds none, and turns none that speaks against.

    Args:
        store: the library's.
        claim: a statement, or a question that yes or no would answer.
        where: only these papers.
        writer: the language model's engine, on this check's account; None to go by the signs alone.

    Raises:
        NoLibraryError: there is no library.
    """
    began = perf_counter()
    folded = " ".join(claim.split())
    stated = as_claim(folded) or folded
    retrieved = retrieve(store, stated, _LOOKED_AT, where)
    papers = relevant(retrieved, most=_WEIGHED).papers
    found = perf_counter()
    weighed = weigh(store, stated, retrieved, tuple(papers.values()))
    report = ClaimReport(claim=claim, verdict="no evidence", notice=None if weighed or not papers else (
        "That is too short to be weighed: say what does what."))
    ended = perf_counter()
    timings = {"retrieve": found - began, "weigh": ended - found}
    if writer is not None and any(each.speaks >= SPEAKS for each in weighed):
        report = replace(report, engine="llm", model=writer.name)
        try:
            weighed = _reread(writer, stated, weighed)
        except ModelError as error:
            writer.account.forget()
            report = replace(report, engine="extractive", model=None,
                             notice=f"{error} The quotes were sorted without it.")
        report = replace(report, usage=writer.account.usage)
        timings["read"] = perf_counter() - ended
    return replace(_told(report, weighed), timings=timings)


def weigh(store: Store, claim: str, retrieved: Retrieved, papers: Sequence[Found]) -> tuple[Weighed, ...]:
    """What each of the papers says on a claim, the surest first.

    Args:
        store: the library's.
        claim: one statement.
        retrieved: what was found for it.
        papers: those of them to weigh; none is where the claim is too short to say anything.
    """
    if len(set(prose(claim))) < _WORDS:
        return ()
    total = store.words.count()
    weights = {stem: rarity(frequency, total) for stem, frequency in store.words.frequencies(set(prose(claim))).items()}
    around = float(np.mean([item.scores["sentence"] for item in retrieved.evidence[:_LOOKED_AT]] or [0.0]))
    weighed = []
    for found in papers:
        source = cite.grounds(found.hit.paper, found.passages)
        taken = take(claim, retrieved.vector, source, lambda stem: weights[stem], around)
        clear = side(taken.cues, taken.supports, taken.contradicts)
        if clear is not None and not _plain(claim, clear, found, taken, cite.verify(
                claim, retrieved.vector, source, lambda stem: weights[stem]).verdict == "supported"):
            clear = None
        likelier: Side = "for" if taken.supports >= taken.contradicts else "against"
        weighed.append(Weighed(found=found, taken=taken, side=clear or likelier, clear=clear is not None))
    return tuple(sorted(weighed, key=lambda each: -each.score))


def _plain(claim: str, side: Side, found: Found, taken: Taken, passed: bool) -> bool:
    """Whether a paper may be said to take a side that it seems to take.

    Where two instruments disagree it takes none: what speaks for a claim must pass the checker of answers, which knows
    numbers, names and denials; what passes it speaks against the claim only where its wording leans far. And the
    sentences to be quoted must speak of what the claim does.
    """
    quotes = [found.hit.paper.abstract[stance.start:stance.end] for stance in taken.stances if stance.side == side]
    wanted = frozenset(content_stems(claim))
    if not any(len(wanted & frozenset(content_stems(quote))) >= _SPOKEN * len(wanted) for quote in quotes):
        return False
    if side == "against":
        return not passed or taken.cues.lean <= _FAR
    denied = agree.negations(claim) > 0 and not any(map(agree.negations, quotes))
    return passed and not denied and taken.cues.lean > 0


def _reread(writer: Writer, claim: str, weighed: Sequence[Weighed]) -> tuple[Weighed, ...]:
    """The papers as a model leaves them, each by its best sentence.

    Raises:
        ModelError: the model failed.
    """
    asked = [each for each in weighed if each.speaks >= SPEAKS and each.stances]
    quotes = [each.found.hit.paper.abstract[each.stances[0].start:each.stances[0].end] for each in asked]
    read = writer.weigh(claim, quotes)
    left = []
    for place, each in enumerate(asked):
        said = read.get(place)
        if said == each.side:
            left.append(replace(each, clear=True))
        elif said == "against":
            turned = replace(each.stances[0], side="against")
            left.append(replace(each, side="against", clear=True, taken=replace(each.taken, stances=(turned,))))
    return tuple(left)


def _told(report: ClaimReport, weighed: Sequence[Weighed]) -> ClaimReport:
    """The report with the verdict and the sentences on each side."""
    for_, against = _divide(weighed)
    found, confidence = verdict(max((each.score for each in for_), default=0.0),
                                max((each.score for each in against), default=0.0),
                                max((each.speaks for each in weighed), default=0.0))
    close = [each.found.hit.paper.label for each in weighed if each.speaks >= SPEAKS]
    if found == "no evidence" and close and report.notice is None:
        report = replace(report, notice=f"What comes closest takes no clear side: “{close[0]}”.")
    papers = {each.found.hit.paper.id: each.found.hit.paper for each in (*for_, *against)}
    numbers = {paper_id: number for number, paper_id in enumerate(papers, 1)}
    return replace(
        report, verdict=found, confidence=confidence,
        for_=tuple(sentence for each in for_ for sentence in _sentences(each, numbers)),
        against=tuple(sentence for each in against for sentence in _sentences(each, numbers)),
        references=tuple(Reference(label=numbers[paper_id], paper=paper) for paper_id, paper in papers.items()))


def _divide(weighed: Sequence[Weighed]) -> tuple[list[Weighed], list[Weighed]]:
    """The papers that may be quoted for the claim, and against it."""
    for_, against = ([each for each in weighed if each.clear and each.side == taken and each.stances][:_QUOTED]
                     for taken in _SIDES)
    return for_, against


def _sentences(weighed: Weighed, numbers: Mapping[str, int]) -> Iterator[Sentence]:
    paper = weighed.found.hit.paper
    for stance in weighed.stances:
        quote = paper.abstract[stance.start:stance.end]
        support = Support(verdict="supported", score=1.0, quote=quote, start=stance.start, end=stance.end)
        yield Sentence(text=quote, kind="quote", side=weighed.side, citations=(
            Citation(label=numbers[paper.id], paper_id=paper.id, support=support),))


# ---- yes/no questions



def balance(store: Store, question: str, retrieved: Retrieved, evidence: Mapping[str, Found]) -> Iterator[Drafted]:
    """The answer to a yes/no question: how the papers divide, then their sentences; nothing where none takes a side.

    Args:
        store: the library's.
        question: one that stands alone.
        retrieved: what was found for it.
        evidence: label to relevant paper.
    """
    claim = as_claim(question)
    if claim is None:
        return
    labels = {found.hit.paper.id: label for label, found in evidence.items()}
    weighed = weigh(store, claim, retrieved, tuple(evidence.values())[:_WEIGHED])
    for_, against = ([each for each in part if each.score >= _SURE] for part in _divide(weighed))
    if not for_ and not against:
        return
    yield Drafted(text=_divided(len(for_), len(against)), frame=True)
    for each in (*for_, *against):
        paper, stance = each.found.hit.paper, each.stances[0]
        yield Drafted(text=paper.abstract[stance.start:stance.end], labels=(labels[paper.id],), side=each.side)


def _divided(for_: int, against: int) -> str:
    """How many papers lean to yes and how many to no: "By their wording, two papers lean to yes, one to no."."""
    first, answer = (for_, "yes") if for_ else (against, "no")
    whose, lean = ("its", "paper leans") if first == 1 else ("their", "papers lean")
    told = f"By {whose} wording, {spelled(first)} {lean}"
    return f"{told} to {answer}, {spelled(against)} to no." if for_ and against else f"{told} to {answer}."
