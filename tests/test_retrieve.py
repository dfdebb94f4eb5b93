from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import threadpoolctl
from records import write_jsonl

from ingest import ingest
from rag import Library, Where
from rag.embedders.threads import one_thread
from rag.retrieve import retrieve
from rag.tables import Selected


def test_one_hit_a_paper_best_first(shelf: Library) -> None:
    hits = shelf.search("reward model overoptimization", k=6)
    assert len({hit.paper.id for hit in hits}) == len(hits) == 6
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)
    assert hits[0].paper.year in (2023, 2024)
    assert set(hits[0].ranks) == {"passage", "sentence", "title", "terms", "words", "rocchio", "rm3"}


def test_passages_are_the_papers_own_words(shelf: Library) -> None:
    for hit in shelf.search("birds", k=3):
        assert hit.passages
        assert all(hit.paper.abstract[passage.start:passage.end] == passage.text for passage in hit.passages)


def test_words_and_meaning_both_find(shelf: Library) -> None:
    by_name = shelf.search("quadruped", k=1)[0]
    by_meaning = shelf.search("legged machine that does not get hurt when it tumbles", k=1)[0]
    assert by_name.paper.id == by_meaning.paper.id
    assert by_name.ranks["words"] == 1


@pytest.mark.parametrize("query", [
    "", "   ", "?!", "the of", "\x00", "🐧" * 50, "word " * 5000, "a AND (b OR", "\ud800"])
def test_no_query_breaks_it(shelf: Library, query: str) -> None:
    assert len(shelf.search(query, k=3)) == 3


def test_fewer_than_one_paper_cannot_be_asked_for(shelf: Library) -> None:
    with pytest.raises(ValueError, match="0 papers"):
        shelf.search("birds", k=0)


@pytest.mark.parametrize("share", [0, 5])
def test_a_filter_for_many_papers_finds_what_a_filter_for_few_does(
        share: int, shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    where = Where(years=(2021, None))
    few = [hit.paper.id for hit in shelf.search("retrievers and rewards", k=10, where=where)]
    monkeypatch.setattr("rag.retrieve._FEW", 0)
    monkeypatch.setattr("rag.retrieve._SHARE", share)
    many = [hit.paper.id for hit in shelf.search("retrievers and rewards", k=10, where=where)]
    assert few == many
    assert len(few) == 5


@pytest.mark.parametrize("years", [(2021, None), (None, 2020), (2021, 2023), (1800, 1801), (-5, 2020)])
def test_years_choose_the_same_words_as_ids(years: tuple[int | None, int | None], shelf: Library) -> None:
    words, terms = shelf.store.words, {"reward": 1.0, "model": 0.5, "retriev": 0.2}
    chosen = shelf.store.select(Where(years=years))
    assert chosen is not None
    assert chosen.years == years
    assert words.search(terms, 20, chosen) == words.search(terms, 20, replace(chosen, years=None))


@pytest.mark.parametrize("most", [1, 2, 3, 20])
def test_words_are_looked_for_only_among_the_papers_given(shelf: Library, most: int) -> None:
    words, ids = shelf.store.words, frozenset(paper.id for paper in list(shelf.papers)[1::2])
    terms = {"reward": 1.0, "model": 0.5, "retriev": 0.2}
    everywhere = words.search(terms, 100)
    expected = tuple(pair for pair in everywhere if pair[0] in ids)[:most]
    assert words.search(terms, most, Selected(papers=ids, chunks=())) == expected


def test_each_hit_knows_what_it_was_compared_by(shelf: Library) -> None:
    found = retrieve(shelf.store, "bird song")
    assert found.papers == len(shelf.papers)
    assert found.frequencies["bird"] == 1
    assert all(-1 <= item.scores["sentence"] <= 1.001 for item in found.evidence)
    assert len(found.evidence[0].passages[0].sentences) == 4


def test_a_changed_paper_is_not_counted_twice(library: Library, tmp_path: Path) -> None:
    papers = [{"title": f"Study {n}", "abstract": f"A reward model is trained for task {n}."} for n in range(12)]
    listing = write_jsonl(tmp_path / "papers.jsonl", *papers)
    ingest([listing], library)
    write_jsonl(listing, *(paper | {"abstract": f"{paper['abstract']} It holds."} for paper in papers))
    assert ingest([listing], library).updated == 12
    held = library.store.words.frequencies(["reward", "model"])
    assert set(held.values()) == {library.store.words.count()} == {12}
    found = retrieve(library.store, "reward model", k=12)
    assert all(-1 <= item.scores["terms"] <= 1.001 for item in found.evidence)


def test_a_filter_made_of_lists_is_a_filter(shelf: Library) -> None:
    where = Where(years=[2021, None], files=["papers.jsonl"])  # type: ignore[arg-type]  # as JSON has it
    assert where == Where(years=(2021, None), files=("papers.jsonl",))
    assert shelf.search("reward", where=where)


def test_a_passage_that_chroma_does_not_have_does_not_break_a_filter(shelf: Library) -> None:
    vectors, vector = shelf.store.vectors, shelf.store.embedder.embed_query("reward")
    chosen = shelf.store.select(Where(years=(2021, None)))
    assert chosen is not None
    found = vectors.search(vector, 20, chosen.chunks)
    assert {paper_id for paper_id, _ in found} == chosen.papers
    assert vectors.search(vector, 20, (*chosen.chunks, "gone.0")) == found


def test_threads_come_back_when_the_last_search_ends() -> None:
    def threads() -> list[int]:
        return [int(pool["num_threads"]) for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    assert set(threads()) == {1}
    first.__exit__(None, None, None)
    assert set(threads()) == {1}
    second.__exit__(None, None, None)
    assert threads() == before
