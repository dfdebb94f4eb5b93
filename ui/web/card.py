"""A paper's card: everything the library holds of it, with the cited words marked. Pure."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from rag.schema import Citation, Paper
from rag.text import Span
from ui.render import link, short_authors, short_year
from ui.web.typeset import escape, marked, typeset

SUMMARY_LABEL = "Summary written for Vouch, not the authors’ words"
EMPTY = (
    '<div class="card empty"><h2>Paper</h2><p>Open a citation and the paper’s own words appear here, '
    "with the cited passage marked.</p></div>"
)


def paper_link(paper_id: str, citation: Citation | None = None) -> str:
    """The link that opens a paper's card on this page, at the words of a citation where one is given."""
    where = f"{citation.support.start}/{citation.support.end}" if citation else "0/0"
    return f"#paper/{quote(paper_id, safe='')}/{where}"


def byline(paper: Paper) -> str:
    """First author and year in short, as HTML; empty where neither is known."""
    return escape(", ".join(part for part in (short_authors(paper.authors), short_year(paper)) if part))


def outside(paper: Paper) -> str:
    """A link to the paper's own page, named after its host; empty where it has none that a browser may follow."""
    address = link(paper)
    if not address:
        return ""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    name = f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else parts.hostname.removeprefix("www.")
    return f'<a class="outside" href="{escape(address)}" target="_blank" rel="noopener noreferrer">{escape(name)}</a>'


def cited_span(paper: Paper, start: int, end: int, words: str) -> Span | None:
    """Where the cited words stand in the paper's text as it is now; None where they no longer do.

    Args:
        paper: the paper as the library holds it.
        start: where the words began when they were cited.
        end: where they ended.
        words: the words; the paper may have been ingested again since, with another text.
    """
    if words and paper.abstract[start:end] == words:
        return start, end
    found = paper.abstract.find(words) if words else -1
    return (found, found + len(words)) if found >= 0 else None


def card(paper: Paper, span: Span | None = None, note: str = "") -> str:
    """The card of a paper.

    Args:
        paper: the paper.
        span: the cited words in its abstract, to be marked.
        note: a line for the reader above the text, plain.
    """
    facts = [escape(fact) for fact in (", ".join(paper.authors), _when(paper), paper.venue or "") if fact]
    sources = [part for part in (outside(paper), *(f"<code>{escape(str(o))}</code>" for o in paper.origins)) if part]
    parts = [
        '<div class="card">',
        '<button class="close">Back to the answer</button>',
        f"<h2>{typeset(paper.label)}</h2>",
        f'<p class="facts">{" · ".join(facts)}</p>' if facts else "",
        f'<p class="sources">{" · ".join(sources)}</p>' if sources else "",
        f'<p class="kind">{SUMMARY_LABEL}</p>' if paper.text_kind == "summary" else "",
        f'<p class="note">{typeset(note)}</p>' if note else "",
        f'<p class="abstract">{marked(paper.abstract, span)}</p>',
        "</div>",
    ]
    return "".join(parts)


def missing(words: str) -> str:
    """The card of a paper that has left the library, with the words that were cited from it."""
    cited = f'<p class="abstract"><mark>{typeset(words)}</mark></p>' if words else ""
    return ('<div class="card"><button class="close">Back to the answer</button><h2>No longer in the library</h2>'
            f'<p class="note">This paper was removed after it was cited. The words cited from it:</p>{cited}</div>')


def unreadable(sentence: str) -> str:
    """The card of a paper that cannot be shown, and why."""
    return ('<div class="card"><button class="close">Back to the answer</button><h2>Paper</h2>'
            f'<p class="note">{escape(sentence)}</p></div>')


def _when(paper: Paper) -> str:
    if paper.year is None:
        return f"{paper.date} (as printed, without a year)" if paper.date else ""
    if paper.year_inferred:
        return f"{paper.year} (inferred; printed: {paper.date})" if paper.date else f"{paper.year} (inferred)"
    return str(paper.year)
