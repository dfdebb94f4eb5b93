"""Which lines of a listing are titles, which abstracts, and which the page's furniture. Pure.

No line shows by itself what it is: a title may end in a full stop, an abstract may be one short sentence, and a page
puts words of its own anywhere. The order decides: an abstract follows its title, and titles and abstracts take turns.
So each line gets a cost for each part it could play, each step from part to part its own, and the cheapest way through
the whole listing is taken (Viterbi 1967). A unit of cost is about what one mildly odd thing is worth.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from enum import IntEnum

from ingest.formats.lines import Line

_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*$|https?://\S+$|\$$""")
_INNER_END = re.compile(r"[.!?]\s+[A-Z0-9]|[。！？]")
_FUNCTION_WORDS = re.compile(r"\b(?:we|our|is|are|was|were|that|this|these|which|has|have|can|it)\b")
_READER = re.compile(r"\b(?:you|your)\b", re.IGNORECASE)
# Words of buttons and banners: as a line by themselves, or in a line that speaks to the reader.
_BUTTONS = frozenset(
    "subscribe|upvote|upvotes|new|daily papers|trending papers|trending|submitted by|share|view pdf|pdf|html|abs|code|"
    "github|project page|view on arxiv|arxiv|paper|papers|models|datasets|spaces|comments|log in|login|sign in|sign up|"
    "search|menu|home|more|less|read more|show more|bookmark|save|cite|download|download pdf|follow|like|next|previous|"
    "listen|copy link|abstract|authors|skip to content|skip to main content|posts|docs|pricing|community".split("|")
)
_BANNER = re.compile(
    r"\b(?:subscribe|inbox|e?-?mail|newsletter|sign (?:in|up)|log ?in|cookies?|trending papers|privacy policy)\b",
    re.IGNORECASE,
)
_ANNOUNCING = frozenset(("submitted by", "posted by", "shared by", "uploaded by", "by"))
_BYLINE = re.compile(r"(?:by|submitted by|posted by)(?:\s|(?=[A-Z]))", re.IGNORECASE)
_CAPITAL = r"[A-ZÀ-ÞĀ-Ž](?:[a-zà-žß'’]+(?:[A-Z-][A-Z]?[a-zà-žß]+)*)?\.?"
_NAME = rf"{_CAPITAL}(?:[\s-]+(?:{_CAPITAL}|de|da|di|van|von|der|den|la|le|el|al|bin|dos)){{1,4}}"
_NAMES = re.compile(rf"{_NAME}(?:(?:,\s*and\s+|,\s*|\s+and\s+|\s*&\s*|;\s*){_NAME})*,?(?:\s*et al\.?)?")
_SEVERAL = re.compile(r"[,;&]|\band\b")
_SIGNS = re.compile(r"[^\w\s]|\d|_")

_NEVER = 1e6
_UNTITLED = 2.5


class Role(IntEnum):
    """The part a line of text plays. HEAD is furniture before the first record, BYLINE stands under a title."""

    HEAD = 0
    TITLE = 1
    BYLINE = 2
    ABSTRACT = 3
    FURNITURE = 4


# What a step costs, by (before, after); a step that is not here does not happen.
_STEPS: dict[tuple[Role, Role], float] = {
    (Role.HEAD, Role.HEAD): 0.0, (Role.HEAD, Role.TITLE): 0.0, (Role.HEAD, Role.ABSTRACT): _UNTITLED,
    (Role.TITLE, Role.ABSTRACT): 0.0, (Role.TITLE, Role.BYLINE): 0.0,
    (Role.BYLINE, Role.BYLINE): 0.0, (Role.BYLINE, Role.ABSTRACT): 0.0,
    (Role.ABSTRACT, Role.TITLE): 0.0, (Role.ABSTRACT, Role.FURNITURE): 0.0, (Role.ABSTRACT, Role.ABSTRACT): _UNTITLED,
    (Role.FURNITURE, Role.FURNITURE): 0.0, (Role.FURNITURE, Role.TITLE): 0.0,
    (Role.FURNITURE, Role.ABSTRACT): _UNTITLED,
}  # fmt: skip
_LEADING = {
    role: tuple((before, cost) for (before, after), cost in _STEPS.items() if after == role) for role in Role
}


def roles(lines: Sequence[Line]) -> tuple[Role, ...]:
    """The part that each line plays, for the text, title and abstract lines of a listing in order."""
    if not lines:
        return ()
    seen = Counter(line.value.casefold() for line in lines if len(line.value) < 160)
    sizes = sorted(size(line.value) for line in lines if size(line.value) >= 250)
    usual = sizes[len(sizes) // 2] if len(sizes) >= 3 else 0
    abstracts = len(sizes) + sum(line.kind == "abstract" for line in lines)

    total = [0.0, 0.0, _NEVER, _UNTITLED, _NEVER]
    total = [a + b for a, b in zip(total, _costs(lines[0], seen, usual, abstracts), strict=True)]
    back: list[tuple[int, ...]] = []
    for before, line in itertools.pairwise(lines):
        here = _costs(line, seen, usual, abstracts)
        # "Submitted by" on a line of its own says whose name the next one is.
        if before.value.casefold() in _ANNOUNCING and len(line.value) < 60:
            here = (0.1, here[Role.TITLE] + 3.0, 0.1, here[Role.ABSTRACT], 0.1)
        came = [min((total[b] + cost, b) for b, cost in _LEADING[role]) for role in Role]
        back.append(tuple(b for _, b in came))
        total = [cost + here[role] for role, (cost, _) in zip(Role, came, strict=True)]
    # A listing cannot end between a title and its abstract.
    total[Role.TITLE] += 4.0
    total[Role.BYLINE] += 4.0
    role = min(range(len(total)), key=total.__getitem__)
    path = [role]
    for step in reversed(back):
        path.append(step[path[-1]])
    return tuple(Role(r) for r in reversed(path))


def size(text: str) -> float:
    """The text's length in characters, one that stands for a word or a syllable counted as three."""
    return len(text) if text.isascii() else len(text) + 2 * sum("\u2e80" <= c <= "\ud7ff" for c in text)


def is_names(text: str) -> bool:
    """Whether the line could be a list of people, or a single one."""
    return len(text) < 600 and text.casefold() not in _BUTTONS and bool(_NAMES.fullmatch(text))


def _costs(line: Line, seen: Counter[str], usual: float, abstracts: int) -> tuple[float, ...]:
    """What it costs to see the line as each Role, in the order of Role."""
    if line.kind == "abstract":
        return (_NEVER, _NEVER, _NEVER, -_UNTITLED, _NEVER)
    if line.kind == "title":
        return (_NEVER, -2.0, _NEVER, _NEVER, _NEVER)
    text, length = line.value, size(line.value)
    ends = bool(_SENTENCE_END.search(text))
    inner = bool(_INNER_END.search(text))
    banner = length < 200 and bool(_READER.search(text) or _BANNER.search(text))
    times = seen[text.casefold()] if len(text) < 160 else 1
    furniture = _furniture(text, length, times, banner=banner)
    named = is_names(text)
    byline = (0.3 if _SEVERAL.search(text) else 0.5) if named else furniture + 0.2
    head = min(furniture, 0.4 if named else 0.8) if length < 200 else furniture
    title = _title(text, length, ends=ends, inner=inner) + (2.0 if length < 200 and _BANNER.search(text) else 0.0)
    if times >= 3:
        title += 4.0 if 2 * times >= abstracts else 1.5
    abstract = _abstract(text, length, ends=ends, inner=inner, banner=banner)
    if usual and length < usual / 6:
        abstract += 0.6
    return (head - (0.3 if banner else 0.0), title, byline, abstract, furniture)


def _title(text: str, length: float, *, ends: bool, inner: bool) -> float:
    cost = 0.0 if length < 180 else 0.5 if length < 250 else 1.2 if length < 400 else 3.0 if length < 600 else 12.0
    if ends and (text[-1] in ".。" or (inner and length >= 160)):
        cost += 0.8 if length < 160 else 4.5 if inner else 2.5
    if inner:
        cost += 0.3 if length < 200 else 1.0
    if " " not in text and text.islower():
        cost += 0.8
    if text.casefold() in _BUTTONS or _BYLINE.match(text):
        cost += 1.5
    elif is_names(text):
        cost += 0.8 if _SEVERAL.search(text) else 0.3
    return cost


def _furniture(text: str, length: float, times: int, *, banner: bool) -> float:
    if length >= 200:
        # Long lines of a page are paragraphs about the page at worst: dropping one must be dear.
        return 1.0 if is_names(text) else min(3.0 + length / 100, 12.0)
    if times >= 3 or text.casefold() in _BUTTONS:
        return 0.1
    if _BYLINE.match(text) or (" " not in text and text.islower()):
        return 0.4
    if is_names(text):
        return 0.4 if _SEVERAL.search(text) else 0.9
    return 1.0 if banner else 1.3


def _abstract(text: str, length: float, *, ends: bool, inner: bool, banner: bool) -> float:
    cost = 0.0
    if ends:
        cost = next(c for n, c in ((160, 0.1), (100, 0.4), (60, 0.9), (40, 1.5), (0, 2.2)) if length >= n)
        if text[-1] in "?!" and not inner and length < 200:
            cost += 0.8 if text[-1] == "?" else 1.5
    elif length < 600:
        cost = next(c for n, c in ((400, 0.2), (250, 0.5), (160, 1.2), (0, 2.6)) if length >= n)
        if length < 250 and not _FUNCTION_WORDS.search(text):
            cost += 1.0
    if length < 200 and banner:
        cost += 1.5
    if not is_prose(text):
        cost += 3.0
    return cost


def is_prose(text: str) -> bool:
    """Whether the text reads as sentences do: mostly words in small letters, few signs and numbers."""
    text = text[:600]
    words = [word for word in text.split() if any(c.isalpha() for c in word)]
    if not words:
        return False
    if not any(c.islower() or c.isupper() for c in text):
        return size(text) >= 40
    lower = sum(word[0].islower() or not (word[0].isupper() or word[0].isdigit()) for word in words)
    return len(words) >= 4 and 2 * lower >= len(words) and 4 * len(_SIGNS.findall(text)) <= len(text)
