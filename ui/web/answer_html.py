"""Questions and answers as HTML for the chat. Pure; everything that papers, models and people wrote is escaped.

Each message is one line that begins with a block element, which the chat's Markdown passes on as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rag.schema import Answer, Citation, Paper, Reference, Sentence, Usage
from ui.render import NEAREST, NOTHING, answer_lines, answer_markdown, understood_line, usage_line
from ui.sides import Side, alone, blocks, paragraphs
from ui.web.card import byline, outside, paper_link
from ui.web.typeset import escape, marked, typeset

_WEAK = "The cited words support this only in part"


def question_html(question: str, *, claim: bool = False) -> str:
    """What the person asked, or claimed, as they wrote it."""
    what = '<span class="what">Claim to check</span>' if claim else ""
    return f'<div class="question">{what}{escape(question)}</div>'


def failure_html(sentence: str) -> str:
    """Something that went wrong, in one sentence."""
    return f'<div class="answer"><p class="failure">{escape(sentence)}</p></div>'


def draft_html(sentences: Sequence[Sentence], papers: Mapping[str, Paper], doing: str, reading: Iterable[str] = (),
               rewritten: str | None = None, narrowed: str | None = None) -> str:
    """An answer that is still being written.

    Args:
        sentences: what has been said so far.
        papers: the papers by id, as far as they are known.
        doing: what is being done at the moment.
        reading: titles of the papers being read; shown until the first sentence is there.
        rewritten: the question as it was understood, where that is not how it was asked.
        narrowed: which papers are looked at, as the answer will tell it.
    """
    titles = "" if sentences else "".join(f"<li>{typeset(title)}</li>" for title in reading)
    listed = f'<ul class="reading">{titles}</ul>' if titles else ""
    return (f'<div class="answer draft">{_line("rewritten", understood_line(rewritten))}{narrowed_html(narrowed)}'
            f'{_prose(blocks(sentences), papers)}<p class="doing">{escape(doing)}</p>{listed}</div>')


def answer_html(answer: Answer, place: int | None = None, spent: Usage | None = None) -> str:
    """A finished answer: its sentences with their citations, the references, what was withheld, how it was made.

    Args:
        answer: the answer.
        place: its number in the conversation, from 0, by which it can be asked for afresh; None where it was not kept.
        spent: what the conversation has used up to here, where more than this answer.
    """
    papers = {reference.paper.id: reference.paper for reference in answer.references}
    parts = [
        '<div class="answer">',
        _line("rewritten", understood_line(answer.rewritten_question)),
        narrowed_html(answer.narrowed),
        _abstention(answer) if answer.abstained else _prose(blocks(answer.sentences), papers),
        _weak_key(answer),
        notice_html(answer.notice),
        references_html(answer.references, answer.sentences),
        _withheld(answer, papers),
        "" if answer.kind == "greeting" else colophon_html(
            _made(answer), answer_lines(answer, width=100_000), answer_markdown(answer),
            f'<button class="afresh" id="afresh-{place}">Ask afresh</button>'
            if answer.cached and place is not None else ""),
        usage_html(answer.usage, spent),
        "</div>",
    ]
    return "".join(parts)


def _line(kind: str, told: str | None) -> str:
    return f'<p class="{kind}">{typeset(told)}</p>' if told else ""


def narrowed_html(told: str | None) -> str:
    """Which papers were looked at."""
    return _line("narrowed", told)


def notice_html(notice: str | None) -> str:
    """What the reader should know beside the answer."""
    return f'<p class="notice">{escape(notice)}</p>' if notice else ""


def _prose(said: Iterable[tuple[Side, ...]], papers: Mapping[str, Paper]) -> str:
    """Text that runs on, and sides beside one another."""
    parts = [_running(block[0].sentences, papers) if block[0].name is None else sides_html(block, papers)
             for block in said]
    return f'<div class="prose-text">{"".join(parts)}</div>' if parts else ""


def sides_html(sides: Sequence[Side], papers: Mapping[str, Paper]) -> str:
    """Sides beside one another, each under its heading."""
    columns = (f'<div class="side"><h3>{typeset(side.heading)}</h3>'
               f'{_running(side.sentences, papers) or f"<p class=nothing>{NOTHING}</p>"}</div>' for side in sides)
    return f'<div class="sides">{"".join(columns)}</div>'


def _running(sentences: Iterable[Sentence], papers: Mapping[str, Paper]) -> str:
    """Runs of statements become paragraphs, each quote a block of its own under its paper's name."""
    groups = list(paragraphs(sentences))
    return "".join(
        _quote(group[0], before, papers) if group[0].kind == "quote" else _paragraph(group, following, papers)
        for before, group, following in zip([(), *groups], groups, [*groups[1:], ()], strict=False))


def _paragraph(group: Sequence[Sentence], following: Sequence[Sentence], papers: Mapping[str, Paper]) -> str:
    """Sentences on their own lines: an item of a list, what heads the one that follows, or prose."""
    heads = len(group) == 1 and group[0].kind == "frame" and following and alone(following[0])
    kind = ' class="item"' if alone(group[0]) else ' class="lead"' if heads else ""
    return f'<p{kind}>{" ".join(_statement(sentence, papers) for sentence in group)}</p>'


def _quote(sentence: Sentence, before: Sequence[Sentence], papers: Mapping[str, Paper]) -> str:
    """A quote under its paper's name, which is not said again where the quote before is the same paper's."""
    paper = _quoted(sentence, papers)
    again = bool(before) and before[0].kind == "quote" and _quoted(before[0], papers) is paper
    source = f'<p class="source">{_title_and_byline(paper)}</p>' if paper and not again else ""
    chips = _chips(sentence.citations, papers)
    words = f'<span class="words">{marked(sentence.text, sentence.marked)}</span>'
    return f'<div class="quoted{" again" * again}">{source}<p>“{words}<span class="tail">”{chips}</span></p></div>'


def _quoted(sentence: Sentence, papers: Mapping[str, Paper]) -> Paper | None:
    return papers.get(sentence.citations[0].paper_id) if sentence.citations else None


def _statement(sentence: Sentence, papers: Mapping[str, Paper]) -> str:
    words, chips = marked(sentence.text, sentence.marked), _chips(sentence.citations, papers)
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


def references_html(references: Sequence[Reference], sentences: Sequence[Sentence]) -> str:
    """The list of references, each opening the words that are cited first; nothing without any."""
    if not references:
        return ""
    cited = {citation.label: citation for s in reversed(sentences) for citation in s.citations}
    items = "".join(
        f'<li><span class="n">{reference.label}</span><span class="entry">'
        f"{_opener(reference.paper, cited.get(reference.label))}{_where_from(reference.paper)}</span></li>"
        for reference in references
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


def _made(answer: Answer) -> str:
    if answer.abstained:
        return "Nothing here carries an answer"
    if answer.kind == "library":
        return "From the library’s own records"
    if answer.engine == "extractive":
        return own_words(answer.references)
    kept = ", kept from an earlier answer" if answer.cached else ""
    return f"Written by {answer.model or 'a language model'}{kept}, each sentence checked"


def own_words(references: Iterable[Reference]) -> str:
    """Whose words an answer of quotes is made of; a summary's are not the paper's, and nothing says that they are."""
    summaries = [reference.paper.text_kind == "summary" for reference in references]
    whose = "the papers’" if not any(summaries) else "the summaries’" if all(summaries) else (
        "the papers’ and the summaries’")
    return f"From {whose} own words"


def colophon_html(made: str, plain: Iterable[str], markdown: str, more: str = "") -> str:
    """How an answer was made, and what copies it.

    Args:
        made: how, in a few words.
        plain: the answer as lines of plain text, to be copied.
        markdown: the answer as Markdown, to be copied.
        more: another button, as HTML.
    """
    return (f'<div class="colophon"><span class="made">{escape(made)}</span>{more}<span class="copies">'
            '<button class="copy">Copy</button><button class="copy as-markdown">Copy as Markdown</button></span>'
            f'<pre class="plain">{escape(chr(10).join(plain))}</pre>'
            f'<pre class="markdown">{escape(markdown)}</pre></div>')


def usage_html(usage: Usage | None, spent: Usage | None) -> str:
    """What an answer has used, and its conversation where that is more; nothing where it is not known."""
    if usage is None:
        return ""
    more = f" · this conversation: {usage_line(spent)}" if spent else ""
    return f'<p class="usage">{escape(usage_line(usage) + more)}</p>'
