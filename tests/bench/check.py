"""Fits how sure the checker is that a text supports a statement, and measures it on kinds that the fit has not seen.

    python -m tests.bench.check ../shared --write

makes faithful and corrupted statements of four collections' own sentences, takes titles for claims of their abstracts,
fits, prints the tables, and writes rag/checker.json and rag/common.json. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import rag
from ingest import ingest
from rag import Library, cite, open_library
from rag.audit import FITTED, grounds, sources
from rag.corrupt import items
from rag.embed import CachedEmbedder, open_embedder
from rag.library import Papers
from rag.marked import Marked
from rag.settings import Settings
from rag.signs import Signs, probability
from rag.text import content_stems, content_words, sentences
from ui.judge import collection

CLAIMS = Path(__file__).parents[1] / "data" / "claims.jsonl"
FOLDER = Path(rag.__file__).parent
COLLECTIONS = ("nfcorpus", "litsearch-small", "cranfield")
# A stem that so small a share of abstracts holds is not written down.
COMMON = 0.0075
EACH, SEED, PAPERS = 25, 1, 250
# What groups of statements count beside each other; titles stand for what people write in words of their own.
SHARES = {"title": 4.0, "title, another paper": 3.0, "wrong paper": 1.5, "findings merged": 1.5}
TITLES = 200
# Of the wrong papers and merged findings that the fit has seen, so many may lie above one half.
PASSED = 0.05
RIDGE = 3.0
DOWN = ("lost", "uneven", "against", "added")
VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|can|may|has|have|not|no|without|(?:reduce|increase|decrease|improve|enhance|cause|"
    r"induce|modulate|stimulate|attenuate|activate|regulate|mediate|enable|require|promote|prevent|protect|inhibit|"
    r"suppress|lower|raise|affect|predict|block|outperform|lead|help|alter|impair|delay|slow|depend|reveal|fail|learn)"
    r"s?|associated|decreased|increased|improved|reduced)\b", re.IGNORECASE)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A statement checked against a text.

    Attributes:
        group: the collection, or "claims".
        kind: how it was made.
        true: whether the text supports it.
        signs: by the sentences alone, and with words read in context.
    """

    group: str
    kind: str
    true: bool
    stored: Signs
    fresh: Signs


def embedder() -> CachedEmbedder:
    return CachedEmbedder(open_embedder(), user_cache_path("vouch") / "vectors.sqlite")


class Reader:
    """Texts and statements with the vectors of their words, as `Library.verify` reads them."""

    def __init__(self, rarity: cite.Rarity) -> None:
        # Not kept: the vectors of all words would fill the disk.
        self._embedder = open_embedder()
        self._rarity = rarity
        self._texts: dict[str, cite.Grounds] = {}

    def signs(self, statement: str, text: str) -> Signs:
        spans = content_words(statement)
        said = self._embedder.embed([Marked(text=statement, spans=spans)])[0]
        return cite.rest(statement, said.vector, self._grounds(text), self._rarity, said.spans).signs

    def _grounds(self, text: str) -> cite.Grounds:
        if text not in self._texts:
            spans = sentences(text)
            read = self._embedder.embed([Marked(text=text, spans=(*spans, *content_words(text)))])[0]
            self._texts[text] = cite.Grounds(text=text, spans=spans, vectors=read.spans[:len(spans)],
                                             words=read.spans[len(spans):])
        return self._texts[text]


def opened(shared: Path) -> Iterator[tuple[str, Library]]:
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(library=Path(scratch) / "library")
        with open_library(settings=settings, embedder=embedder()) as library:
            ingest([shared / "corpus"], library)
            yield "corpus", library
        for name in COLLECTIONS:
            with contextlib.ExitStack() as stack:
                yield name, stack.enter_context(collection(shared / "eval" / name, settings))[0]


def made(name: str, library: Library) -> Iterator[Case]:
    """Statements of every kind, made of some of a library's papers."""
    papers = random.Random(SEED).sample(list(library.papers), min(PAPERS, len(library.papers)))
    rarity = library.rarity()
    reader = Reader(rarity)
    own = grounds(library, [paper.id for paper in papers])
    for item in items(sources(library, papers), SEED, EACH):
        source = own[item.cited]
        if source.spans:
            vector = library.store.embedder.embed_query(item.statement)
            yield Case(group=name, kind=item.kind, true=item.faithful, fresh=reader.signs(item.statement, source.text),
                       stored=cite.rest(item.statement, vector, source, rarity).signs)


def titled(name: str, library: Library) -> Iterator[Case]:
    """Titles that claim something, against their own abstract and another that is like it."""
    draw = random.Random(SEED)
    papers = [paper for paper in library.papers if paper.title and 5 <= len(paper.title.split()) <= 22
              and len(paper.abstract.split()) > 60 and "?" not in paper.title and VERB.search(paper.title)]
    papers = draw.sample(papers, min(TITLES, len(papers)))
    views = library.store.views([paper.id for paper in papers])
    vectors = np.stack([views[paper.id][0].passage for paper in papers])
    reader = Reader(library.rarity())
    for place, paper in enumerate(papers):
        # In running text only the first word and names are capitalised; of a title nothing tells which those are.
        claim = paper.title.capitalize().rstrip(".") + "."
        near = [other for other in np.argsort(-(vectors @ vectors[place])) if other != place]
        for kind, text in (("title", paper.abstract), ("title, another paper", papers[near[draw.randrange(5)]].abstract)):
            signs = reader.signs(claim, text)
            yield Case(group=name, kind=kind, true=kind == "title", fresh=signs, stored=replace(signs, accord=None))


# ---- the fit


def fit(cases: Sequence[Case], by: str) -> dict[str, float]:
    """Logistic regression with a ridge on the standardised signs, none of which may count against its meaning.

    Args:
        cases: of the kinds in SHARES or FITTED.
        by: "sentences" or "words".
    """
    names = [entry.name for entry in fields(Signs) if by == "words" or entry.name != "accord"]
    table = np.array([[getattr(case.fresh if by == "words" else case.stored, name) for name in names] for case in cases])
    true = np.array([case.true for case in cases], float)
    sizes = Counter((case.group, case.kind) for case in cases)
    counts = np.array([SHARES.get(case.kind, 1.0) / sizes[case.group, case.kind] for case in cases])
    counts /= counts.mean()
    middle, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(table)), (table - middle) / spread])
    ways = np.array([0, *(-1 if name in DOWN else 1 for name in names)])
    ridge = np.array([0.0, *[RIDGE] * len(names)])
    found = np.zeros(design.shape[1])
    for _ in range(200):
        for place in range(len(found)):
            chances = 1.0 / (1.0 + np.exp(-design @ found))
            column = design[:, place]
            slope = column @ (counts * (true - chances)) - ridge[place] * found[place]
            bend = column ** 2 @ (counts * chances * (1.0 - chances)) + ridge[place]
            found[place] += slope / bend
            if ways[place] * found[place] < 0:
                found[place] = 0.0
    weights = found[1:] / spread
    weights = dict(zip(["start", *names], [float(found[0] - weights @ middle), *map(float, weights)], strict=True))
    wrong = np.array([odds(case, weights, by) for case in cases if case.kind in ("wrong paper", "findings merged")])
    weights["start"] -= float(np.quantile(wrong, 1.0 - PASSED))
    return {name: round(value, 3) for name, value in weights.items()}


def odds(case: Case, weights: Mapping[str, float], by: str) -> float:
    chance = probability(case.fresh if by == "words" else case.stored, weights)
    return float(np.log(chance / (1.0 - chance)))


def auc(above: Sequence[float], below: Sequence[float]) -> float:
    upper, lower = np.array(above)[:, None], np.array(below)
    return float(((upper > lower).mean() + 0.5 * (upper == lower).mean()))


def table(cases: Sequence[Case], weights: Mapping[str, float], by: str) -> Iterator[str]:
    """For each kind: how many, and what their probability is at some of their quantiles."""
    yield f"| by {by} | n | 5 % | 25 % | 50 % | 75 % | 95 % |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    groups: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        groups[f"{case.kind}{' (fitted)' if case.kind in FITTED or case.kind in SHARES else ''}"].append(
            1.0 / (1.0 + np.exp(-odds(case, weights, by))))
    for kind, values in groups.items():
        cut = " | ".join(f"{value:.2f}" for value in np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]))
        yield f"| {kind} | {len(values)} | {cut} |"


# ---- claims that people wrote


def claims(shared: Path, rarity: cite.Rarity, papers: Papers) -> list[list[Case]]:
    """The written claims in two halves: one to look at while changing the checker, one that only measures it."""
    texts = {str(origin): paper.abstract for paper in papers for origin in paper.origins}
    for line in (shared / "eval" / "nfcorpus" / "corpus.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        texts[f"nfcorpus/corpus.jsonl#{record['_id']}"] = record["text"]
    reader = Reader(rarity)
    halves: list[list[Case]] = [[], []]
    for number, line in enumerate(CLAIMS.read_text(encoding="utf-8").splitlines(), 1):
        entry = json.loads(line)
        signs = reader.signs(entry["claim"], texts[entry["origin"]])
        halves[number % 2].append(Case(group="claims", kind=entry["label"], true=entry["label"] == "support",
                                       fresh=signs, stored=replace(signs, accord=None)))
    return halves


def common(shared: Path) -> dict[str, str]:
    """Stems by how many of a thousand abstracts hold them, the mean over the collections."""
    shares: Counter[str] = Counter()
    for name in COLLECTIONS:
        records = [json.loads(line) for line in
                   (shared / "eval" / name / "corpus.jsonl").read_text(encoding="utf-8").splitlines()]
        held = Counter(stem for record in records for stem in set(content_stems(f"{record['title']} {record['text']}")))
        shares.update({stem: count / len(records) / len(COLLECTIONS) for stem, count in held.items()})
    by_share: dict[int, list[str]] = defaultdict(list)
    for stem, share in shares.items():
        if share >= COMMON and stem.isalpha() and stem.isascii():
            by_share[round(1000 * share)].append(stem)
    return {str(share): " ".join(sorted(by_share[share])) for share in sorted(by_share, reverse=True)}


def write(name: str, content: Mapping[str, object]) -> None:
    (FOLDER / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Prints the tables; writes the weights where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--write", action="store_true", help="write checker.json and common.json")
    args = parser.parse_args()
    if args.write:
        write("common.json", {
            "about": "Stems by how many of a thousand abstracts hold them: the mean over three collections, of "
                     "medicine, of language technology, of aerodynamics. Written by tests/bench/check.py.",
            "stems": common(args.shared)})
    cases: list[Case] = []
    halves: list[list[Case]] = []
    for name, library in opened(args.shared):
        cases += made(name, library)
        if name in ("nfcorpus", "litsearch-small"):
            cases += titled(name, library)
        if name == "corpus":
            halves = claims(args.shared, library.rarity(), library.papers)
        print(f"{name}: {len(cases)} cases", file=sys.stderr, flush=True)
    seen = [case for case in cases if case.kind in FITTED or case.kind in SHARES]
    fitted = {}
    for by in ("sentences", "words"):
        fitted[by] = fit(seen, by)
        print("\n".join(table(cases, fitted[by], by)), end="\n\n")
        print(f"by {by}: {fitted[by]}\n")
        for title, half in zip(("claims looked at", "claims held out"), halves, strict=True):
            scores = defaultdict(list)
            for case in half:
                scores[case.kind].append(odds(case, fitted[by], by))
            told = ", ".join(f"support against {other} {auc(scores['support'], scores[other]):.3f}"
                             for other in ("none", "contradict"))
            print(f"{title}, by {by}: {told} ({dict(Counter(case.kind for case in half))})")
    if args.write:
        write("checker.json", {
            "about": "Log-odds that a text supports a statement: start, and each sign (rag/signs.py) times its weight; "
                     "by sentence vectors, and with words read in context too. Written by tests/bench/check.py.",
            **fitted})


if __name__ == "__main__":
    main()
