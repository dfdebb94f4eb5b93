"""Papers like a paper, and the sentences that they share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest import ingest
from rag import Library, Where, open_library
from rag.errors import NoPaperError
from rag.settings import Settings
from tests.records import write_jsonl
from ui.cli import main

Capture = pytest.CaptureFixture[str]

SAND = "Sandy beaches lose their sand in winter storms."
LISTING = (
    {"title": "Beach sand in winter", "year": 2020, "authors": ["A. Writer"],
     "abstract": f"{SAND} We weigh the sand of nine beaches before and after each storm. "
                 "Our code is available at https://example.org/sand."},
    {"title": "Where the shore goes", "year": 2022, "authors": ["B. Writer"],
     "abstract": "Coasts move. In winter, storms carry sand away from the beaches. Satellites see it from above. "
                 "Our code is available at https://example.org/shore."},
    {"title": "Dunes and grass", "year": 2024,
     "abstract": "Grass holds the sand of dunes together. We plant grass on dunes and measure how they grow."},
    {"title": "Bread and heat", "year": 2021,
     "abstract": "Bread bakes evenly when the oven's heat is steady. We compare stone ovens and steel ovens. "
                 "Our code is available at https://example.org/bread."},
    {"title": "Violins by age", "year": 2023,
     "abstract": "Old violins are said to sound better. Players who could not see them preferred the new ones."},
    {"abstract": "A text without a title tells of clocks. Clocks in towers are wound by hand."},
)


@pytest.fixture(scope="module")
def coast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("coast")
    with open_library(settings=Settings(library=folder / "library")) as opened:
        ingest([write_jsonl(folder / "coast.jsonl", *LISTING)], opened)
        yield opened


def the(library: Library, title: str) -> str:
    """The id of the paper of that title."""
    return next(paper.id for paper in library.papers if paper.title == title)


def test_the_paper_on_the_same_subject_comes_first(coast: Library) -> None:
    found = coast.like(the(coast, "Beach sand in winter"))
    assert [alike.paper.title for alike in found[:2]] == ["Where the shore goes", "Dunes and grass"]
    assert [alike.score for alike in found] == sorted((alike.score for alike in found), reverse=True)
    assert all(0 <= alike.score <= 1 for alike in found)


def test_every_paper_is_like_all_others_but_not_like_itself(coast: Library) -> None:
    for paper in coast.papers:
        found = [alike.paper.id for alike in coast.like(paper.id)]
        assert sorted([*found, paper.id]) == sorted(other.id for other in coast.papers)
        assert [alike.paper.id for alike in coast.like(paper.id, k=2)] == found[:2]


def test_the_sentences_they_share_are_their_own_words(coast: Library) -> None:
    seen = 0
    for paper in coast.papers:
        for alike in coast.like(paper.id):
            pairs = [(pair.own, pair.other) for pair in alike.shared]
            seen += len(pairs)
            for own, other in pairs:
                assert own.text == paper.abstract[own.start:own.end] != ""
                assert other.text == alike.paper.abstract[other.start:other.end] != ""
                # Where the code lies is no subject.
                assert "https" not in own.text + other.text
            assert len({own for own, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
            assert all(-1 <= pair.score <= 1.001 for pair in alike.shared)
    assert seen
    first = coast.like(the(coast, "Beach sand in winter"))[0].shared[0]
    assert first.own.text == SAND
    assert first.other.text == "In winter, storms carry sand away from the beaches."


def test_a_filter_is_heeded(coast: Library) -> None:
    found = coast.like(the(coast, "Beach sand in winter"), where=Where(years=(2023, None)))
    assert {alike.paper.title for alike in found} == {"Dunes and grass", "Violins by age"}
    itself = the(coast, "Beach sand in winter")
    assert coast.like(itself, where=Where(ids=(itself,))) == ()
    assert coast.like(itself, where=Where(years=(1950, 1960))) == ()


def test_what_cannot_be_asked(coast: Library) -> None:
    with pytest.raises(NoPaperError, match="p999"):
        coast.like("p999")
    with pytest.raises(ValueError, match="0 papers"):
        coast.like(the(coast, "Violins by age"), k=0)


def test_a_library_of_one_paper_has_none_like_it(library: Library, tmp_path: Path, capsys: Capture) -> None:
    ingest([write_jsonl(tmp_path / "one.jsonl", LISTING[0])], library)
    [paper] = library.papers
    assert library.like(paper.id) == ()
    assert main(["search", "--like", paper.id, "--library", str(library.path)]) == 0
    assert "No other paper" in capsys.readouterr().out


def test_at_the_command_line(coast: Library, capsys: Capture) -> None:
    itself = the(coast, "Beach sand in winter")
    option = ["--library", str(coast.path), "-k", "2"]
    assert main(["search", "--like", itself, *option]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Like Beach sand in winter"
    assert " 1. Where the shore goes" in lines[1]
    assert f"     this: “{SAND}”" in lines
    assert main(["search", "--like", itself, "--json", *option]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["like"]["id"] == itself
    found = coast.like(itself, k=2)
    assert [item["paper"]["id"] for item in document["papers"]] == [alike.paper.id for alike in found]
    assert document["papers"][0]["shared"][0]["own"] == {"text": SAND, "start": 0, "end": len(SAND)}
    assert main(["search", "--like", itself, "--since", "2023", "--json", *option]) == 0
    assert {item["paper"]["year"] for item in json.loads(capsys.readouterr().out)["papers"]} == {2023, 2024}


@pytest.mark.parametrize(("words", "code"), [
    (["--like", "p999"], 1), (["sand", "--like", "p999"], 2), (["--like", "p999", "--explain"], 2), (["--like"], 2),
])
def test_at_the_command_line_what_cannot_be_asked(coast: Library, words: list[str], code: int, capsys: Capture) -> None:
    assert main(["search", *words, "--library", str(coast.path)]) == code
    assert capsys.readouterr().err.startswith("vouch: ")
