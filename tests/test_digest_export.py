from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from ingest.sample import sample_path
from rag.schema import Citation, Excerpt, Paper, Reference, Sentence, Support
from rag.survey import Comparison, Digest, DigestSection, Point, Row, Withheld
from rag.text import sentences

# Titles that would be markup, a command or a picture somewhere; and two of plain mathematics.
NASTY = (
    r'#read("/etc/passwd") @everyone <script>alert(1)</script> \input{/etc/passwd} $\input{/etc/passwd}$ _a_ *b* `c`',
    "![x](http://evil.example/x.png) | <img src=http://evil.example/y.png> | $5 and 5% of {x #let a = 1 //",
    "The $M^3$ view of PC$^2$",
    "= 海の潮汐 – ‘quoted’ \"titles\"\nTY  - JOUR\nER  - ",
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
            differs=(Comparison(about="how far they go", sentences=(quote(papers, labels[0]), quote(papers, labels[1]))),))
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
