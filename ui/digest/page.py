"""A digest as one HTML file that needs nothing beside it: no script, no network. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from importlib.resources import files

from rag.survey import Digest
from ui.digest.document import Bibliography, Block, Grid, Heading, Items, Paragraph, Picture, Run, document
from ui.formula import pieces, plain

# Whatever a title holds, the page can load and run nothing.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(digest: Digest) -> str:
    """The digest as an HTML document; citations lead to their references and show what they rest on."""
    style = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    title = html.escape(plain(digest.title or digest.topic or "Digest"))
    return (f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="referrer" content="no-referrer">\n<title>{title}</title>\n<style>\n{style}</style>\n</head>\n'
            f"<body>\n<main>\n{body(digest)}\n</main>\n</body>\n</html>\n")


def body(digest: Digest) -> str:
    """What stands inside of the page."""
    return "\n".join(map(_block, document(digest)))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p>{_runs(block.runs)}</p>"
    if isinstance(block, Items):
        return "<ul>\n{}\n</ul>".format("\n".join(f"<li>{_runs(runs)}</li>" for runs in block.items))
    if isinstance(block, Grid):
        return _block(block.heading) + _table(block)
    if isinstance(block, Picture):
        return f"<figure>{block.svg}<figcaption>{_text(block.caption)}</figcaption></figure>"
    return _block(block.heading) + _references(block)


def _table(grid: Grid) -> str:
    columns = "".join(f'<col style="width: {share:.0%}">' for share in grid.shares)
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in grid.head)
    rows = "\n".join(f'<tr><th scope="row">{_runs(first)}</th>' + "".join(f"<td>{_runs(cell)}</td>" for cell in cells)
                     + "</tr>" for first, *cells in grid.rows)
    return (f'<div class="wide" tabindex="0" role="region" aria-label="{_text(grid.heading.text)}">\n<table>'
            f"<caption>{_text(grid.caption)}</caption><colgroup>{columns}</colgroup>\n"
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n</div>")


def _references(block: Bibliography) -> str:
    lines = "\n".join(
        f'<li id="ref-{label}"><span class="number">[{label}]</span> '
        f"<span>{_runs(runs)} <code>{html.escape(key)}</code></span></li>" for label, key, runs in block.entries)
    return f'<ol class="references">\n{lines}\n</ol>'


def _runs(runs: Sequence[Run]) -> str:
    return "".join(map(_run, runs))


def _run(run: Run) -> str:
    text = _text(run.text)
    if run.role == "cite":
        hint = html.escape(plain(run.hint))
        return f'<a class="cite" href="#ref-{html.escape(run.text)}" title="{hint}">[{text}]</a>'
    if run.role == "link":
        return f'<a href="{html.escape(run.target)}" rel="noreferrer">{text}</a>'
    if run.role == "strong":
        return f"<strong>{text}</strong>"
    return f"<em>{text}</em>" if run.role == "aside" else text


def _text(text: str) -> str:
    """The text escaped, with its mathematics as MathML."""
    lead, tail = (" " if edge.isspace() else "" for edge in (text[:1], text[1:][-1:]))
    return lead + "".join(
        html.escape(piece) if isinstance(piece, str)
        else f'<math alttext="{html.escape(piece.tex)}">{piece.mathml}</math>' for piece in pieces(text)) + tail
