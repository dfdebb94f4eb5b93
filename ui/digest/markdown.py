"""A digest as Markdown. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence

from rag.survey import Digest
from ui.digest.document import Bibliography, Block, Grid, Heading, Items, Paragraph, Picture, Run, document
from ui.formula import pieces

_ACTIVE = re.compile(r"([\\`*_\[\]#|~!$])")
# What begins a list, a rule or a heading where it begins a line.
_START = re.compile(r"^(\d*)([-+=.)])")


def markdown(digest: Digest, pictures: Mapping[str, str] | None = None) -> str:
    """The digest as a Markdown document.

    Args:
        digest: what to write.
        pictures: the file of each figure, by its name ("timeline", "map"), beside the document; without one the
            figure is told in words.
    """
    blocks = (text for block in document(digest) for text in _block(block, pictures or {}))
    return "\n\n".join(blocks) + "\n"


def _block(block: Block, pictures: Mapping[str, str]) -> Iterator[str]:
    if isinstance(block, Heading):
        yield f"{'#' * block.level} {_text(block.text)}"
    elif isinstance(block, Paragraph):
        yield _line(block.runs)
    elif isinstance(block, Items):
        yield "\n".join(f"- {_line(runs)}" for runs in block.items)
    elif isinstance(block, Grid):
        yield from _block(block.heading, pictures)
        yield f"*{_text(block.caption)}*"
        yield "\n".join(_row(row) for row in (
            block.head, ("---",) * len(block.head), *([_line(cell) for cell in row] for row in block.rows)))
    elif isinstance(block, Picture):
        if block.name in pictures:
            yield f"![{_text(block.text)}](<{pictures[block.name]}>)"
            yield f"*{_text(block.caption)}*"
        else:
            yield f"*{_text(block.caption)}*"
            yield "\n".join(f"- {_text(part)}" for part in block.text.split("; "))
    elif isinstance(block, Bibliography):
        yield from _block(block.heading, pictures)
        yield "\n".join(f"- \\[{label}\\] {_line(runs)} `@{key}`" for label, key, runs in block.entries)


def _line(runs: Sequence[Run]) -> str:
    return _START.sub(r"\1\\\2", "".join(map(_run, runs)).strip())


def _run(run: Run) -> str:
    text = _text(run.text)
    if run.role == "cite":
        return f"\\[{text}\\]"
    if run.role == "link":
        return f"[{text}](<{html.escape(run.target, quote=False)}>)"
    if run.role in ("strong", "aside") and text:
        mark = "**" if run.role == "strong" else "*"
        return f"{mark}{text}{mark}"
    return text


def _text(text: str) -> str:
    """The text as Markdown that shows it as it is, with its mathematics between dollar signs."""
    lead, tail = (" " if edge.isspace() else "" for edge in (text[:1], text[1:][-1:]))
    return lead + "".join(_escaped(piece) if isinstance(piece, str) else f"${html.escape(piece.tex, quote=False)}$"
                          for piece in pieces(text)) + tail


def _escaped(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", html.escape(text, quote=False))


def _row(cells: Sequence[str]) -> str:
    # A table takes every bar for its own that has no backslash before it, and takes that backslash away.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
