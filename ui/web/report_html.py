"""The report on a claim as HTML for the chat. Pure; everything that papers and people wrote is escaped."""

from __future__ import annotations

from rag.schema import ClaimReport, Usage
from ui.claims import claim_lines, claim_markdown, sure_words, verdict_words
from ui.sides import sides
from ui.web.answer_html import (
    colophon_html,
    narrowed_html,
    notice_html,
    own_words,
    references_html,
    sides_html,
    usage_html,
)


def report_html(report: ClaimReport, narrowed: str | None = None, spent: Usage | None = None) -> str:
    """The verdict on a claim and how sure it is, what speaks for it beside what speaks against it, the references.

    Args:
        report: the report.
        narrowed: which papers were looked at, where not all.
        spent: what the conversation has used up to here.
    """
    papers = {reference.paper.id: reference.paper for reference in report.references}
    found = bool(report.for_ or report.against)
    parts = [
        '<div class="answer report">',
        narrowed_html(narrowed),
        f'<p class="verdict {report.verdict.replace(" ", "-")}"><strong>{verdict_words(report)}</strong> '
        f'<span class="sure">{sure_words(report)}</span></p>',
        f'<div class="prose-text">{sides_html(sides(report), papers)}</div>' if found else "",
        notice_html(report.notice),
        references_html(report.references, (*report.for_, *report.against)),
        colophon_html(_made(report, found=found), claim_lines(report, width=100_000), claim_markdown(report)),
        usage_html(report.usage, spent),
        "</div>",
    ]
    return "".join(parts)


def _made(report: ClaimReport, *, found: bool) -> str:
    if not found:
        return "Nothing here speaks for it or against it"
    words = own_words(report.references)
    return words if report.engine == "extractive" else f"{words}, weighed by {report.model or 'a language model'}"
