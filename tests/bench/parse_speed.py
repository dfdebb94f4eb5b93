"""Whether the reader of models' texts takes time in proportion: texts that tempt it to look again at what it has read.

    python -m tests.bench.parse_speed [--characters 40000]

Doubling a text should double its time; a factor near 4 is a search over all that was read, at every character.
"""

from __future__ import annotations

import argparse
import time

from rich.console import Console
from rich.table import Table

from rag.models.parse import parse
from tests.test_parse import ENDLESS


def milliseconds(text: str) -> float:
    """Processor time to read a text, the least of three."""
    taken = []
    for _ in range(3):
        began = time.process_time()
        list(parse([text]))
        taken.append(time.process_time() - began)
    return 1000 * min(taken)


def main() -> None:
    """Measure and print, the worst factor last."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--characters", type=int, default=40_000)
    length: int = options.parse_args().characters
    table = Table(title="Reading a repeated text, processor time")
    for column in ("text", f"{length:,} characters, ms", f"{2 * length:,}, ms", "factor"):
        table.add_column(column, justify="left" if column == "text" else "right")
    rows = []
    for text in ENDLESS:
        times = length // len(text)
        once, twice = milliseconds(text * times), milliseconds(text * times * 2)
        rows.append((twice / once, repr(text), once, twice))
    for factor, text, once, twice in sorted(rows):
        table.add_row(text, f"{once:.0f}", f"{twice:.0f}", f"{factor:.1f}")
    Console(width=120, markup=False).print(table)


if __name__ == "__main__":
    main()
