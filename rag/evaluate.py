"""How well a library answers judged questions: rankings, answers, abstentions, latencies. Measures are pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, quantiles
from time import perf_counter

from rag.library import Library
from rag.schema import Answer
from rag.text import letters

# What a person has set or a fit has learned while looking at a set of questions. The fits are those of
# tests/bench/ablation.py and tests/bench/abstain.py.
SEEN: Mapping[str, tuple[str, ...]] = {
    "questions-dev": ("rag.fuse", "rag.search.feedback", "rag.floor", "rag.phrase", "rag.extract"),
    "abstention": ("rag.floor",),
    "nfcorpus": ("rag.fuse", "rag.search.feedback", "rag.floor"),
    "cranfield": ("rag.fuse", "rag.search.feedback", "rag.floor"),
    "litsearch-small": ("rag.fuse", "rag.search.feedback", "rag.floor"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question with its judgements.

    Attributes:
        relevant: paper id to gain, above zero; empty for a question that the library cannot answer.
        evidence: the sentence that holds the answer, for a question that wants one fact.
    """

    question: str
    kind: str = ""
    relevant: Mapping[str, int] = field(default_factory=dict)
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Ranking measures, averaged over questions with at least one relevant paper."""

    questions: int
    ndcg10: float
    recall20: float
    recall100: float
    mrr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the answers hold.

    Attributes:
        first, first_three, anywhere: share of fact questions whose gold sentence stands there in the answer.
        precision, recall, f1: of the papers cited for subject questions, against those judged relevant.
        false_refusals: share of answerable questions that were refused.
        refusals: share of unanswerable questions that were refused; None where there are none.
        p50, p95: seconds for a whole answer.
    """

    questions: int
    first: float | None
    first_three: float | None
    anywhere: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    false_refusals: float | None
    refusals: float | None
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that `vouch eval` prints. Latencies are in seconds."""

    name: str
    papers: int
    ranking: Ranking
    by_kind: Mapping[str, Ranking]
    search_p50: float
    search_p95: float
    answers: Answers | None
    seen_by: tuple[str, ...]

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The report as a table of name and value."""
        rows = [("papers", str(self.papers)), ("questions with relevant papers", str(self.ranking.questions))]
        rows += _ranking_rows("", self.ranking)
        for kind, ranking in self.by_kind.items():
            rows += [(f"nDCG@10, {kind} ({ranking.questions})", f"{ranking.ndcg10:.3f}")]
        rows += [("search p50 / p95, ms", f"{1000 * self.search_p50:.1f} / {1000 * self.search_p95:.1f}")]
        if self.answers is not None:
            found = self.answers
            rows += [(name, f"{value:.3f}") for name, value in (
                ("fact: gold sentence first", found.first), ("fact: among the first three", found.first_three),
                ("fact: anywhere in the answer", found.anywhere), ("topic: precision of cited papers", found.precision),
                ("topic: recall", found.recall), ("topic: F1", found.f1),
                ("answerable but refused", found.false_refusals), ("unanswerable and refused", found.refusals),
            ) if value is not None]
            rows += [("ask p50 / p95, ms", f"{1000 * found.p50:.1f} / {1000 * found.p95:.1f}")]
        rows += [("parameters set with these questions in view", ", ".join(self.seen_by) or "none")]
        return tuple(rows)


def _ranking_rows(prefix: str, ranking: Ranking) -> list[tuple[str, str]]:
    return [(f"{prefix}nDCG@10", f"{ranking.ndcg10:.3f}"), (f"{prefix}Recall@20", f"{ranking.recall20:.3f}"),
            (f"{prefix}Recall@100", f"{ranking.recall100:.3f}"), (f"{prefix}MRR", f"{ranking.mrr:.3f}")]


def ndcg(ranked: Sequence[str], relevant: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain with linear gain (Järvelin and Kekäläinen 2002), 0..1."""
    gains = [relevant.get(paper_id, 0) for paper_id in ranked[:k]]
    ideal = sorted(relevant.values(), reverse=True)[:k]
    return _dcg(gains) / _dcg(ideal) if ideal else 0.0


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))


def recall(ranked: Sequence[str], relevant: Mapping[str, int], k: int) -> float:
    """Share of the relevant papers among the first k."""
    return len(set(ranked[:k]) & set(relevant)) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], relevant: Mapping[str, int]) -> float:
    """One over the place of the first relevant paper; 0 where there is none."""
    return next((1.0 / place for place, paper_id in enumerate(ranked, 1) if paper_id in relevant), 0.0)


def measure(name: str, library: Library, questions: Sequence[Judged], *, answers: bool = True,
            progress: Callable[[int, int], None] | None = None) -> Report:
    """Asks every question and measures what comes back.

    Args:
        name: of the set, for what is known to have been tuned on it.
        library: the one that the judgements speak of.
        questions: those without relevant papers count for abstention alone.
        answers: also ask each question, not only search.
        progress: told how many of how many questions are done.
    """
    rankings: dict[str, list[tuple[Sequence[str], Mapping[str, int]]]] = defaultdict(list)
    told: list[tuple[Judged, Answer]] = []
    searching, asking = [], []
    if questions:
        library.search(questions[0].question, deep=False)  # warm: opening is not searching
    for number, judged in enumerate(questions, 1):
        began = perf_counter()
        hits = library.search(judged.question, k=100, deep=False)
        searching.append(perf_counter() - began)
        if judged.relevant:
            rankings[judged.kind].append(([hit.paper.id for hit in hits], judged.relevant))
        if answers:
            began = perf_counter()
            told.append((judged, library.ask(judged.question, engine="extractive")))
            asking.append(perf_counter() - began)
        if progress is not None:
            progress(number, len(questions))
    everything = [pair for group in rankings.values() for pair in group]
    return Report(
        name=name, papers=len(library.papers), ranking=rank(everything),
        by_kind={kind: rank(group) for kind, group in rankings.items()} if len(rankings) > 1 else {},
        search_p50=percentile(searching, 50), search_p95=percentile(searching, 95),
        answers=_answers(told, asking) if told else None, seen_by=SEEN.get(name, ()))


def rank(ranked: Sequence[tuple[Sequence[str], Mapping[str, int]]]) -> Ranking:
    """Averages the measures over pairs of ranked ids and judgements."""
    def mean(values: Sequence[float]) -> float:
        return fmean(values) if values else 0.0

    return Ranking(
        questions=len(ranked), ndcg10=mean([ndcg(ids, relevant) for ids, relevant in ranked]),
        recall20=mean([recall(ids, relevant, 20) for ids, relevant in ranked]),
        recall100=mean([recall(ids, relevant, 100) for ids, relevant in ranked]),
        mrr=mean([reciprocal_rank(ids, relevant) for ids, relevant in ranked]))


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of the values do not exceed; 0 for none."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _answers(told: Sequence[tuple[Judged, Answer]], seconds: Sequence[float]) -> Answers:
    places = [_place(judged.evidence, answer) for judged, answer in told if judged.evidence]
    overlaps = [_overlap(judged, answer) for judged, answer in told if judged.kind == "topic"]

    def share(flags: Sequence[bool]) -> float | None:
        return fmean(flags) if flags else None

    def mean(column: int) -> float | None:
        return fmean(row[column] for row in overlaps) if overlaps else None

    return Answers(
        questions=len(told), first=share([place == 1 for place in places]),
        first_three=share([0 < place <= 3 for place in places]), anywhere=share([place > 0 for place in places]),
        precision=mean(0), recall=mean(1), f1=mean(2),
        false_refusals=share([answer.abstained for judged, answer in told if judged.relevant]),
        refusals=share([answer.abstained for judged, answer in told if not judged.relevant]),
        p50=percentile(seconds, 50), p95=percentile(seconds, 95))


def _place(evidence: str, answer: Answer) -> int:
    """Where the gold sentence stands among the answer's quotes, from 1; 0 where it does not."""
    wanted = letters(evidence)
    quotes = [letters(sentence.text) for sentence in answer.sentences if sentence.citations]
    return next((place for place, quote in enumerate(quotes, 1) if quote and (wanted in quote or quote in wanted)), 0)


def _overlap(judged: Judged, answer: Answer) -> tuple[float, float, float]:
    cited = {reference.paper.id for reference in answer.references}
    right = len(cited & set(judged.relevant))
    precision = right / len(cited) if cited else 0.0
    found = right / len(judged.relevant) if judged.relevant else 0.0
    return precision, found, 2 * precision * found / (precision + found) if right else 0.0
