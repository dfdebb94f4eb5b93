"""How long a digest takes with a model, beside the slowest chain of calls that have to wait for each other.

    OMP_NUM_THREADS=1 python -m tests.bench.digest_model [--rounds 3] [--first 1.0] [--gap 0.02] [--length full]

The library is the bundled sample. A scripted server answers each call after ``first`` seconds, then a word every
``gap`` seconds: an outline, sections that quote and repeat sentences of their papers, a summary of what it is shown.
The chain is what the server alone takes for the outline, for its slowest section, and for the summary.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingest import ingest
from ingest.sample import sample_path
from rag import Library, open_library
from rag.digest import outline, steps
from rag.digest.composing import compose
from rag.digest.material import gathered
from rag.digest.outlining import improve
from rag.llm import open_model
from rag.settings import Settings
from rag.survey import Digest, Length
from tests.stubs import Reply, Request, StubModel

_SHOWN = re.compile(r"^\[(E\d+)\] [^\n]*\n([^\n]+)", re.MULTILINE)
_SENTENCE = re.compile(r"^\[(E\d+)\] ([^\n]+)$", re.MULTILINE)


def said(request: Request) -> str:
    """What a dutiful model says: it repeats what it is shown, each paper's first sentences."""
    prompt = request.prompt
    if "write the better outline" in prompt:
        return "\n".join(re.findall(r"^[^\n:]+: P\d+(?: P\d+)*$", prompt.split("Evidence:")[1], re.MULTILINE))
    if "write SUMMARY" in prompt:
        shown = _SENTENCE.findall(prompt.split("Evidence:")[1])
        lines = [f"{text.rstrip('.')} [{label}]." for label, text in shown]
        return "SUMMARY\n" + " ".join(lines[::max(1, len(lines) // 7)][:7]) + f"\nTRANSITIONS\n2: {lines[-1]}"
    papers = [(label, text.split(". ")) for label, text in _SHOWN.findall(prompt)][:8]
    quotes = [f'Q{at} [{label}] "{texts[0].rstrip(".")}."' for at, (label, texts) in enumerate(papers, 1)]
    prose = [f"Notably, {texts[0].rstrip('.')} [Q{at}]." for at, (_, texts) in enumerate(papers, 1)]
    return "\n".join(["QUOTES", *quotes, "ANSWER", " ".join(prose)])


class Server:
    """Answers, and notes for each call how long it takes on its own."""

    def __init__(self, first: float, gap: float) -> None:
        self._first, self._gap = first, gap
        self.taken: dict[str, list[float]] = {"outline": [], "section": [], "summary": []}

    def __call__(self, request: Request) -> Reply:
        reply = Reply(text=said(request), delay=self._first, gap=self._gap)
        kind = ("outline" if "better outline" in request.prompt else
                "summary" if "write SUMMARY" in request.prompt else "section")
        self.taken[kind].append(self._first + self._gap * (len(reply.pieces) + 1))
        return reply

    @property
    def chain(self) -> float:
        """Seconds of the slowest chain of calls that wait for each other."""
        return sum(max(times, default=0.0) for times in self.taken.values())


def measure(library: Library, server: Server, length: Length) -> tuple[tuple[float, float, float], Digest]:
    """Seconds with the model, of the program's own digest between, and of the chain; and what came of it."""
    with StubModel(always=server) as stub:
        model = open_model("stub", replace(Settings(), model="stub", openai_base_url=stub.url))
        plain = outline(library.store, "", length=length, this_year=2026)
        material = gathered(library.store, plain)
        begun = time.perf_counter()
        better = improve(model, plain, material)
        outlined = time.perf_counter()
        *_, whole = steps(library.store, "", outline=better, this_year=2026)
        written = time.perf_counter()
        *_, last = compose(model, whole.digest, gathered(library.store, better))
        done = time.perf_counter()
    return (outlined - begun + done - written, written - outlined, server.chain), last.digest


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--first", type=float, default=1.0, help="seconds before a call's first word")
    options.add_argument("--gap", type=float, default=0.02, help="seconds between two words")
    options.add_argument("--length", choices=("brief", "standard", "full"), default="full")
    given = options.parse_args()
    rows: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        library = open_library(Path(folder) / "library", settings=Settings())
        ingest([sample_path()], library)
        for _ in range(given.rounds + 1):
            server = Server(given.first, given.gap)
            taken, digest = measure(library, server, given.length)
            rows.append(taken)
        library.close()
    table = Table(title=f"{len(digest.references)} papers, {len(digest.sections)} sections, "
                        f"{sum(map(len, server.taken.values()))} calls; the median of {given.rounds}, seconds")
    for column in ("calls one after the other", "slowest chain", "with the model", "of the chain",
                   "the program's own digest between", "by the model", "withheld"):
        table.add_column(column, justify="right")
    model, own, chain = (statistics.median(row[at] for row in rows[1:]) for at in range(3))
    written = sum(section.engine == "llm" for section in digest.sections)
    table.add_row(f"{sum(sum(times) for times in server.taken.values()):.1f}", f"{chain:.1f}", f"{model:.1f}",
                  f"{model / chain:.2f}", f"{own:.1f}", f"{written} of {len(digest.sections)}",
                  str(len(digest.withheld)))
    Console(width=120, markup=False).print(table)
    if digest.notice:
        print(digest.notice)


if __name__ == "__main__":
    main()
