"""How the page behaves when the engine says what it says only now and then, as a scripted library makes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from scripted import FIRST, PAPERS, QUOTE, last_asked
from serving import Open, Serve, reload

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
    expect(page.locator(".doing")).to_contain_text("Reading 3 papers")
    expect(page.locator(".reading li")).to_have_count(3)
    expect(page.locator(".draft")).to_contain_text("Two papers in the library deal with it.")
    expect(page.locator(".draft")).to_contain_text("Pushing a learned reward")
    page.get_by_role("button", name="Stop").click()
    finished(page)
    expect(page.locator(".notice")).to_contain_text("Stopped before the end")
    expect(page.locator(".withheld summary")).to_have_text("1 sentence withheld")
    expect(page.locator(".answer .prose-text")).not_to_contain_text("Ensembles of reward models are one remedy")
    reload(page)
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


def test_sides_stand_beside_one_another_or_below(address: str, open_page: Open) -> None:
    page = open_page(address, 1280, 820)
    ask(page, "compare the remedies")
    finished(page)
    expect(page.locator(".side h3")).to_have_text(["Larger models", "Ensembles"])
    left, right = (page.locator(".side").nth(place) for place in (0, 1))
    assert at(left)[1] == at(right)[1]
    assert at(left)[0] < at(right)[0]
    page.set_viewport_size({"width": 390, "height": 844})
    expect(right).to_be_visible()
    page.wait_for_function("[...document.querySelectorAll('.side')].every((side, n, all) => !n || "
                           "side.offsetTop > all[n - 1].offsetTop + 20)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def at(part: Locator) -> tuple[float, float]:
    """Where a part of the page is, from the left and the top."""
    box = part.bounding_box()
    assert box is not None
    return box["x"], box["y"]


def test_the_words_that_answer_are_marked(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "how much does it cost?")
    finished(page)
    expect(page.locator(".quoted mark")).to_have_text("a small cost in speed")
    expect(page.locator(".quoted .words")).to_have_text(QUOTE)
    page.locator(".quoted a.cite").click()
    expect(page.locator("#panel mark")).to_have_text(QUOTE)


def test_the_library_tells_of_itself_and_greets(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "Which are the newest?")
    finished(page)
    page.locator(".item a.cite").nth(1).click()
    expect(page.locator("#panel h2")).to_have_text(str(PAPERS[1].title))
    expect(page.locator("#panel mark")).to_have_count(0)
    expect(page.locator(".colophon")).to_contain_text("From the library’s own records")
    ask(page, "hello")
    expect(page.locator(".answer").last).to_have_text("Understood as: What does the KL distance do to reward models?"
                                                      "Hello. Ask what the papers say.")


def test_a_kept_answer_can_be_asked_for_afresh(address: str, folder: Path, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "is it kept?")
    finished(page)
    expect(page.locator(".colophon")).to_contain_text("Written by llama3.1:8b, kept from an earlier answer")
    expect(page.locator(".usage")).to_have_text("1,200 tokens read, 90 written, $0.0031")
    page.get_by_role("button", name="Ask afresh").click()
    finished(page, answers=2)
    assert last_asked(folder) == {"question": "is it kept?", "history": [], "years": None, "fresh": True,
                                  "spent": 0.0031}
    expect(page.locator(".question")).to_have_text(["is it kept?"] * 2)
    expect(page.locator(".usage").last).to_contain_text("this conversation: 2,400 tokens read, 180 written, $0.0062")
    expect(page.get_by_role("button", name="Ask afresh")).to_have_count(1)


def test_a_claim_is_checked(address: str, folder: Path, open_page: Open) -> None:
    page = open_page(f"{address}?since=2023", permissions=("clipboard-read", "clipboard-write"))
    page.get_by_role("button", name="check a claim").click()
    expect(page.get_by_role("radio", name="Check a claim")).to_be_checked()
    claim = page.get_by_role("textbox", name="Your claim", exact=True)
    expect(claim).to_be_focused()
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()
    claim.fill("Ensembles end it.")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict strong")).to_have_text("Mixed: papers on either side")
    expect(page.locator(".verdict .sure")).to_have_text("fairly sure, 72%")
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()
    assert last_asked(folder) == {"claim": "Ensembles end it.", "years": [2023, None]}
    expect(page.locator(".narrowed")).to_have_text("Only papers since 2023.")
    expect(page.locator(".side h3")).to_have_text(["For", "Against"])
    page.locator(".side a.cite").last.click()
    expect(page.locator("#panel mark")).to_have_text(QUOTE)
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("## Ensembles end it.\n\n**Mixed")
    assert "| For | Against |" in copied

    reload(page)
    expect(page.locator(".verdict strong")).to_have_text("Mixed: papers on either side")
    expect(page.locator(".question .what")).to_have_text("Claim to check")
    ask(page, "and then?")
    finished(page, answers=2)
    assert last_asked(folder)["history"] == ["Ensembles end it."]
    page.get_by_role("radio", name="Ask a question").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Check a claim")).to_be_checked()
    expect(page.get_by_role("button", name="Check", exact=True)).to_be_visible()


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
    reload(page)
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


def test_a_question_right_after_a_new_conversation_begins_one(address: str, folder: Path, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "the old one")
    finished(page)
    # The server hears of it late.
    page.route("**/gradio_api/**", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.get_by_role("button", name="New conversation").click()
    ask(page, "the new one")
    expect(page.locator(".question")).to_have_text(["the new one"])
    finished(page)
    assert (last_asked(folder)["question"], last_asked(folder)["history"]) == ("the new one", [])
    expect(page.locator(".question")).to_have_text(["the new one"])
    expect(page.get_by_role("link", name="the new one")).to_have_attribute("aria-current", "page")


def test_deleting_a_conversation_that_is_answered(address: str, open_page: Open) -> None:
    page = open_page(address)
    ask(page, "to be deleted")
    finished(page)
    ask(page, "a slow one, in vain")
    expect(page.locator(".draft")).to_contain_text("Reading 3 papers")
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("#earlier li", has_text="to be deleted").hover()
    page.get_by_role("button", name="Delete the conversation: to be deleted").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    ask(page, "after that")
    finished(page)
    expect(page.get_by_role("link", name="after that")).to_have_count(1)
    expect(page.get_by_role("link", name="to be deleted")).to_have_count(0)


def test_an_old_conversation_comes_back_with_its_filter(address: str, open_page: Open) -> None:
    page = open_page(f"{address}?since=2024&author=Holm")
    chips = page.get_by_role("list", name="Active filters").get_by_role("button")
    expect(chips).to_have_text(["since 2024", "by Holm"])
    ask(page, "asked of Holm")
    finished(page)
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    for _ in range(2):
        chips.first.click()
    expect(chips).to_have_count(0)
    page.get_by_role("link", name="asked of Holm").click()
    expect(chips).to_have_text(["since 2024", "by Holm"])
    expect(page.locator(".question")).to_have_text("asked of Holm")
    assert "since=2024" in page.url
    ask(page, "and now?")
    finished(page, answers=2)
    expect(page.locator(".narrowed").last).to_have_text("Only papers since 2024, by Holm.")


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
