"""Search in libraries of growing size, of synthetic papers and with an embedder that only hashes words.

    python -m tests.bench.scale 609 10000 100000

prints for each size: seconds to ingest, size on disk by part, memory, and the milliseconds of a warm search, with and
without a filter on years.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ingest import ingest
from rag import Library, Where, open_library
from rag.marked import Embedded, Marked
from rag.settings import Settings
from rag.text import Span
from tests.bench.embed_speed import processor

WORDS, WIDTH, QUESTIONS = 50_000, 384, 200
_WORD = re.compile(r"w\d+")


class WordHasher:
    """An embedder whose vectors are means of random vectors, one a word: papers that share words are near."""

    identity = "bench:word-hasher"
    dimension = WIDTH
    window = 512

    @cached_property
    def _words(self) -> NDArray[np.float32]:
        return np.random.default_rng(1).standard_normal((WORDS, WIDTH), dtype=np.float32)

    def embed(self, texts: Sequence[Marked], progress: Callable[[int], None] | None = None) -> list[Embedded]:
        """Embed texts and their spans."""
        found = []
        for number, text in enumerate(texts, 1):
            words = [(match.start(), int(match.group()[1:])) for match in _WORD.finditer(text.text)]
            places, rows = np.array([at for at, _ in words]), self._words[[word for _, word in words] or [0]]
            spans = np.array([self._mean(rows, places, span) for span in text.spans], np.float32)
            found.append(Embedded(vector=self._unit(rows.mean(axis=0)), spans=spans.reshape(-1, WIDTH)))
            if progress and number % 1000 == 0:
                progress(number)
        return found

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of a question."""
        return self.embed([Marked(text=text)])[0].vector

    def embed_question(self, question: Marked) -> Embedded:
        """The vectors of a question and its words."""
        return self.embed([question])[0]

    def count(self, text: str) -> int:
        """Words."""
        return len(text.split())

    def _mean(self, rows: NDArray[np.float32], places: NDArray[np.int64], span: Span) -> NDArray[np.float32]:
        first, last = np.searchsorted(places, span)
        return self._unit(rows[first:max(last, first + 1)].mean(axis=0))

    def _unit(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def write_papers(path: Path, count: int) -> list[str]:
    """A listing of synthetic papers: eight sentences of words as unevenly common as in language; gives some titles."""
    draw = np.random.default_rng(0)
    titles = []
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            words = [f"w{min(int(word), WORDS) - 1}" for word in draw.zipf(1.15, 160)]
            title = " ".join(words[:10])
            if number % max(1, count // QUESTIONS) == 0:
                titles.append(title)
            sentences = [" ".join(words[at:at + 18]).capitalize() + "." for at in range(10, 154, 18)]
            file.write(json.dumps({"title": f"P{number} {title}", "abstract": " ".join(sentences),
                                   "year": 2000 + number % 25}) + "\n")
    return titles


def latencies(library: Library, questions: Sequence[str], where: Where | None = None) -> tuple[float, float]:
    """Median and 95th percentile of a search, in milliseconds; the first questions only warm it up."""
    spent = []
    for question in (*questions[:10], *questions):
        began = time.perf_counter()
        library.search(question, where=where)
        spent.append(1000 * (time.perf_counter() - began))
    return float(np.percentile(spent[10:], 50)), float(np.percentile(spent[10:], 95))


def weigh(folder: Path) -> float:
    """Megabytes of the files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def main() -> None:
    """Measures the sizes given and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", type=int, nargs="+", metavar="PAPERS")
    args = parser.parse_args()
    table = Table("papers", "ingest s", "catalogue MB", "Chroma MB", "words MB", "memory MB", "search p50/p95 ms",
                  "in 5 of 25 years", "in 1 year", title=f"Warm search, k=10, {processor()}")
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            listing = Path(scratch) / "papers.jsonl"
            titles = write_papers(listing, size)
            questions = [" ".join(title.split()[:5]) for title in titles]
            folder = Path(scratch) / "library"
            with open_library(settings=Settings(library=folder), embedder=WordHasher()) as library:
                began = time.perf_counter()
                ingest([listing], library)
                spent = time.perf_counter() - began
                ways = (None, Where(years=(2020, None)), Where(years=(2024, 2024)))
                found = ["{:.1f} / {:.1f}".format(*latencies(library, questions, where)) for where in ways]
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
                catalogue = sum(file.stat().st_size for file in folder.glob("catalogue*")) / 1e6
                table.add_row(f"{size:,}", f"{spent:.0f}", f"{catalogue:.0f}", f"{weigh(folder / 'chroma'):.0f}",
                              f"{weigh(folder / 'words'):.0f}", f"{memory:.0f}", *found)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
