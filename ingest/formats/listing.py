"""Text listings: papers as people copy them from a page, with or without titles, dates and page furniture. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingest.formats import fields
from ingest.formats.dates import Printed, missing_year, printed
from ingest.formats.fields import Record
from ingest.formats.layout import Role, is_names, is_prose, roles, size
from ingest.formats.lines import Line, classified, tidied, unwrapped
from rag.schema import Paper

# Shapes of lines that code, markup and logs are full of and listings have none of.
_CODE = re.compile(
    r"""(?:import|from|def|class|return|if|for|while|else|elif|try|const|let|var|function|public|private|static)\b
        .*[:;{(]$ | import\ [\w.]+$ | from\ \S+\ import\b | \#include | \#!/ | //\ ? | /\*| \*/ | ```|\#{1,6}\ | !\[ |
        </?\w+[^>]*>.* | [{}()\[\];,]+$ | .*[{};]$ | "[^"]+"\s*: | [\w.\[\]]+\s*[+-]?=\s*\S+ | \$\ \w | @\w+$ |
        \W?\d{4}-\d\d-\d\d[T\ _]\d\d:\d\d | \[?\d\d:\d\d:\d\d | [A-Z][a-z]{2}\ +\d+\ \d\d:\d\d:\d\d |
        \[?(?:DEBUG|INFO|WARN|WARNING|ERROR)\b | [\d.]+\ -\ -\ \[ | \|.*\|$ | -\ \[[ x]\]""",
    re.VERBOSE,
)
# A page's button may be glued to the first title behind it. Of the words that also begin others, only what cannot be
# such a word is cut: "Subscribers" and "newTitle" tell themselves apart by the letter that follows.
_GLUED = re.compile(
    r"(?:.{0,160}?[.!?])?\s*(?:Subscribe(?=[^\s:;,.!?-])(?!(?:r|rs|d|s)\b)|"
    r"(?:Upvote|Follow|Share|Search|Sign [Uu]p|Log ?[Ii]n|Daily Papers|View PDF|Trending|Submit|Papers|Menu|[nN]ew)"
    r"(?=[A-Z0-9\"“(\[$]))\s*(?=\S)"
)
# Lines looked at to tell whether a text is a listing.
_SAMPLE = 400


@dataclass(slots=True, kw_only=True)
class _Block:
    """A record under construction: ``own`` marks stand under its title, ``after`` marks behind its abstract."""

    title: str | None = None
    abstract: str = ""
    labelled: bool = False
    own: list[Line] = field(default_factory=list)
    after: list[Line] = field(default_factory=list)
    ended: bool = False


def detect(text: str) -> bool:
    """Whether the text is a listing of papers."""
    sample = text.split("\n", _SAMPLE)[:_SAMPLE]
    lines = [line.strip() for line in sample if line.strip()]
    code = sum(bool(_CODE.match(line[:400])) for line in lines)
    if not lines or 8 * code > len(lines):
        return False
    # What was read must be convincing, and no small part of what there is.
    blocks = _blocks("\n".join(sample))[1]
    sure = any(
        block.labelled or (size(block.abstract) >= (60 if block.title else 200) and is_prose(block.abstract))
        for block in blocks
    )
    read = sum(len(block.abstract) + len(block.title or "") for block in blocks)
    return sure and 3 * read >= sum(map(len, lines))


def read(text: str) -> Iterator[Record]:
    """The papers of a listing, numbered in order."""
    page, blocks = _blocks(text)
    dates = [next((printed(m.value) for m in block.own + block.after if m.kind == "date"), None) for block in blocks]
    left_out = missing_year(page, [date for date in dates if date])
    for number, (block, date) in enumerate(zip(blocks, dates, strict=True), 1):
        abstract = tidied(block.abstract)
        if not any(c.isalpha() for c in abstract):
            yield Record(number=number, reason="no abstract")
            continue
        inferred = date is not None and date.year is None and left_out is not None
        paper = Paper(
            title=block.title,
            abstract=abstract,
            date=date.text if date else None,
            year=left_out if inferred else date.year if date else None,
            year_inferred=inferred,
        )
        yield Record(number=number, paper=_marked(paper, block.own + block.after))


def _marked(paper: Paper, marks: list[Line]) -> Paper:
    """The paper with what its own lines of metadata say."""
    first: dict[str, str] = {}
    for mark in marks:
        first.setdefault(mark.kind, mark.value)
    return fields.identified(
        replace(
            paper,
            authors=fields.names(first["authors"]) if "authors" in first else (),
            arxiv_id=fields.arxiv_id(first.get("arxiv")),
            doi=fields.doi(first.get("doi")),
            url=first.get("url") or next((m.value for m in marks if m.value.startswith("http")), None),
            venue=first.get("venue") or None,
        )
    )


def _blocks(text: str) -> tuple[Printed | None, list[_Block]]:
    """The page's own date, and the records in order."""
    lines = _headed(_unglued([part for line in unwrapped(text) for part in classified(line)]))
    places = [i for i, line in enumerate(lines) if line.kind in ("text", "title", "abstract")]
    parts = dict(zip(places, roles([lines[i] for i in places]), strict=True))

    head: list[Line] = []
    blocks: list[_Block] = []
    opened: _Block | None = None  # has its title, waits for its abstract
    for i, line in enumerate(lines):
        role = parts.get(i)
        if role == Role.TITLE:
            opened = _Block(title=line.value)
        elif role == Role.ABSTRACT:
            block = opened or _Block()
            block.abstract, block.labelled, opened = line.value, line.kind == "abstract", None
            blocks.append(block)
        elif opened is not None:
            if role is None or is_names(line.value):
                opened.own.append(line if role is None else Line(kind="authors", value=line.value))
        elif blocks:
            blocks[-1].ended = True
            blocks[-1].after += [line] if role is None else []
        elif role is None:
            head.append(line)
    page = next((printed(line.value) for line in head if line.kind == "date"), None)
    _give_leading_ids(head, blocks)
    blocks = _joined(blocks)
    # A title above the first of many texts without one is the page's heading.
    if len(blocks) >= 3 and all(block.title is None for block in blocks[1:]):
        blocks[0].title = None
    return page, blocks


def _unglued(lines: list[Line]) -> list[Line]:
    """The lines without a page's button glued to the first title, which stands before the first long line."""
    for i, line in enumerate(lines):
        if line.kind == "text" and (match := _GLUED.match(line.value)) and match.end() < len(line.value):
            return [*lines[:i], replace(line, value=line.value[match.end() :]), *lines[i + 1 :]]
        if len(line.value) > 300:
            break
    return lines


def _headed(lines: list[Line]) -> list[Line]:
    """The lines with the one that follows an "Abstract" heading taken for what it is."""
    found: list[Line] = []
    expected = False
    for line in lines:
        if line.kind == "heading":
            expected = True
        elif line.kind == "text" and expected:
            expected = False
            found.append(replace(line, kind="abstract") if is_prose(line.value) else line)
        else:
            expected = expected and line.kind == "furniture"
            found.append(line)
    return found


def _give_leading_ids(head: list[Line], blocks: list[_Block]) -> None:
    """On a page that prints identifiers above the titles, move each to the record it stands over."""
    for kind in ("arxiv", "doi", "url"):
        above = [line for line in head if line.kind == kind][-1:]
        if not above or not blocks or any(line.kind == kind for line in blocks[-1].after):
            continue
        for block in blocks:
            below = [line for line in block.after if line.kind == kind]
            block.after = [line for line in block.after if line.kind != kind]
            block.own += above
            above = below[-1:]


def _joined(blocks: list[_Block]) -> list[_Block]:
    """In a listing with titles, a text with none right behind another is that abstract's next paragraph."""
    if 2 * sum(block.title is not None for block in blocks) < len(blocks):
        return blocks
    joined: list[_Block] = []
    for block in blocks:
        if joined and block.title is None and not block.labelled and not joined[-1].ended:
            joined[-1].abstract += " " + block.abstract
            joined[-1].after, joined[-1].ended = block.after, block.ended
        else:
            joined.append(block)
    return joined
