"""How the page behaves when the engine says what it says only now and then, as a scripted library makes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from scripted import FIRST, PAPERS, QUOTE, last_asked
from serving import Open, Serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def address(folder: Path, serve: Serve) -> str:
    return serve("scripted", folder)


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def finished(page: Page, answers: int = 1) -> None:
    expect(page.locator(".colophon")).to_have_count(answers)
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_first_run_tells_the_library_and_asks_an_example(address: str, open_page: Open) -> None:
    page = open_page(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Vouch")
    expect(page.locator(".holdings")).to_have_text("3 papers from 2 files, all local")
    page.get_by_role("button", name="How are rivers sorted by season?").click()
    finished(page)
    expect(page.locator(".question")).to_have_text("How are rivers sorted by season?")


def test_answer_grows_and_can_be_stopped(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "a slow one")
    expect(page.locator(".doing")).to_contain_text("Searching 3 papers")
    expect(page.locator(".doing")).to_contain_text("Reading 3 papers")
    expect(page.locator(".reading li")).to_have_count(3)
    expect(page.locator(".draft")).to_contain_text("Two papers in the library deal with it.")
    assert page.locator(".draft a.cite").count() == 0
    page.get_by_role("button", name="Stop").click()
    finished(page)
    expect(page.locator(".notice")).to_contain_text("Stopped before the end")
    expect(page.locator(".answer .prose-text")).not_to_contain_text("Ensembles of reward models are one remedy")
    page.reload()
    expect(page.locator(".notice")).to_contain_text("Stopped before the end")


def test_citation_opens_the_exact_words(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "what about reward?")
    finished(page)
    before = page.url
    page.locator(".prose-text a.cite").first.click()
    expect(page.locator("#panel mark")).to_have_text(FIRST)
    expect(page.locator("#panel h2")).to_have_text(str(PAPERS[0].title))
    expect(page.locator("#panel .facts")).to_contain_text("2023 (inferred; printed: Mar 2)")
    expect(page.locator("#panel .sources")).to_contain_text("saved page.html#12")
    # The prices, the stray backslash and the tag are shown as they are; the formula is typeset.
    expect(page.locator("#panel .abstract")).to_contain_text("$5 to $10 a run on \\394 <b>scenes</b>.")
    expect(page.locator("#panel .katex")).to_have_count(1)
    assert page.url == before
    expect(page.locator("#panel button.close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".prose-text a.cite").first).to_be_focused()

    page.locator(".quoted a.cite").click()
    expect(page.locator("#panel mark")).to_have_text(QUOTE)
    expect(page.locator("#panel .kind")).to_have_text("Summary written for Vouch, not the authors’ words")
    expect(page.locator(".quoted")).to_contain_text(f"“{QUOTE}”")
    expect(page.locator(".quoted .words")).to_have_text(QUOTE)


def test_verdicts_withheld_and_notice(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "does the model work?")
    finished(page)
    expect(page.locator(".prose-text .weak")).to_have_text(
        "Ensembles of reward models are one remedy, and they may be cheap.")
    expect(page.locator(".notice")).to_contain_text("The model stopped answering")
    withheld = page.locator("details.withheld")
    expect(withheld.locator(".warning")).not_to_be_visible()
    withheld.locator("summary").click()
    expect(withheld.locator(".warning")).to_be_visible()
    expect(withheld).to_contain_text("<script>alert(1)</script>")
    expect(page.locator(".references li")).to_have_count(2)
    expect(page.locator(".colophon")).to_contain_text("From the papers’ and the summaries’ own words")


def test_abstention_offers_the_nearest_papers(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "nothing on this?")
    finished(page)
    expect(page.locator(".abstained")).to_have_text("The library does not cover this.")
    page.locator(".nearest a.open").nth(2).click()
    expect(page.locator("#panel .abstract")).to_contain_text("<img src=https://example.org/x.png>")
    expect(page.locator("#panel mark")).to_have_count(0)


def test_failure_is_one_sentence(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "broken")
    expect(page.locator(".failure")).to_have_text("The word index cannot be read; run: vouch doctor --repair")
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()


def test_conversation_survives_reload_and_is_listed(address: str, folder: Path, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "first of all, rewards?")
    finished(page)
    page.reload()
    expect(page.locator(".colophon")).to_have_count(1)
    ask(page, "and then?")
    finished(page, answers=2)
    asked = last_asked(folder)
    assert (asked["question"], asked["history"]) == ("and then?", ["first of all, rewards?"])
    expect(page.locator(".rewritten")).to_contain_text("Understood as")
    # The new question stands at the top, its answer below it.
    expect(page.locator(".question").nth(1)).to_be_in_viewport(ratio=1)
    expect(page.locator(".answer").nth(1).locator(".abstained, .prose-text")).to_be_in_viewport(ratio=0.9)

    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    assert "c=" not in page.url
    page.get_by_role("link", name="first of all, rewards?").click()
    finished(page, answers=2)
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#earlier li", has_text="first of all, rewards?").hover()
    page.get_by_role("button", name="Delete the conversation: first of all, rewards?").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.get_by_role("link", name="first of all, rewards?")).to_have_count(0)


def test_turning_to_another_conversation_leaves_the_answer_to_itself(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "before")
    finished(page)
    ask(page, "a slow one, left alone")
    expect(page.locator(".draft")).to_contain_text("Reading 3 papers")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    page.wait_for_timeout(800)
    expect(page.locator(".welcome")).to_be_visible()
    assert "c=" not in page.url
    page.get_by_role("link", name="before").click()
    # It is still being answered, and is followed to its end.
    expect(page.locator(".draft")).to_have_count(1)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    finished(page, answers=2)
    expect(page.locator(".notice")).to_have_count(0)


def test_filters_reach_the_engine(address: str, folder: Path, open_page: Open) -> None:
    page = open_page(address)
    page.get_by_role("button", name="Filter", exact=True).click()
    page.get_by_label("Since").select_option("2024")
    ask(page, "filtered")
    finished(page)
    assert last_asked(folder)["years"] == [2024, None]
    expect(page.locator(".narrowed")).to_have_text("Only papers since 2024.")


def test_copy_gives_plain_text(address: str, open_page: Open) -> None:
    page = open_page(address, permissions=("clipboard-read", "clipboard-write"))
    ask(page, "to copy")
    finished(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("Two papers in the library deal with it. Pushing")
    assert "[1] Tides of Reward" in copied
    assert "<" not in copied


def test_phone_shows_the_paper_as_a_sheet_and_the_rail_as_a_drawer(address: str, open_page: Open) -> None:
    page = open_page(address, 390, 844)
    expect(page.locator("#paper")).not_to_be_visible()
    ask(page, "on a phone")
    finished(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".prose-text a.cite").first.click()
    expect(page.locator("#panel mark")).to_be_visible()
    page.get_by_role("button", name="Back to the answer").click()
    expect(page.locator("#paper")).not_to_be_visible()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("button", name="New conversation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="New conversation")).not_to_be_visible()


def test_messages_have_names_a_screen_reader_can_say(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "names?")
    finished(page)
    expect(page.get_by_role("group", name="Answer", exact=True)).to_have_count(1)
    expect(page.get_by_role("link", name=re.compile("citation 1 ?: Tides of Reward")).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Your question", exact=True)).to_be_visible()
    assert page.locator("[aria-label*='<div']").count() == 0
    assert page.locator("input:visible, textarea:visible, button:visible, a:visible").evaluate_all(
        "all => all.filter(e => !(e.textContent + (e.ariaLabel ?? '') + (e.labels?.[0]?.textContent ?? '')).trim())"
        ".map(e => e.outerHTML)") == []
