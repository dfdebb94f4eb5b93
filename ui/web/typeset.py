"""Words of papers and models as HTML: escaped, with mathematics marked for the page to typeset. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from rag.text import Span
from ui.render import whole

# The page typesets what stands between these and nothing else, so that a price is never taken for mathematics.
DELIMITERS: tuple[dict[str, str | bool], ...] = (
    {"left": r"\(", "right": r"\)", "display": False},
    {"left": r"\[", "right": r"\]", "display": True},
)

_DOLLARS = re.compile(r"\$\$(?P<shown>[^$]{1,400})\$\$|\$(?P<inline>(?!\s)[^$]{0,240}[^\s$])\$(?!\d)")
_ONE_LINE = str.maketrans({"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
_SIGN = re.compile(r"[\\^_=<>+*/|]")
_PROSE = re.compile(r"\s[A-Za-z]{2,}|[A-Za-z]{2,}\s")
_COMMAND = re.compile(r"\\[A-Za-z]+\s?|\{[^{}]*\}")


def typeset(text: str) -> str:
    r"""The text as HTML on one line: nothing in it is markup, and a ``$formula$`` becomes ``\(formula\)``."""
    out: list[str] = []
    at = 0
    for (start, end), body in formulas(text):
        # Shown mathematics stays in its line too: a sentence is not to be torn.
        out += (escape(text[at:start]), r"\(", escape(body), r"\)")
        at = end
    out.append(escape(text[at:]))
    return "".join(out)


def formulas(text: str) -> Iterator[tuple[Span, str]]:
    """The formulas of a text: where each stands, dollars and all, and what is between them."""
    for match in _DOLLARS.finditer(text):
        body = match["shown"] or match["inline"]
        if _is_maths(body):
            yield match.span(), body


def marked(text: str, span: Span | None) -> str:
    """The text as `typeset` gives it, with a span of it marked; a formula is marked whole."""
    if span is None:
        return typeset(text)
    start, end = whole(span, (found.span() for found in _DOLLARS.finditer(text)))
    return f"{typeset(text[:start])}<mark>{typeset(text[start:end])}</mark>{typeset(text[end:])}"


def escape(text: str) -> str:
    """The text escaped for HTML content and attributes, on one line, whatever it holds.

    A blank line would end the block of raw HTML that a message is, and start Markdown.
    """
    return html.escape(text).translate(_ONE_LINE)


def _is_maths(body: str) -> bool:
    bare = _COMMAND.sub("", _COMMAND.sub("", body))
    if _PROSE.search(bare) and (not _SIGN.search(body) or len(_PROSE.findall(bare)) > 2):
        return False
    # "$5-$" and "$5 (or 10$": amounts, unless something only mathematics has stands in them.
    return not (body[0].isdigit() and not _SIGN.search(body) and len(body) > 3)
