"""What each part of the retrieval brings, and what its fitted shares are worth on collections that they have not seen.

    python -m tests.bench.ablation ../shared --readme README.md

asks every question of the judged collections once, puts what was gathered in order with each part left out in turn, and
fits the shares anew without each collection. Needs the folder that holds `corpus` and `eval`.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ingest import ingest
from rag import Library, open_library, retrieve, text
from rag.evaluate import Judged, ndcg
from rag.fuse import FED_BACK, FIRST
from rag.retrieve import Pool
from rag.search import narrow
from rag.settings import Settings
from ui.judge import collection, judged

SETS = ("questions-dev", "litsearch-small", "nfcorpus", "cranfield")
START, END = "<!-- ablation -->", "<!-- /ablation -->"
Gathered = Sequence[tuple[Pool, Mapping[str, int]]]
Ranker = Callable[[Pool], NDArray[np.float64]]


# What happens before anything is ordered: how to do without it, as module, name and what stands in for it.
BEFORE: Mapping[str, tuple[ModuleType, str, object]] = {
    "- removal of asking words": (text, "_ASKING", frozenset()),
    "- the library's other words": (retrieve, "others", lambda _question, _vocabulary: {}),
    "- spelling correction": (narrow, "correct", lambda question, *_: question),
}


def gathered(library: Library, questions: Sequence[Judged]) -> Gathered:
    """What is found for each answerable question, not yet in order."""
    pools = []
    for question in questions:
        if question.relevant:
            store = library.store
            narrowed = library.narrowed(question.question)
            asked, terms = retrieve.understand(store, narrowed.question)
            among = store.select(narrowed.where)
            pools.append((retrieve.gather(store, asked, terms, retrieve.DEPTH, among), question.relevant))
    return pools


def scores(pools: Gathered, rank: Ranker) -> NDArray[np.float64]:
    """nDCG@10 of each question."""
    found = []
    for pool, relevant in pools:
        best = np.argsort(-rank(pool), kind="stable")[:10]
        found.append(ndcg([pool.papers[i] for i in best], relevant))
    return np.array(found)


def without(name: str, weights: Mapping[str, float]) -> dict[str, float]:
    """The shares with one view left out."""
    return {view: share for view, share in weights.items() if view != name}


def variants() -> dict[str, Ranker]:
    """Each way to put a pool in order that the table compares."""
    no_rocchio = {("passage" if view == "rocchio" else view): share for view, share in FED_BACK.items()}
    found: dict[str, Ranker] = {
        "whole": lambda pool: pool.rank(),
        "- neighbours' share": lambda pool: pool.rank(shared=0.0),
        "- Rocchio": lambda pool: pool.rank(no_rocchio),
    }
    for view in ("rm3", "terms", "title", "sentence", "words"):  # as the views are called in --explain
        found[f"- {view}"] = partial(Pool.rank, weights=without(view, FED_BACK))
    found["no feedback"] = lambda pool: pool.rank(FIRST, 0.0)
    found["passages and words alone"] = lambda pool: pool.rank({"passage": 0.5, "words": 0.5}, 0.0)
    found["passages alone"] = lambda pool: pool.rank({"passage": 1.0}, 0.0)
    found["words alone"] = lambda pool: pool.rank({"words": 1.0}, 0.0)
    return found


def interval(whole: Mapping[str, NDArray[np.float64]], part: Mapping[str, NDArray[np.float64]]) -> tuple[float, float]:
    """95 % interval of the difference in mean nDCG@10 over the sets: paired bootstrap over each set's questions."""
    draw = np.random.default_rng(0)
    means = np.zeros(2000)
    for name in whole:
        difference = part[name] - whole[name]
        means += difference[draw.integers(0, len(difference), (2000, len(difference)))].mean(axis=1) / len(whole)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def fit(sets: Sequence[Gathered]) -> tuple[dict[str, float], float]:
    """Shares of the views and of the neighbours, by coordinate ascent on mean nDCG@10 from an even start."""
    weights, shared = dict.fromkeys(FED_BACK, 0.2), 0.1

    def value(weights: Mapping[str, float], shared: float) -> float:
        return float(np.mean([scores(pools, lambda pool: pool.rank(weights, shared)).mean() for pools in sets]))

    best = value(weights, shared)
    for _ in range(2):
        for name in (*FED_BACK, "neighbours"):
            for step in (0.05, -0.05):
                while True:
                    tried, other = dict(weights), shared
                    if name == "neighbours":
                        other = round(shared + step, 2)
                    else:
                        tried[name] = round(weights[name] + step, 2)
                    if min(*tried.values(), other) < 0 or other > 0.5:
                        break
                    found = value(tried, other)
                    if found <= best + 2e-4:
                        break
                    weights, shared, best = tried, other, found
    return weights, shared


def row(label: str, values: Sequence[float], note: str = "") -> str:
    """One line of the table: a value a set, their mean, and what there is to say of it."""
    return "| " + " | ".join([label, *(f"{value:.3f}" for value in (*values, np.mean(values))), note]) + " |"


def table(pools: Mapping[str, Gathered], before: Mapping[str, Mapping[str, Gathered]]) -> str:
    """The README's table, in Markdown."""
    results = {label: {name: scores(gathered, rank) for name, gathered in pools.items()}
               for label, rank in variants().items()}
    for label, by_set in before.items():
        results[label] = {name: scores(found, Pool.rank) for name, found in by_set.items()}
    whole = results["whole"]
    lines = ["| " + " | ".join(["nDCG@10", *pools, "mean", "difference, 95 % interval"]) + " |",
             "|---|" + "--:|" * (len(pools) + 2)]
    for label, found in results.items():
        low, high = interval(whole, found)
        lines.append(row(label, [found[name].mean() for name in pools],
                         "" if label == "whole" else f"{low:+.3f} … {high:+.3f}"))
    held_out = []
    for name in pools:
        weights, shared = fit([found for other, found in pools.items() if other != name])
        print(f"without {name}: {weights}, neighbours {shared}", file=sys.stderr, flush=True)
        held_out.append(scores(pools[name], partial(Pool.rank, weights=weights, shared=shared)).mean())
    lines.append(row("shares fitted without this set", held_out))
    return "\n".join(lines)


def main() -> None:
    """Prints the table; puts it into a README where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--readme", type=Path, help="replace the table between the ablation marks in this file")
    args = parser.parse_args()
    pools: dict[str, Gathered] = {}
    before: dict[str, dict[str, Gathered]] = {label: {} for label in BEFORE}
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(library=scratch / "library")
        for name in SETS:
            if name == "questions-dev":
                library = stack.enter_context(open_library(settings=settings))
                ingest([args.shared / "corpus"], library)
                questions = judged(args.shared / "eval" / f"{name}.jsonl", library)
            else:
                library, questions = stack.enter_context(collection(args.shared / "eval" / name, settings))
            pools[name] = gathered(library, questions)
            for label, (module, part, instead) in BEFORE.items():
                kept = getattr(module, part)
                setattr(module, part, instead)
                before[label][name] = gathered(library, questions)
                setattr(module, part, kept)
            print(f"{name}: asked", file=sys.stderr, flush=True)
    drawn = table(pools, before)
    print(drawn)
    if args.readme:
        readme = args.readme.read_text(encoding="utf-8")
        whole = f"{START}\n{drawn}\n{END}"
        args.readme.write_text(re.sub(f"{START}.*{END}", lambda _: whole, readme, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
