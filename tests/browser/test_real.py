"""The whole way, nothing scripted: papers in a file, the real engine without a model, a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect
from serving import Open, Serve, reload

pytestmark = pytest.mark.browser

PAPERS = (
    {"title": "Counting Heron Nests from the Air", "year": 2021, "authors": ["Ada Quill"],
     "abstract": "Heron colonies are hard to count from the ground. We fly a small drone over nine colonies and count "
                 "nests with a detector trained on 400 photographs. The detector misses four percent of the nests."},
    {"title": "Reward Models That Drift", "year": 2023, "authors": ["Bo Fern", "Cy Marsh"],
     "abstract": "A reward model is trained once and then optimised against for long. We show that reward "
                 "overoptimisation sets in earlier when the policy is large. Retraining the reward model every "
                 "thousand steps delays reward overoptimisation by a factor of three."},
    {"title": "Ensembles of Reward Models", "year": 2024, "authors": ["Dee Holm"],
     "abstract": "Overoptimisation of a single reward model lowers the true reward. An ensemble of five reward models, "
                 "scored by their minimum, reduces reward overoptimisation at equal compute."},
    {"title": "Bread Dough as a Yield-Stress Fluid", "year": 2019, "authors": ["Eli Stone"],
     "abstract": "Dough flows only above a yield stress. We measure it in a rheometer for twelve flours and relate it "
                 "to protein content."},
)


@pytest.fixture(scope="module")
def listing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("papers") / "marsh papers.jsonl"
    path.write_text("".join(json.dumps(paper) + "\n" for paper in PAPERS), encoding="utf-8")
    return path


def test_from_an_empty_library_to_a_cited_answer(listing: Path, serve: Serve, open_page: Open, tmp_path: Path) -> None:
    page = open_page(serve("real", tmp_path / "library"))
    expect(page.locator(".holdings")).to_have_text("No papers yet")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add papers").click()
    broken = tmp_path / "empty.txt"
    broken.write_text("", encoding="utf-8")
    chooser.value.set_files([listing, broken])
    expect(page.locator("#status")).to_contain_text("4 papers added", timeout=30_000)
    expect(page.locator("#status")).to_contain_text("empty.txt")
    expect(page.locator(".holdings")).to_have_text("4 papers from 1 file, all local")
    expect(page.locator("button.example").first).to_be_visible()

    page.get_by_label("Your question").fill("what papers address reward overoptimisation")
    page.keyboard.press("Enter")
    expect(page.locator(".colophon")).to_contain_text("From the papers’ own words")
    expect(page.locator(".references")).to_contain_text("Reward Models That Drift")
    expect(page.locator(".references")).to_contain_text("Ensembles of Reward Models")
    expect(page.locator(".references")).not_to_contain_text("Bread Dough")
    quoted = page.locator(".quoted").first
    words = quoted.locator(".words").inner_text()
    quoted.locator("a.cite").click()
    expect(page.locator("#panel mark")).to_have_text(words)
    held = {paper["title"]: str(paper["abstract"]) for paper in PAPERS}
    title = page.locator("#panel h2").inner_text()
    assert words in held[title]
    expect(page.locator("#panel .abstract")).to_have_text(held[title])

    reload(page)
    expect(page.locator(".question")).to_have_text("what papers address reward overoptimisation")
    expect(page.locator(".quoted").first).to_contain_text(words)

    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".welcome")).to_be_visible()
    page.get_by_label("Your question").fill("How do penguins digest krill in winter?")
    page.keyboard.press("Enter")
    expect(page.locator(".abstained")).to_be_visible()
    expect(page.locator(".references")).to_have_count(0)
