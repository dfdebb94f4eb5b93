"""The filter: how it is set and taken off, what it does to answers, and how an answer tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from serving import Open, Scheme, Serve, reload
from test_access import wrong

from ingest import ingest
from rag import open_library
from rag.settings import Settings

pytestmark = pytest.mark.browser

MARSH = (
    {"title": "Counting Heron Nests from the Air", "year": 2021, "authors": ["Ada Quill"],
     "abstract": "Heron colonies are hard to count from the ground. We count heron nests with a small drone over nine "
                 "colonies. The detector misses four percent of the heron nests."},
    {"title": "Heron Nests After the Flood", "year": 2024, "authors": ["Bo Fern", "Cy Marsh"],
     "abstract": "We count heron nests before and after a flood. A third of the heron nests were lost, and the colony "
                 "moved two kilometres upstream."},
)
OTHER = (
    {"title": "Heron Nests in Old Registers", "authors": ["Dee Holm"],
     "abstract": "Parish registers count heron nests since 1750. We read forty of them and find that heron nests were "
                 "three times as many as today."},
)
QUESTION = "Which papers count heron nests?"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> str:
    root = tmp_path_factory.mktemp("papers")
    for name, papers in (("marsh & <b>.jsonl", MARSH), ("registers.jsonl", OTHER)):
        (root / name).write_text("".join(json.dumps(paper) + "\n" for paper in papers), encoding="utf-8")
    folder = root / "library"
    with open_library(folder, settings=Settings(library=folder)) as library:
        ingest(sorted(root.glob("*.jsonl")), library)
        flood = next(paper for paper in library.papers if paper.year == 2024)
        library.tag(flood.id, "`${survey}`", "to read")
    return serve("real", folder)


def toggle(page: Page) -> None:
    page.get_by_role("button", name="Filter", exact=True).click()


def opened(page: Page) -> Locator:
    """The filter's fields, with what the library holds."""
    toggle(page)
    fields = page.get_by_role("group", name="Filter")
    expect(fields.get_by_role("checkbox")).to_have_count(4)
    return fields


def chips(page: Page) -> Locator:
    return page.get_by_role("list", name="Active filters").get_by_role("button")


def ask(page: Page, question: str = QUESTION, answers: int = 1) -> Locator:
    """The last answer, once it is whole."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".colophon")).to_have_count(answers)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    return page.locator(".answer").last


def test_a_filter_is_set_told_kept_and_taken_off(address: str, open_page: Open) -> None:
    page = open_page(address)
    fields = page.locator(".fields")
    expect(fields).not_to_be_visible()
    expect(chips(page)).to_have_count(0)
    opened(page)
    assert fields.get_by_label("Since").locator("option").all_inner_texts() == ["any year", "2024", "2021"]
    expect(fields).to_contain_text("1 paper has no year: Since and Until leave it out.")
    fields.get_by_label("Since").select_option("2024")
    fields.get_by_role("checkbox", name="marsh & <b>.jsonl").check()
    toggle(page)
    expect(fields).not_to_be_visible()
    expect(chips(page)).to_have_text(["since 2024", "from marsh & <b>.jsonl"])

    answer = ask(page)
    told = "Only papers since 2024, from marsh & <b>.jsonl."
    expect(answer.locator(".narrowed")).to_have_text(told)
    expect(answer.locator(".references li")).to_have_count(1)
    expect(answer.locator(".references")).to_contain_text("Heron Nests After the Flood")

    chips(page).first.click()
    expect(chips(page)).to_have_text(["from marsh & <b>.jsonl"])
    expect(chips(page).first).to_be_focused()
    chips(page).first.click()
    expect(page.get_by_role("button", name="Filter", exact=True)).to_be_focused()
    answer = ask(page, answers=2)
    expect(answer.locator(".narrowed")).to_have_count(0)
    expect(answer.locator(".references li")).to_have_count(3)
    # The first answer still tells the filter that it was given under.
    reload(page)
    expect(page.locator(".narrowed")).to_have_text([told])


def test_authors_and_tags(address: str, open_page: Open) -> None:
    page = open_page(address)
    fields = opened(page)
    fields.get_by_label("Author").fill("  quill ")
    page.keyboard.press("Enter")
    expect(fields.get_by_label("Author")).to_have_value("")
    expect(fields.get_by_label("Author")).to_be_focused()
    fields.get_by_label("Author").fill("Holm")
    # Who goes on to ask has meant it.
    answer = ask(page)
    expect(chips(page)).to_have_text(["by quill", "by Holm"])
    expect(answer.locator(".narrowed")).to_have_text("Only papers by quill or Holm.")
    expect(answer.locator(".references li")).to_have_count(2)
    for _ in range(2):
        chips(page).first.click()
    fields.get_by_role("checkbox", name="`${survey}`").check()
    expect(chips(page)).to_have_text(["tagged `${survey}`"])
    answer = ask(page, answers=2)
    expect(answer.locator(".references li")).to_have_count(1)
    expect(answer.locator(".narrowed")).to_have_text("Only papers tagged `${survey}`.")


def test_a_filter_that_lets_nothing_through_is_told(address: str, open_page: Open) -> None:
    page = open_page(f"{address}?author=Nobody")
    expect(chips(page)).to_have_text(["by Nobody"])
    answer = ask(page)
    expect(answer.locator(".abstained")).to_be_visible()
    expect(answer.locator(".narrowed")).to_have_text("The library knows no paper by Nobody.")


def test_the_filter_joins_what_the_question_says_itself(address: str, open_page: Open) -> None:
    page = open_page(f"{address}?file=marsh+%26+%3Cb%3E.jsonl")
    expect(chips(page)).to_have_count(1)
    answer = ask(page, "Which papers since 2023 count heron nests?")
    expect(answer.locator(".narrowed")).to_contain_text(
        "Only papers from marsh & <b>.jsonl. Only papers since 2023: 1 of 2")


def test_the_filter_outlives_a_reload_and_a_new_conversation(address: str, open_page: Open) -> None:
    page = open_page(address)
    fields = opened(page)
    fields.get_by_label("Until").select_option("2021")
    fields.get_by_label("Since").select_option("2024")
    # No year is both: what was said last is meant.
    expect(chips(page)).to_have_text(["since 2024"])
    fields.get_by_role("checkbox", name="to read").check()
    ask(page)
    reload(page)
    expect(chips(page)).to_have_text(["since 2024", "tagged to read"])
    expect(page.locator(".colophon")).to_have_count(1)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(chips(page)).to_have_text(["since 2024", "tagged to read"])
    fields = opened(page)
    expect(fields.get_by_label("Since")).to_have_value("2024")
    expect(fields.get_by_label("Until")).to_have_value("")
    expect(fields.get_by_role("checkbox", name="to read")).to_be_checked()
    chips(page).first.click()
    expect(fields.get_by_label("Since")).to_have_value("")


def test_the_keyboard_is_enough(address: str, open_page: Open) -> None:
    page = open_page(address)
    button = page.get_by_role("button", name="Filter", exact=True)
    button.focus()
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("checkbox")).to_have_count(4)
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Since")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(chips(page)).to_have_text(["since 2024"])
    page.keyboard.press("ArrowDown")
    expect(chips(page)).to_have_text(["since 2021"])
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(chips(page)).to_have_text(["since 2021", "from marsh & <b>.jsonl"])
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(page.locator(".fields")).not_to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(chips(page)).to_have_text(["from marsh & <b>.jsonl"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_everybody_can_use_the_filter(scheme: Scheme, width: int, address: str, open_page: Open) -> None:
    page = open_page(f"{address}?since=2021&author=Quill&author=Fern&file=registers.jsonl", width, 844, scheme=scheme)
    expect(chips(page)).to_have_count(4)
    opened(page)
    assert wrong(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport(ratio=1)
    expect(page.locator(".fields")).to_be_in_viewport(ratio=1)


def test_an_empty_library_has_a_filter_too(serve: Serve, open_page: Open, tmp_path: Path) -> None:
    page = open_page(serve("real", tmp_path / "library"))
    toggle(page)
    expect(page.get_by_role("combobox", name="Since")).to_be_visible()
    expect(page.get_by_role("checkbox")).to_have_count(0)
