"""What a person reads of a claim that was checked. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rag.schema import ClaimReport, ClaimVerdict
from ui.render import (
    escape_markdown,
    reference_lines,
    references_markdown,
    said_lines,
    said_markdown,
    wrapped,
)
from ui.sides import sides

_SAID: Mapping[ClaimVerdict, str] = {
    "supported": "Supported",
    "contradicted": "Contradicted",
    "mixed": "Mixed: papers on either side",
    "no evidence": "No evidence for it or against it",
}


def verdict_words(report: ClaimReport) -> str:
    """The verdict for a reader: "Supported"."""
    return _SAID[report.verdict]


def sure_words(report: ClaimReport) -> str:
    """How sure the verdict is, in words and as a number: "fairly sure, 72%"."""
    words = next(words for least, words in (
        (0.9, "very sure"), (0.7, "fairly sure"), (0.5, "not very sure"), (0.0, "hardly more than a guess"))
        if report.confidence >= least)
    return f"{words}, {report.confidence:.0%}"


def claim_lines(report: ClaimReport, width: int = 80) -> Iterator[str]:
    """The whole report as lines of plain text no wider than ``width`` (a longer word stays whole)."""
    yield from wrapped(f"{verdict_words(report)} ({sure_words(report)}).", width)
    if report.for_ or report.against:
        yield ""
        yield from said_lines([sides(report)], report.references, width)
    yield from reference_lines(report.references, width)
    if report.notice:
        yield ""
        yield from wrapped(report.notice, width)


def claim_markdown(report: ClaimReport) -> str:
    """The report as a Markdown document: the claim as heading, the verdict, both sides, the references."""
    parts = [f"## {escape_markdown(report.claim)}", f"**{verdict_words(report)}** ({sure_words(report)})"]
    if report.for_ or report.against:
        parts += said_markdown([sides(report)], report.references)
    parts += references_markdown(report.references)
    if report.notice:
        parts.append(f"*{escape_markdown(report.notice)}*")
    return "\n\n".join(parts) + "\n"
