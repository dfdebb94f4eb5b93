"""Conditions said in a question: what counts as one, what does not, and what every door does with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import ingest
from rag import Evidence, Finished, Library, Paper, Turn, Where, open_library
from rag.search.constraints import Said, read, same_name
from rag.search.narrow import narrow
from rag.settings import Settings
from tests.records import write_jsonl
from ui.cli import main
from ui.render import answer_lines, answer_markdown
from ui.web.answer_html import answer_html

YEAR = 2026
NAMES = ("Jane A. Doe", "Bob Roe", "Ann van der Poe", "Émile Noé", "Hand", "Wei Far")
TITLES = (
    Paper(id="p1", title="Tides: How Seas Rise and Fall", authors=("Jane A. Doe",)),
    Paper(id="p2", title="Tides in Small Harbours", authors=("Bob Roe", "Ann van der Poe")),
    Paper(id="p3", title="Tides in Small Harbours and Lakes", authors=("Émile Noé",)),
    Paper(id="p4", title="The Heat of Ovens - a Survey"),
)


def understood(question: str, where: Where | None = None) -> Said:
    return read(question, YEAR, lambda _: NAMES, lambda _: TITLES, where)


# ---- years


@pytest.mark.parametrize(("question", "years", "rest"), [
    ("Which papers since 2023 address reward hacking?", (2023, None), "Which papers address reward hacking?"),
    ("reward hacking since 2023", (2023, None), "reward hacking"),
    ("reward models since 2023", (2023, None), "reward models"), ("datasets before 2022", (None, 2021), "datasets"),
    ("Since 2023, which papers study tides?", (2023, None), "which papers study tides?"),
    ("What do papers say of tides since 2023?", (2023, None), "What do papers say of tides?"),
    ("tides (since 2021)", (2021, None), "tides"),
    ("papers from 2022 on about tides", (2022, None), "papers about tides"),
    ("papers from 2022 or later about tides", (2022, None), "papers about tides"),
    ("tide papers before 2020", (None, 2019), "tide papers"),
    ("papers on tides older than 2020", (None, 2019), "papers on tides"),
    ("papers on tides until 2020", (None, 2020), "papers on tides"),
    ("papers on tides newer than 2020", (2021, None), "papers on tides"),
    ("papers between 2019 and 2021 on tides", (2019, 2021), "papers on tides"),
    ("papers on tides published from 2019 to 2021", (2019, 2021), "papers on tides"),
    ("tides: papers 2019-2021", (2019, 2021), "tides: papers"),
    ("papers after 2019 and before 2022 on tides", (2020, 2021), "papers on tides"),
    ("papers published in 2024 on tides", (2024, 2024), "papers on tides"),
    ("Which tide paper in 2024 was the first?", (2024, 2024), "Which tide paper was the first?"),
    ("In 2024, which papers studied tides?", (2024, 2024), "which papers studied tides?"),
    ("papers on tides published in 2023 or 2024", (2023, 2024), "papers on tides"),
    ("What papers on tides were published in the last two years?", (2024, None), "What papers on tides?"),
    ("papers of the past decade", None, None), ("papers on tides since 2050", (2050, None), "papers on tides"),
    ("papers from the past decade on tides", (2016, None), "papers on tides"),
    ("papers from last year on tides", (2025, 2025), "papers on tides"),
    ("tide papers of them from this year", (2026, 2026), "tide papers of them"),
    ("Which of them were published since 2023?", (2023, None), ""),
    ("papers since June 2023 on tides", (2023, None), "papers on tides"),
    ("papers after June 2023 on tides", (2023, None), "papers on tides"),
    ("papers before June 2023 on tides", (None, 2023), "papers on tides"),
    ("what has been published since 2024 on tides?", (2024, None), "what on tides?"),
])
def test_years_said_of_papers(question: str, years: tuple[int | None, int | None] | None, rest: str | None) -> None:
    said = understood(question)
    if years is None:
        assert said == Said(question=question)
        return
    assert said.where == Where(years=years)
    assert said.question == rest


@pytest.mark.parametrize("question", [
    "GPT-4 in 2023 benchmarks", "ImageNet 2012", "Since 2017 transformers have replaced recurrent networks",
    "Since 2017, what have transformers replaced?", "How has summarisation changed since 2017?", "trends since 2010",
    "Have harbours grown since 2017?", "the 2020 election", "Which papers use the TREC 2019 track?",
    "What happened in 2020?",
    "papers not published in 2023", "papers other than those from 2023", "a survey of 2019 papers",
    "more than 2019 papers", "studies in 2000 patients", "a study in 2000 adult patients", "studies of 2000 mice",
    "detecting fake news published in 2016", "papers that study tweets posted before 2020", "models released in 2023",
    "papers before 1850", "papers in 2021 and 2023", "papers from 2021 and from 2023",
    "papers before 2019 or after 2022", "How do papers since 2023 differ from papers before 2020?",
    "How did accuracy develop between 2012 and 2015?", "What was the best method before 2015?", "version 2.2019",
    "deaths in the last two years of life", "last year's papers", "papers in the 2020s", "papers since 2020s",
    "in recent years", "2020", "since", "", "What changed in 2024?", "Was the boat built before 2019?",
    "Which papers show how scores grew since 2017?", "events since 2020", "1984 by its author",
])
def test_years_said_of_something_else(question: str) -> None:
    assert understood(question) == Said(question=question)


# ---- authors


@pytest.mark.parametrize(("question", "authors", "rest"), [
    ("papers by Jane Doe", ("Jane A. Doe",), ""),
    ("papers by J. Doe on tides", ("Jane A. Doe",), "papers on tides"),
    ("papers by jane doe on tides", ("Jane A. Doe",), "papers on tides"),
    ("Which papers by Doe deal with tides?", ("Jane A. Doe",), "Which papers deal with tides?"),
    ("papers on tides by Jane Doe", ("Jane A. Doe",), "papers on tides"),
    ("papers on tides written by Jane Doe", ("Jane A. Doe",), "papers on tides"),
    ("papers by Jane Doe et al. on tides", ("Jane A. Doe",), "papers on tides"),
    ("tide papers by Doe, Roe and Noe", ("Jane A. Doe", "Bob Roe", "Émile Noé"), "tide papers"),
    ("work by Bob Roe or Ann van der Poe on tides", ("Bob Roe", "Ann van der Poe"), "work on tides"),
    ("anything by van der Poe?", ("Ann van der Poe",), ""),
    ("everything by Hand", ("Hand",), ""),
    ("papers by the authors of Tides", ("Jane A. Doe",), ""),
    ("other papers by the authors of “Tides in Small Harbours” on ovens", ("Bob Roe", "Ann van der Poe"),
     "other papers on ovens"),
    ("papers by the authors of Tides in Small Harbours and Lakes that ask", ("Émile Noé",), "papers that ask"),
    ("papers by the authors of the tides paper on ovens", ("Jane A. Doe",), "papers on ovens"),
    ("papers by the authors of tides: how seas rise", ("Jane A. Doe",), ""),
])
def test_authors_the_library_knows(question: str, authors: tuple[str, ...], rest: str) -> None:
    said = understood(question)
    assert said.where == Where(authors=authors)
    assert said.question == rest


@pytest.mark.parametrize("question", [
    "papers by google", "learning by humans", "papers by hand", "papers by far the best",
    "papers that train by reinforcement learning", "papers that cite work by Jane Doe", "the loss by Jane Doe",
    "papers on the loss introduced by Jane Doe", "How does it compare with papers by Jane Doe?",
    "papers that build on work by Jane Doe", "papers not by Jane Doe", "papers cited by Jane Doe",
    "papers by Jane Doe and papers by Bob Roe", "papers using datasets by Jane Doe", "papers by Jane Doe's students",
    "papers by the authors of Waves", "papers by the authors of Tides in", "papers by", "by Jane Doe",
])
def test_nobody_the_library_knows_as_the_author(question: str) -> None:
    assert understood(question) == Said(question=question)


@pytest.mark.parametrize(("question", "name", "rest"), [
    ("papers by Sam Unknown", "Sam Unknown", ""), ("tide papers by John Doe since 2022", "John Doe", "tide papers"),
    ("Is there anything by S. van Unknown on tides?", "S. van Unknown", "Is there anything on tides?"),
])
def test_a_name_that_nobody_in_the_library_has_is_told(question: str, name: str, rest: str) -> None:
    said = understood(question)
    assert (said.unknown, said.question) == (name, rest)
    assert not said.where or not said.where.authors


def test_a_paper_without_authors_is_told() -> None:
    said = understood("papers by the authors of The Heat of Ovens")
    assert (said.where, said.anonymous) == (None, TITLES[3])


@pytest.mark.parametrize(("said", "author", "same"), [
    ("Jane Doe", "Jane A. Doe", True), ("J. A. Doe", "Jane Ann Doe", True), ("Jane Doe", "Doe, Jane A.", True),
    ("JANE DOE", "jane doe", True), ("Jane Doe", "Jane Doe Jr.", True), ("Emile Noe", "Émile Noé", True),
    ("Jane B. Doe", "Jane A. Doe", False), ("Jane Doe", "John Doe", False), ("Jane", "Jane Doe", False),
    ("Jane Doe", "Doe", False), ("Do", "Jane Doe", False), ("", "Jane Doe", False), ("Jane Doe", "", False),
])
def test_names_are_compared_word_by_word(said: str, author: str, same: bool) -> None:
    assert same_name(said, author) is same


def test_years_and_authors_together() -> None:
    said = understood("Which papers by Jane Doe, published since 2023, address tides?")
    assert said.where == Where(years=(2023, None), authors=("Jane A. Doe",))
    assert said.question == "Which papers, address tides?"
    assert said.phrase == "by Jane A. Doe since 2023"


def test_what_is_given_is_not_read_again() -> None:
    question = "tide papers by Jane Doe since 2023"
    assert understood(question, Where(years=(2020, None))).where == Where(authors=("Jane A. Doe",))
    assert understood(question, Where(authors=("Bob Roe",))).where == Where(years=(2023, None))
    assert understood(question, Where(years=(2020, None), authors=("Bob Roe",))) == Said(question=question)
    assert understood(question, Where(tags=("sea",))).where == understood(question).where


def test_a_plain_question_asks_the_library_nothing() -> None:
    def never(_: str) -> tuple[()]:
        raise AssertionError("nobody is named here")

    for question in ("What papers address reward hacking by length?", "papers that learn by using tides", "x " * 900):
        assert read(question, YEAR, never, never) == Said(question=question)


PIECES = st.sampled_from([
    "papers", "paper", "published", "written", "by", "since", "before", "between", "and", "or", "in", "from", "2019",
    "2021", "2023", "1999", "2099", "the last two years", "the authors of", "Tides", "Jane Doe", "van der Poe",
    "et al.", "Roe", ",", "?", "(", ")", "“", "”", "’s", "tides", "not", "how", "has",
    "-", "\u2013", "June", "late", "\n", "É"])


@given(st.lists(PIECES | st.text(max_size=6), max_size=24).map(" ".join) | st.text(max_size=300))
def test_whatever_is_asked_the_filter_is_sane(question: str) -> None:
    said = understood(question)
    assert said.where is None or said.where
    left = iter(question)
    assert all(letter in left for letter in said.question if not letter.isspace())
    if said.where is None:
        assert said.question == question
        assert said.phrase == ""
        return
    assert said.phrase
    assert len(said.question) < len(question)
    assert set(said.where.authors) <= {name for paper in TITLES for name in paper.authors} | set(NAMES)
    first, last = said.where.years or (None, None)
    assert all(year is None or 1899 <= year <= YEAR + 2 for year in (first, last))
    assert first is None or last is None or first <= last


# ---- what the library makes of it


@pytest.fixture(scope="module")
def sea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Five papers: three with years and authors, one without a year, one of the current year."""
    folder = tmp_path_factory.mktemp("sea")
    listing = write_jsonl(
        folder / "sea.jsonl",
        {"title": "Tides of small seas", "year": 2019, "authors": ["Jane A. Doe", "Bob Roe"],
         "abstract": "Tides rise in small seas. We measure tides in ten harbours over two years."},
        {"title": "Tides in lakes", "year": 2023, "authors": ["Bob Roe"],
         "abstract": "Lakes have tides too small to see. We measure the tides of four lakes with lasers."},
        {"title": "Ovens: a survey", "year": 2021, "authors": ["Jane A. Doe"],
         "abstract": "Ovens bake bread. We survey sixty stone ovens and the heat that they keep."},
        {"title": "Old tide tables", "abstract": "Tide tables were printed early. We compare tide tables of ports."},
        {"title": "Ships this year", "year": date.today().year,
         "abstract": "Ships sail with the tides. We count the ships that leave a harbour at high tide."})
    with open_library(settings=Settings(library=folder / "library")) as opened:
        ingest([listing], opened)
        yield opened


def titles(papers: tuple[Paper, ...]) -> set[str | None]:
    return {paper.title for paper in papers}


@pytest.mark.parametrize(("question", "found", "told"), [
    ("Which papers since 2020 measure tides?", {"Tides in lakes", "Ovens: a survey", "Ships this year"},
     "Only papers since 2020: 3 of 5, leaving out 1 of unknown year."),
    ("tide papers by Jane Doe", {"Tides of small seas", "Ovens: a survey"}, "Only papers by Jane A. Doe: 2 of 5."),
    ("tide papers by the authors of Ovens before 2020", {"Tides of small seas"},
     "Only papers by the authors of “Ovens: a survey” before 2020: 1 of 5."),
    ("papers by Bob Roe", {"Tides of small seas", "Tides in lakes"}, "Only papers by Bob Roe: 2 of 5."),
    ("tide papers from this year", {"Ships this year"},
     f"Only papers of {date.today().year}: 1 of 5, leaving out 1 of unknown year."),
])
def test_searching_heeds_what_the_question_says(sea: Library, question: str, found: set[str], told: str) -> None:
    assert titles(tuple(hit.paper for hit in sea.search(question))) == found
    assert sea.narrowed(question).told == told
    assert {document.metadata["title"] for document in sea.as_retriever().invoke(question)} == found


def test_a_condition_that_leaves_nothing_is_left_out_and_told(sea: Library) -> None:
    question = "tide papers by Jane Doe since 2022"
    assert len(sea.search(question)) == 5
    assert sea.narrowed(question).told == (
        "The library knows no paper by Jane A. Doe since 2022, so the search went without that.")
    few = sea.narrowed(question, Where(years=(None, 2019), authors=("roe",)))
    assert few.told is None
    none = sea.narrowed("tide papers since 2022", Where(authors=("doe",)))
    assert none.told == "Among the 2 papers to look at there is none since 2022, so the search went without that."
    assert none.where == Where(authors=("doe",))
    assert sea.narrowed("papers by the authors of Old tide tables").told == (
        "The library does not know who wrote “Old tide tables”.")


def test_given_filters_win(sea: Library) -> None:
    hits = sea.search("tide papers by Bob Roe since 2023", where=Where(years=(2019, 2019)))
    assert titles(tuple(hit.paper for hit in hits)) == {"Tides of small seas"}


def test_the_last_years_are_counted_from_the_year_given(sea: Library) -> None:
    question = "tide papers published in the last two years"
    assert narrow(sea.store, question, None, 2023).where == Where(years=(2021, None))
    assert narrow(sea.store, question, None, 2025).where == Where(years=(2023, None))


def test_an_answer_tells_it_before_it_says_anything(sea: Library) -> None:
    events = list(sea.stream("Which papers since 2020 measure the tides of lakes?"))
    [evidence] = [event for event in events if isinstance(event, Evidence)]
    answer = events[-1].answer if isinstance(events[-1], Finished) else None
    assert answer is not None
    assert answer.question == "Which papers since 2020 measure the tides of lakes?"
    assert titles(tuple(reference.paper for reference in answer.references)) == {"Tides in lakes"}
    told = "Only papers since 2020: 3 of 5, leaving out 1 of unknown year."
    assert evidence.narrowed == answer.narrowed == told
    assert next(answer_lines(answer)) == told
    assert told in answer_markdown(answer)
    assert f'<p class="narrowed">{told}</p>' in answer_html(answer)


def test_an_abstention_tells_it_too(sea: Library) -> None:
    answer = sea.ask("Which papers since 2020 study emperor penguins in winter?")
    assert answer.abstained
    assert answer.narrowed is not None


def test_where_conditions_are_all_that_is_asked_their_papers_are_the_answer(sea: Library) -> None:
    answer = sea.ask("What was published by Jane Doe?")
    assert titles(tuple(reference.paper for reference in answer.references)) == {
        "Tides of small seas", "Ovens: a survey"}
    assert all(sentence.kind == "quote" for sentence in answer.sentences)
    assert not answer.abstained


def test_a_follow_up_narrows_the_papers_shown(sea: Library) -> None:
    first = sea.ask("Which papers measure tides?")
    assert len(first.references) >= 2
    second = sea.ask("Which of them were published since 2023?", [Turn(question=first.question, answer=first)])
    shown = {reference.paper.id for reference in first.references}
    assert second.references
    assert all(reference.paper.id in shown and (reference.paper.year or 0) >= 2023 for reference in second.references)


def test_the_command_line_tells_it(sea: Library, capsys: pytest.CaptureFixture[str]) -> None:
    option = ["--library", str(sea.path)]
    told = "Only papers by Jane A. Doe: 2 of 5."
    assert main(["search", "tide papers by Jane Doe", *option]) == 0
    assert capsys.readouterr().out.startswith(told)
    assert main(["search", "tide papers by Jane Doe", "--json", *option]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["narrowed"], len(document["hits"])) == (told, 2)
    assert main(["ask", "tide papers by Jane Doe", *option]) == 0
    assert capsys.readouterr().out.startswith(told)
    assert main(["ask", "tide papers by Jane Doe", "--json", *option]) == 0
    assert json.loads(capsys.readouterr().out)["narrowed"] == told
    assert main(["search", "tides", *option]) == 0
    assert "Only papers" not in capsys.readouterr().out


def test_search_explains_itself(sea: Library, capsys: pytest.CaptureFixture[str]) -> None:
    option = ["--library", str(sea.path), "-k", "2"]
    [first, second] = sea.look_up("tides of lakes", k=2).evidence
    assert main(["search", "tides of lakes", "--explain", *option]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [place for place, line in enumerate(lines) if line.split() == ["view", "rank", "score"]]
    assert len(heads) == 2
    for head, item in zip(heads, (first, second), strict=True):
        rows = [line.split() for line in lines[head + 1:head + 1 + len(item.scores)]]
        assert rows == [[view, str(item.hit.ranks[view]), f"{score:.3f}"] for view, score in item.scores.items()]
        assert len({len(line) for line in lines[head:head + 1 + len(rows)]}) == 1
    assert main(["search", "tides of lakes", "--explain", "--json", *option]) == 0
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert [hit["scores"] for hit in hits] == [dict(first.scores), dict(second.scores)]
    assert main(["search", "tides of lakes", "--json", *option]) == 0
    assert "scores" not in json.loads(capsys.readouterr().out)["hits"][0]


@pytest.mark.slow
def test_no_question_of_the_evaluation_sets_is_misread(shared: Path) -> None:
    asked: list[str] = []

    def nobody(name: str) -> tuple[()]:
        asked.append(name)
        return ()

    found = []
    for path in (shared / "eval" / "questions-dev.jsonl", *(shared / "eval").glob("*/queries.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            question = record.get("query") or record["text"]
            said = read(question, YEAR, nobody, nobody)
            if said.where:
                found.append((record.get("type"), said.where.years))
    assert asked == []
    assert found == [(None, (2023, 2023))]
