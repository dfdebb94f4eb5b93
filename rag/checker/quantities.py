"""Numbers as texts state them: value, unit, what they count, and whether they agree with another text's. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.text import content_stems

_SMALL = {name: value for value, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen".split())}
_TENS = {name: 10 * value for value, name in enumerate(
    "twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
# As they are glued to a number: "1.3B", "512k".
_GLUED = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "b": 1e9, "B": 1e9, "bn": 1e9, "T": 1e12}
_WHOLE = {"twice": 2.0, "thrice": 3.0, "double": 2.0, "doubles": 2.0, "doubled": 2.0, "doubling": 2.0,
          "triple": 3.0, "triples": 3.0, "tripled": 3.0, "quadruple": 4.0, "quadruples": 4.0, "quadrupled": 4.0}
_PARTS = {"half": 50.0, "halves": 50.0, "halved": 50.0, "quarter": 25.0, "quarters": 25.0, "third": 100 / 3,
          "thirds": 100 / 3, "fifth": 20.0, "fifths": 20.0, "tenth": 10.0, "tenths": 10.0}
# Spelling to what is measured and how many of its smallest unit that is.
_UNITS: dict[str, tuple[str, float]] = {word: (kind, size) for kind, sizes in {
    "%": {"% percent": 1.0},
    "point": {"point points pp": 1.0},
    "x": {"x × times fold": 1.0},
    "time": {"ns nanosecond nanoseconds": 1e-9, "µs us microsecond microseconds": 1e-6,
             "ms millisecond milliseconds msec": 1e-3, "s sec second seconds": 1.0, "min minute minutes": 60.0,
             "h hr hrs hour hours": 3600.0, "d day days": 86400.0, "week weeks wk wks": 604800.0,
             "month months": 2629800.0, "y yr yrs year years": 31557600.0, "decade decades": 315576000.0},
    "length": {"nm nanometre nanometres nanometer nanometers": 1e-9, "µm um micrometre micron microns": 1e-6,
               "mm millimetre millimetres millimeter millimeters": 1e-3,
               "cm centimetre centimetres centimeter centimeters": 1e-2, "metre metres meter meters": 1.0,
               "km kilometre kilometres kilometer kilometers": 1e3},
    "mass": {"ng": 1e-9, "µg ug mcg microgram micrograms": 1e-6, "mg milligram milligrams": 1e-3, "g gram grams": 1.0,
             "kg kilogram kilograms": 1e3, "ton tons tonne tonnes": 1e6},
    "volume": {"ml millilitre millilitres milliliter milliliters": 1e-3, "dl": 0.1,
               "l litre litres liter liters": 1.0},
    "moles": {"nmol": 1e-9, "µmol umol": 1e-6, "mmol": 1e-3, "mol": 1.0},
    "bytes": {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12},
    "frequency": {"hz": 1.0, "khz": 1e3, "mhz": 1e6, "ghz": 1e9},
    "energy": {"kcal": 4.184, "kj": 1.0},
    "degrees": {"degree degrees °c °f": 1.0},
}.items() for spelled, size in sizes.items() for word in spelled.split()}

_SPANS = "second minute hour day week month year decade percent percentage".split()
_WORDED = "|".join([*_SMALL, *_TENS])
_NUMBER = re.compile(
    r"(?<![\w.,])(?<![A-Za-z]-)(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?|\d*\.\d+)(?:(?P<glued>bn|[kKmMbBT])(?![\w]))?"
    rf"|\b(?P<article>an?)(?=\s+(?:single\s+)?(?:{'|'.join([*_SCALES, *_SPANS])})\b)"
    rf"|\b(?P<worded>(?:{_WORDED})(?:[-\s](?:{_WORDED}))?)(?:\b|(?=fold\b))"
    rf"|\b(?P<scale>{'|'.join(_SCALES)})\b"
    rf"|\b(?P<whole>{'|'.join(_WHOLE)})\b|\b(?P<part>{'|'.join(_PARTS)})\b", re.IGNORECASE)
_NEXT_SCALE = re.compile(rf"[\s-]+({'|'.join(_SCALES)})\b", re.IGNORECASE)
_NEXT_UNIT = re.compile(r"\s?(%|×|°\s?[CF]\b|percentage points?\b|per\s?cent\b|fold\b)|[\s-]?([a-zµ]+)", re.IGNORECASE)
_CLAUSE = re.compile(r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|and|while|whereas|so|because|although)\b")
_ABOUT = re.compile(r"(?:\b(?:about|around|nearly|almost|roughly|approximately|approx\.?|some|over|under|close to|"
                    r"more than|less than|just)|[~≈<>])\s*$", re.IGNORECASE)
_LEAST = re.compile(r"(?:\b(?:at least|more than|over|above|no less than|no fewer than|exceed(?:s|ing|ed)?)|[>≥])\s*$",
                    re.IGNORECASE)
_MOST = re.compile(r"(?:\b(?:at most|up to|less than|fewer than|under|below|no more than|within)|[<≤])\s*$",
                   re.IGNORECASE)
_BY_OR_TO = re.compile(r"(?<!\bup )\b(by|to)\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
_NEXT_PART = re.compile(r"[\s-](thirds?|quarters?|fifths?|tenths?)\b", re.IGNORECASE)
_OF_PART = re.compile(r"\s*(?:$|[.,;:)]|(?:of|as|less|more|fewer|lower|higher|larger|smaller|the)\b)")
_AMONG = re.compile(r"\s+(?:out\s+of|in)\s+(?:every\s+)?(\d+|\w+)\b", re.IGNORECASE)
_JOINT = re.compile(r"\s*(?:,|,?\s*(?:and|or|to)|[-–])\s*", re.IGNORECASE)
_FACTOR = re.compile(r"\bfactor of\s+$", re.IGNORECASE)
_LAST = re.compile(r"(\w+)[\s-]$")
# Content words before and behind a number that may tell what it stands for.
_BEFORE, _BEHIND = 4, 4
_LISTED = 3
# How far rounding may go: of a plain number, and of one that is called approximate.
_EXACT, _ROUNDED = 0.0005, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number in a text.

    Attributes:
        value: in the smallest unit of its kind.
        kind: what is measured ("%", "time"); "" for a count.
        near: content stems of its clause around it.
        about: whether it is called approximate.
        bound: 1 for "at least", -1 for "at most", else 0.
        way: "by" or "to", where one of them leads to it.
        places: digits behind its point.
        told: whether it is a number at all, not the article of "an hour".
        worded: whether it is spelled out.
    """

    value: float
    kind: str
    near: frozenset[str]
    about: bool
    bound: int
    way: str
    places: int
    told: bool
    worded: bool


def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers that a text states, in order; a lone "one" and the digits of names ("GPT-4") are none."""
    found: list[Quantity] = []
    after, kind, size = 0, "", 1.0
    for quantity, start, end, own in reversed(list(_read(text))):
        # Of "11 and 17.9 points" the first are points too.
        if not quantity.kind and kind and _JOINT.fullmatch(text, end, after):
            quantity = replace(quantity, kind=kind, value=quantity.value * size)
        else:
            kind, size = quantity.kind, own
        after = start
        found.append(quantity)
    return tuple(reversed(found))


def _read(text: str) -> Iterator[tuple[Quantity, int, int, float]]:
    """Each number with where it starts and ends, its unit not counted, and how many smallest units its own is."""
    end = 0
    for match in _NUMBER.finditer(text):
        if match.start() < end:
            continue
        before, end, value = text[:match.start()], match.end(), _value(match)
        zero = not value and text[end:end + 1] == "-"
        if value is None or zero or (match["part"] and not _is_part(match["part"], before, text[end:])):
            continue
        kind, size = "x" if match["whole"] else "%" if match["part"] else "", 1.0
        while scale := _NEXT_SCALE.match(text, end):
            value, end = value * _SCALES[scale[1].casefold()], scale.end()
        if among := _share(match, text):
            value, kind, end = 100.0 * value / among[0], "%", among[1]
        elif match["worded"] and (part := _NEXT_PART.match(text, end)):
            value, kind, end = value * _PARTS[part[1].casefold()], "%", part.end()
        # A share in words is seldom meant to the last digit.
        about = bool(match["part"] or match["whole"] or kind)
        if not kind:
            kind, size = ("x", 1.0) if _FACTOR.search(before) else _unit(text, end)
        if (match["worded"] or match["article"]) and value == 1.0 and not kind:
            continue
        way = _BY_OR_TO.search(before)
        yield Quantity(
            value=value * size, kind=kind, about=about or _ABOUT.search(before) is not None,
            bound=1 if _LEAST.search(before) else -1 if _MOST.search(before) else 0,
            way=way[1].casefold() if way else "", told=not match["article"], worded=match["worded"] is not None,
            places=len((match["digits"] or "").partition(".")[2]),
            near=frozenset(content_stems(_CLAUSE.split(before)[-1])[-_BEFORE:]
                           + content_stems(_CLAUSE.split(text[end:])[0])[:_BEHIND])), match.start(), end, size


def _is_part(part: str, before: str, after: str) -> bool:
    """Whether "third" and the like are parts ("a third of") and not places in a row ("the third", "a third way")."""
    leading = _LAST.search(before)
    word = leading[1].casefold() if leading else ""
    if part.casefold().startswith("hal"):
        return word not in ("first", "second", "other", "latter", "former") and not after.startswith("-")
    return word in ("two", "three", "four", "nine") or (word in ("a", "one") and _OF_PART.match(after) is not None)


def _share(match: re.Match[str], text: str) -> tuple[float, int] | None:
    """Of how many a number is said to be, up to a thousand, and where that ends: "four out of five", "1 in 100"."""
    among = _AMONG.match(text, match.end()) if match["worded"] or match["digits"] else None
    if not among:
        return None
    other = among[1].casefold()
    whole = float(other) if other.isdigit() else float(_SMALL.get(other, _TENS.get(other, _SCALES.get(other, 0.0))))
    part = _value(match)
    return (whole, among.end()) if part is not None and part < whole <= 1000.0 else None


def _unit(text: str, at: int) -> tuple[str, float]:
    """What a number that ends there measures, and how many of the smallest unit its own one is."""
    unit = _NEXT_UNIT.match(text, at)
    if not unit:
        return "", 1.0
    spelled = "".join((unit[1] or unit[2]).casefold().split()).replace("percentagepoint", "point")
    # "5-s" and "3 d-wave" are no seconds and no days.
    if unit[2] and len(spelled) == 1 and text[unit.end():unit.end() + 1] in tuple("-'’"):
        return "", 1.0
    return _UNITS.get(spelled, ("", 1.0))


def _value(match: re.Match[str]) -> float | None:
    if match["article"]:
        return 1.0
    if match["digits"]:
        return float(match["digits"].replace(",", "")) * _GLUED.get(match["glued"] or "", 1.0)
    if match["worded"]:
        parts = re.split(r"[-\s]", match["worded"].casefold())
        if len(parts) == 2 and not (parts[0] in _TENS and 0 < _SMALL.get(parts[1], 0) < 10):
            return None
        return float(sum(_SMALL.get(part, _TENS.get(part, 0)) for part in parts))
    if match["scale"]:
        return _SCALES[match["scale"].casefold()]
    return _WHOLE[match["whole"].casefold()] if match["whole"] else _PARTS[match["part"].casefold()]


def differing(statement: str, text: str, *, copied: bool = True) -> bool:
    """Whether a number of the statement is none of the text's, or stands for something else there.

    Two numbers agree where value and unit do; one that is called approximate may be rounded. Where the words around a
    number point to another of the text's than the one that equals it, the two have been exchanged. In a statement that
    is no copy, two or three in words may count what the text lists.
    """
    theirs = quantities(text)
    return any(ours.told and not _stated(ours, theirs) for ours in quantities(statement)
               if copied or ours.kind or not ours.worded or ours.value > _LISTED)


def _stated(ours: Quantity, theirs: Sequence[Quantity]) -> bool:
    equal = [other for other in theirs if _equal(ours, other)]
    if not equal:
        return False
    alike = max(len(ours.near & other.near) for other in equal)
    elsewhere = max((len(ours.near & other.near) for other in theirs
                     if other.kind == ours.kind and other not in equal), default=0)
    return alike > 0 or elsewhere <= 1


def _equal(ours: Quantity, theirs: Quantity) -> bool:
    if ours.kind != theirs.kind or ours.bound * theirs.bound < 0:
        return False
    # "improves by 41%" is not "improves to 41%".
    if ours.kind in ("%", "point", "x") and ours.way and theirs.way and ours.way != theirs.way:
        return False
    allowed = _ROUNDED if ours.about or theirs.about else _EXACT
    near = abs(ours.value - theirs.value) <= allowed * max(abs(ours.value), abs(theirs.value))
    return near or (ours.places < theirs.places and round(theirs.value, ours.places) == ours.value)
