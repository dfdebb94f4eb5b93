"""The words in a sentence that answer a question for one fact: a number with its unit, a name, a date. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from rag.kinds import Asks, Wanted
from rag.text import content_stems, words

# A figure that is no part of a name ("GPT-4", "3D") and no mark of a list ("(1)", "2)"), with the range that it opens.
_NUMERAL = r"\d+(?:[.,]\d+)*(?:\s?\^\s?\d+)?"
_SIGN = r"(?:(?:[~≈<>≤≥+±-]|\\?[$€£]|\\sim)\s?)*"
_MAGNITUDE = r"(?:\s?(?:[kKMBT](?![\w])|thousand\b|million\b|billion\b|trillion\b|hundred\b))?"
_UNIT = r"(?:\s?\\?%|\s?[x×](?!\w))?"
_ONE = rf"{_SIGN}{_NUMERAL}{_MAGNITUDE}{_UNIT}"
_SPELLED = (r"(?:(?:an?|one|several)\s)?(?:hundreds?|thousands?|millions?|billions?|orders? of magnitude|dozens?)|"
            r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty)"
            r"(?:\s(?:hundred|thousand|million|billion|orders of magnitude))?|half|twice|"
            r"(?:a|one|two)[ -](?:thirds?|quarters?)")
_JOINED = r"\s?(?:-|–|(?:down |up )?to|out of|x|×|vs\.?|/|, and|,? and|or|,)\s?"
_QUANTITY = re.compile(
    rf"(?<![\w.^_/@&\[])(?<!\w-)(?:{_ONE}(?:{_JOINED}{_ONE})*|\b(?:{_SPELLED})\b)"
    rf"(?=$|[\s%,.;:!?()'’\"”\]}}/-]|\\|(?:[x×]|times|fold|ms|[smhk]|[kcm]m|[kmgt]b)\b)(?![.,]?\d)", re.IGNORECASE)
_LISTED = re.compile(r"\(?\d\)|\d\.\s*$")
_AFTER = {
    "share": re.compile(r"\s*(?:\\?%|percent\b|per cent\b)", re.IGNORECASE),
    "factor": re.compile(r"[\s-]*(?:[x×](?!\w)|times?\b|fold\b|orders? of magnitude)", re.IGNORECASE),
    "time": re.compile(r"[\s-]*(?:[\w-]+\s)?(?:ms|milliseconds?|s|sec|seconds?|min|minutes?|h|hours?|days?|weeks?|"
                       r"months?|years?)\b", re.IGNORECASE),
    "length": re.compile(r"[\s-]*(?:mm|cm|km|m|(?:milli|centi|kilo)?met(?:er|re)s?|miles?|feet|inch(?:es)?|pixels?)\b",
                         re.IGNORECASE),
    "money": re.compile(r"\s*(?:dollars?|euros?|usd|cents?)\b", re.IGNORECASE),
}
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(rf"\b{_MONTH}(?:\s+\d{{1,2}}(?:st|nd|rd|th)?)?(?:,?\s+(?:19|20)\d\d)?\b|\b(?:19|20)\d\d\b")
# A word with a capital in it or, in the middle of a sentence, in front; and what joins several to a list.
_PART = r"[^\W_]*[A-Z][\w+]*(?:[-./][\w+]+)*"
_NAME = rf"{_PART}(?:[ -](?:of |for )?(?:{_PART}|\d[\w.]*))*"
_BEYOND = r"(?:\s?\([^()]{1,40}\))?"
_NAMES = re.compile(rf"(?<![\w-])(?:{_NAME}{_BEYOND})(?:(?:,? (?:and|or|&) |, )(?:its successor )?{_NAME}{_BEYOND})*")
_WORD = re.compile(r"[^\W\d_]+")
_ADJECTIVE = re.compile(r"-[a-z]|(?<=[KMBT]) (?:model|network|llm|parameter)", re.IGNORECASE)
_VERSION = re.compile(r"[A-Z][\w.-]*\s$|\w\d\w*\s$")
_CALLED = re.compile(r"\b(?:called|named|dubbed|coined|termed|namely)[\s:]+$")
_BREAK = re.compile(r"[.;:()]|, ")
_NO_NAME = frozenset("a an and as at by for from i in it its of on our that the these they this to we with".split())
# The thing counted may stand so many characters before its number.
_BEFORE = 40
# A word of the question so many words away from the phrase counts half of one beside it.
_REACH = 4
# How much what stands around a phrase counts beside its own form, where one must be chosen.
_CONTEXT = 0.4


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that may answer: ``text[start:end]``. ``fit`` is how well they are what was asked for, 0..1."""

    start: int
    end: int
    fit: float


def phrase(text: str, asks: Asks, question: str) -> Phrase | None:
    """The words of a sentence that best answer the question; None where it holds nothing of the type asked for.

    What the question itself says is no answer to it.
    """
    if asks.wanted is None:
        return None
    asked = frozenset(words(question))
    stems = frozenset(content_stems(question)) - asks.of
    found = [Phrase(start, end, fit) for start, end, fit in _candidates(text, asks, asked)]
    return max(found, key=lambda one: one.fit + _CONTEXT * _near(text, one.start, one.end, stems), default=None)


def _candidates(text: str, asks: Asks, asked: frozenset[str]) -> Iterator[tuple[int, int, float]]:
    assert asks.wanted is not None
    if asks.wanted in ("name", "person"):
        yield from _names(text, asks, asked)
        return
    if asks.wanted == "date":
        for match in _DATE.finditer(text):
            if not asked.issuperset(words(match.group())):
                yield *match.span(), 1.0 if any(c.isdigit() for c in match.group()) else 0.5
        return
    for match in _QUANTITY.finditer(text):
        start, end = match.span()
        opened = start - (text[start - 1:start] == "(")
        if asked.issuperset(words(match.group())) or _LISTED.match(text, opened):
            continue
        fit, end = _fits(text, start, end, asks.wanted, asks.of)
        yield start, end, fit


def _fits(text: str, start: int, end: int, wanted: Wanted, of: frozenset[str]) -> tuple[float, int]:
    """How well a quantity is of the type wanted, and where it ends with its unit."""
    own = text[start:end]
    kinds = {}
    for kind, unit in _AFTER.items():
        inside = unit.search(own) if kind in ("share", "factor") else None
        after = unit.match(text, end)
        if inside or after:
            kinds[kind] = after.end() if after and not inside else end
    if any(sign in own for sign in "$€£") or text[start - 1:start] in ("$", "€", "£"):
        kinds["money"] = kinds.get("money", end)
    # "1% of the tokens" counts no tokens, "10% noise" is of noise.
    bracketed = 0.1 * (text[start - 1:start] == "(")
    reach = _counted(text, end, of, 3 if not kinds else 1)
    if not kinds and not reach and (_ADJECTIVE.match(text, end) or _VERSION.search(text, 0, start)
                                    or any(date.start() < end and start < date.end() for date in _DATE.finditer(text))):
        # "Two-step", "a 7B model", "Llama 2", "July 7".
        return 0.2, end
    if wanted in ("count", "number"):
        if reach:
            return 1.0, reach
        last = max([end, *kinds.values()])
        if wanted == "count" and kinds:
            # A percentage counts nothing, nor does a time.
            return 0.2, last
        if before := content_stems(text[max(0, start - _BEFORE):start]):
            away = next((at for at, word in enumerate(reversed(before)) if word in of), None)
            if away is not None:
                return max(0.7, 0.9 - 0.1 * away) - bracketed, last
        if not any(c.isdigit() for c in own):
            return 0.3, last
        # What is measured stands elsewhere in the sentence, or goes by another name.
        return (0.7 if kinds.keys() & {"share", "factor"} else 0.6 if "." in own or not of else 0.5) - bracketed, last
    if wanted in kinds:
        said = of & set(content_stems(text[end:kinds[wanted]])) if wanted == "time" else ()
        return 1.0 if said or not of or wanted != "time" else 0.8, kinds[wanted]
    return (0.6 if wanted == "factor" and "share" in kinds else 0.5 if reach else 0.2), reach or end


def _counted(text: str, end: int, of: frozenset[str], within: int) -> int | None:
    """Where the thing counted ends, if it stands behind the number, with so many words between at most."""
    at = end
    for match in islice(_WORD.finditer(text, end), within + 1):
        if _BREAK.search(text, at, match.start()):
            return None
        at = match.end()
        if of & set(content_stems(match.group())):
            return at
    return None


def _names(text: str, asks: Asks, asked: frozenset[str]) -> Iterator[tuple[int, int, float]]:
    first = next((i for i, c in enumerate(text) if c.isalnum()), 0)
    for match in _NAMES.finditer(text):
        start, end = match.span()
        said = words(match.group())
        if not said or asked.issuperset(said) or _NO_NAME.issuperset(said):
            continue
        opening = start == first and sum(c.isupper() or c.isdigit() for c in match.group().split()[0]) < 2
        if opening and len(match.group().split()) == 1:
            continue
        yield start, end, _named(text, start, end, asks.of)


def _named(text: str, start: int, end: int, of: frozenset[str]) -> float:
    """How well a name is of the thing asked for: by whether the words around it are."""
    if all(len(word) < 3 for word in words(text[start:end])):
        # One or two letters are a measure or a field more often than a name.
        return 0.3
    if _CALLED.search(text, 0, start):
        return 1.0
    around = {*content_stems(text[max(0, start - _BEFORE):start]), *content_stems(text[end:end + _BEFORE])}
    return 0.7 + 0.3 * len(of & around) / max(1, len(of))


def _near(text: str, start: int, end: int, stems: frozenset[str]) -> float:
    """How near the question's words that the sentence holds stand to the phrase, 0..1."""
    before, after = content_stems(text[:start])[::-1], content_stems(text[end:])
    places = [1.0 / (1.0 + min(side.index(held) for side in (before, after) if held in side) / _REACH)
              for held in stems if held in before or held in after]
    return sum(places) / len(places) if places else 0.0
