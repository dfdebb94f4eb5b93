"""Makes pictures of the scripted page to look at, light and dark, desktop and phone: `shots.py FOLDER`."""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright
from serving import FLAGS, chromium, served

SIZES = {"desktop": (1280, 820), "phone": (390, 844)}


def walk(browser: Browser, address: str, scheme: Literal["light", "dark"], size: str, target: Path) -> None:
    """A picture of everything that the page can show."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    answers = itertools.count(1)

    def shoot(name: str) -> None:
        page.wait_for_timeout(400)
        page.screenshot(path=target / f"{name}-{scheme}-{size}.png")

    def ask(words: str) -> None:
        page.fill("#composer textarea", words)
        page.keyboard.press("Enter")

    def whole() -> None:
        page.wait_for_function(f"document.querySelectorAll('.colophon').length == {next(answers)}")
        page.wait_for_selector("#composer .submit-button")

    page.goto(address)
    page.wait_for_selector(".example")
    shoot("1-first")
    ask("What papers address reward overoptimisation? slow")
    page.wait_for_selector(".reading")
    shoot("2-reading")
    page.wait_for_selector(".draft a.cite")
    shoot("2-streaming")
    whole()
    shoot("3-answer")
    page.locator(".prose-text a.cite").first.click()
    page.wait_for_selector("#panel mark")
    shoot("4-card")
    page.keyboard.press("Escape")
    for name, question in (("5-abstention", "Is there nothing on cooking?"), ("6-sides", "compare the two remedies"),
                           ("7-fact", "how much does it cost?"), ("8-library", "Which are the newest papers?"),
                           ("9-kept", "What was kept?")):
        ask(question)
        whole()
        shoot(name)
    page.get_by_text("Check a claim", exact=True).first.click()
    page.wait_for_selector("#composer textarea[aria-label='Your claim']")
    shoot("10-claim")
    ask("Ensembles end reward overoptimisation at no cost.")
    whole()
    shoot("11-report")
    page.close()


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        library = Path(scratch) / "library"
        library.mkdir()
        with served("scripted", library) as address:
            for size in SIZES:
                walk(browser, address, "light", size, folder)
                walk(browser, address, "dark", size, folder)
        browser.close()
