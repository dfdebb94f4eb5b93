"""A digest as HTML for the page: citations and cells open the papers' words beside it. Pure; all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import quote

from rag.schema import SUMMARY, Citation, Excerpt, Paper, Reference, Sentence
from rag.survey import Comparison, Digest, DigestSection, Row
from ui.digest.figures import paper_map, timeline
from ui.formula import pieces, plain
from ui.render import byline, short_year, usage_line
from ui.sides import paragraphs
from ui.web.card import outside, paper_link
from ui.web.filter import only

Papers = Mapping[str, Paper]

_WEAK = "The cited words support this only in part"
_CELLS = (("Problem", "problem"), ("Approach", "approach"), ("Data or benchmark", "data"), ("Main result", "result"))


def digest_html(digest: Digest) -> str:
    """The whole digest: what it is about, summary, sections, comparison, pictures, references."""
    papers = {reference.paper.id: reference.paper for reference in digest.references}
    compared = "".join(_comparison(heading, comparisons, papers) for heading, comparisons in (
        ("Agreements", digest.agreements), ("Disagreements", digest.disagreements)))
    return "".join((
        f'<article class="digest"><h2 tabindex="-1">{text_html(digest.title or digest.topic)}</h2>',
        f'<p class="scope">{text_html(digest.scope)}</p>' if digest.scope else "",
        f'<p class="scope">{text_html(only(digest.where))}</p>' if digest.where else "",
        _made(digest),
        f'<p class="notice">{text_html(digest.notice)}</p>' if digest.notice else "",
        _withheld(digest),
        _part("Summary", said_html(digest.summary, papers)),
        *(_section(section, papers) for section in digest.sections),
        _part("Comparison", _table(digest)),
        compared,
        _part("Open problems", said_html(digest.open_problems, papers)),
        _part("Timeline", _figure("Timeline", timeline(digest), _by_year(digest))),
        _part("Map", _figure("Map", paper_map(digest), "Papers whose abstracts are alike lie near each other.")),
        _part("References", _references(digest.references)),
        "</article>"))


def _made(digest: Digest) -> str:
    if digest.engine != "llm":
        return ""
    used = f" {usage_line(digest.usage)}." if digest.usage else ""
    return f'<p class="scope">Written by {escape(digest.model or "a language model")}, each sentence checked.{used}</p>'


def _part(heading: str, body: str) -> str:
    return f"<section><h3>{text_html(heading)}</h3>{body}</section>" if body else ""


def _section(section: DigestSection, papers: Papers) -> str:
    differs = "".join(_compared(one, papers) for one in section.differs)
    return _part(section.heading, "".join((
        said_html(section.shared, papers),
        f"<h4>What each adds</h4>{said_html(section.adds, papers)}" if section.adds else "",
        f"<h4>Where they differ</h4>{differs}" if differs else "")))


def _comparison(heading: str, comparisons: Iterable[Comparison], papers: Papers) -> str:
    return _part(heading, "".join(_compared(one, papers) for one in comparisons))


def _compared(comparison: Comparison, papers: Papers) -> str:
    about = comparison.about.strip()
    named = f'<p class="about">{text_html(about[:1].upper() + about[1:])}</p>' if about else ""
    return named + said_html(comparison.sentences, papers)


def said_html(sentences: Iterable[Sentence], papers: Papers) -> str:
    """Quotes under their papers' names, all else as prose."""
    parts = []
    for group in paragraphs(sentences):
        if group[0].kind == "quote":
            parts.append(_quote(group[0], papers))
        else:
            parts.append(f"<p>{' '.join(_statement(sentence, papers) for sentence in group)}</p>")
    return "".join(parts)


def _quote(sentence: Sentence, papers: Papers) -> str:
    paper = papers.get(sentence.citations[0].paper_id) if sentence.citations else None
    known = ", ".join(filter(None, (byline(paper), "summary" if paper.text_kind == "summary" else ""))) if paper else ""
    source = (f'<p class="source"><span class="title">{text_html(paper.label)}</span>'
              f'{f" · {escape(known)}" if known else ""}</p>') if paper else ""
    return (f'<div class="quoted">{source}<p>“<span class="words">{text_html(sentence.text)}</span>'
            f'<span class="tail">”{_chips(sentence, papers)}</span></p></div>')


def _statement(sentence: Sentence, papers: Papers) -> str:
    words = text_html(sentence.text)
    if sentence.kind == "statement" and sentence.verdict == "weak":
        words = f'<span class="weak" title="{_WEAK}">{words}</span>'
    return words + _chips(sentence, papers)


def _chips(sentence: Sentence, papers: Papers) -> str:
    return "".join(_chip(citation, papers.get(citation.paper_id)) for citation in sentence.citations)


def _chip(citation: Citation, paper: Paper | None) -> str:
    name = f": {escape(plain(paper.label))}" if paper else ""
    return (f'<a class="cite" href="{escape(paper_link(citation.paper_id, citation))}"'
            f' title="{escape(citation.support.quote)}"><span class="visually-hidden">citation </span>'
            f'{citation.label or "source"}<span class="visually-hidden">{name}</span></a>')


def _table(digest: Digest) -> str:
    papers = {reference.label: reference.paper for reference in digest.references}
    rows = "".join(_row(row, papers[row.label]) for row in digest.table if row.label in papers)
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Paper", "Year", *(name for name, _ in _CELLS)))
    return ('<p class="scope">Each cell is in the words of the abstract (of the summary, where the paper is marked '
            "so); it is empty where they do not say.</p>"
            '<div class="wide" tabindex="0" role="region" aria-label="Comparison of the papers"><table>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")


def _row(row: Row, paper: Paper) -> str:
    cells = "".join(f"<td>{_cell(getattr(row, field), paper)}</td>" for _, field in _CELLS)
    kind = " (summary)" if paper.text_kind == "summary" else ""
    return (f'<tr><th scope="row"><span class="n">{row.label}</span> {_opener(paper)}{kind}</th>'
            f"<td>{escape(short_year(paper))}</td>{cells}</tr>")


def _cell(excerpt: Excerpt | None, paper: Paper) -> str:
    if excerpt is None:
        return ""
    where = f"#paper/{quote(paper.id, safe='')}/{excerpt.start}/{excerpt.end}"
    return f'<a class="cell" href="{escape(where)}" title="{escape(excerpt.text)}">{text_html(excerpt.text)}</a>'


def _figure(name: str, svg: str, caption: str) -> str:
    return (f'<figure><div class="picture" tabindex="0" role="region" aria-label="{name} of the papers">{svg}</div>'
            f"<figcaption>{caption}</figcaption></figure>") if svg else ""


def _by_year(digest: Digest) -> str:
    undated = sum(reference.paper.year is None for reference in digest.references)
    left = f" {undated} of {len(digest.references)} papers have no known year." if undated else ""
    return f"The papers by year, numbered as in the references.{left}"


def _references(references: Sequence[Reference]) -> str:
    items = "".join(f'<li><span class="n">{reference.label}</span><span class="entry">{_opener(reference.paper)}'
                    f"{_from(reference.paper)}</span></li>" for reference in references)
    return f'<ul class="listed">{items}</ul>' if items else ""


def _opener(paper: Paper) -> str:
    return f'<a class="open" href="{escape(paper_link(paper.id))}">{text_html(paper.label)}</a>'


def _from(paper: Paper) -> str:
    origin = f"<code>{escape(str(paper.origins[0]))}</code>" if paper.origins else ""
    kind = SUMMARY if paper.text_kind == "summary" else ""
    parts = [part for part in (escape(byline(paper)), kind, outside(paper), origin) if part]
    return f' <span class="from">{" · ".join(parts)}</span>' if parts else ""


def _withheld(digest: Digest) -> str:
    count = len(digest.withheld)
    if not count:
        return ""
    items = "".join(f"<li>{text_html(one.sentence.text)} ({escape(one.reason)})</li>" for one in digest.withheld)
    return (f'<details class="withheld"><summary>{count} sentence{"s" if count > 1 else ""} withheld</summary>'
            f'<p class="warning">Not supported by the papers. Do not rely on {"these" if count > 1 else "this"}.</p>'
            f"<ul>{items}</ul></details>")


def text_html(text: str) -> str:
    """The text escaped, with its mathematics as MathML."""
    return "".join(escape(piece) if isinstance(piece, str)
                   else f'<math alttext="{escape(piece.tex)}">{piece.mathml}</math>' for piece in pieces(text))
