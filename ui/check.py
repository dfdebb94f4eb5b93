"""`vouch check`: a claim, and what the papers say for it and against it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rag.schema import ClaimReport, ClaimVerdict
from ui.arguments import UsageError, where
from ui.claims import sure_words, verdict_words
from ui.sides import sides
from ui.talk import tell_notes, tell_references, tell_sides
from ui.terminal import Piece, Terminal

if TYPE_CHECKING:
    from rag.library import Library

_STYLES: dict[ClaimVerdict, str] = {"supported": "bold green", "contradicted": "bold red", "mixed": "bold yellow",
                                    "no evidence": "bold"}


def check(args: argparse.Namespace, library: Library, terminal: Terminal) -> int:
    """Weighs the claim and prints the verdict, then each side."""
    claim = " ".join(args.claim).strip()
    only = where(args)
    if not claim:
        raise UsageError("check what? Put the claim behind `vouch check`")
    with terminal.waiting():
        terminal.doing("Weighing the claim…")
        report = library.check(claim, where=only, engine=args.engine)
    if terminal.as_json:
        terminal.document(report)
    else:
        tell_report(report, terminal)
    return 0


def tell_report(report: ClaimReport, terminal: Terminal) -> None:
    """Prints the verdict, what speaks for the claim and against it, and the papers."""
    terminal.line(Piece(verdict_words(report), _STYLES[report.verdict]), Piece(f" ({sure_words(report)})", "dim"))
    papers = {reference.paper.id: reference.paper for reference in report.references}
    if report.for_ or report.against:
        terminal.blank()
        tell_sides(sides(report), papers, terminal)
    if report.references:
        tell_references(report.references, terminal)
    tell_notes(report.notice, report.usage, terminal)
