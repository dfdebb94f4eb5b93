"""What axe finds wrong with the page for people who cannot see it well, or not at all: nothing, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from serving import Open, Scheme, Serve

pytestmark = pytest.mark.browser


def wrong(page: Page) -> list[tuple[str, list[str]]]:
    """The rules that the page breaks, each with the elements that break it."""
    axe = Path(pytest.importorskip("axe_playwright_python").__file__).with_name("axe.min.js")
    page.wait_for_timeout(300)  # a colour that is still changing is not the one to judge
    page.evaluate(axe.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    return [(broken["id"], [node["html"] for node in broken["nodes"]]) for broken in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_the_page(scheme: Scheme, serve: Serve, open_page: Open, tmp_path: Path) -> None:
    page = open_page(serve("scripted", tmp_path), scheme=scheme)
    expect(page.locator("button.example").first).to_be_visible()
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    assert wrong(page) == []

    page.get_by_label("Your question").fill("does the model work?")
    page.keyboard.press("Enter")
    expect(page.locator(".colophon")).to_have_count(1)
    page.locator("details.withheld summary").click()
    page.locator(".prose-text a.cite").first.click()
    expect(page.locator("#panel mark")).to_be_visible()
    assert wrong(page) == []

    # Sides, marked words, an answer kept from before and a report, all in one conversation.
    for number, question in enumerate(("nothing on this?", "compare", "how much?", "is it kept?"), start=2):
        page.get_by_label("Your question").fill(question)
        page.keyboard.press("Enter")
        expect(page.locator(".colophon")).to_have_count(number)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Check a claim").check(force=True)
    page.get_by_label("Your claim").fill("It costs little.")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict")).to_be_visible()
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()
    assert wrong(page) == []
