"""Fits how sure Vouch is that a library answers a question, and measures it on questions that the fit has not seen.

    python -m tests.bench.abstain ../shared --write

asks libraries what they answer and what they do not, cross-validates, prints the tables, and writes
rag/abstention.json. Needs the folder that holds `corpus` and `eval`. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import rag
from ingest import ingest
from rag import Library, Where, open_library
from rag.embed import CachedEmbedder, open_embedder
from rag.floor import FLOOR, Signs, signs
from rag.relevant import signals
from rag.retrieve import retrieve
from rag.settings import Settings
from rag.text import query_stems
from ui.judge import collection, judged

WRITTEN = Path(__file__).parents[1] / "data" / "abstention.jsonl"
WEIGHTS = Path(rag.__file__).with_name("abstention.json")
# Asked, but no fit sees it.
CHECK = "questions-dev"
COLLECTIONS = ("litsearch-small", "nfcorpus", "cranfield")
# Papers as near as that to a relevant one are its topic; a narrower cut leaves papers that answer after all.
TOPIC, NARROW = 0.5, 0.6
# As many papers as an answer looks at; questions that a library far from them is asked; words that such a one needs.
LOOKED_AT, FAR, WORDS = 40, 60, 3
# Of the questions that are not answered, how many come near; and how many of the answerable ones may be refused.
SHARE_NEAR, REFUSED = 0.65, 0.05
RIDGE = 10.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question asked of a library.

    Attributes:
        group: the collection whose questions or papers it shares; a fit is measured on groups that it has not seen.
        row: where it stands in the table.
        part: "answerable", "near" (written), "topic held out", "narrow" (too little held out) or "far".
        fitted: whether fits may use it.
        sentence: cosine similarity of the best sentence, to compare with.
    """

    group: str
    row: str
    part: str
    question: str
    signs: Signs
    sentence: float
    fitted: bool = True


@dataclass(kw_only=True)
class Asked:
    """A library that questions are put to, as it is or without some of its papers."""

    library: Library
    group: str
    cases: list[Case] = field(default_factory=list)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(paper.id for paper in self.library.papers)

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """Of each paper, the mean of its passages', (n, d)."""
        views = self.library.store.catalogue.views(self.ids)
        means = np.stack([np.mean([view.passage for view in views[paper_id]], axis=0) for paper_id in self.ids])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def ask(self, row: str, part: str, question: str, gone: frozenset[str] = frozenset(),
            fitted: bool = True) -> frozenset[str]:
        """Puts a question to the library without the papers that are gone, whose words do not count either.

        Returns:
            ids of the papers found.
        """
        store = self.library.store
        where = Where(ids=tuple(paper_id for paper_id in self.ids if paper_id not in gone)) if gone else None
        found = retrieve(store, question, LOOKED_AT, where)
        frequencies = dict(found.frequencies)
        for stems in store.stems(sorted(gone)).values():
            for stem in frequencies.keys() & set(stems):
                frequencies[stem] -= 1
        shown = signals(replace(found, frequencies=frequencies, papers=found.papers - len(gone)))
        self.cases.append(Case(group=self.group, row=row, part=part, question=question, fitted=fitted,
                               signs=signs(shown), sentence=max(paper.sentence for paper in shown)))
        return frozenset(hit.paper.id for hit in found.hits)

    def ask_both_ways(self, row: str, question: str, relevant: Iterable[str], fitted: bool = True,
                      narrow: bool = True) -> None:
        """Puts a question that the library answers to it, and to what is left of it without the question's topic.

        Args:
            row: of the table.
            question: asked as it stands.
            relevant: the papers that answer it.
            fitted: whether fits may use it.
            narrow: whether it is also asked with too little held out.
        """
        found = self.ask(row, "answerable", question, fitted=fitted)
        if found.isdisjoint(relevant):
            # What answers was not found, so nothing that was can show it: measured, but no example to learn from.
            self.cases[-1] = replace(self.cases[-1], fitted=False)
        places = [self.ids.index(paper_id) for paper_id in relevant if paper_id in self.ids]
        nearest = (self.vectors @ self.vectors[places].T).max(axis=1)
        nearest[places] = 1.0
        for part, least in (("topic held out", TOPIC), *([("narrow", NARROW)] if narrow else [])):
            gone = frozenset(self.ids[i] for i in np.flatnonzero(nearest >= least))
            # Where the topic is most of the library, nothing near is left.
            if 2 * len(gone) <= len(self.ids):
                self.ask(row, part, question, gone, fitted and part != "narrow")


def ask_all(shared: Path) -> list[Case]:
    """Every case: about 4,000 searches."""
    written = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    everyday = [entry["query"] for entry in written if entry["type"] == "far"]
    draw = random.Random(0)
    cases: list[Case] = []
    for name, asked, relevant in opened(shared):
        for number, (question, papers) in enumerate(relevant):
            asked.ask_both_ways(name, question, papers, narrow=name == "corpus" or number % 4 == 0)
        if name == "corpus":
            for entry in judged(shared / "eval" / f"{CHECK}.jsonl", asked.library):
                if entry.relevant:
                    asked.ask_both_ways(CHECK, entry.question, entry.relevant, fitted=False)
                else:
                    asked.ask(CHECK, "near", entry.question, fitted=False)
            for entry in written:
                if entry["type"] == "near":
                    asked.ask(name, "near", entry["query"])
        # Two collections of machine learning are not far from each other: what is written of one is asked of the
        # other only where somebody has looked whether it answers.
        for entry in written:
            answers = entry.get("elsewhere", {}).get(name)
            if answers is not None:
                asked.group = "corpus"
                asked.ask(f"corpus' questions, {name}", "answerable" if answers else "near", entry["query"])
                asked.group = name
        far = [(question, name) for question in everyday]
        for other in COLLECTIONS:
            if name not in (other, "corpus") or (name == "corpus" and other != "litsearch-small"):
                lines = (shared / "eval" / other / "queries.jsonl").read_text(encoding="utf-8").splitlines()
                long = [text for line in lines if len(query_stems(text := json.loads(line)["text"])) >= WORDS]
                far += [(question, name) for question in draw.sample(long, FAR)]
        for question, row in far:
            asked.ask(row, "far", question)
        cases += asked.cases
        print(f"{name}: {len(asked.cases)} cases", file=sys.stderr, flush=True)
    return cases


def opened(shared: Path) -> Iterator[tuple[str, Asked, list[tuple[str, list[str]]]]]:
    """Each library, one at a time, with the questions that it answers and the papers that do."""
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(library=Path(scratch) / "library")
        embedder = CachedEmbedder(open_embedder(), user_cache_path("vouch") / "vectors.sqlite")
        with open_library(settings=settings, embedder=embedder) as library:
            ingest([shared / "corpus"], library)
            questions = judged(WRITTEN, library)
            yield "corpus", Asked(library=library, group="corpus"), [
                (entry.question, list(entry.relevant)) for entry in questions if entry.relevant]
        for name in COLLECTIONS:
            with contextlib.ExitStack() as stack:
                library, questions = stack.enter_context(collection(shared / "eval" / name, settings))
                yield name, Asked(library=library, group=name), [
                    (entry.question, list(entry.relevant)) for entry in questions]


# ---- the fit


def weigh(cases: Sequence[Case]) -> Floats:
    """What each case counts, (n,): groups count the same; in each, answerable and other questions; of those, the near
    ones SHARE_NEAR."""
    parts = np.array([{"answerable": 0, "far": 2}.get(case.part, 1) for case in cases])
    groups = np.array([case.group for case in cases])
    counts = np.zeros(len(cases))
    for group in set(groups):
        for part, share in enumerate((1.0, SHARE_NEAR, 1.0 - SHARE_NEAR)):
            chosen = (groups == group) & (parts == part)
            counts[chosen] = share / max(1, chosen.sum())
    return counts / counts.mean()


def fit(cases: Sequence[Case]) -> Floats:
    """Weights of the signs after the start: logistic regression with a ridge on the standardised signs, by Newton."""
    table = np.array([astuple(case.signs) for case in cases])
    answers = answerable(cases)
    counts = weigh(cases)
    middle, spread = table.mean(axis=0), table.std(axis=0)
    design = np.column_stack([np.ones(len(table)), (table - middle) / spread])
    ridge = np.diag([0.0, *[RIDGE] * table.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(30):
        chances = 1.0 / (1.0 + np.exp(-design @ found))
        slope = design.T @ (counts * (answers - chances)) - ridge @ found
        bend = (design * (counts * chances * (1.0 - chances))[:, None]).T @ design + ridge
        found = found + np.linalg.solve(bend, slope)
    weights = found[1:] / spread
    return np.array([found[0] - weights @ middle, *weights])


def odds(cases: Sequence[Case], weights: Floats) -> Floats:
    """Log-odds of each case, (n,)."""
    return weights[0] + np.array([astuple(case.signs) for case in cases]) @ weights[1:]


def answerable(cases: Sequence[Case]) -> NDArray[np.bool_]:
    return np.array([case.part == "answerable" for case in cases])


def cross_validated(cases: Sequence[Case]) -> Floats:
    """Log-odds of each case by a fit without its group, (n,), on a scale that its group has not set either."""
    found = np.zeros(len(cases))
    for group in sorted({case.group for case in cases}):
        seen = [case for case in cases if case.fitted and case.group != group]
        weights = fit(seen)
        held = [i for i, case in enumerate(cases) if case.group == group]
        found[held] = odds([cases[i] for i in held], weights) - even(seen, weights)
    return found


def even(cases: Sequence[Case], weights: Floats) -> float:
    """The log-odds to be called even: REFUSED of the answerable cases lie below.

    Of the written ones, where they are among the cases: people ask in words of their own, while a collection's
    questions were made with its papers in view and lie higher.
    """
    scale = [case for case in cases if case.group == "corpus"] or cases
    return bound(odds(scale, weights), scale)


def bound(values: Floats, cases: Sequence[Case]) -> float:
    """Below it lies REFUSED of the answerable cases, by what they count."""
    chosen = np.flatnonzero(answerable(cases))
    chosen = chosen[np.argsort(values[chosen], kind="stable")]
    counts = np.cumsum(weigh(cases)[chosen])
    return float(values[chosen[np.searchsorted(counts, REFUSED * counts[-1])]])


# ---- the measures


def auc(values: Floats, answers: NDArray[np.bool_], counts: Floats) -> float:
    """How often an answerable case lies above another, by what they count; ties count half."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(np.where(answers, 0.0, counts)[order])
    first, last = (np.searchsorted(values[order], values[answers], side) for side in ("left", "right"))
    below = np.concatenate([[0.0], below])
    share = (below[first] + below[last]) / 2.0 / below[-1]
    return float(share @ counts[answers] / counts[answers].sum())


def refused_at(values: Floats, cases: Sequence[Case]) -> float:
    """Share of the unanswerable cases below the bound for these cases."""
    counts = np.where(answerable(cases), 0.0, weigh(cases))
    return float(counts[values < bound(values, cases)].sum() / counts.sum())


def parts_table(cases: Sequence[Case], values: Floats, alone: Floats, final: Floats) -> Iterator[str]:
    """A line for each part of each row: how many, AUC, refused at REFUSED false refusals (each also by the best
    sentence alone), refused at the floor; and so by the weights that are written, which have seen all but CHECK."""
    yield ("| asked of | part | n | AUC | refused at 5 % | by the best sentence alone | refused at the floor "
           "| as written |")
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for row in dict.fromkeys(case.row for case in cases):
        for part in ("answerable", "near", "topic held out", "narrow", "far"):
            of_part = [i for i, case in enumerate(cases) if case.row == row and case.part == part]
            if not of_part:
                continue
            below = f"{np.mean(values[of_part] < 0.0):.2f} | {np.mean(final[of_part] < 0.0):.2f}"
            if part == "answerable":
                yield f"| {row} | {part} | {len(of_part)} | | | | {below} |"
                continue
            both = [i for i, case in enumerate(cases) if case.row == row and case.part in (part, "answerable")]
            ours, other = (measured([cases[i] for i in both], scores[both]) for scores in (values, alone))
            yield (f"| {row} | {part} | {len(of_part)} | {ours[0]:.3f} | {ours[1]:.2f} | {other[0]:.3f}, "
                   f"{other[1]:.2f} | {below} |")


def measured(cases: Sequence[Case], values: Floats) -> tuple[float, float]:
    return auc(values, answerable(cases), weigh(cases)), refused_at(values, cases)


def pooled(title: str, cases: Sequence[Case], values: Floats, alone: Floats) -> str:
    """A line for cases of all groups under one bound."""
    ours, other = measured(cases, values), measured(cases, alone)
    return (f"{title} ({answerable(cases).sum()} answerable, {(~answerable(cases)).sum()} not): AUC {ours[0]:.3f}, "
            f"refused at 5 % {ours[1]:.2f}; by the best sentence alone {other[0]:.3f}, {other[1]:.2f}")


def calibration(cases: Sequence[Case], values: Floats, usual: float) -> Iterator[str]:
    """Brier score, expected calibration error, and what was answerable at each tenth of the probability.

    Args:
        cases: those asked.
        values: their log-odds.
        usual: share of answerable questions that the probabilities are right for.
    """
    answers, counts = answerable(cases), weigh(cases)
    counts = np.where(answers, usual * counts / counts[answers].sum(),
                      (1.0 - usual) * counts / counts[~answers].sum())
    chances = 1.0 / (1.0 + np.exp(-values))
    tenths = np.minimum((10 * chances).astype(int), 9)
    rows = [(chances[here] @ counts[here] / counts[here].sum(), counts[here & answers].sum() / counts[here].sum(),
             counts[here].sum()) for tenth in range(10) if (here := tenths == tenth).any()]
    error = sum(share * abs(said - was) for said, was, share in rows)
    yield f"Brier {counts @ (chances - answers) ** 2:.3f}, expected calibration error {error:.3f}"
    yield "| said | " + " | ".join(f"{said:.2f}" for said, _, _ in rows) + " |"
    yield "|---|" + "--:|" * len(rows)
    yield "| was | " + " | ".join(f"{was:.2f}" for _, was, _ in rows) + " |"
    yield "| of all | " + " | ".join(f"{share:.2f}" for _, _, share in rows) + " |"


def main() -> None:
    """Prints the tables; writes the weights where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--write", action="store_true", help=f"write {WEIGHTS.name}")
    args = parser.parse_args()
    cases = ask_all(args.shared)
    values, alone = cross_validated(cases), np.array([case.sentence for case in cases])
    seen = [case for case in cases if case.fitted]
    weights = fit(seen)
    moved = even(seen, weights)
    # An even chance there means that a question is that much likelier to be answered before it is even asked.
    usual = float(1.0 / (1.0 + np.exp(moved)))
    weights[0] -= moved
    print("\n".join(parts_table(cases, values, alone, odds(cases, weights))), end="\n\n")
    counted = [case.part != "narrow" and case.row != CHECK for case in cases]
    for title, left_out in (("all", ()), ("all but nfcorpus", ("nfcorpus",)), ("written questions", COLLECTIONS)):
        places = [i for i, case in enumerate(cases) if counted[i] and case.group not in left_out]
        print(pooled(title, [cases[i] for i in places], values[places], alone[places]))
    places = np.flatnonzero(counted)
    print("\n" + "\n".join(calibration([cases[i] for i in places], values[places], usual)))
    names = ["start", *(entry.name for entry in fields(Signs))]
    fitted: Mapping[str, float] = {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}
    print(f"\n{fitted}; right where {usual:.0%} of what is asked can be answered")
    if args.write:
        told = {"about": "Log-odds that a library answers a question: start, and each sign (rag/floor.py) times its "
                         "weight. Right where the share `usual` of the questions can be answered. Written by "
                         "tests/bench/abstain.py.",
                "usual": round(usual, 2), "weights": fitted}
        WEIGHTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    assert FLOOR == 0.5, "the fit moves its scale to a floor of one half"
    main()
