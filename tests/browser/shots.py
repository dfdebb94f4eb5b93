"""Makes pictures of the scripted page to look at, light and dark, desktop and phone: `shots.py FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright
from serving import FLAGS, chromium, served

SIZES = {"desktop": (1280, 820), "phone": (390, 844)}


def walk(browser: Browser, address: str, scheme: Literal["light", "dark"], size: str, target: Path) -> None:
    """First run, streaming, answer, card, abstention: a picture of each."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    steps = iter(("1-first", "2-streaming", "3-answer", "4-card", "5-abstention"))

    def shoot() -> None:
        page.wait_for_timeout(400)
        page.screenshot(path=target / f"{next(steps)}-{scheme}-{size}.png")

    page.goto(address)
    page.wait_for_selector(".example")
    shoot()
    page.fill("#composer textarea", "What papers address reward overoptimisation? slow")
    page.keyboard.press("Enter")
    page.wait_for_selector(".draft a.cite")
    shoot()
    page.wait_for_selector(".colophon")
    shoot()
    page.locator(".prose-text a.cite").first.click()
    page.wait_for_selector("#panel mark")
    shoot()
    page.keyboard.press("Escape")
    page.fill("#composer textarea", "Is there nothing on cooking?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".abstained")
    shoot()
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
