from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ingest.sample import sample_path
from rag import Library, open_library
from rag.checker.audit import Audit, audit, paraphrased, sources
from rag.checker.corrupt import CORRUPT, Source, items
from rag.checker.reword import FAITHFUL
from rag.embed import Embedder
from rag.errors import NoLibraryError, NoPaperError, SourceError
from rag.settings import Settings
from ui.judge import audit_checker

pytestmark = pytest.mark.slow

RICH = (
    "In a trial with 40 patients, the proposed BirdNet model outperforms a plain baseline on most recordings. "
    "For long recordings, we show that the method significantly improves accuracy by 12% (see below). "
    "The device can measure the song of several birds within 30 seconds, which reduces the cost of a survey. "
    "Training with 5,000 recordings increased the number of species that were found in two forests.")
OTHER = (
    "A chemical process turns waste paper into cellulose fibres for clothing and furniture. "
    "The RePulp plant consumes less water than comparable mills and produces no toxic sludge at all.")


def test_every_kind_is_made_from_ordinary_sentences() -> None:
    made = items([Source(text=RICH), Source(text=OTHER)], each=2)
    kinds = Counter(item.kind for item in made)
    assert set(kinds) == {*FAITHFUL, *CORRUPT}
    assert all(item.faithful is (item.kind in FAITHFUL) for item in made)
    for item in made:
        assert (item.statement == item.original) is (item.kind == "wrong paper")
        assert item.original in (RICH, OTHER)[item.cited] or item.kind == "wrong paper"


def test_a_seed_gives_the_same_items_again() -> None:
    papers = [Source(text=RICH), Source(text=OTHER)]
    assert items(papers, seed=3) == items(papers, seed=3)
    assert items(papers, seed=3) != items(papers, seed=4)


@pytest.mark.parametrize("papers", [[], [Source(text="")], [Source(text="Too short. Is it? Yes it is.")]])
def test_texts_without_sentences_make_nothing(papers: list[Source]) -> None:
    assert items(papers) == ()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Library:
    from ingest import ingest

    library = open_library(settings=Settings(library=tmp_path_factory.mktemp("sample") / "library"), embedder=embedder)
    ingest([sample_path()], library)
    return library


@pytest.fixture(scope="module")
def audited(sample: Library) -> Audit:
    return audit(sample, each=12)


def test_corruptions_are_flagged_and_faithful_statements_are_not(audited: Audit) -> None:
    assert audited.share(faithful=False) >= 0.9
    assert audited.share(faithful=True) <= 0.1
    assert all(row.refused <= row.flagged for row in audited.table)


def test_what_went_wrong_is_told(audited: Audit) -> None:
    wrong = sum(round((row.flagged if row.faithful else 1 - row.flagged) * row.items) for row in audited.table)
    assert len(audited.misjudged) == wrong
    names = [name for name, _ in audited.rows()]
    assert "corrupted, all" in names
    assert len(names) == len(set(names))


def test_sources_name_the_papers_most_like_each(shelf: Library) -> None:
    papers = list(shelf.papers)
    made = sources(shelf, papers)
    assert [source.text for source in made] == [paper.abstract for paper in papers]
    assert all(place not in source.near for place, source in enumerate(made))
    assert made[0].near[0] == 1  # the two papers on reward overoptimization


def test_paraphrases_name_their_paper(shelf: Library) -> None:
    said = "Shared pretraining makes the errors of the members correlate."
    [(support, _)] = paraphrased(shelf, [("2401.00001", said)])
    assert support.verdict == "supported"
    with pytest.raises(NoPaperError, match=r"2401\.99999"):
        paraphrased(shelf, [("2401.99999", "Anything.")])


def test_the_checker_is_measured_on_a_library_that_is_there(library: Library, tmp_path: Path) -> None:
    with pytest.raises(NoLibraryError):
        audit(library)
    with pytest.raises(SourceError, match="no folder"):
        audit_checker(tmp_path / "gone", library)
