"""Fits how sure the checker is that a text says a statement, and measures it on kinds that the fit has not seen.

    python -m tests.bench.check ../shared --write

makes faithful and corrupted statements of three collections' own sentences, takes titles for claims of their abstracts
and questions for claims of the papers that were wanted, fits, prints the tables, and writes rag/checker.json and
rag/common.json. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import rag
from ingest import ingest
from rag import Library, cite, open_library
from rag.checker.audit import FITTED, grounds, sources
from rag.checker.corrupt import items
from rag.checker.signs import Signs, odds
from rag.cite import Rested
from rag.embed import CachedEmbedder, open_embedder
from rag.marked import Marked
from rag.papers import Papers
from rag.settings import Settings
from rag.text import content_stems, content_words, sentences, subject

CLAIMS = Path(__file__).parents[1] / "data" / "claims.jsonl"
FOLDER = Path(rag.__file__).parent
COLLECTIONS = ("nfcorpus", "litsearch-small", "cranfield")
# A stem that so small a share of abstracts holds is not written down.
COMMON = 0.0075
EACH, SEED, PAPERS = 25, 1, 400
# What groups of statements count beside each other; titles stand for what people write in words of their own.
SHARES = {"title": 2.0, "title, another paper": 2.0, "query": 2.0, "query, another paper": 2.0}
TITLES = 200
# Of the statements that cite a wrong paper, so many may lie above one half.
PASSED = 0.08
RIDGE = 3.0
DOWN = ("lost",)
# Other papers that a statement is checked against are chosen from so many nearest to it.
NEAR = 8
VERB = re.compile(
    r"\b(?:is|are|was|were|do|does|can|may|has|have|not|no|without|(?:reduce|increase|decrease|improve|enhance|cause|"
    r"induce|modulate|stimulate|attenuate|activate|regulate|mediate|enable|require|promote|prevent|protect|inhibit|"
    r"suppress|lower|raise|affect|predict|block|outperform|lead|help|alter|impair|delay|slow|depend|reveal|fail|learn)"
    r"s?|associated|decreased|increased|improved|reduced)\b", re.IGNORECASE)
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A statement checked against a text, by its sentences' vectors alone and with its words' too.

    Attributes:
        group: the collection, or "claims".
        kind: how it was made.
        true: whether the text supports it.
    """

    group: str
    kind: str
    true: bool
    sentences: Rested
    words: Rested

    def rested(self, by: str) -> Rested:
        return self.words if by == "words" else self.sentences


def without_words(rested: Rested) -> Rested:
    return replace(rested, signs=replace(rested.signs, accord=None))


class Reader:
    """Texts and statements with the vectors of their words, as `Library.verify` reads them."""

    def __init__(self, rarity: cite.Rarity) -> None:
        # Not kept: the vectors of all words would fill the disk.
        self._embedder = open_embedder()
        self._rarity = rarity
        self._texts: dict[str, cite.Grounds] = {}

    def rested(self, statement: str, text: str) -> Rested:
        spans = content_words(statement)
        said = self._embedder.embed([Marked(text=statement, spans=spans)])[0]
        return cite.rest(statement, said.vector, self._grounds(text), self._rarity, said.spans)

    def _grounds(self, text: str) -> cite.Grounds:
        if text not in self._texts:
            spans = sentences(text)
            read = self._embedder.embed([Marked(text=text, spans=(*spans, *content_words(text)))])[0]
            self._texts[text] = cite.Grounds(text=text, spans=spans, vectors=read.spans[:len(spans)],
                                             words=read.spans[len(spans):])
        return self._texts[text]


def opened(shared: Path) -> Iterator[tuple[str, Library, list[tuple[str, str]]]]:
    """The corpus, and some papers of two collections, as libraries that are gone afterwards.

    Yields:
        name, library, and questions that people asked with the text of a paper that they wanted.
    """
    for name in ("corpus", "nfcorpus", "litsearch-small"):
        with tempfile.TemporaryDirectory() as scratch:
            source, asked = shared / name, []
            if name != "corpus":
                folder, draw = shared / "eval" / name, random.Random(SEED)
                records = {record["_id"]: record for record in lines(folder / "corpus.jsonl")}
                if name == "litsearch-small":
                    wanted = dict(row.split("\t")[:2] for row in draw.sample(
                        (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:], TITLES))
                    asked = [(subject(query["text"]), records[wanted[query["_id"]]]["text"])
                             for query in lines(folder / "queries.jsonl") if query["_id"] in wanted]
                chosen = dict.fromkeys([*(wanted.values() if asked else ()), *draw.sample(sorted(records), PAPERS)])
                source = Path(scratch) / "corpus.jsonl"
                source.write_text("\n".join(json.dumps(records[one]) for one in chosen), encoding="utf-8")
            kept = CachedEmbedder(open_embedder(), user_cache_path("vouch") / "vectors.sqlite")
            with open_library(settings=Settings(library=Path(scratch) / "library"), embedder=kept) as library:
                ingest([source], library)
                yield name, library, asked


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def made(name: str, library: Library) -> Iterator[Case]:
    """Statements of every kind, made of some of a library's papers."""
    papers = random.Random(SEED).sample(list(library.papers), min(PAPERS, len(library.papers)))
    reader = Reader(library.rarity())
    own = grounds(library, [paper.id for paper in papers])
    for item in items(sources(library, papers), SEED, EACH):
        source, vector = own[item.cited], library.store.embedder.embed_query(item.statement)
        if source.spans:
            yield Case(group=name, kind=item.kind, true=item.faithful, words=reader.rested(item.statement, source.text),
                       sentences=cite.rest(item.statement, vector, source, library.rarity()))


def titled(name: str, library: Library) -> list[tuple[str, str]]:
    """Titles that claim something, with their abstracts."""
    claiming = [paper for paper in library.papers if paper.title and 5 <= len(paper.title.split()) <= 22
                and len(paper.abstract.split()) > 60 and "?" not in paper.title and VERB.search(paper.title)]
    # In running text only names are capitalised; of a title nothing tells which those are.
    return [(paper.title.capitalize().rstrip(".") + ".", paper.abstract)
            for paper in random.Random(SEED).sample(claiming, min(TITLES, len(claiming))) if paper.title]


def against(name: str, kind: str, pairs: Sequence[tuple[str, str]], library: Library) -> Iterator[Case]:
    """Statements against their own text, and against another's that is like it."""
    texts = [paper.abstract for paper in library.papers]
    views = library.store.views([paper.id for paper in library.papers])
    vectors = np.stack([views[paper.id][0].passage for paper in library.papers])
    draw, reader = random.Random(SEED), Reader(library.rarity())
    for statement, text in pairs:
        near = np.argsort(-(vectors @ library.store.embedder.embed_query(statement)))
        others = [texts[place] for place in near if texts[place] != text][:NEAR]
        for other, told in ((text, kind), (draw.choice(others), f"{kind}, another paper")):
            rested = reader.rested(statement, other)
            # What "Aerobic" is in a title, "aerobic" is in the text.
            rested = replace(rested, added=0, foreign=False)
            yield Case(group=name, kind=told, true=told == kind, words=rested, sentences=without_words(rested))


# ---- the fit


def fit(cases: Sequence[Case], by: str) -> dict[str, float]:
    """Logistic regression with a ridge on the standardised signs, none of which may count against its meaning.

    Args:
        cases: as `seen` chooses them.
        by: "sentences" or "words".
    """
    names = [entry.name for entry in fields(Signs) if by == "words" or entry.name != "accord"]
    table = np.array([[getattr(case.rested(by).signs, name) for name in names] for case in cases])
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
    wrong = [odds(case.rested(by).signs, weights) for case in cases if case.kind == "wrong paper"]
    weights["start"] -= float(np.quantile(wrong, 1.0 - PASSED))
    return {name: round(value, 3) for name, value in weights.items()}


def auc(above: Sequence[float], below: Sequence[float]) -> float:
    upper, lower = np.array(above)[:, None], np.array(below)
    return float((upper > lower).mean() + 0.5 * (upper == lower).mean())


def table(cases: Sequence[Case], weights: Mapping[str, float], by: str) -> Iterator[str]:
    """For each kind: how many, how many of them are forbidden, and the probability at some of the quantiles."""
    yield f"| by {by} | n | forbidden | 5 % | 25 % | 50 % | 75 % | 95 % |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    groups: dict[str, list[Rested]] = defaultdict(list)
    for case in cases:
        groups[case.kind].append(case.rested(by))
    for kind, found in groups.items():
        chances = [rested.chance(weights=weights) for rested in found]
        cut = " | ".join(f"{value:.2f}" for value in np.quantile(chances, [0.05, 0.25, 0.5, 0.75, 0.95]))
        yield f"| {kind} | {len(found)} | {np.mean([rested.forbidden for rested in found]):.2f} | {cut} |"


def seen(cases: Sequence[Case]) -> list[Case]:
    """Those that a fit learns from: what is reworded or cites the wrong paper, and what people wrote."""
    return [case for case in cases if case.kind in FITTED or case.kind in SHARES]


# ---- claims that people wrote


def claims(shared: Path, rarity: cite.Rarity, papers: Papers) -> list[list[Case]]:
    """The written claims in two halves: one to look at while changing the checker, one that only measures it."""
    texts = {str(origin): paper.abstract for paper in papers for origin in paper.origins}
    for record in lines(shared / "eval" / "nfcorpus" / "corpus.jsonl"):
        texts[f"nfcorpus/corpus.jsonl#{record['_id']}"] = record["text"]
    reader = Reader(rarity)
    halves: list[list[Case]] = [[], []]
    for number, entry in enumerate(lines(CLAIMS), 1):
        rested = reader.rested(entry["claim"], texts[entry["origin"]])
        halves[number % 2].append(Case(group="claims", kind=entry["label"], true=entry["label"] == "support",
                                       words=rested, sentences=without_words(rested)))
    return halves


def common(shared: Path) -> dict[str, str]:
    """Stems by how many of a thousand abstracts hold them, the mean over the collections."""
    shares: Counter[str] = Counter()
    for name in COLLECTIONS:
        records = lines(shared / "eval" / name / "corpus.jsonl")
        held = Counter(stem for record in records for stem in set(content_stems(f"{record['title']} {record['text']}")))
        shares.update({stem: count / len(records) / len(COLLECTIONS) for stem, count in held.items()})
    by_share: dict[int, list[str]] = defaultdict(list)
    for stem, share in shares.items():
        if share >= COMMON and stem.isalpha() and stem.isascii():
            by_share[round(1000 * share)].append(stem)
    return {str(share): " ".join(sorted(by_share[share])) for share in sorted(by_share, reverse=True)}


def write(name: str, content: Mapping[str, object]) -> None:
    (FOLDER / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def collected(shared: Path) -> tuple[list[Case], list[list[Case]]]:
    """All cases, and the halves of the claims."""
    cases: list[Case] = []
    halves: list[list[Case]] = []
    for name, library, asked in opened(shared):
        cases += made(name, library)
        cases += against(name, "title", titled(name, library), library)
        cases += against(name, "query", asked, library)
        if name == "corpus":
            halves = claims(shared, library.rarity(), library.papers)
        print(f"{name}: {len(cases)} cases", file=sys.stderr, flush=True)
    return cases, halves


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
    cases, halves = collected(args.shared)
    fitted = {}
    for by in ("sentences", "words"):
        fitted[by] = fit(seen(cases), by)
        print("\n".join(table(cases, fitted[by], by)), end="\n\n")
        print(f"by {by}: {fitted[by]}\n")
        for title, half in zip(("claims looked at", "claims held out"), halves, strict=True):
            scores = defaultdict(list)
            for case in half:
                scores[case.kind].append(case.rested(by).chance(weights=fitted[by]))
            told = ", ".join(f"support against {other} {auc(scores['support'], scores[other]):.3f}"
                             for other in ("none", "contradict"))
            print(f"{title}, by {by}: {told} ({dict(Counter(case.kind for case in half))})")
    if args.write:
        write("checker.json", {
            "about": "Log-odds that a text supports a statement: start, and a weight for each of rag.checker.signs; "
                     "by sentence vectors, and with words read in context too. Written by tests/bench/check.py.",
            **fitted})


if __name__ == "__main__":
    main()
