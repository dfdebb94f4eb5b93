from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import Library
from rag.errors import SourceError
from rag.evaluate import Judged, measure, ndcg, percentile, recall, reciprocal_rank
from tests.records import write_jsonl
from ui.judge import evaluate


def test_ndcg_by_hand() -> None:
    assert ndcg(["a", "x", "b"], {"a": 2, "b": 1}) == pytest.approx((2 + 1 / 2) / (2 + 1 / math.log2(3)))
    assert ndcg(["x"], {"a": 1}) == 0.0
    assert ndcg(["a"], {}) == 0.0


@given(st.permutations("abcdef"), st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 3), min_size=1))
def test_measures_lie_between_zero_and_one(ranked: list[str], relevant: dict[str, int]) -> None:
    best = sorted(ranked, key=lambda paper_id: -relevant.get(paper_id, 0))
    assert 0 <= ndcg(ranked, relevant) <= ndcg(best, relevant) == pytest.approx(1.0)
    assert 0 < reciprocal_rank(ranked, relevant) <= 1
    assert recall(ranked, relevant, 6) == 1.0


def test_percentiles() -> None:
    assert percentile([3.0], 95) == 3.0
    assert percentile([], 50) == 0.0
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


def test_a_library_is_measured(shelf: Library) -> None:
    birds = next(paper.id for paper in shelf.papers if paper.title == "Counting Birds from Their Songs")
    report = measure("mine", shelf, [
        Judged(question="Which papers count birds?", kind="topic", relevant={birds: 2}),
        Judged(question="By how much does the count of birds differ from human observers?", kind="specific",
               relevant={birds: 2},
               evidence="In 40 hours of forest recordings the count differs from that of human observers by 7%."),
        Judged(question="Why do emperor penguins huddle in winter?", kind="unanswerable"),
    ])
    assert report.ranking.questions == 2
    assert report.ranking.ndcg10 == 1.0
    assert report.answers is not None
    assert (report.answers.first, report.answers.refusals, report.answers.false_refusals) == (1.0, 1.0, 0.0)
    assert report.seen_by == ()
    assert ("nDCG@10", "1.000") in report.rows()


def test_a_questions_file_is_judged_by_origin(shelf: Library, tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "asked.jsonl",
                       {"query": "bird song", "type": "topic", "relevant": {"papers.jsonl#6": 2, "gone.txt#1": 1}})
    report = evaluate(file, shelf)
    assert report.ranking.ndcg10 == pytest.approx(2 / (2 + 1 / math.log2(3)))


def test_a_folder_in_beir_layout_brings_its_own_papers(shelf: Library, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "corpus.jsonl", *(
        {"_id": f"d{number}", "title": f"On {word}", "text": f"Everything about {word} and nothing else. It is long."}
        for number, word in enumerate(("walnuts", "harbours", "violins"))))
    write_jsonl(tmp_path / "queries.jsonl", {"_id": "q1", "text": "violins"}, {"_id": "q2", "text": "unjudged"})
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\td1\t0\n")
    before = len(shelf.papers)
    report = evaluate(tmp_path, shelf)
    assert (report.papers, report.ranking.questions, report.ranking.ndcg10) == (3, 1, 1.0)
    assert len(shelf.papers) == before


@pytest.mark.parametrize("content", ["", "not json", json.dumps({"query": "no judgements"})])
def test_what_is_no_questions_file_is_told(shelf: Library, tmp_path: Path, content: str) -> None:
    (tmp_path / "q.jsonl").write_text(content)
    with pytest.raises(SourceError, match=r"q\.jsonl"):
        evaluate(tmp_path / "q.jsonl", shelf)


@pytest.mark.slow
def test_the_judged_questions(shared: Path, corpus: Library) -> None:
    report = evaluate(shared / "eval" / "questions-dev.jsonl", corpus)
    assert report.ranking.questions == 33
    assert report.ranking.ndcg10 >= 0.74
    assert report.ranking.recall20 >= 0.79
