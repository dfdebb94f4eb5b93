"""A claim put to a library, without a model and with one at the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ingest import ingest
from rag import Library, Where, open_library
from rag.claim import balance
from rag.errors import NoLibraryError
from rag.relevant import relevant
from rag.retrieve import retrieve
from rag.schema import ClaimReport
from tests.records import write_jsonl
from tests.stubs import Reply, StubModel

pytestmark = pytest.mark.slow

CLAIM = "Green tea lowers the resting heart rate of cyclists."
TEA = "Green tea and the hearts of cyclists"
TEA_AGAIN = "A second look at green tea in cyclists"
PAPERS = (
    {"title": TEA, "abstract": "Forty cyclists drank tea or water for a month. Green tea significantly lowered the "
                               "resting heart rate of the cyclists. Water did nothing."},
    {"title": "Bees count to four", "abstract": "We trained bees to count marks on a wall. Most bees counted to four, "
                                                "and none to seven."},
    {"title": "Pruning of speech recognisers", "abstract": "Speech recognisers are large. Pruning halves their memory "
                                                           "and leaves their word error rate as it was."},
    {"title": "Roman mortar in sea water", "abstract": "Mortar that Romans mixed with volcanic ash grows stronger in "
                                                       "sea water, as crystals fill its cracks."},
    {"title": "Buses and punctuality", "abstract": "We modelled the delays of buses in four towns. Lanes of their own "
                                                   "made buses more punctual at rush hour."},
    {"title": "Glaciers from space", "abstract": "Radar images of 300 glaciers were compared over ten years. Nine out "
                                                 "of ten glaciers became thinner."},
)
AGAINST = {"title": TEA_AGAIN, "abstract": "The trial had sixty cyclists and a placebo. Green tea significantly raised "
                                           "the resting heart rate of the cyclists."}


@pytest.fixture
def tea(library: Library, tmp_path: Path) -> Library:
    ingest([write_jsonl(tmp_path / "papers.jsonl", *PAPERS)], library)
    return library


@pytest.fixture
def both(tea: Library, tmp_path: Path) -> Library:
    ingest([write_jsonl(tmp_path / "more.jsonl", AGAINST)], tea)
    return tea


@contextmanager
def model(library: Library, *replies: Reply) -> Iterator[tuple[Library, StubModel]]:
    with StubModel(*replies) as stub:
        settings = replace(library.settings, model="stub", openai_base_url=stub.url, timeout=1.0)
        with open_library(library.path, settings=settings, embedder=library.store.embedder) as opened:
            yield opened, stub


def assert_true(library: Library, report: ClaimReport) -> None:
    """What holds for every report."""
    papers = {reference.label: reference.paper for reference in report.references}
    assert list(papers) == list(range(1, len(papers) + 1))
    for side, sentences in (("for", report.for_), ("against", report.against)):
        for sentence in sentences:
            [citation] = sentence.citations
            paper = library.papers[citation.paper_id]
            assert papers[citation.label] == paper
            assert (sentence.kind, sentence.side, sentence.verdict) == ("quote", side, "supported")
            support = citation.support
            assert paper.abstract[support.start:support.end] == support.quote == sentence.text
    assert (report.verdict in ("supported", "mixed")) <= bool(report.for_)
    assert (report.verdict in ("contradicted", "mixed")) <= bool(report.against)
    assert (report.verdict == "no evidence") == (not report.for_ and not report.against)
    assert 0.0 <= report.confidence <= 1.0


@pytest.mark.parametrize("claim", [CLAIM, "Does green tea lower the resting heart rate of cyclists?"])
def test_a_claim_that_a_paper_makes_is_supported(tea: Library, claim: str) -> None:
    report = tea.check(claim)
    assert_true(tea, report)
    assert (report.claim, report.verdict, report.engine, report.notice) == (claim, "supported", "extractive", None)
    assert report.for_[0].text == "Green tea significantly lowered the resting heart rate of the cyclists."
    assert [reference.paper.title for reference in report.references] == [TEA]
    assert report.against == ()


def test_the_opposite_is_contradicted(tea: Library) -> None:
    report = tea.check("Green tea raises the resting heart rate of cyclists.")
    assert_true(tea, report)
    assert report.verdict == "contradicted"
    assert report.against[0].text == "Green tea significantly lowered the resting heart rate of the cyclists."


def test_papers_on_both_sides_make_it_mixed(both: Library) -> None:
    report = both.check(CLAIM)
    assert_true(both, report)
    assert report.verdict == "mixed"
    assert [reference.paper.title for reference in report.references] == [TEA, TEA_AGAIN]


@pytest.mark.parametrize("claim", ["Solar panels lose a tenth of their power in dust.", "Bees recognise human faces.",
                                   "Green tea makes swimmers taller.", "x", "?"])
def test_what_no_paper_says_has_no_evidence(tea: Library, claim: str) -> None:
    report = tea.check(claim)
    assert_true(tea, report)
    assert report.verdict == "no evidence"


def test_what_is_no_statement_is_not_weighed(tea: Library) -> None:
    report = tea.check("Green tea")
    assert_true(tea, report)
    assert (report.verdict, report.notice) == ("no evidence", "That is too short to be weighed: say what does what.")


def test_a_filter_holds(both: Library) -> None:
    only = Where(files=("more.jsonl",))
    report = both.check(CLAIM, where=only)
    assert_true(both, report)
    assert {reference.paper.title for reference in report.references} <= {TEA_AGAIN}
    assert report.for_ == ()


def test_without_a_library_it_says_so(library: Library) -> None:
    with pytest.raises(NoLibraryError):
        library.check(CLAIM)


# ---- with a model


@pytest.mark.parametrize(("said", "verdict"), [
    ('{"1": "supports"}', "supported"), ('{"1": "neither"}', "no evidence"), ('{"1": "contradicts"}', "contradicted"),
    ("1. Supports", "supported"), ('["supports"]', "supported"),
])
def test_a_model_may_take_away_and_turn_against(tea: Library, said: str, verdict: str) -> None:
    with model(tea, Reply(text=said)) as (library, stub):
        report = library.check(CLAIM)
    assert_true(tea, report)
    assert (report.verdict, report.engine, report.model) == (verdict, "llm", "stub")
    assert report.usage is not None
    assert CLAIM in stub.requests[0].prompt
    assert "1. Green tea significantly lowered" in stub.requests[0].prompt


def test_a_model_cannot_make_a_claim_supported(tea: Library) -> None:
    with model(tea, Reply(text='{"1": "supports", "2": "supports"}')) as (library, _):
        report = library.check("Green tea raises the resting heart rate of cyclists.")
    assert_true(tea, report)
    assert report.verdict == "no evidence"


@pytest.mark.parametrize("reply", [
    Reply(text=""), Reply(text="I cannot judge this."), Reply(text='{"7": "supports"}'),
    Reply(text='{"1": "supports", "1": "contradicts"}'), Reply(status=500),
    Reply(refusal="no"), Reply(reset=True), Reply(text='{"1": "sup')])
def test_a_model_that_fails_is_told_and_done_without(tea: Library, reply: Reply) -> None:
    with model(tea, *[reply] * 4) as (library, _):
        report = library.check(CLAIM)
    assert_true(tea, report)
    assert (report.verdict, report.engine, report.model) == ("supported", "extractive", None)
    assert report.notice is not None
    assert report.notice.endswith("The quotes were sorted without it.")


def test_where_nothing_was_found_no_model_is_asked(tea: Library) -> None:
    with model(tea) as (library, stub):
        report = library.check("Solar panels lose a tenth of their power in dust.")
    assert (report.verdict, report.engine) == ("no evidence", "extractive")
    assert stub.requests == []


# ---- yes/no questions


def divided(library: Library, question: str) -> list[tuple[str, str | None]]:
    found = retrieve(library.store, question, 40)
    return [(drafted.text, drafted.side) for drafted in balance(
        library.store, question, found, relevant(found).papers)]


def test_a_question_is_answered_by_both_sides(both: Library) -> None:
    frame, *quotes = divided(both, "Does green tea lower the resting heart rate of cyclists?")
    assert frame == ("By its wording, one paper leans to yes, one to no.", None)
    assert quotes == [("Green tea significantly lowered the resting heart rate of the cyclists.", "for"),
                      ("Green tea significantly raised the resting heart rate of the cyclists.", "against")]


@pytest.mark.parametrize("question", ["Which tea lowers the heart rate?", "Do bees recognise human faces?"])
def test_where_nothing_takes_a_side_nothing_is_said(both: Library, question: str) -> None:
    assert divided(both, question) == []
