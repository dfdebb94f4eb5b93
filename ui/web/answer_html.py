"""Questions and answers as HTML for the chat. Pure; everything that papers, models and people wrote is escaped.

Each message is one line that begins with a block element, which the chat's Markdown passes on as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rag.schema import Answer, Citation, Paper, Sentence
from ui.render import NEAREST, answer_lines
from ui.web.card import byline, outside, paper_link
from ui.web.typeset import escape, typeset

_WEAK = "The cited words support this only in part"


def question_html(question: str) -> str:
    """What the person asked, as they wrote it."""
    return f'<div class="question">{escape(question)}</div>'


def failure_html(sentence: str) -> str:
    """Something that went wrong, in one sentence."""
    return f'<div class="answer"><p class="failure">{escape(sentence)}</p></div>'


def draft_html(sentences: Sequence[Sentence], papers: Mapping[str, Paper], doing: str, reading: Iterable[str],
               narrowed: str | None = None) -> str:
    """An answer that is still being written.

    Args:
        sentences: what has been said so far.
        papers: the papers by id, as far as they are known.
        doing: what is being done at the moment.
        reading: titles of the papers being read; shown until the first sentence is there.
        narrowed: which papers are looked at, as the answer will tell it.
    """
    titles = "" if sentences else "".join(f"<li>{typeset(title)}</li>" for title in reading)
    listed = f'<ul class="reading">{titles}</ul>' if titles else ""
    return (f'<div class="answer draft">{_narrowed(narrowed)}{_prose(sentences, papers)}'
            f'<p class="doing">{escape(doing)}</p>{listed}</div>')


def answer_html(answer: Answer) -> str:
    """A finished answer: its sentences with their citations, the references, what was withheld, how it was made."""
    papers = {reference.paper.id: reference.paper for reference in answer.references}
    parts = [
        '<div class="answer">',
        f'<p class="rewritten">Understood as: {typeset(answer.rewritten_question)}</p>'
        if answer.rewritten_question else "",
        _narrowed(answer.narrowed),
        _abstention(answer) if answer.abstained else _prose(answer.sentences, papers),
        _weak_key(answer),
        f'<p class="notice">{escape(answer.notice)}</p>' if answer.notice else "",
        _references(answer),
        _withheld(answer, papers),
        _colophon(answer),
        "</div>",
    ]
    return "".join(parts)


def _narrowed(told: str | None) -> str:
    return f'<p class="narrowed">{typeset(told)}</p>' if told else ""


def _prose(sentences: Sequence[Sentence], papers: Mapping[str, Paper]) -> str:
    """Runs of statements become paragraphs, each quote a block of its own under its paper's name."""
    blocks = []
    for quoted, run in groupby(sentences, key=lambda sentence: sentence.kind == "quote"):
        if quoted:
            blocks += [_quote(sentence, papers) for sentence in run]
        else:
            blocks.append(f"<p>{' '.join(_statement(sentence, papers) for sentence in run)}</p>")
    return f'<div class="prose-text">{"".join(blocks)}</div>' if blocks else ""


def _quote(sentence: Sentence, papers: Mapping[str, Paper]) -> str:
    first = sentence.citations[0] if sentence.citations else None
    paper = papers.get(first.paper_id) if first else None
    source = f'<p class="source">{_title_and_byline(paper)}</p>' if paper else ""
    chips = _chips(sentence.citations, papers)
    return (f'<div class="quoted">{source}<p>“<span class="words">{typeset(sentence.text)}</span>'
            f'<span class="tail">”{chips}</span></p></div>')


def _statement(sentence: Sentence, papers: Mapping[str, Paper]) -> str:
    words, chips = typeset(sentence.text), _chips(sentence.citations, papers)
    if sentence.kind == "statement" and sentence.verdict == "weak":
        return f'<span class="weak" title="{_WEAK}">{words}</span>{chips}'
    if chips and words.endswith((".", "!", "?")):
        # The full stop and the chips stay in one line: a chip alone would open the next.
        return f'{words[:-1]}<span class="tail">{words[-1]}{chips}</span>'
    return words + chips


def _chips(citations: Iterable[Citation], papers: Mapping[str, Paper]) -> str:
    return "".join(_chip(citation, papers.get(citation.paper_id)) for citation in citations)


def _chip(citation: Citation, paper: Paper | None) -> str:
    name = f": {escape(paper.label)}" if paper else ""
    shown = citation.label or "source"  # a withheld sentence's papers may have no number
    return (f'<a class="cite" href="{escape(paper_link(citation.paper_id, citation))}"'
            f' title="{escape(citation.support.quote)}"><span class="visually-hidden">citation </span>'
            f'{shown}<span class="visually-hidden">{name}</span></a>')


def _title_and_byline(paper: Paper) -> str:
    parts = [f'<span class="title">{typeset(paper.label)}</span>', byline(paper), _kind(paper)]
    return " · ".join(part for part in parts if part)


def _kind(paper: Paper) -> str:
    return "summary" if paper.text_kind == "summary" else ""


def _weak_key(answer: Answer) -> str:
    if answer.abstained or not any(s.kind == "statement" and s.verdict == "weak" for s in answer.sentences):
        return ""
    return '<p class="key"><span class="weak">Dotted</span>: the cited words support the sentence only in part.</p>'


def _references(answer: Answer) -> str:
    if not answer.references:
        return ""
    cited = {citation.label: citation for s in reversed(answer.sentences) for citation in s.citations}
    items = "".join(
        f'<li><span class="n">{reference.label}</span><span class="entry">'
        f"{_opener(reference.paper, cited.get(reference.label))}{_where_from(reference.paper)}</span></li>"
        for reference in answer.references
    )
    return f'<div class="references"><p class="heading">References</p><ul>{items}</ul></div>'


def _opener(paper: Paper, citation: Citation | None = None) -> str:
    title = f' title="{escape(citation.support.quote)}"' if citation else ""
    return f'<a class="open" href="{escape(paper_link(paper.id, citation))}"{title}>{typeset(paper.label)}</a>'


def _where_from(paper: Paper) -> str:
    origin = f"<code>{escape(str(paper.origins[0]))}</code>" if paper.origins else ""
    parts = [part for part in (byline(paper), _kind(paper), outside(paper), origin) if part]
    return f' <span class="from">{" · ".join(parts)}</span>' if parts else ""


def _withheld(answer: Answer, papers: Mapping[str, Paper]) -> str:
    count = len(answer.withheld)
    if not count:
        return ""
    items = "".join(f"<li>{typeset(s.text)}{_chips(s.citations, papers)}</li>" for s in answer.withheld)
    return (f'<details class="withheld"><summary>{count} sentence{"s" if count > 1 else ""} withheld</summary>'
            f'<p class="warning">Not supported by the papers. Do not rely on '
            f'{"these" if count > 1 else "this"}.</p><ul>{items}</ul></details>')


def _abstention(answer: Answer) -> str:
    said = f'<p class="abstained">{typeset(" ".join(sentence.text for sentence in answer.sentences))}</p>'
    if not answer.nearest:
        return said
    items = "".join(f"<li>{_opener(paper)}{_where_from(paper)}</li>" for paper in answer.nearest)
    return f'{said}<p class="nearest-lead">{NEAREST}</p><ul class="nearest">{items}</ul>'


def _colophon(answer: Answer) -> str:
    if answer.abstained:
        made = "Nothing here carries an answer"
    elif answer.engine == "extractive":
        # A summary's words are not the paper's, and nothing here says that they were.
        summaries = [reference.paper.text_kind == "summary" for reference in answer.references]
        whose = "the papers’" if not any(summaries) else "the summaries’" if all(summaries) else (
            "the papers’ and the summaries’")
        made = f"From {whose} own words"
    else:
        made = f"Written by {escape(answer.model or 'a language model')}, each sentence checked"
    plain = "&#10;".join(escape(line) for line in answer_lines(answer, width=100_000))
    return (f'<div class="colophon"><span>{made}</span><button class="copy">Copy</button>'
            f'<pre class="plain">{plain}</pre></div>')
