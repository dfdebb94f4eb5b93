from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats import read
from rag.schema import Paper
from ui.export import EXPORTS, SUFFIXES, bibtex, citation_keys, escape_latex, jsonl, ris

BODY = "Harbours differ in how high their tides run. We measure them in ten harbours over two years."
PAPERS = (
    Paper(id="p000001aaaaaa", title="Tides & currents: 50% of $O(n^2)$ cost_models #1", abstract=BODY,
          authors=("Ada van One", "Bob Two"), year=2021, doi="10.1234/ab_c.5", venue="Journal of Small Seas"),
    Paper(id="p000002bbbbbb", title="The tides of “small” seas, revisited — a $C^3$ view", year=2022,
          abstract=f"{BODY} {{sic}} ~ 3.", year_inferred=True, arxiv_id="2201.00002", authors=("Émile Ørsted",)),
    Paper(id="p000003cccccc", title="GPT-4 and {LLaMA}: a 'naïve' survey", abstract=f"Again: {BODY}",
          url="https://seas.example/a%20b?x=1&y=2"),
    Paper(id="p000004dddddd", title="海の潮汐について", abstract=f"第四に。{BODY}", authors=("山田 太郎",), year=2020),
    Paper(id="p000005eeeeee", title="Dashes -- and ``quotes'' by hand", abstract=f"Fifth. {BODY}",
          text_kind="summary", authors=("Ada One",), year=2021),
)


def back(kind: str, papers: Sequence[Paper]) -> tuple[Paper, ...]:
    suffix = next(suffix for suffix, name in SUFFIXES.items() if name == kind)
    reading = read(EXPORTS[kind](papers).encode(), f"papers{suffix}", f"/papers{suffix}")
    assert reading.rejected == ()
    return tuple(reading.papers)


@pytest.mark.parametrize("kind", EXPORTS)
def test_what_is_exported_can_be_ingested_again(kind: str) -> None:
    again = back(kind, PAPERS)
    assert [paper.title for paper in again] == [paper.title for paper in PAPERS]
    assert [paper.year for paper in again] == [paper.year for paper in PAPERS]
    assert [paper.authors for paper in again] == [paper.authors for paper in PAPERS]
    assert [paper.abstract for paper in again] == [paper.abstract for paper in PAPERS]
    assert again[0].doi == PAPERS[0].doi
    assert again[1].arxiv_id == PAPERS[1].arxiv_id
    assert again[2].url == PAPERS[2].url


@pytest.mark.parametrize("kind", EXPORTS)
def test_nothing_to_export(kind: str) -> None:
    assert len(EXPORTS[kind](()).splitlines()) <= 1


def test_json_lines_name_only_what_is_known() -> None:
    rows = [json.loads(line) for line in jsonl(PAPERS).splitlines()]
    assert len(rows) == len(PAPERS)
    assert "doi" not in rows[1]
    assert rows[0]["authors"] == ["Ada van One", "Bob Two"]
    assert rows[4]["text_kind"] == "summary"


def test_csv_has_a_column_for_each_field() -> None:
    rows = list(csv.DictReader(io.StringIO(EXPORTS["csv"](PAPERS))))
    assert rows[0]["authors"] == "Ada van One; Bob Two"
    assert rows[1]["year"] == "2022"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_no_cell_of_a_csv_is_a_formula(sign: str) -> None:
    paper = Paper(id="p", title=f'{sign}HYPERLINK("http://a.example")', abstract=f"{sign}2 dB. {BODY}",
                  authors=(f"{sign}A One",))
    text = EXPORTS["csv"]([paper])
    [row] = csv.DictReader(io.StringIO(text))
    assert not any(cell.startswith(sign) for cell in row.values())
    [again] = back("csv", [paper])
    assert (again.title, again.abstract, again.authors) == (paper.title, paper.abstract, paper.authors)


def test_bibtex_escapes_all_but_mathematics() -> None:
    text = bibtex(PAPERS[:1])
    assert text.startswith("@article{one2021tides,\n")
    assert r"  title = {{Tides \& currents: 50\% of $O(n^2)$ cost\_models \#1}}," in text
    assert "  author = {Ada van One and Bob Two}," in text
    assert "  doi = {10.1234/ab_c.5}," in text


def test_a_summary_and_an_inferred_year_are_told() -> None:
    assert "summary, not the authors' words" in bibtex(PAPERS[4:])
    assert "N1  - Abstract: summary, not the authors' words." in ris(PAPERS[4:])
    assert "Year inferred." in bibtex(PAPERS[1:2])
    assert "note" not in bibtex(PAPERS[:1])


def test_ris_turns_names_and_ends_records() -> None:
    record = ris(PAPERS[:1]).splitlines()
    assert record[0] == "TY  - JOUR"
    assert "AU  - One, Ada van" in record
    assert record[-1] == "ER  - "


@pytest.mark.parametrize(("paper", "key"), [
    (PAPERS[0], "one2021tides"),
    (PAPERS[2], "gpt4llama"),
    (Paper(id="x", title="On the Origin", authors=("Darwin, Charles",), year=1859), "darwin1859origin"),
    (Paper(id="x", abstract="No title here but words."), "titlewords"),
    (PAPERS[3], "paper-dddddd"),
])
def test_citation_keys(paper: Paper, key: str) -> None:
    assert citation_keys([paper]) == [key]


def test_citation_keys_that_would_clash_take_part_of_the_id() -> None:
    twins = [Paper(id=f"p00000{n}ab{n}{n}{n}{n}", title="Tides again", authors=("Ada One",), year=2020) for n in (1, 2)]
    assert citation_keys(twins) == ["one2020tides-ab1111", "one2020tides-ab2222"]
    assert citation_keys(twins[::-1]) == citation_keys(twins)[::-1]


@pytest.mark.parametrize(("plain", "latex"), [
    ("5% of a_b & c #1", r"5\% of a\_b \& c \#1"),
    ("costs $5 and $10", r"costs \$5 and \$10"),
    ("$x_1$ and y_1", r"$x_1$ and y\_1"),
    ("$$x^2$$", "$$x^2$$"),
    ("{a} \\ ~ ^", r"\{a\} \textbackslash{} \textasciitilde{} \textasciicircum{}"),
    ("lone { here", r"lone \textbraceleft{} here"),
    ("a $x{$ b", r"a \$x\textbraceleft{}\$ b"),
])
def test_latex(plain: str, latex: str) -> None:
    assert escape_latex(plain) == latex


@given(st.text(alphabet="ab {}$\\_%&#~^-'`\n", max_size=50))
def test_latex_braces_always_balance(text: str) -> None:
    depth = 0
    for c in escape_latex(text):
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
