"""The digest tab: an outline that is edited, the digest with its citations and files, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import Open, Scheme, Serve, reload
from test_access import wrong

from ingest import ingest
from rag import open_library
from rag.settings import Settings

pytestmark = pytest.mark.browser

PAPERS = (
    {"title": "Counting Heron Nests from the Air", "year": 2021, "authors": ["Ada Quill"],
     "abstract": "Heron colonies are hard to count from the ground. We count heron nests with a small drone over nine "
                 "colonies. The detector misses four percent of the heron nests."},
    {"title": "Heron Nests After the $M^3$ Flood", "year": 2024, "authors": ["Bo Fern", "Cy Marsh"],
     "abstract": "We count heron nests before and after a flood. A third of the heron nests were lost, and the colony "
                 "moved two kilometres upstream."},
    {"title": "Heron Nests in Old Registers", "authors": ["Dee Holm"],
     "abstract": "Parish registers count heron nests since 1750. We read forty of them and find that heron nests were "
                 "three times as many as today."},
    {"title": "Cameras for Heron Nests", "year": 2023, "authors": ["Ada Quill"],
     "abstract": "We watch heron nests with forty cameras. The cameras find that heron nests near roads fail more "
                 "often than heron nests in quiet woods."},
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> str:
    root = tmp_path_factory.mktemp("digests")
    listing = root / "herons.jsonl"
    listing.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS), encoding="utf-8")
    with open_library(root / "library", settings=Settings(library=root / "library")) as library:
        ingest([listing], library)
    return serve("real", root / "library")


def turned(page: Page) -> Page:
    page.get_by_role("button", name="Digest", exact=True).click()
    expect(page.get_by_role("textbox", name="Topic")).to_be_visible()
    return page


def outlined(page: Page) -> None:
    """The outline of all four papers, which came just now."""
    page.get_by_role("combobox", name="Papers").select_option("New in the last 7 days")
    page.get_by_role("button", name="Make an outline").click()
    expect(page.get_by_role("heading", name="Outline")).to_be_focused()


def written(page: Page) -> None:
    page.get_by_role("button", name="Write the digest").click()
    expect(page.get_by_role("group", name="Download as")).to_be_visible()


def test_an_outline_becomes_a_digest_that_is_kept(address: str, open_page: Open, tmp_path: Path) -> None:
    page = turned(open_page(address))
    expect(page.get_by_label("Your question")).not_to_be_visible()
    page.get_by_role("button", name="Make an outline").click()
    expect(page.get_by_role("alert")).to_have_text("Name a topic, or choose papers by the filter.")

    outlined(page)
    plan = page.get_by_role("form", name="Outline")
    expect(plan.get_by_role("checkbox")).to_have_count(4)
    plan.get_by_role("textbox", name="Title").fill("What is known of heron nests")
    plan.get_by_role("textbox", name="Heading").first.fill("Nests <i>by count</i>")
    plan.get_by_role("checkbox", name="Heron Nests in Old Registers").uncheck()
    written(page)

    digest = page.locator(".digest")
    expect(digest.get_by_role("heading", name="What is known of heron nests")).to_be_focused()
    expect(digest.get_by_role("heading", name="Nests <i>by count</i>")).to_be_visible()
    expect(digest.locator(".listed li")).to_have_count(3)
    expect(digest.locator("svg")).to_have_count(2)
    expect(digest.locator("math").first).to_be_visible()
    expect(digest).not_to_contain_text("Registers")
    digest.locator("a.cite").first.click()
    expect(page.locator("#panel mark")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    download.value.save_as(tmp_path / "digest.json")
    assert json.loads((tmp_path / "digest.json").read_text(encoding="utf-8"))["title"] == "What is known of heron nests"

    reload(page)
    expect(page.locator(".digest .listed li")).to_have_count(3)
    kept = page.locator("#digests")
    expect(kept.get_by_role("button", name="What is known of heron nests 3 papers")).to_have_attribute(
        "aria-current", "page")
    page.get_by_role("button", name="Chat", exact=True).click()
    expect(page.get_by_label("Your question")).to_be_visible()
    turned_back = page.get_by_role("button", name="Digest", exact=True)
    turned_back.click()
    expect(page.locator(".digest")).to_be_visible()
    page.on("dialog", lambda dialog: dialog.accept())
    kept.get_by_role("button", name="Delete the digest").click()
    expect(kept).to_contain_text("Your digests are kept here")
    expect(page.get_by_role("textbox", name="Topic")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 390)])
def test_everybody_can_use_it(scheme: Scheme, width: int, address: str, open_page: Open) -> None:
    page = turned(open_page(f"{address}?since=2021", width, 844, scheme=scheme))
    assert wrong(page) == []
    outlined(page)
    expect(page.get_by_role("form", name="Outline").get_by_role("checkbox")).to_have_count(3)
    assert wrong(page) == []
    written(page)
    expect(page.locator(".digest")).to_contain_text("Only papers since 2021, that came since")
    assert wrong(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
