"""How long after the server has ended a sentence it is there, checked: the time Vouch adds to a model's own.

    OMP_NUM_THREADS=1 python -m tests.bench.stream [--rounds 10] [--gap 0.02]

A stub server writes a known answer a word at a time and notes when each went out; the library is that of the tests.
The first round does not count. A sentence that has its mark before the full stop is given with that; one that has it
behind is known to have ended only when the next begins, so its times hold the gap between two words.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ingest import ingest
from rag import Evidence, Finished, Library, Said, Stage, open_library
from rag.settings import Settings
from tests.conftest import PAPERS
from tests.stubs import Reply, StubModel

QUESTION = "What papers address reward overoptimization?"
QUOTES = ('QUOTES\nQ1 [E2] "The bound costs nothing at inference time."\n'
          'Q2 [E1] "Shared pretraining makes their errors correlate"\n')
SENTENCES = (
    ("Bounding the reward of each sample costs nothing at inference time", "Q1"),
    ("On three summarization tasks the bound cuts overoptimization by 41%", "E2"),
    ("The human win rate stays at 63% while the bound holds", "E2"),
    ("Ensembles of reward models delay overoptimization", "E1"),
    ("Shared pretraining makes the errors of an ensemble correlate", "Q2"),
    ("Members with different pretraining disagree more", "E1"),
)


def answer(mark_first: bool) -> str:
    """The model's whole answer, with the marks before the full stops or behind them."""
    said = (f"{text} [{label}]." if mark_first else f"{text}. [{label}]" for text, label in SENTENCES)
    return f"{QUOTES}ANSWER\n{' '.join(said)}"


def measure(library: Library, stub: StubModel, mark_first: bool) -> dict[str, list[float]]:
    """Milliseconds of one answer, by what they are for."""
    stub.sent.clear()
    begun = time.perf_counter()
    came = [(time.perf_counter(), event) for event in library.stream(QUESTION, fresh=True)]
    sent = [(when, json.loads(data)) for when, data in stub.sent if data != "[DONE]"]
    words = [(when, event["choices"][0]["delta"].get("content", "")) for when, event in sent if event["choices"]]
    whole = answer(mark_first)
    ends = list(accumulate(len(word) for _, word in words))
    taken: dict[str, list[float]] = defaultdict(list)
    sentences = [text for text, _ in SENTENCES]
    for when, event in came:
        if isinstance(event, Said):
            text = event.sentence.text.rstrip(".")
            # What is a quote is shown in the paper's letters.
            found = [place for place, known in enumerate(sentences) if known == text]
            label = SENTENCES[found[0]][1]
            at = whole.index(f"{text} [{label}]." if mark_first else f"{text}. [{label}]", whole.index("ANSWER"))
            end = at + len(text) + len(label) + 4
            ended = next(when for (when, _), place in zip(words, ends, strict=True) if place >= end)
            last = found[0] == len(sentences) - 1
            taken["the last sentence" if last else "a sentence"].append(1000 * (when - ended))
        elif isinstance(event, Stage) and event.name == "quote":
            over = whole.index("ANSWER")
            ended = next(when for (when, _), place in zip(words, ends, strict=True) if place >= over)
            taken["stage: quotes picked"].append(1000 * (when - ended))
        elif isinstance(event, Evidence):
            taken["evidence, after the question"].append(1000 * (when - begun))
        elif isinstance(event, Finished):
            taken["the whole answer, after the server's end"].append(1000 * (when - stub.sent[-1][0]))
    return taken


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=10)
    options.add_argument("--gap", type=float, default=0.02, help="seconds between two words")
    given = options.parse_args()
    table = Table(title=f"Checked after the server's end of it, ms; {1 / given.gap:.0f} words/s")
    for column in ("mark", "what", "n", "p50", "p95", "most"):
        table.add_column(column, justify="left" if column in ("mark", "what") else "right")
    with tempfile.TemporaryDirectory() as folder:
        with open_library(Path(folder) / "library", settings=Settings()) as plain:
            ingest([PAPERS], plain)
        for mark_first in (True, False):
            reply = Reply(text=answer(mark_first), gap=given.gap)
            with StubModel(*[reply] * (given.rounds + 1)) as stub:
                settings = replace(Settings(), model="stub", openai_base_url=stub.url)
                taken: dict[str, list[float]] = defaultdict(list)
                with open_library(Path(folder) / "library", settings=settings) as library:
                    measure(library, stub, mark_first)
                    for _ in range(given.rounds):
                        for what, times in measure(library, stub, mark_first).items():
                            taken[what] += times
            for what, times in taken.items():
                *_, p95 = statistics.quantiles(times, n=20, method="inclusive")
                table.add_row("before the stop" if mark_first else "behind it", what, str(len(times)),
                              f"{statistics.median(times):.1f}", f"{p95:.1f}", f"{max(times):.1f}")
    Console(width=120, markup=False).print(table)


if __name__ == "__main__":
    main()
