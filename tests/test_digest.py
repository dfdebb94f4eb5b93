"""Digests as a caller gets them, on the papers of the bundled sample: whole, cited, checked, the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import ingest.sample
from ingest import ingest as read
from rag import Library, open_library
from rag.digest import digest, outline, steps, update
from rag.digest.material import Material, gathered
from rag.drafted import Drafted
from rag.embedders.minilm import LocalEmbedder
from rag.errors import NoLibraryError
from rag.schema import Paper, Sentence, Where
from rag.settings import Settings
from rag.survey import Digest, Group, Outline, Step, Withheld

pytestmark = pytest.mark.slow

SAMPLE = Path(ingest.sample.__file__).parent / "papers.jsonl"
TOPIC, YEAR = "reward models", 2026


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, embedder: LocalEmbedder) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("sample")
    with open_library(settings=Settings(library=folder / "library"), embedder=embedder) as opened:
        read([SAMPLE], opened)
        yield opened


@pytest.fixture(scope="module")
def everything(sample: Library) -> Digest:
    return digest(sample.store, "", length="full", this_year=YEAR)


@pytest.fixture(scope="module")
def on_topic(sample: Library) -> Digest:
    return digest(sample.store, TOPIC, this_year=YEAR)


def test_every_paper_stands_in_one_section_and_in_the_references(sample: Library, everything: Digest) -> None:
    ids = [paper_id for section in everything.sections for paper_id in section.papers]
    assert sorted(ids) == sorted(paper.id for paper in sample.papers)
    assert len(set(ids)) == len(ids)
    assert [reference.label for reference in everything.references] == list(range(1, len(ids) + 1))
    assert 3 <= len(everything.sections) <= 8
    assert all(len(section.papers) >= 2 for section in everything.sections)


def test_headings_differ_and_name_something(everything: Digest) -> None:
    headings = [section.heading.casefold() for section in everything.sections]
    assert len(set(headings)) == len(headings)
    assert not any(word in heading.split() for heading in headings for word in ("other", "cluster", "miscellaneous"))
    assert all(section.heading[0].isupper() or section.heading.split()[0] != section.heading.split()[0].lower()
               for section in everything.sections)


def test_each_paper_adds_a_sentence_of_its_own(everything: Digest) -> None:
    for section in everything.sections:
        assert [sentence.citations[0].paper_id for sentence in section.adds] == list(section.papers)
        texts = [sentence.text for sentence in section.sentences]
        assert len(set(texts)) == len(texts)


def test_every_citation_opens_the_words_it_shows(sample: Library, everything: Digest, on_topic: Digest) -> None:
    for made in (everything, on_topic):
        labels = {reference.paper.id: reference.label for reference in made.references}
        assert made.sentences
        for sentence in made.sentences:
            assert sentence.verdict in ("supported", "weak")
            for citation in sentence.citations:
                support, abstract = citation.support, sample.papers[citation.paper_id].abstract
                assert citation.label == labels[citation.paper_id]
                assert support.quote
                assert abstract[support.start:support.end] == support.quote
            if sentence.kind == "quote":
                assert sentence.text in sample.papers[sentence.citations[0].paper_id].abstract


def test_papers_are_numbered_as_a_reader_meets_them(everything: Digest) -> None:
    met = dict.fromkeys(citation.label for sentence in everything.sentences for citation in sentence.citations)
    assert list(met) == sorted(met)


def test_the_summary_counts_the_themes_and_quotes_each_paper_once(everything: Digest) -> None:
    first, *quotes = everything.summary
    assert 5 <= len(everything.summary) <= 8
    assert first.kind == "frame"
    assert str(len(everything.references)) in first.text
    cited = [sentence.citations[0].paper_id for sentence in quotes]
    assert len(set(cited)) == len(cited)


def test_cells_are_words_of_the_abstract(everything: Digest) -> None:
    papers = {reference.label: reference.paper for reference in everything.references}
    cells = [(row, cell) for row in everything.table
             for cell in (row.problem, row.approach, row.data, row.result) if cell is not None]
    assert [row.label for row in everything.table] == sorted(papers)
    assert 2 * len(cells) > len(papers)
    for row, cell in cells:
        assert papers[row.label].abstract[cell.start:cell.end] == cell.text
        assert cell.text == cell.text.strip()


def test_the_map_holds_every_paper_in_its_section(everything: Digest) -> None:
    ids = {reference.label: reference.paper.id for reference in everything.references}
    assert len({(point.x, point.y) for point in everything.map}) == len(ids)
    for point in everything.map:
        assert 0 <= point.x <= 1
        assert 0 <= point.y <= 1
        assert ids[point.label] in everything.sections[point.section].papers


def test_the_scope_line_tells_numbers_choice_and_ground(sample: Library, on_topic: Digest) -> None:
    assert on_topic.scope.startswith(f"{len(on_topic.references)} of {len(sample.papers)} papers (")
    assert f"“{TOPIC}”" in on_topic.scope
    assert "summaries only" in on_topic.scope


def test_the_same_digest_comes_again(sample: Library, on_topic: Digest) -> None:
    assert replace(digest(sample.store, TOPIC, this_year=YEAR), timings={}) == replace(on_topic, timings={})


@pytest.mark.parametrize(("length", "most"), [("brief", 12), ("standard", 30)])
def test_a_length_bounds_the_papers(sample: Library, length: str, most: int) -> None:
    made = digest(sample.store, "", length=length, this_year=YEAR)  # type: ignore[arg-type]
    assert len(made.references) == most


def test_a_filter_bounds_the_papers(sample: Library) -> None:
    made = digest(sample.store, TOPIC, Where(years=(2023, None)), this_year=YEAR)
    assert made.references
    assert all((reference.paper.year or 0) >= 2023 for reference in made.references)
    assert made.where == Where(years=(2023, None))


def test_nothing_on_the_topic_is_said_in_a_sentence(sample: Library) -> None:
    made = digest(sample.store, "Why do emperor penguins huddle in winter?", this_year=YEAR)
    assert (made.sections, made.references, made.summary) == ((), (), ())
    assert made.notice is not None
    assert "None of the library's" in made.notice


def test_one_paper_is_a_digest(sample: Library) -> None:
    paper = next(iter(sample.papers))
    made = digest(sample.store, "", Where(ids=(paper.id,)), this_year=YEAR)
    assert [reference.paper.id for reference in made.references] == [paper.id]
    assert len(made.sections) == 1
    assert made.sections[0].adds


def test_no_library_is_told(settings: Settings, embedder: LocalEmbedder) -> None:
    with open_library(settings=settings, embedder=embedder) as absent, pytest.raises(NoLibraryError):
        digest(absent.store, TOPIC, this_year=YEAR)


# ---- an outline of one's own


def test_an_edited_outline_is_what_is_written(sample: Library) -> None:
    first = outline(sample.store, TOPIC, this_year=YEAR)
    ids = first.papers
    edited = replace(first, title="My survey", groups=(
        Group(heading="What I read last", papers=ids[3:6]), Group(heading="What I read first", papers=ids[:3]),
        Group(heading="Nothing yet", papers=())))
    made = digest(sample.store, TOPIC, outline=edited, this_year=YEAR)
    assert made.title == "My survey"
    assert [(section.heading, section.papers) for section in made.sections] == [
        ("What I read last", ids[3:6]), ("What I read first", ids[:3])]
    assert made.scope.startswith("6 of ")


def test_papers_that_are_gone_are_left_out_of_an_outline(sample: Library) -> None:
    held = [paper.id for paper in sample.papers][:2]
    given = Outline(topic="", title="Two", groups=(Group(heading="Both", papers=(*held, "p-gone")),))
    assert digest(sample.store, "", outline=given, this_year=YEAR).sections[0].papers == tuple(held)


# ---- step by step


def test_each_step_leaves_a_whole_digest(sample: Library) -> None:
    seen = list(steps(sample.store, TOPIC, this_year=YEAR))
    assert list(dict.fromkeys(step.stage for step in seen)) == [
        "searching", "grouping", "writing", "comparing", "summarising"]
    for step in seen:
        labels = {reference.label for reference in step.digest.references}
        cited = {citation.label for sentence in step.digest.sentences for citation in sentence.citations}
        assert cited <= labels == set(range(1, len(labels) + 1))
        assert {row.label for row in step.digest.table} == labels
    assert [len(step.digest.sections) for step in seen] == sorted(len(step.digest.sections) for step in seen)


def test_progress_is_told_and_may_stop_it(sample: Library) -> None:
    told: list[tuple[str, int, int]] = []

    def stop(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))
        if stage == "comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        digest(sample.store, TOPIC, progress=stop, this_year=YEAR)
    assert told[0] == ("searching", 0, 1)
    assert told[-1][0] == "comparing"


def test_a_writer_betters_the_digest_it_is_given(sample: Library) -> None:
    def writer(made: Digest, material: Material) -> Iterator[Step]:
        first = made.sections[0]
        ours = material.check(Drafted(text=first.adds[0].text, labels=(first.papers[0],)))
        assert isinstance(ours, Sentence)
        assert ours.kind == "quote"
        better = replace(first, shared=(), adds=(ours,), differs=(), engine="llm")
        yield Step(stage="writing", done=1, total=1, digest=replace(made, sections=(better, *made.sections[1:]),
                                                                    engine="llm"))

    made = digest(sample.store, TOPIC, writer=writer, this_year=YEAR)
    assert made.engine == "llm"
    assert [section.engine for section in made.sections] == ["llm", *["extractive"] * (len(made.sections) - 1)]


# ---- the checker


@pytest.fixture
def material(shelf: Library) -> Material:
    ids = tuple(paper.id for paper in shelf.papers)
    return gathered(shelf.store, Outline(topic="", title="", groups=(Group(heading="", papers=ids),)))


def _id(papers: Sequence[Paper], word: str) -> str:
    return next(paper.id for paper in papers if word in (paper.title or ""))


def test_a_false_sentence_is_withheld_with_a_reason(shelf: Library, material: Material) -> None:
    paper_id = _id(list(shelf.papers), "Clipping")
    checked = material.check(Drafted(text="The bound cuts overoptimization by 83% on twelve translation tasks.",
                                     labels=(paper_id,)))
    assert isinstance(checked, Withheld)
    assert checked.reason
    assert checked.sentence.citations[0].label == 0


def test_an_invented_label_supports_nothing(material: Material) -> None:
    checked = material.check(Drafted(text="Robots fall well.", labels=("p-invented",)))
    assert isinstance(checked, Withheld)
    assert checked.sentence.citations == ()


# ---- what is new


def test_an_update_adds_what_is_new_and_keeps_the_sections(settings: Settings, embedder: LocalEmbedder,
                                                           tmp_path: Path) -> None:
    lines = SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    early, late = tmp_path / "early.jsonl", tmp_path / "late.jsonl"
    early.write_text("".join(lines[:30]), encoding="utf-8")
    late.write_text("".join(lines[30:]), encoding="utf-8")
    with open_library(settings=settings, embedder=embedder) as growing:
        read([early], growing)
        old = digest(growing.store, "", length="full", this_year=YEAR)
        same, nothing = update(growing.store, old, this_year=YEAR)
        assert nothing.added == ()
        assert nothing.told.startswith("Nothing is new")
        assert [section.papers for section in same.sections] == [section.papers for section in old.sections]
        read([late], growing)
        new, news = update(growing.store, old, this_year=YEAR)
        assert len(news.added) == len(lines) - 30
        assert {reference.paper.id for reference in new.references} == {paper.id for paper in growing.papers}
        assert [section.heading for section in new.sections][:len(old.sections)] == [
            section.heading for section in old.sections]
        assert new.title == old.title
        assert new.generation > old.generation
        assert f"{len(news.added)} papers new" in news.told
        gone = old.references[0].paper
        growing.remove([gone.id])
        without, news = update(growing.store, new, this_year=YEAR)
        assert news.gone == (gone.label,)
        assert gone.id not in {reference.paper.id for reference in without.references}


# ---- where papers meet


def test_papers_that_agree_and_that_differ_are_put_side_by_side(library: Library, tmp_path: Path) -> None:
    abstracts = {
        "a": "Teachers mark every line that a pupil writes. Such marks are costly. We find that process supervision "
             "improves the accuracy of solvers over outcome supervision.",
        "b": "Competition problems are long, and their proofs branch. Checkers for them exist. Our results show that "
             "process supervision reduces the accuracy of solvers below outcome supervision.",
        "c": "Birds learn songs from their fathers. Recordings of finches were compared. Songs grow shorter in towns.",
    }
    listing = tmp_path / "three.jsonl"
    listing.write_text("".join(json.dumps({"title": f"On Subject {name}", "abstract": abstract}) + "\n"
                               for name, abstract in abstracts.items()), encoding="utf-8")
    read([listing], library)
    made = digest(library.store, "", this_year=YEAR)
    titles = {reference.paper.id: reference.paper.title for reference in made.references}

    [differ] = [one for section in made.sections for one in section.differs if len(one.sentences) == 2]
    assert differ.about == "accuracy of solvers"
    assert {titles[sentence.citations[0].paper_id] for sentence in differ.sentences} == {"On Subject a", "On Subject b"}
    assert made.agreements == ()
