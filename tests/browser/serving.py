"""Starts `play.py` and ends it again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def served(kind: str, folder: Path, timeout: float = 60) -> Iterator[str]:
    """The address of a library served from a folder, as long as the block lasts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VOUCH_", "OPENAI_"))}
    log = folder.parent / f"{folder.name}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "play.py"), kind, str(folder)], stdout=output, stderr=subprocess.STDOUT,
            cwd=HERE.parents[1], env={**kept, "PYTHONPATH": str(HERE.parents[1])},
        )
    try:
        end = time.monotonic() + timeout
        while not (address := _address(log)):
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"the server did not start: {log.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def _address(log: Path) -> str:
    return next((line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("http://")), "")
