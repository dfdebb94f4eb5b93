"""A real Chromium against a real server: every test also fails on a request that leaves this machine, and on any
error in the browser's console, such as a breach of the Content-Security-Policy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import FLAGS, Open, Scheme, Serve, chromium, served, watch

# A machine that is busy with other things is slow, not wrong.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium")
        pytest.skip("no chromium here")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Serves a library, "real" or "scripted", from a folder, in a process of its own, and gives the address."""
    with contextlib.ExitStack() as stack:
        yield lambda kind, folder: stack.enter_context(served(kind, folder))


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a browser of its own and waits for the chat."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []
    complaints: list[str] = []

    def opened(address: str, width: int = 1200, height: int = 800, permissions: tuple[str, ...] = (),
               scheme: Scheme = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, permissions=permissions,
                                      color_scheme=scheme)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.on("request", lambda request: _note_stranger(request.url, strangers))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        page.wait_for_selector(".welcome, .answer")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not strangers
    assert not complaints


def _note_stranger(url: str, strangers: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
        strangers.append(url)
