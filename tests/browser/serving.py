"""A server to test against, `play.py` in a process of its own, and a browser to test it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

HERE = Path(__file__).parent
FLAGS = ("--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
         "--disable-component-update --disable-sync").split()
Serve: TypeAlias = Callable[[str, Path], str]
Scheme: TypeAlias = Literal["light", "dark"]

_waiting: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()


class Open(Protocol):
    """Opens an address in a browser of its own."""

    def __call__(self, address: str, width: int = 1200, height: int = 800,
                 permissions: tuple[str, ...] = (), scheme: Scheme = "light") -> Page: ...


def watch(page: Page) -> None:
    """Keep account of what a page waits for; the heartbeat, which never ends, not counted."""
    waiting = _waiting[page] = set()
    page.on("request", lambda request: waiting.add(request) if "/heartbeat/" not in request.url else None)
    page.on("requestfinished", lambda request: waiting.discard(request))
    page.on("requestfailed", lambda request: waiting.discard(request))


def reload(page: Page) -> None:
    """Reload a page that waits for nothing any more: what is cut short by a reload is an error in its console."""
    end = time.monotonic() + 20
    while _waiting[page] and time.monotonic() < end:
        page.wait_for_timeout(20)
    page.reload()


def chromium() -> str | None:
    """Where Chromium is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def served(kind: str, folder: Path, host: str = "127.0.0.1", timeout: float = 60) -> Iterator[str]:
    """The address of a library served from a folder, as long as the block lasts."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VOUCH_", "OPENAI_"))}
    log = folder.parent / f"{folder.name}.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "play.py"), kind, str(folder), host], stdout=output, stderr=subprocess.STDOUT,
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
