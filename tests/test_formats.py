"""Reading files of papers: every format through the one public door."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats import Reading, read
from ingest.formats.dates import missing_year, printed
from ingest.formats.fields import arxiv_id, clean, doi, names, unlabelled, year
from rag.errors import SourceError

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
needs_corpus = pytest.mark.skipif(not (SHARED / "corpus").is_dir(), reason="the measuring data is not here")

SHEEP = (
    "We study the problem of counting sheep with small neural networks. We show that a tiny model counts as well as a "
    "large one on three public pastures, and that most errors come from fog. Code: https://example.org/sheep"
)
CLOUDS = (
    "Attention to clouds is often neglected. In this paper we propose a cloud-aware encoder that needs no labels at "
    "all. Experiments on four skies show a gain of 3.2 points over strong baselines, without further cost."
)
HEDGE = "This short note proves that every hedge of finite age has a longest branch."
TITLES = ("Counting Sheep", "Attention", "Is a hedge all you need? No. A proof", "cloudy: learning from skies!")


def text_of(source: str, file: str = "papers.txt") -> Reading:
    return read(source.encode(), file, f"/somewhere/{file}")


def pairs(reading: Reading) -> list[tuple[str | None, str]]:
    return [(paper.title, paper.abstract) for paper in reading.papers]


PAPERS = list(zip(TITLES, (SHEEP, CLOUDS, HEDGE, SHEEP.replace("sheep", "goats")), strict=True))


def alternating(papers: list[tuple[str, str]]) -> str:
    head = "Get trending papers in your email inbox once a day!\nGet trending papers in your email inbox!\nSubscribe"
    return head + "\n".join(f"{title}\n{abstract}" for title, abstract in papers) + "\n"


def blocks(papers: list[tuple[str, str]]) -> str:
    head = "new\n\nGet trending papers in your email inbox!\n\nSubscribe\n\nbyAK and the community\n\nApr 28\n\n"
    return head + "\n\n".join(f"{title}\n\n{abstract}" for title, abstract in papers) + "\n"


def dated(papers: list[tuple[str, str]]) -> str:
    head = "new\n\nSubscribe\n\nDaily Papers\n\nNov 3\n\n"
    return head + "\n\n".join(f"{t}\n\n{a}\n\n  • 8 authors\n·\nSep 29, 2023" for t, a in papers) + "\n"


def voted(papers: list[tuple[str, str]]) -> str:
    head = "Daily Papers\n\n"
    votes = "Upvote\n\n{0}\n\nSubmitted by\n\nroe{0}\n\n"
    return head + "\n\n".join(f"{votes.format(i)}{title}\n\n{text}" for i, (title, text) in enumerate(papers))


def headed(papers: list[tuple[str, str]]) -> str:
    return "\n\n".join(f"{title}\n\nView PDF\n\nAbstract\n\n{abstract}" for title, abstract in papers)


SHAPES = (alternating, blocks, dated, voted, headed)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_listing_shapes_are_read_exactly(shape: object, ends: str) -> None:
    reading = text_of(shape(PAPERS).replace("\n", ends))  # type: ignore[operator]
    assert reading.format == "listing"
    assert pairs(reading) == PAPERS
    assert [paper.origins[0].record for paper in reading.papers] == [1, 2, 3, 4]
    assert {str(paper.origins[0]).split("#")[0] for paper in reading.papers} == {"papers.txt"}
    assert len({paper.origins[0].sha256 for paper in reading.papers}) == 4


_word = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=9).filter(
    lambda word: word not in ("inbox", "email", "you", "your", "subscribe", "abstract", "new", "and")
)
_title = st.lists(_word, min_size=3, max_size=14).map(lambda words: "Deep " + " ".join(words))
_sentence = st.lists(_word, min_size=16, max_size=30).map(lambda words: "We " + " ".join(words) + ".")
_abstract = st.lists(_sentence, min_size=1, max_size=4).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_title, _abstract), min_size=1, max_size=6, unique_by=lambda paper: paper[0]))
def test_listing_round_trip(papers: list[tuple[str, str]]) -> None:
    for shape in SHAPES:
        assert pairs(text_of(shape(papers))) == papers


def test_labelled_abstracts_have_no_title() -> None:
    reading = text_of(f"Abstract:{SHEEP}\nAbstract: {HEDGE}\nABSTRACT - {CLOUDS}\n")
    assert pairs(reading) == [(None, SHEEP), (None, HEDGE), (None, CLOUDS)]


def test_untitled_abstracts_one_to_a_line() -> None:
    assert pairs(text_of(f"{SHEEP}\n\n{CLOUDS}\n\n{SHEEP}\n")) == [(None, SHEEP), (None, CLOUDS), (None, SHEEP)]


def test_wrapped_paragraphs_are_joined() -> None:
    import textwrap

    reading = text_of("\n\n".join(f"{title}\n\n{textwrap.fill(abstract, 72)}" for title, abstract in PAPERS))
    assert pairs(reading) == PAPERS


def test_a_second_paragraph_belongs_to_its_abstract() -> None:
    reading = text_of(f"A Title\n\n{SHEEP}\n\n{CLOUDS}\n\nAnother\n\n{CLOUDS}\n")
    assert pairs(reading) == [("A Title", f"{SHEEP} {CLOUDS}"), ("Another", CLOUDS)]


@pytest.mark.parametrize("first", ["GPT4Image: seeing", "(Dynamic) Pruning", "Segment and Caption Anything", "newIPT"])
def test_a_glued_button_is_cut_and_a_title_is_not(first: str) -> None:
    assert text_of(f"Subscribe{first}\n{SHEEP}\nAttention\n{CLOUDS}\n").papers[0].title == first
    if first != "newIPT":
        assert text_of(f"{first}\n{SHEEP}\nAttention\n{CLOUDS}\n").papers[0].title == first


def test_metadata_lines_of_a_record() -> None:
    reading = text_of(
        f"arXiv:2301.01234v2 [pdf, other] cs.CL\nA First Title\nAuthors: Jane Roe, John Doe\nAbstract: {SHEEP} △ Less\n"
        f"Submitted 3 January, 2023; originally announced January 2023.\n\n"
        f"arXiv:2302.01234 [pdf] cs.CL\nAnother Title\nAuthors: Ann Poe\nAbstract: {CLOUDS} See arXiv:1901.00001.\n"
    )
    first, second = reading.papers
    assert (first.arxiv_id, first.authors, first.year) == ("2301.01234", ("Jane Roe", "John Doe"), 2023)
    assert (second.arxiv_id, second.authors) == ("2302.01234", ("Ann Poe",))
    assert (first.abstract, second.title) == (SHEEP, "Another Title")


def page(top: str, *dates: str) -> Reading:
    records = "\n\n".join(f"A Title {i}\n\n{SHEEP}\n\n  • 3 authors\n·\n{date}" for i, date in enumerate(dates))
    return text_of(f"Daily Papers\n\n{top}\n\n{records}\n")


def test_a_year_is_inferred_from_the_page_alone() -> None:
    reading = page("Nov 3", "Sep 29, 2023", "Sep 17", "May 28 2", "Sep 7, 2024 6")
    assert [(p.date, p.year, p.year_inferred) for p in reading.papers] == [
        ("Sep 29, 2023", 2023, False),
        ("Sep 17", 2025, True),
        ("May 28 2", 2025, True),
        ("Sep 7, 2024 6", 2024, False),
    ]


@pytest.mark.parametrize(
    ("top", "dates"),
    [
        ("Jul 1", ("Sep 29, 2023", "Sep 17", "Sep 7, 2024")),  # an entry later than the page
        ("Nov 3", ("Sep 29, 2020", "Sep 17")),  # too little to know the latest year
        ("Hello", ("Sep 29, 2023", "Sep 17", "Sep 7, 2024")),  # the page has no date
        ("Nov 3, 2024", ("Sep 29, 2023", "Sep 17", "Sep 7, 2024")),  # this page does print its own year
    ],
)
def test_no_year_is_inferred_where_the_page_contradicts(top: str, dates: tuple[str, ...]) -> None:
    assert [(p.year, p.year_inferred) for p in page(top, *dates).papers if p.date == "Sep 17"] == [(None, False)]


def test_a_page_that_prints_its_own_year() -> None:
    dates = [date for text in ("Sep 17", "Sep 29, 2020") if (date := printed(text))]
    assert missing_year(printed("Nov 3, 2025"), dates) == 2025
    assert printed("Sep 99") is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b" \n\t\n", b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04abc", b"text\0with\0nuls",
        b"Hello, this is one short line of prose.", b"\xff\xfeabc", b"[]", b'{"name": "foo", "version": "1"}',
        b"title,abstract\n", b"<!DOCTYPE html><html></html>", b"a" * 1_500_000,
        b"# A tool\n\n" + SHEEP.encode() + b"\n\n## Install\n\n```\npip install sheep\n```\n",
        b"2024-05-01 10:00:00 ERROR The server is down and we will try it again in some minutes.\n" * 40,
        Path(json.__file__).read_bytes(),
    ],
)  # fmt: skip
def test_what_holds_no_papers_is_one_sentence(data: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read(data, "thing.txt", "/x/thing.txt")
    message = str(caught.value)
    assert message.startswith("thing.txt ")
    assert message.endswith(".")
    assert "\n" not in message


def test_an_endless_line_is_refused_at_once() -> None:
    data = b"a" * 200_000_000
    with pytest.raises(SourceError, match="more than 1 MB"):
        read(data, "big.txt", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str) -> None:
    source = f"Über “naïve” Zählung\n{SHEEP}\nAttention\n{CLOUDS}\n"
    assert pairs(read(source.encode(encoding), "a.txt", "")) == [("Über “naïve” Zählung", SHEEP), ("Attention", CLOUDS)]


def test_a_file_cut_within_a_character() -> None:
    assert read(f"A Title\n{SHEEP} é".encode()[:-1], "a.txt", "").papers[0].abstract == SHEEP


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.bib", "a.ris"]))
def test_any_bytes_are_read_or_refused(data: bytes, file: str) -> None:
    with contextlib.suppress(SourceError):
        read(data, file, "")


_fragments = st.sampled_from(
    ["TY  - JOUR\n", "ER  - \n", "AB  - ", "@article{a,", "title = {", "abstract = ", "}", '"', "{", "[", "]", ",",
     "\n", '{"title": ', '"abstract": ', "title,abstract\n", "Abstract:", "Sep 17", "• 8 authors", "\n\n", "$x$",
     "\\", SHEEP, HEDGE]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(_fragments | st.text(max_size=12), max_size=14).map("".join))
def test_any_text_is_read_or_refused(source: str) -> None:
    try:
        reading = read(source.encode("utf-8", "replace"), "a.txt", "")
    except SourceError:
        return
    assert reading.papers or reading.rejected
    assert all(paper.abstract and len(paper.origins) == 1 for paper in reading.papers)


def test_json_lines_keep_line_numbers_and_reasons() -> None:
    lines = [
        {"_id": "MED-10", "title": "T", "text": "Abstract: some <i>text</i> with p &lt; 0.05 of H<sub>2</sub>O"},
        {"_id": "MED-11", "title": "", "text": ""},
        {"title": "only"},
        {"title": 3, "abstract": "x"},
        {"title": "S", "summary": "s", "text_kind": "summary", "authors": [{"name": "A B"}], "published": "2021-03-04"},
    ]
    source = "\n".join([*map(json.dumps, lines), "{broken", "[1]", "", json.dumps({"title": "L", "abstract": "last"})])
    reading = text_of(source, "corpus.jsonl")
    assert reading.format == "JSON"
    assert [p.origins[0].record for p in reading.papers] == [1, 5, 9]
    assert reading.papers[0].abstract == "some text with p < 0.05 of H2O"
    assert (reading.papers[0].arxiv_id, reading.papers[0].url) == (None, None)
    summary = reading.papers[1]
    assert (summary.text_kind, summary.authors, summary.year, summary.date) == ("summary", ("A B",), 2021, "2021-03-04")
    assert [(r.origin.record, r.reason.split(":")[0]) for r in reading.rejected] == [
        (2, "neither a title nor an abstract"), (3, "no abstract"), (4, "its title is not a text"),
        (6, "invalid JSON"), (7, "not a JSON object"),
    ]  # fmt: skip


def test_arxiv_snapshot() -> None:
    item = {
        "id": "0704.0001", "title": "Counting\n  sheep", "abstract": "  We count $N_{s}$ sheep\nand goats.\n",
        "authors": "C. Bal\\'azs, E. Roe", "authors_parsed": [["Bal\\'azs", "C.", ""], ["Roe", "E.", ""]],
        "journal-ref": "J. Sheep 76", "doi": "10.1103/Phys.D", "update_date": "2008-11-26",
        "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
    }  # fmt: skip
    paper = text_of(json.dumps(item), "snapshot.json").papers[0]
    assert (paper.title, paper.abstract) == ("Counting sheep", "We count $N_{s}$ sheep and goats.")
    assert (paper.arxiv_id, paper.doi, paper.year) == ("0704.0001", "10.1103/phys.d", 2007)
    assert (paper.authors, paper.venue) == (("C. Balázs", "E. Roe"), "J. Sheep 76")


def test_json_array_up_to_where_it_breaks() -> None:
    reading = text_of('[\n {"title": "A", "abstract": "one"},\n {"title": "B", "abstract": "two"}, {"tit')
    assert pairs(reading) == [("A", "one"), ("B", "two")]
    assert [r.origin.record for r in reading.rejected] == [3]


def test_tables() -> None:
    row = '"A, b","x ""q""\nnew line","Roe, Jane; Doe, John",2020,https://doi.org/10.1000/X'
    reading = text_of(f"Title,Abstract,Authors,Year,DOI\n{row}\nonly,,,,\n", "a.csv")
    paper = reading.papers[0]
    assert (paper.title, paper.abstract) == ("A, b", 'x "q" new line')
    assert (paper.authors, paper.year, paper.doi) == (("Jane Roe", "John Doe"), 2020, "10.1000/x")
    assert [(r.origin.record, r.reason) for r in reading.rejected] == [(2, "no abstract")]
    tabbed = text_of("title\tabstract\turl\nFoo\tWe do things.\thttps://arxiv.org/abs/2301.01234v2\n").papers[0]
    assert (tabbed.title, tabbed.arxiv_id) == ("Foo", "2301.01234")


BIB = r"""
@string{acm = "ACM Press"}
@article{a1, title={The {SHEEP} of $M^3$ and M{\"u}ller}, abstract = {We use 50% of it.
 And {\'e}t\'e, 5\% of \emph{x}, $x < y_{1}$.}, author={M{\"u}ller, Hans and {The Team} and Garc{\'\i}a, Jos\'e},
 year=2020, journal = acm, eprint={2301.01234v2}, archivePrefix={arXiv}, doi={10.1000/XYZ}}
@article{a1, title={Same key}, abstract={kept}}
@article{bad, title={oops

@article{a3, title="Quoted"}
"""


def test_bibtex() -> None:
    reading = text_of(BIB, "a.bib")
    paper = reading.papers[0]
    assert reading.format == "BibTeX"
    assert paper.title == "The SHEEP of $M^3$ and Müller"
    assert paper.abstract == "We use 50% of it. And été, 5% of x, $x < y_{1}$."
    assert paper.authors == ("Hans Müller", "The Team", "José García")
    assert (paper.arxiv_id, paper.doi, paper.venue, paper.year) == ("2301.01234", "10.1000/xyz", "ACM Press", 2020)
    assert [p.origins[0].record for p in reading.papers] == [1, 2]
    assert [(r.origin.record, r.reason) for r in reading.rejected] == [(3, "a broken BibTeX entry"), (4, "no abstract")]


def test_latex_nested_beyond_reason_costs_one_entry() -> None:
    deep = "\\begin{a}" * 500
    entries = f"@article{{a, title={{A}}, abstract={{{deep}}}}}", "@article{b, title={B}, abstract={kept}}"
    reading = text_of("\n".join(entries))
    assert pairs(reading) == [("B", "kept")]
    assert [(r.origin.record, r.reason) for r in reading.rejected] == [(1, "its LaTeX is nested too deeply")]


def test_ris_loses_no_record_without_an_end() -> None:
    reading = text_of(
        "TY  - JOUR\nTI  - A Title\nAU  - Roe, Jane\nPY  - 2020\nAB  - We do things\nand more.\nDO  - 10.1000/X\n"
        "ER  - \n\n"
        "TY  - JOUR\nTI  - No abstract\nER  - \nTY  - JOUR\nT1  - Unended\nAB  - kept\n"
    )
    assert pairs(reading) == [("A Title", "We do things and more."), ("Unended", "kept")]
    assert (reading.papers[0].authors, reading.papers[0].doi) == (("Jane Roe",), "10.1000/x")
    assert [(r.origin.record, r.reason) for r in reading.rejected] == [(2, "no abstract")]


@given(
    st.integers(0, 99), st.integers(1, 12), st.integers(0, 99999), st.integers(1, 20),
    st.sampled_from(["{}", "arXiv:{}", "https://arxiv.org/abs/{}", "http://arxiv.org/pdf/{}.pdf", "10.48550/arXiv.{}"]),
)  # fmt: skip
def test_arxiv_ids_are_normalised(yy: int, month: int, number: int, version: int, shape: str) -> None:
    bare = f"{yy:02d}{month:02d}.{number:05d}"
    assert arxiv_id(shape.format(bare)) == arxiv_id(shape.format(f"{bare}v{version}")) == bare


def test_fields() -> None:
    assert arxiv_id("cs/0301001v1") == "cs/0301001"
    assert arxiv_id("MED-10") is arxiv_id("2313.01234") is arxiv_id("see 2301.01234") is arxiv_id(None) is None
    assert doi("https://doi.org/10.1000/ABC.") == doi("doi:10.1000/abc") == "10.1000/abc"
    assert year("c2020") == 2020
    assert year("12020") is None
    assert names("A Roe, B Doe and C Poe") == ("A Roe", "B Doe", "C Poe")
    assert names("Roe, Ann and Doe, Bob") == ("Ann Roe", "Bob Doe")
    assert unlabelled("Abstract We show") == "We show"
    assert unlabelled("Abstract reasoning is hard") == "Abstract reasoning is hard"
    assert clean("<jats:title>Abstract</jats:title><jats:p>p < 0.05 &amp; q</jats:p>") == "p < 0.05 & q"


FURNITURE = ("subscribe", "trending papers", "daily papers", "byak", "•", "·")


@needs_corpus
def test_the_corpus_is_read_exactly() -> None:
    facts = json.loads((SHARED / "eval" / "corpus-facts.json").read_text(encoding="utf-8"))
    sources = {path.name: path.read_bytes() for path in (SHARED / "corpus").glob("*.txt")}
    readings = {name: read(data, name, name) for name, data in sources.items()}
    assert {name: len(reading.papers) for name, reading in readings.items()} == facts["records"]
    for name, reading in readings.items():
        assert not reading.rejected
        for paper in reading.papers:
            assert (paper.title is None) == name.startswith("000")
            assert len(paper.abstract) > 300
            opening = f"{paper.title or ''} {paper.abstract[:40]} {paper.abstract[-40:]}".casefold()
            assert not [word for word in FURNITURE if word in opening]
            assert not paper.abstract.startswith("Abstract")
            assert (paper.date is not None) == name.startswith("004")
            assert (paper.year is not None) == name.startswith("004")
    inferred = [p for reading in readings.values() for p in reading.papers if p.year_inferred]
    assert {p.year for p in inferred} == {2025}
    assert all("20" not in (p.date or "").split(",")[-1] or "," not in (p.date or "") for p in inferred)
