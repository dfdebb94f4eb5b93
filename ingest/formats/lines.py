"""What one line of a listing can be by itself: text, or a mark such as a date, an identifier, a count. Pure."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ingest.formats import fields
from ingest.formats.dates import printed
from rag.text import normalise

Kind = Literal["text", "abstract", "title", "heading", "date", "arxiv", "doi", "url", "authors", "venue", "furniture"]

_BULLETS = re.compile(r"^[\s·•●▪◦∙|*>–—-]+\s+|^[·•●▪◦∙|]+|\s*[·•●▪◦∙|]+\s*$")
_JOINTS = re.compile(r"\s*[·•●▪|]\s*")
_COUNTED = (
    "authors?|upvotes?|votes?|likes?|comments?|repl(?:y|ies)|citations?|views?|stars?|forks?|downloads?|shares?|"
    "pages?|papers?|results?|points?|(?:sec(?:ond)?|min(?:ute)?|hour|day|week|month|year)s? ago"
)
_COUNT = re.compile(rf"[+▲△⬆]?\s*\(?\d[\d.,]*\s?[kKmM]?\+?\)?(?:\s+(?:{_COUNTED}))?(?:\s+\d{{1,4}})?", re.IGNORECASE)
_LABELLED = re.compile(
    r"(?P<label>abstract|title|authors?|arxiv(?: id)?|doi|url|link|journal[ -]ref(?:erence)?|venue|journal|conference|"
    r"comments?|subjects?|cite as|report[ -]no(?:\.|umber)?|(?:msc|acm)[ -]class(?:es)?|keywords?|categories|"
    r"(?:(?:first |originally )?(?:submitted|published|posted|announced)(?: on)?|date))\s*:\s*(?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ABSTRACT_HEADING = re.compile(r"[\W_]*abstract[\W_]*", re.IGNORECASE)
_SUBMITTED = re.compile(
    r"\[?(?:submitted|published|posted|announced|revised)(?: on)?\s+(?P<date>[\w ,.-]+?)(?:\s*[(;].*)?\]?",
    re.IGNORECASE,
)
_TRAILING = re.compile(r"\s*(?:[▽△▼▲]\s*(?:more|less)|\.\.\.\s*(?:read|show) more)\s*$", re.IGNORECASE)
_URL = re.compile(r"https?://\S+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line, or a part of one. ``value`` is what counts of it: for a date, the words as printed."""

    kind: Kind
    value: str


def classified(text: str) -> tuple[Line, ...]:
    """What the line says: one line of text, or one or more marks ("• 8 authors · Sep 29, 2023" holds two)."""
    bare = normalise(text)
    if len(bare) >= 200:
        bare = bare.lstrip("·•●▪◦∙| ") or bare
        return (_labelled(bare) or Line(kind="text", value=bare),)
    while (shorter := _BULLETS.sub("", bare).strip()) != bare and shorter:
        bare = shorter
    if not any(c.isalnum() for c in bare):
        return (Line(kind="furniture", value=""),) if bare else ()
    marks = [_mark(part) for part in _JOINTS.split(bare) if part]
    if marks and all(marks):
        return tuple(mark for mark in marks if mark)
    return (_labelled(bare) or Line(kind="text", value=bare),)


def _mark(text: str) -> Line | None:
    if printed(text):
        return Line(kind="date", value=text)
    if _COUNT.fullmatch(text) and not fields.arxiv_id(text):
        return Line(kind="furniture", value="")
    if fields.arxiv_id(text):
        return Line(kind="arxiv", value=text)
    if fields.doi(text):
        return Line(kind="doi", value=text)
    if _URL.fullmatch(text):
        return Line(kind="url", value=text)
    if submitted := _SUBMITTED.fullmatch(text):
        return Line(kind="date", value=submitted["date"]) if printed(submitted["date"]) else None
    if _ABSTRACT_HEADING.fullmatch(text):
        return Line(kind="heading", value="")
    # "arXiv:2301.01234 [pdf, other] cs.CL": the id stands first, and only page words follow.
    first, _, rest = text.partition(" ")
    if first.lower().startswith("arxiv:") and fields.arxiv_id(first) and len(rest.split()) < 8:
        return Line(kind="arxiv", value=first)
    return None


def _labelled(text: str) -> Line | None:
    match = _LABELLED.fullmatch(text)
    if not match:
        return None
    label, value = match["label"].lower(), normalise(match["value"])
    if label == "abstract":
        return Line(kind="abstract", value=value) if value else Line(kind="heading", value="")
    if label == "title":
        return Line(kind="title", value=value) if value else Line(kind="furniture", value="")
    # A title may well open with such a word ("Comments: A Survey"), so a value must look like what its label says.
    if label.startswith("author"):
        return Line(kind="authors", value=value)
    if label.startswith(("arxiv", "doi", "url", "link", "cite")):
        return next((line for line in (_mark(value), _mark(value.split(" ")[0])) if line), None)
    if label.startswith(("journal", "venue", "conference")):
        return Line(kind="venue", value=value)
    if printed(value):
        return Line(kind="date", value=value)
    return Line(kind="furniture", value="") if len(value) < 300 else None


def tidied(abstract: str) -> str:
    """An abstract in normal form without its label and without the page's words at its end."""
    return _TRAILING.sub("", fields.unlabelled(abstract)).strip()


def unwrapped(text: str) -> Iterator[str]:
    """The text's lines; where it is wrapped at a fixed width, the lines of a paragraph joined again.

    A text counts as wrapped if no line is long, at least half of the line ends inside its paragraphs stand where
    the next word would not have fitted, and many of the lines after them begin in lower case.
    """
    lines = text.split("\n")
    width = max(map(len, lines), default=0)
    pairs = [(a, b) for a, b in itertools.pairwise(lines) if a.strip() and b.strip()]
    broken = [(a, b) for a, b in pairs if _is_broken(a, b, width)]
    running = sum(b.lstrip()[0].islower() for _, b in broken)
    if width > 120 or width < 40 or 2 * len(broken) < len(pairs) or 3 * running < max(len(broken), 1):
        yield from lines
        return
    held = lines[0]
    for before, line in itertools.pairwise(lines):
        if before.strip() and line.strip() and _is_broken(before, line, width):
            held = f"{held.rstrip()} {line.strip()}"
        else:
            yield held
            held = line
    yield held


def _is_broken(line: str, following: str, width: int) -> bool:
    return len(line.rstrip()) + 1 + len(following.split()[0]) > width
