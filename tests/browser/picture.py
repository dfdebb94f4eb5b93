"""Makes the README's picture from the bundled sample: `python tests/browser/picture.py vouch.png`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from serving import FLAGS, chromium, served

QUESTION = "what papers address reward overoptimization"


def draw(target: Path) -> None:
    """Ask the sample, open the first citation, and save what is seen as a PNG of 1200 x 800."""
    from ingest import ingest
    from ingest.sample import sample_path
    from rag import open_library
    from rag.settings import Settings

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "library"
        with open_library(folder, settings=Settings(library=folder)) as library:
            ingest([sample_path()], library)
        with served("real", folder) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
            page = browser.new_page(viewport={"width": 1200, "height": 800}, color_scheme="light")
            page.goto(address)
            page.wait_for_selector(".example")
            page.get_by_label("Your question").fill(QUESTION)
            page.keyboard.press("Enter")
            page.wait_for_selector(".colophon")
            page.locator("a.cite", has_text="1").first.click()
            page.wait_for_selector("#panel mark")
            page.evaluate("document.activeElement.blur()")
            page.mouse.move(0, 0)
            page.wait_for_timeout(500)
            shot = page.screenshot(path=Path(scratch) / "picture.png")
            browser.close()
        assert shot
        shutil.copy(Path(scratch) / "picture.png", target)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
