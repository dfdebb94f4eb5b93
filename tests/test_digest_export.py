from __future__ import annotations

import html
import io
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import bibtexparser
import pypandoc
import pytest
import rispy
from pypdf import PdfReader

from ingest.sample import sample_path
from rag.digest.reading import from_json
from rag.errors import VouchError
from rag.schema import Citation, Excerpt, Paper, Reference, Sentence, Support
from rag.survey import Comparison, Digest, DigestSection, Point, Row, Withheld
from rag.text import sentences
from ui.digest import FORMATS, files, format_of, write
from ui.digest.figures import paper_map, timeline
from ui.digest.markdown import markdown
from ui.digest.page import page

pytestmark = pytest.mark.slow

# Titles that would be markup, a command or a picture somewhere; and two of plain mathematics.
NASTY = (
    r'#read("/etc/passwd") @everyone <script>alert(1)</script> \input{/etc/passwd} $\input{/etc/passwd}$ _a_ *b* `c`',
    "![x](http://evil.example/x.png) | <img src=http://evil.example/y.png> | $5 and 5% of {x #let a = 1 //",
    "The $M^3$ view of PC$^2$",
    "= 海の潮汐 – ‘quoted’ \"titles\"\nTY  - JOUR\nER  - \x01",
)


@cache
def sample() -> tuple[Paper, ...]:
    rows = [json.loads(line) for line in sample_path().read_text(encoding="utf-8").splitlines()]
    known = [Paper(id=f"p{number:06d}aaaaaa", **{**row, "authors": tuple(row["authors"])})
             for number, row in enumerate(rows)]
    odd = [Paper(id=f"q{number:06d}bbbbbb", title=title, abstract=f"{title} is studied here. It is $O(n^2)$.",
                 url="javascript:alert(1)" if number == 0 else f"https://papers.example/{number}?a=b&c=%20#d_e")
           for number, title in enumerate(NASTY)]
    return (*known[:14], *odd)


def quote(papers: tuple[Paper, ...], label: int, place: int = 0, verdict: str = "supported") -> Sentence:
    paper = papers[label - 1]
    start, end = list(sentences(paper.abstract))[place]
    words = paper.abstract[start:end]
    support = Support(verdict=verdict, score=0.9, quote=words, start=start, end=end)  # type: ignore[arg-type]
    return Sentence(text=words, kind="quote", citations=(Citation(label=label, paper_id=paper.id, support=support),))


def told(papers: tuple[Paper, ...], text: str, labels: Iterable[int], kind: str = "statement") -> Sentence:
    cited = [quote(papers, label).citations[0] for label in labels]
    return Sentence(text=text, kind=kind, citations=tuple(cited))  # type: ignore[arg-type]


@cache
def made() -> Digest:
    papers = sample()
    count = len(papers)
    parts = (range(1, 6), range(6, 11), range(11, count + 1))
    headings = ("Ensembles for reward models", "Reasoning in $k$ steps & more", "Titles_that #break things")
    cells = [next(iter(sentences(paper.abstract))) for paper in papers]
    excerpts = [Excerpt(text=paper.abstract[start:end], start=start, end=end)
                for paper, (start, end) in zip(papers, cells, strict=True)]
    return Digest(
        topic="reward models", title="Reward models: 50% of $M^3$ & what_else", scope=f"{count} of 48 papers.",
        notice="The library may not cover *this* topic.",
        summary=(told(papers, f"The {count} papers fall into three themes.", (), "frame"), quote(papers, 1),
                 told(papers, "Two of them agree.", (1, 2))),
        sections=tuple(DigestSection(
            heading=heading, papers=tuple(papers[label - 1].id for label in labels),
            shared=(told(papers, "All write of one thing.", labels, "frame"),),
            adds=tuple(quote(papers, label, 1, "weak" if label == 3 else "supported") for label in labels),
            differs=(Comparison(about="how far they go", sentences=tuple(quote(papers, n) for n in labels[:2])),))
            for heading, labels in zip(headings, parts, strict=True)),
        table=tuple(Row(label=label, problem=excerpt, result=excerpt if label % 2 else None)
                    for label, excerpt in enumerate(excerpts, 1)),
        agreements=(Comparison(about="the tide", sentences=(quote(papers, 1), quote(papers, 2))),),
        open_problems=(quote(papers, 4),),
        map=tuple(Point(label=label, x=(label * 37 % 100) / 100, y=(label * 61 % 100) / 100, section=number)
                  for number, labels in enumerate(parts) for label in labels),
        references=tuple(Reference(label=label, paper=paper) for label, paper in enumerate(papers, 1)),
        withheld=(Withheld(sentence=told(papers, "Made up.", ()), reason="No paper that it cites says so."),),
    )


NOTHING = Digest(topic="harbours", title="Harbours", notice="Nothing in the library is on “harbours”.")
SVG = "{http://www.w3.org/2000/svg}"
ORDER = ("Summary", "Ensembles for reward models", "What each adds", "Where they differ", "Comparison", "Agreements",
         "Open problems", "Timeline and map", "References")


def one(kind: str, digest: Digest | None = None) -> bytes:
    made_files = files(digest or made(), kind, "survey")
    return next(iter(made_files.values()))


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def in_order(text: str, parts: Iterable[str]) -> bool:
    return re.search(".*?".join(map(re.escape, parts)), text, re.DOTALL) is not None


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def nodes(tree: Any, kind: str) -> list[Any]:
    """All of pandoc's elements of a kind."""
    if isinstance(tree, list):
        return [found for item in tree for found in nodes(item, kind)]
    if isinstance(tree, dict):
        own = [tree.get("c")] if tree.get("t") == kind else []
        return own + [found for item in tree.values() for found in nodes(item, kind)]
    return []


# ---- pages to read


def test_html_needs_nothing_and_runs_nothing() -> None:
    seen = Tags(page(made()))
    assert not {"script", "img", "iframe", "link", "object", "image"} & {tag for tag, _ in seen.tags}
    loaded = [value for tag, found in seen.tags for name, value in found.items()
              if name in ("src", "srcset", "style", "xlink:href", "data", "action") and tag not in ("col", "text")]
    assert loaded == []
    assert not [name for _, found in seen.tags for name in found if name.startswith("on")]
    assert all(re.match("#ref-|https?://", str(found["href"])) for tag, found in seen.tags if tag == "a")


def test_html_links_citations_to_references() -> None:
    seen = Tags(page(made()))
    anchors = {f"#{found['id']}" for _, found in seen.tags if "id" in found}
    cited = [found for tag, found in seen.tags if tag == "a" and found.get("class") == "cite"]
    assert len(anchors) == len(made().references)
    assert {found["href"] for found in cited} <= anchors
    # One sees what a statement rests on.
    assert any("How far can a policy be pushed" in str(found["title"]) for found in cited)


def test_html_shows_words_as_they_are() -> None:
    text = squeezed("".join(Tags(page(made())).words))
    for title in NASTY[:2]:
        assert squeezed(title) in text
    assert in_order(text, ("50% of M3 & what_else", "1 sentence was withheld", "not the authors' words", *ORDER))
    assert "(weakly supported)" in text
    assert "<msup><mi>M</mi><mn>3</mn></msup>" in page(made())


def test_markdown_is_read_back_with_nothing_that_titles_brought_in() -> None:
    tree = json.loads(pypandoc.convert_text(markdown(made()), "json", format="gfm+tex_math_dollars"))
    assert nodes(tree, "RawInline") == nodes(tree, "RawBlock") == nodes(tree, "Image") == []
    # A bare address is a link to many a program, and shows where it leads.
    links = {target for _, words, (target, _) in nodes(tree, "Link") if words != [{"t": "Str", "c": target}]}
    assert links <= {html.unescape(str(found["href"])) for tag, found in Tags(page(made())).tags if tag == "a"}
    assert ["Summary"] in [[word.get("c") for word in words] for _, _, words in nodes(tree, "Header")]
    assert {tex for _, tex in nodes(tree, "Math")} >= {"M^3", "^2", "k", "O(n^2)"}
    shown = squeezed(pypandoc.convert_text(markdown(made()), "plain", format="gfm", extra_args=["--wrap=none"]))
    for title in NASTY[:2]:
        assert squeezed(title) in shown.replace("“", '"').replace("”", '"')
    [table] = nodes(tree, "Table")
    assert len(nodes(table, "Plain")) >= len(made().references)


def test_markdown_tells_in_words_what_it_has_no_picture_of() -> None:
    assert "- 2017: 8" in markdown(made())
    shown = markdown(made(), {"timeline": "a.svg"})
    assert "](<a.svg>)" in shown
    assert "- 2017: 8" not in shown


def test_cells_that_the_abstract_does_not_give_stay_empty() -> None:
    row = next(line for line in markdown(made()).splitlines() if line.startswith("| Reward Model Ensembles Help"))
    assert [cell.strip() != "" for cell in row.split("|")[1:-1]] == [True, True, True, False, False, False]


# ---- pandoc and typst


def test_pdf_is_read_back() -> None:
    document = PdfReader(io.BytesIO(one("pdf")))
    text = squeezed(" ".join(each.extract_text() for each in document.pages))
    assert in_order(text, ("what_else", "1 sentence was withheld", *ORDER))
    assert r"\input{/etc/passwd} $\input{/etc/passwd}$ _a_ *b* `c`" in text
    assert "“Because human labels are costly" in text
    assert "root:" not in text
    assert document.metadata
    assert document.metadata.title == "Reward models: 50% of M³ & what_else"
    # The references, with their links; a heading in a title would be one of the document's.
    links = [note.get_object() for each in document.pages for note in each.get("/Annots", ())]
    targets = {str(link["/A"]["/URI"]) for link in links if "/A" in link and "/URI" in link["/A"]}
    assert "https://arxiv.org/abs/2210.10760" in targets
    assert not any(target.startswith("javascript") for target in targets)
    assert not any("quoted" in str(entry.get("/Title")) for entry in document.outline if isinstance(entry, dict))


def test_pdf_of_signs_that_typst_has_under_other_names() -> None:
    strange = replace(made().references[0].paper, title=r"$A \otimes B$ in $M^3$")
    digest = replace(made(), references=(Reference(label=1, paper=strange), *made().references[1:]))
    text = squeezed(" ".join(each.extract_text() for each in PdfReader(io.BytesIO(one("pdf", digest))).pages))
    assert "A⊗B in M³" in text


def test_docx_is_read_back(tmp_path: Path) -> None:
    content = one("docx")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        document = archive.read("word/document.xml").decode()
        styles = archive.read("word/styles.xml").decode()
        assert sum(name.startswith("word/media/") for name in archive.namelist()) == 2
    ElementTree.fromstring(document)
    ElementTree.fromstring(styles)
    assert "w:tblBorders" in styles
    assert document.count('w:orient="landscape"') == 1
    assert set(re.findall(r'w:anchor="([^"]+)"', document)) <= set(re.findall(r'w:name="([^"]+)"', document))
    path = tmp_path / "survey.docx"
    path.write_bytes(content)
    text = squeezed(pypandoc.convert_file(str(path), "plain", extra_args=["--wrap=none", "--standalone"]))
    assert in_order(text, ("what_else", "1 sentence was withheld", *ORDER))
    for title in NASTY[:2]:
        assert squeezed(title) in text
    assert "m:oMath" in document


def test_latex_is_read_back_and_cites_what_the_bibliography_has() -> None:
    found = files(made(), "latex", "my survey.tex")
    assert list(found) == ["my survey.tex", "my-survey.bib", "my-survey-timeline.pdf", "my-survey-map.pdf"]
    text = found["my survey.tex"].decode()
    assert text.count(r"\begin{document}") == text.count(r"\end{document}") == 1
    begun, ended = (Counter(re.findall(rf"\\{word}{{(\w+)}}", text)) for word in ("begin", "end"))
    assert begun == ended
    assert r"\title{Reward models: 50\% of \(M^3\) \& what\_else}" in text
    assert r"\bibliography{my-survey}" in text
    assert not re.search(r"\\(?:input|include|write)\b", text.partition(r"\begin{document}")[2])
    cited = {key.strip() for keys in re.findall(r"\\citep{([^}]*)}", text) for key in keys.split(",")}
    library = bibtexparser.parse_string(found["my-survey.bib"].decode())
    assert library.failed_blocks == []
    assert cited == {entry.key for entry in library.entries}
    assert len(cited) == len(made().references)
    assert not re.search(r"\\input", found["my-survey.bib"].decode())
    shown = squeezed(pypandoc.convert_text(text, "plain", format="latex", extra_args=["--wrap=none", "--sandbox"]))
    assert in_order(shown, ORDER[:-1])
    assert r"\input{/etc/passwd}" in shown
    assert found["my-survey-map.pdf"].startswith(b"%PDF")


@pytest.mark.parametrize("kind", ["pdf", "docx", "latex"])
@pytest.mark.parametrize("missing", ["pypandoc", "typst"])
def test_without_the_extra_one_sentence_says_how_to_get_it(
        kind: str, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(VouchError, match=r'pip install "vouch\[export\]"'):
        files(made(), kind, "survey")


# ---- bibliographies and JSON


def test_bibliographies_know_every_paper() -> None:
    papers = [reference.paper for reference in made().references]
    keys = [entry.key for entry in bibtexparser.parse_string(one("bibtex").decode()).entries]
    items = json.loads(one("csl-json"))
    assert [item["id"] for item in items] == keys
    assert len(set(keys)) == len(papers)
    assert items[0]["author"][0] == {"family": "Gao", "given": "Leo"}
    assert items[0]["issued"] == {"date-parts": [[2022]]}
    assert "not the authors' words" in items[0]["note"]
    # Without an author the title's words make the key.
    assert keys[16] == "m3view"
    records = rispy.loads(one("ris").decode())
    assert [record["title"] for record in records] == [squeezed(paper.label).strip() for paper in papers]


def test_json_is_read_back() -> None:
    assert from_json(one("json")) == made()


# ---- figures


@pytest.mark.parametrize("draw", [timeline, paper_map])
def test_a_figure_is_whole_and_says_what_it_shows(draw: Any) -> None:
    tree = ElementTree.fromstring(draw(made()))
    assert tree.get("role") == "img"
    assert tree.get("aria-label")
    assert tree.find(f"{SVG}title") is not None
    described = tree.find(f"{SVG}desc")
    assert described is not None
    marks = [mark for mark in tree.iter(f"{SVG}g") if mark.get("class") == "mark"]
    shown = [reference for reference in made().references if draw is paper_map or reference.paper.year]
    assert sorted(int(mark.get("data-label", 0)) for mark in marks) == [reference.label for reference in shown]
    assert all(str(mark.get("data-label")) in str(described.text) for mark in marks)
    # Who sees no colours sees shapes.
    assert len({child.tag + str(len(child.get("points", "").split())) for mark in marks for child in mark
                if child.tag.endswith(("circle", "polygon"))}) == len(made().sections)


def test_no_two_marks_of_a_map_cover_each_other() -> None:
    crowded = replace(made(), map=tuple(replace(point, x=0.5, y=0.5) for point in made().map))
    marks = ElementTree.fromstring(paper_map(crowded)).iter(f"{SVG}g")
    spots = [(float(found.get("x", 0)), float(found.get("y", 0)))
             for mark in marks for found in mark.iter(f"{SVG}text")]
    assert all((x - u) ** 2 + (y - v) ** 2 > 18 ** 2 for i, (x, y) in enumerate(spots) for u, v in spots[:i])


def test_many_papers_of_one_year_fit() -> None:
    papers = [replace(made().references[0].paper, id=f"p{n}", year=1990 if n == 1 else 2024) for n in range(1, 121)]
    section = replace(made().sections[0], papers=tuple(paper.id for paper in papers))
    many = Digest(topic="t", title="t", sections=(section,),
                  references=tuple(Reference(label=n, paper=paper) for n, paper in enumerate(papers, 1)))
    tree = ElementTree.fromstring(timeline(many))
    assert float(tree.get("height", 0)) < 600
    assert len([mark for mark in tree.iter(f"{SVG}g") if mark.get("class") == "mark"]) == 120


def test_no_picture_without_what_it_shows() -> None:
    undated = replace(made(), map=made().map[:1], references=tuple(
        replace(reference, paper=replace(reference.paper, year=None)) for reference in made().references))
    assert timeline(undated) == paper_map(undated) == ""
    assert "Timeline and map" not in markdown(undated)


# ---- writing


@pytest.mark.parametrize(("name", "kind"), [
    ("a.md", "markdown"), ("a.HTML", "html"), ("a.csl.json", "csl-json"), ("a.json", "json"), ("a.b.tex", "latex"),
])
def test_a_suffix_tells_the_format(name: str, kind: str) -> None:
    assert format_of(Path(name)) == kind


def test_a_digest_is_written_with_what_stands_beside_it(tmp_path: Path) -> None:
    written = write(made(), tmp_path / "survey.md")
    assert [path.name for path in written] == ["survey.md", "survey-timeline.svg", "survey-map.svg"]
    assert sorted(tmp_path.iterdir()) == sorted(written)
    assert write(made(), tmp_path / "survey.txt", "ris") == (tmp_path / "survey.txt",)


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(VouchError, match=r"survey\.odt tells no format: end it in \.md"):
        write(made(), tmp_path / "survey.odt")
    with pytest.raises(VouchError, match="no format 'odt'"):
        write(made(), tmp_path / "survey.odt", "odt")
    with pytest.raises(VouchError, match="cannot be written"):
        write(made(), tmp_path / "absent" / "survey.md")


@pytest.mark.parametrize("kind", FORMATS)
def test_a_digest_of_nothing(kind: str) -> None:
    assert one(kind, NOTHING) is not None
    if kind in ("markdown", "html"):
        assert "Nothing in the library is on" in one(kind, NOTHING).decode()
