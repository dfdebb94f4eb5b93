"""Fits how sure it is that a paper supports or contradicts a claim, and measures the verdicts on written claims.

    python -m tests.bench.claims ../shared [--write]

puts the claims of tests/data/claims.jsonl to their libraries, whole and without the papers that decide them, prints the
tables by a fit that has not seen a claim's paper, and with --write writes rag/stance.json. Needs the folder that holds
`corpus` and `eval`. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import rag
from ingest import ingest
from rag import Library, Where, cite, open_library
from rag.checker.stance import Cues, probabilities, side, take, verdict
from rag.claim import check
from rag.embed import CachedEmbedder, open_embedder
from rag.floor import rarity
from rag.relevant import relevant
from rag.retrieve import Found, Retrieved, retrieve
from rag.settings import Settings

CLAIMS = Path(__file__).parents[1] / "data" / "claims.jsonl"
WEIGHTS = Path(rag.__file__).with_name("stance.json")
# The lines that were read while the rules for directions were made; what follows was written afterwards.
SEEN = 202
# Papers that are found for a claim, those of them that it is held against, and others drawn at random.
LOOKED_AT, WEIGHED, DRAWN = 30, 10, 2
FOLDS, RIDGE = 10, 20.0
# A verdict of which there are fewer has the scale of none.
FEW = 25
Label = Literal["none", "support", "contradict"]
Part = Literal["written", "drawn", "found", "without"]
VERDICTS = ("supported", "contradicted", "mixed", "no evidence")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A claim beside a paper.

    Attributes:
        home: the paper that the claim was written of; a fit is measured on homes that it has not seen.
        line: of the claim's first entry, from 1.
        set: "written" (labelled by a person), "drawn" (at random), "found" (by the search, not labelled), "without"
            (found where the deciding papers are gone).
        like: cosine similarity of the best sentence, and the checker's score, to compare with.
    """

    claim: str
    home: str
    line: int
    set: Part
    label: Label
    cues: Cues
    like: float
    checked: float


def ask_all(shared: Path) -> tuple[list[Case], list[float]]:
    """Every case, and the seconds of a whole check of each claim."""
    lines = [json.loads(line) for line in CLAIMS.read_text(encoding="utf-8").splitlines()]
    homes: dict[str, str] = {}
    for line in lines:
        if line["label"] != "none":
            homes.setdefault(line["claim"], line["origin"])
    cases: list[Case] = []
    seconds: list[float] = []
    for name, files in (("corpus", "corpus"), ("nfcorpus", "eval/nfcorpus/corpus.jsonl")):
        with _library(shared / files) as library:
            by_origin = _by_origin(library, shared / files)
            here = [(number, line) for number, line in enumerate(lines, 1)
                    if line["origin"].startswith("nfcorpus/") == (name == "nfcorpus")]
            for claim in dict.fromkeys(line["claim"] for _, line in here):
                of_claim = {by_origin[line["origin"]]: line["label"] for _, line in here if line["claim"] == claim}
                first = next(number for number, line in here if line["claim"] == claim)
                home = homes.get(claim, claim)
                cases += _ask(library, claim, of_claim, home, first)
                began = perf_counter()
                check(library.store, claim)
                seconds.append(perf_counter() - began)
        print(f"{name}: {len(cases)} cases", file=sys.stderr, flush=True)
    return cases, seconds


def _ask(library: Library, claim: str, labels: Mapping[str, Label], home: str, line: int) -> Iterator[Case]:
    store = library.store
    total = store.words.count()
    whole = retrieve(store, claim, LOOKED_AT)

    def rare(stem: str) -> float:
        return rarity(store.words.frequencies([stem])[stem], total)

    def case(found: Found, retrieved: Retrieved, of: Part, label: Label) -> Case:
        source = cite.grounds(found.hit.paper, found.passages)
        around = float(np.mean([item.scores["sentence"] for item in retrieved.evidence]))
        taken = take(claim, whole.vector, source, rare, around)
        return Case(claim=claim, home=home, line=line, set=of, label=label, cues=taken.cues, like=taken.cues.likeness,
                    checked=cite.verify(claim, whole.vector, source, rare).score)

    def alone(paper_id: str) -> Found:
        return retrieve(store, claim, 1, Where(ids=(paper_id,))).evidence[0]

    for paper_id, label in labels.items():
        yield case(alone(paper_id), whole, "written", label)
    ids = [paper.id for paper in library.papers]
    for paper_id in random.Random(line).sample([each for each in ids if each not in labels], DRAWN):
        yield case(alone(paper_id), whole, "drawn", "none")
    for found in relevant(whole, most=WEIGHED).papers.values():
        if found.hit.paper.id not in labels:
            yield case(found, whole, "found", "none")
    deciding = {paper_id for paper_id, label in labels.items() if label != "none"}
    left = retrieve(store, claim, LOOKED_AT, Where(ids=tuple(each for each in ids if each not in deciding)))
    for found in relevant(left, most=WEIGHED).papers.values():
        yield case(found, left, "without", "none")


@contextmanager
def _library(path: Path) -> Iterator[Library]:
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(library=Path(scratch) / "library")
        embedder = CachedEmbedder(open_embedder(), user_cache_path("vouch") / "vectors.sqlite")
        with open_library(settings=settings, embedder=embedder) as library:
            ingest([path], library)
            yield library


def _by_origin(library: Library, path: Path) -> dict[str, str]:
    """`file#record`, or the collection's own id, to paper id."""
    places = {str(origin): paper.id for paper in library.papers for origin in paper.origins}
    if path.is_dir():
        return places
    ids = [json.loads(line)["_id"] for line in path.read_text(encoding="utf-8").splitlines()]
    return {f"nfcorpus/{path.name}#{name}": places[f"{path.name}#{number}"]
            for number, name in enumerate(ids, 1) if f"{path.name}#{number}" in places}


# ---- the fit


def fit(cases: Sequence[Case]) -> dict[str, dict[str, float]]:
    """What the cues weigh for speaking of the claim, and, of the papers that do, for being on its side."""
    speaking = [case for case in cases if case.label != "none"]
    return {
        "speaks": _regress([case for case in cases if case.set != "drawn"], ("likeness", "lead", "held"),
                           lambda case: case.label != "none"),
        "for": _regress(speaking, ("lean",), lambda case: case.label == "support"),
    }


def _regress(cases: Sequence[Case], cues: Sequence[str], answer: Callable[[Case], bool]) -> dict[str, float]:
    table = np.array([[getattr(case.cues, name) for name in cues] for case in cases])
    middle, spread = table.mean(axis=0), table.std(axis=0)
    start, *weights = logistic((table - middle) / spread, np.array([answer(case) for case in cases], dtype=float))
    per_unit = np.array(weights) / spread
    return {"start": float(start - per_unit @ middle), **dict(zip(cues, map(float, per_unit), strict=True))}


def logistic(table: Floats, answers: Floats) -> Floats:
    """Start and weights of a logistic regression with a ridge, by Newton."""
    design = np.column_stack([np.ones(len(table)), table])
    ridge = np.diag([0.0, *[RIDGE] * table.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(40):
        chances = 1.0 / (1.0 + np.exp(-design @ found))
        bend = (design * (chances * (1.0 - chances))[:, None]).T @ design + ridge
        found = found + np.linalg.solve(bend, design.T @ (answers - chances) - ridge @ found)
    return found


def cross_validated(cases: Sequence[Case]) -> list[tuple[float, float]]:
    """Probabilities for each case by a fit without its home."""
    homes = sorted({case.home for case in cases})
    random.Random(0).shuffle(homes)
    fold = {home: number % FOLDS for number, home in enumerate(homes)}
    found: list[tuple[float, float]] = [(0.0, 0.0)] * len(cases)
    for number in range(FOLDS):
        weights = fit([case for case in cases if fold[case.home] != number])
        for place, case in enumerate(cases):
            if fold[case.home] == number:
                found[place] = probabilities(case.cues, weights)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A claim put to a library: what it should say, what it says, and the probability behind that."""

    line: int
    right: str
    said: str
    chance: float

    @property
    def correct(self) -> bool:
        return self.right == self.said


def outcomes(cases: Sequence[Case], chances: Sequence[tuple[float, float]]) -> list[Outcome]:
    """The verdict on each claim, with its papers and without."""
    told = []
    for claim in dict.fromkeys(case.claim for case in cases):
        of_claim = [(case, chance) for case, chance in zip(cases, chances, strict=True) if case.claim == claim]
        deciding = {case.label for case, _ in of_claim} - {"none"}
        right = "mixed" if len(deciding) > 1 else {"support": "supported", "contradict": "contradicted"}[min(deciding)]
        whole = [(case, chance) for case, chance in of_claim if case.set in ("found", "written")]
        left = [(case, chance) for case, chance in of_claim if case.set == "without"]
        for papers, expected in ((whole, right), (left, "no evidence")):
            for_, against = (max((max(chance) for case, chance in papers if side(case.cues, *chance) == taken),
                                 default=0.0) for taken in ("for", "against"))
            speaks = max((sum(chance) for _, chance in papers), default=0.0)
            said, _ = verdict(for_, against, speaks)
            chance = {"no evidence": 1.0 - speaks, "mixed": min(for_, against)}.get(said, max(for_, against))
            told.append(Outcome(line=of_claim[0][0].line, right=expected, said=said, chance=chance))
    return told


def scales(told: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """How sure each verdict is: logistic regression of its being right on the log-odds of the probability behind it."""
    found = {}
    for said in VERDICTS:
        of_verdict = [outcome for outcome in told if outcome.said == said]
        share = (sum(outcome.correct for outcome in of_verdict) + 0.5) / (len(of_verdict) + 1.0)
        start, slope = float(np.log(share / (1.0 - share))), 0.0
        if len(of_verdict) >= FEW:
            odds = np.array([[_odds(outcome.chance)] for outcome in of_verdict])
            right = np.array([outcome.correct for outcome in of_verdict], dtype=float)
            start, slope = map(float, logistic(odds, right))
        found[said] = {"start": start, "slope": slope}
    return found


def _odds(chance: float) -> float:
    chance = min(max(chance, 0.01), 0.99)
    return float(np.log(chance / (1.0 - chance)))


# ---- the measures


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """How often the one lies above the other; ties count half."""
    one, other = np.array(higher)[:, None], np.array(lower)[None]
    return float(((one > other) + 0.5 * (one == other)).mean())


def areas(cases: Sequence[Case], chances: Sequence[tuple[float, float]]) -> Iterator[str]:
    """AUC of support against what is not."""
    yield "| claims | score | against drawn papers | against near misses | against contradiction |"
    yield "|---|---|--:|--:|--:|"
    parts: tuple[tuple[str, Callable[[Case], bool]], ...] = (
        (f"lines 1 to {SEEN}", lambda case: case.line <= SEEN), ("later lines", lambda case: case.line > SEEN),
        ("all", lambda case: True))
    scored = {
        "best sentence's vector": [(case.like, case.like) for case in cases],
        "the checker": [(case.checked, case.checked) for case in cases],
        "the stance": [(for_, for_ / (for_ + against)) for for_, against in chances],
    }
    for title, inside in parts:
        for name, scores in scored.items():
            def of(label: Label, sets: str, column: int, scores: Sequence[tuple[float, float]] = scores,
                   inside: Callable[[Case], bool] = inside) -> list[float]:
                return [score[column] for case, score in zip(cases, scores, strict=True)
                        if inside(case) and case.label == label and case.set == sets]
            support, sided = of("support", "written", 0), of("support", "written", 1)
            yield (f"| {title} | {name} | {auc(support, of('none', 'drawn', 0)):.3f} | "
                   f"{auc(support, of('none', 'written', 0)):.3f} | {auc(sided, of('contradict', 'written', 1)):.3f} |")


def confusion(told: Sequence[Outcome]) -> Iterator[str]:
    """What was said of claims that should be supported, contradicted, or without evidence."""
    yield "| should be | " + " | ".join(VERDICTS) + " |"
    yield "|---|" + "--:|" * len(VERDICTS)
    for right in ("supported", "contradicted", "no evidence"):
        said = Counter(outcome.said for outcome in told if outcome.right == right)
        yield f"| {right} | " + " | ".join(str(said[each]) for each in VERDICTS) + " |"


def sureness(told: Sequence[Outcome], scale: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """How often verdicts were right at each step of their confidence."""
    yield "| confidence | verdicts | mean | right |"
    yield "|---|--:|--:|--:|"
    sure = [(1.0 / (1.0 + np.exp(-scale[each.said]["start"] - scale[each.said]["slope"] * _odds(each.chance))), each)
            for each in told]
    for low, high in ((0.0, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.01)):
        inside = [(value, each) for value, each in sure if low <= value < high]
        if inside:
            values, right = [value for value, _ in inside], [each.correct for _, each in inside]
            yield (f"| {low:.1f} to {min(high, 1.0):.1f} | {len(inside)} | {np.mean(values):.2f} | "
                   f"{np.mean(right):.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, help="the folder that holds corpus and eval")
    parser.add_argument("--write", action="store_true", help="write the weights to rag/stance.json")
    options = parser.parse_args()
    cases, seconds = ask_all(options.shared)
    chances = cross_validated(cases)
    told = outcomes(cases, chances)
    scale = scales(told)
    print(f"{len({case.claim for case in cases})} claims, {len(cases)} pairs; by a fit that has not seen the claim's "
          "paper\n")
    print("AUC of support")
    print(*areas(cases, chances), sep="\n")
    print("\nVerdicts, all claims")
    print(*confusion(told), sep="\n")
    print(f"\nVerdicts, lines from {SEEN + 1}")
    print(*confusion([each for each in told if each.line > SEEN]), sep="\n")
    print("\nConfidence")
    print(*sureness(told, scale), sep="\n")
    print(f"\nA check of a claim, warm: p50 {1000 * np.percentile(seconds, 50):.0f} ms, "
          f"p95 {1000 * np.percentile(seconds, 95):.0f} ms")
    if options.write:
        weights = {**fit(cases), **scale}
        rounded = {name: {cue: round(value, 4) for cue, value in each.items()} for name, each in weights.items()}
        text = json.dumps({"about": "written by tests/bench/claims.py", "weights": rounded}, indent=2)
        WEIGHTS.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
