"""A digest on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rag.survey import Digest
from ui.digest.document import Bibliography, Grid, Heading, Items, Paragraph, Picture, Role, Run, document
from ui.formula import plain
from ui.talk import tell_notes
from ui.terminal import Piece, Terminal

_STYLES: Mapping[Role, str] = {"words": "", "strong": "bold", "aside": "dim", "cite": "cyan", "link": ""}


def tell_digest(digest: Digest, terminal: Terminal, *, withheld: bool = False) -> None:
    """Prints the digest; ``withheld`` adds the sentences that failed their check, and why they did."""
    for place, block in enumerate(document(digest)):
        if isinstance(block, Heading):
            _tell_heading(block, terminal, first=not place)
        elif isinstance(block, Paragraph):
            terminal.line(*_pieces(block.runs))
        elif isinstance(block, Items):
            for runs in block.items:
                terminal.line(*_pieces(runs), lead="- ")
        elif isinstance(block, Grid):
            _tell_grid(block, terminal)
        elif isinstance(block, Picture):
            terminal.line(Piece(plain(block.caption), "dim"))
            for line in block.text.split("; "):
                terminal.line(plain(line), lead="  ")
        elif isinstance(block, Bibliography):
            _tell_heading(block.heading, terminal)
            for label, _, runs in block.entries:
                terminal.line(*_pieces(runs), lead=f"[{label}] ")
    if withheld and digest.withheld:
        terminal.blank()
        terminal.line(Piece("Withheld", "bold"))
        for one in digest.withheld:
            terminal.line(Piece(f"{plain(one.sentence.text)} ({one.reason})", "dim"), lead="- ")
    tell_notes(None, digest.usage, terminal)


def _tell_heading(heading: Heading, terminal: Terminal, *, first: bool = False) -> None:
    if not first:
        terminal.blank()
    terminal.line(Piece(plain(heading.text), "bold underline" if heading.level < 3 else "bold"))


def _tell_grid(grid: Grid, terminal: Terminal) -> None:
    """A paper after the other, with what its row holds: a table of sentences does not fit a terminal."""
    _tell_heading(grid.heading, terminal)
    terminal.line(Piece(plain(grid.caption), "dim"))
    for paper, *cells in grid.rows:
        terminal.line(*_pieces(paper))
        for name, runs in zip(grid.head[1:], cells, strict=True):
            if runs:
                terminal.line(*_pieces(runs), lead=Piece(f"    {name}: ", "dim"))


def _pieces(runs: Sequence[Run]) -> Iterator[Piece]:
    for run in runs:
        text = plain(run.text) if run.text.strip() else run.text
        if run.role == "cite":
            text = f"[{text}]"
        # Formulas are read from whole words: the blanks around them are the run's own.
        lead, tail = (" " if edge.isspace() else "" for edge in (run.text[:1], run.text[1:][-1:]))
        yield Piece(f"{lead}{text.strip()}{tail}", _STYLES[run.role], run.target if run.role == "link" else None)
