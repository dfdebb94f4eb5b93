"""Fits what makes a sentence the one that answers a question for one fact, and measures it on questions not fitted to.

    python -m tests.bench.facts ../shared --write

asks a library of the corpus the written questions (`tests/data/facts.jsonl`), fits on those of part "dev", prints the
table and writes rag/facts.json. Needs the folder that holds `corpus` and `eval`. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import rag
from ingest import ingest
from rag import Library, open_library
from rag.candidates import Candidate, Signs, candidates, odds
from rag.kinds import understand
from rag.relevant import relevant
from rag.retrieve import retrieve
from rag.settings import Settings
from rag.text import letters, sentences

WRITTEN = Path(__file__).parents[1] / "data" / "facts.jsonl"
WEIGHTS = Path(rag.__file__).with_name("facts.json")
CHECK = "questions-dev"
FITTED = ("dev, plain", "dev, oblique")
SIGNS = tuple(field.name for field in fields(Signs))
RIDGE, ROUNDS, LOOKED_AT = 0.1, 40, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question with its candidates; ``right`` are those that hold the gold sentence. None, where none was found."""

    row: str
    found: Sequence[Candidate]
    right: NDArray[np.bool_]

    @property
    def signs(self) -> NDArray[np.float64]:
        return np.array([astuple(candidate.signs) for candidate in self.found], np.float64)


def ask(library: Library, row: str, question: str, gold: str) -> Case:
    """The candidates of the papers that an answer may rest on, whether or not the floor would let it answer."""
    asks, retrieved = understand(question), retrieve(library.store, question, LOOKED_AT)
    found = list(candidates(retrieved, relevant(retrieved, judged=1.0).papers, asks))
    wanted = letters(gold)
    return Case(row=row, found=found, right=np.array([wanted in letters(one.alone) for one in found]))


def ask_all(shared: Path) -> list[Case]:
    with tempfile.TemporaryDirectory() as scratch, open_library(
            settings=Settings(library=Path(scratch) / "library")) as library:
        ingest([shared / "corpus"], library)
        papers = {str(origin): paper for paper in library.papers for origin in paper.origins}
        cases = []
        for line in WRITTEN.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            abstract = papers[entry["origin"]].abstract
            gold = abstract[slice(*sentences(abstract)[entry["sentence"]])]
            cases.append(ask(library, f"{entry['part']}, {entry['style']}", entry["query"], gold))
        for line in (shared / "eval" / f"{CHECK}.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry.get("evidence"):
                cases.append(ask(library, CHECK, entry["query"], entry["evidence"]))
    return cases


def named(weights: NDArray[np.float64]) -> Signs:
    return Signs(**{sign: round(float(weight), 2) for sign, weight in zip(SIGNS, weights, strict=True)})


def fit(groups: Sequence[Sequence[Case]], without: str | None = None) -> Signs:
    """The weights of a conditional logit with a ridge, each group counting the same, by Newton's method."""
    kept = np.array([sign != without for sign in SIGNS], np.float64)
    weights = np.zeros(len(SIGNS))
    total = sum(map(len, groups))
    for _ in range(ROUNDS):
        slope, bend = -RIDGE * weights, -RIDGE * np.eye(len(weights))
        for group in groups:
            share = total / len(groups) / len(group)
            for case in group:
                signs, likely = case.signs * kept, odds(case.found, named(weights))
                held = likely * case.right
                mean = likely @ signs
                slope += share * ((held / held.sum() - likely) @ signs)
                bend -= share * ((signs * likely[:, None]).T @ signs - np.outer(mean, mean))
        weights = weights - np.linalg.solve(bend, slope)
    return named(weights)


def table(cases: Sequence[Case], weights: Signs) -> None:
    rows: Mapping[str, list[int]] = defaultdict(list)
    for case in cases:
        order = np.argsort(-odds(case.found, weights), kind="stable")
        hits = np.flatnonzero(case.right[order])
        rows[case.row].append(int(hits[0]) + 1 if len(hits) else 0)
    print(f"{'':24}{'asked':>7}{'first':>8}{'in 3':>8}{'in 8':>8}{'lost':>8}")
    for row, places in rows.items():
        shares = [np.mean([0 < place <= most for place in places]) for most in (1, 3, 8)]
        lost = np.mean([place == 0 for place in places])
        print(f"{row:24}{len(places):7}" + "".join(f"{share:8.3f}" for share in (*shares, lost)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = ask_all(arguments.shared)
    groups = [[case for case in cases if case.row == row and case.right.any()] for row in FITTED]
    weights = fit(groups)
    print(weights)
    table(cases, weights)
    for sign in SIGNS:
        print(f"\nwithout {sign}:")
        table(cases, fit(groups, sign))
    if arguments.write:
        WEIGHTS.write_text(json.dumps({"weights": asdict(weights)}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
