"""Corruptions of a library's own sentences, beside faithful rewordings, to measure the checker by. Pure, by seed.

What is made here is crude beside what a model writes; it stands for the ways in which a sentence may become false, each
in many places of many texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.checker.reword import FAITHFUL, MEANING, WORDED
from rag.search.acronyms import has_capitals
from rag.text import content_stems, sentences, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A paper to make items of: its text, and the places of the papers that are most like it, nearest first."""

    text: str
    near: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A statement to check against a paper.

    Attributes:
        kind: how it was made.
        faithful: whether the paper still says it.
        statement: what is said.
        original: the paper's sentence that it was made of; of another paper where the wrong one is cited.
        cited: the place of the paper that it is checked against.
    """

    kind: str
    faithful: bool
    statement: str
    original: str
    cited: int


WRONG_PAPER = "wrong paper"
# Words of a sentence that items are made of.
_WORDS = (8, 45)
# What begins a subject that tells nothing away from its place.
_POINTING = ("which", "and", "we", "it", "this", "they", "these", "that")

_FLIPS = dict(pair.split() for line in (
    "improves degrades, improve degrade, improved degraded, improvement degradation, increases decreases",
    "increase decrease, increased decreased, increasing decreasing, higher lower, better worse, more less",
    "reduces increases, reduce increase, reduced increased, reduction increase, faster slower, larger smaller",
    "greater smaller, positive negative, positively negatively, outperforms underperforms, stronger weaker",
    "outperform underperform, strong weak, enhances impairs, enhance impair, beneficial harmful, prevents causes",
    "prevent cause, inhibits stimulates, inhibit stimulate, inhibited stimulated, longer shorter, superior inferior",
    "effective ineffective, efficient inefficient, robust fragile, protective harmful, easier harder",
    "accelerates slows, high low, best worst, benefit harm, benefits harms, helps hurts, strengthens weakens",
    "above below, lower higher, worse better, less more, degrades improves, decreases increases, decrease increase",
    "decreased increased, slower faster, smaller larger, negative positive, low high, weaker stronger, poor good",
    "declines rises, decline rise, gain loss, gains losses, without with, promotes suppresses, promote suppress",
) for pair in line.split(", "))
_UNITS = dict(pair.split("|") for pair in (
    "%| points", " percent| points", "ms| s", " ms| s", " milliseconds| seconds", " seconds| minutes",
    " minutes| hours", " hours| days", " days| weeks", " weeks| months", " months| years", " years| months",
    " mg| g", " g| kg", " kg| g", " cm| m", " mm| cm", " km| m", " million| billion", " billion| million",
    " thousand| million", "x|%",
    " times| percent", "M|B", "B|M", "K|M", " kcal| kJ", " ml| l", " GB| MB", " mmol| mol"))
_STRONGER = dict(pair.split("|") for pair in (
    "some|all", "most of|all of", "many|all", "several|all", "a few|all", "can|always", "can be|is always",
    "may|will always", "often|always", "usually|always", "typically|always", "sometimes|always", "might|will always",
    "could|will always",
    "generally|always", "mostly|entirely", "largely|entirely", "frequently|always", "partially|fully", "partly|fully",
    "nearly all|all", "almost all|all", "in some cases|in all cases", "commonly|always", "tends to|always does",
    "suggest|prove", "suggests|proves", "nearly|completely", "almost|completely", "most cases|all cases"))
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|may|might|will|would|should|does|do|did|has|have|had)\b(?! not)")
_VERB = re.compile(
    r"\b(outperforms|improves|reduces|increases|achieves|shows|requires|leads|provides|allows|enables|yields|uses|"
    r"produces|generates|learns|supports|helps|remains|depends|performs|predicts|causes|prevents|affects|inhibits)\b")
_LESS_S = {"achieves": "achieve", "produces": "produce", "generates": "generate", "uses": "use", "causes": "cause",
           "requires": "require", "reduces": "reduce", "increases": "increase", "improves": "improve",
           "provides": "provide", "enables": "enable"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_DIGITS = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-])")
_VERSUS = re.compile(
    r"^(?P<lead>.*\bthat |.*, )?(?P<left>[^,;:]{3,60}?) (?P<verb>(?:\w+ly )?(?:outperforms?|outperformed|beats?|"
    r"surpass(?:es|ed)?|exceed(?:s|ed)?|(?:is|are|was|were) (?:\w+ )?(?:better|worse|faster|higher|lower|larger|"
    r"smaller|greater|superior|inferior|more \w+|less \w+) (?:than|to)|causes|caused|leads to|led to|predicts|"
    r"predicted|precedes|inhibits|inhibited|induces|induced|replaces)) (?P<right>(?:[\w'-]+ ?){1,8})(?P<rest>.*)$")
_PHRASE_END = re.compile(
    r" (?:in|on|by|for|with|at|under|when|and|while|of|as|from|across|over|to|that|which|after|during|but|without)\b")


def items(sources: Sequence[Source], seed: int = 0, each: int = 40) -> tuple[Item, ...]:
    """Statements made from the papers' sentences: of every kind that the sentences allow, in an order of its own.

    Args:
        sources: the papers; those whose texts make no such items are passed over.
        seed: the same one gives the same items.
        each: items of a kind at most, each of another paper.
    """
    found: list[Item] = []
    for kind in (*FAITHFUL, *CORRUPT):
        draw = random.Random(f"{seed} {kind}")
        places = [place for place, source in enumerate(sources) if sentences(source.text)]
        draw.shuffle(places)
        found += islice(_of_kind(kind, places, sources, draw), each)
    return tuple(found)


def _of_kind(kind: str, places: Sequence[int], sources: Sequence[Source], draw: random.Random) -> Iterator[Item]:
    """An item of each paper that has a sentence for it."""
    for place in places:
        text, other = sources[place].text, _other(place, sources, draw)
        own = [text[start:end] for start, end in sentences(text)]
        draw.shuffle(own)
        for sentence in filter(_tellable, own):
            made = (FAITHFUL[kind](sentence, draw) if kind in FAITHFUL
                    else CORRUPT[kind](sentence, draw, text, sources[other].text))
            if made and (made != sentence or kind == WRONG_PAPER):
                yield Item(kind=kind, faithful=kind in FAITHFUL, statement=made, original=sentence,
                           cited=other if kind == WRONG_PAPER else place)
                break


def _tellable(sentence: str) -> bool:
    length = len(sentence.split())
    return (_WORDS[0] <= length <= _WORDS[1] and len(set(content_stems(sentence))) >= MEANING
            and sentence[:1].isupper() and "?" not in sentence and sentence.endswith("."))


def _other(place: int, sources: Sequence[Source], draw: random.Random) -> int:
    return draw.choice(sources[place].near or [other for other in range(len(sources)) if other != place] or [place])


def _change_number(sentence: str, draw: random.Random, paper: str, _other: str) -> str | None:
    found = list(_DIGITS.finditer(sentence))
    named = list(re.finditer(r"\b(" + "|".join(WORDED) + r")\b(?![-'])", sentence))
    if not found and not named:
        return None
    match = draw.choice(found or named)
    unsaid = [word for word in WORDED if word not in words(paper)] or ["forty"]
    changed = _changed(match.group(), draw) if found else draw.choice(unsaid)
    if changed.replace(",", "") in re.sub(r",", "", paper):
        return None
    return sentence[:match.start()] + changed + sentence[match.end():]


def _changed(number: str, draw: random.Random) -> str:
    plain = number.replace(",", "")
    if "." in plain:
        places = len(plain.split(".")[1])
        return f"{float(plain) * draw.choice((0.5, 0.8, 1.3, 1.7, 2.0)) + 0.1:.{places}f}"
    value = int(plain)
    other = draw.choice([int(value * 1.5) + 2, value + 3, max(1, value * 2 + 1), int(plain[::-1]) + value % 2 + 11])
    return f"{other:,}" if "," in number else str(other)


def _change_unit(sentence: str, draw: random.Random, _paper: str, _other: str) -> str | None:
    units = sorted(_UNITS, key=len, reverse=True)
    found = list(re.finditer(rf"(?<=\d)({'|'.join(map(re.escape, units))})(?![\w/])", sentence))
    if not found:
        return None
    match = draw.choice(found)
    return sentence[:match.start()] + _UNITS[match.group()] + sentence[match.end():]


def _negate(sentence: str, _draw: random.Random, _paper: str, _other: str) -> str | None:
    """A "not" more, or one less."""
    if denied := re.search(r"\b(?:(?:do|does|did) |(?<=is |an |as |re |ve |ld ))not (?=\w)", sentence):
        return sentence[:denied.start()] + sentence[denied.end():]
    for match in _AUXILIARY.finditer(sentence):
        if match.group()[0] not in "dh" or re.match(r" (?:been|shown|\w+ed)\b", sentence[match.end():]):
            return f"{sentence[:match.end()]} not{sentence[match.end():]}"
    if verb := _VERB.search(sentence):
        bare = _LESS_S.get(verb.group(), verb.group()[:-1])
        return f"{sentence[:verb.start()]}does not {bare}{sentence[verb.end():]}"
    return None


def _flip(sentence: str, draw: random.Random, _paper: str, _other: str) -> str | None:
    found = list(re.finditer(rf"\b({'|'.join(_FLIPS)})\b", sentence))
    if not found:
        return None
    match = draw.choice(found)
    return sentence[:match.start()] + _FLIPS[match.group()] + sentence[match.end():]


def _names(text: str) -> list[str]:
    """What is written as methods and data sets are: with capitals or digits behind its first letter."""
    return [name for name in dict.fromkeys(_NAME.findall(text)) if has_capitals(name) and len(name) > 2]


def _swap_method(sentence: str, draw: random.Random, paper: str, other: str) -> str | None:
    own = _names(sentence)
    foreign = [name for name in _names(other) if name.casefold() not in paper.casefold()]
    if not own or not foreign:
        return None
    return re.sub(rf"(?<![\w-]){re.escape(draw.choice(own))}(?![\w-])", draw.choice(foreign), sentence)


def _merge(sentence: str, draw: random.Random, paper: str, other: str) -> str | None:
    """The sentence, and one of another paper as if it were this one's."""
    known = frozenset(content_stems(paper))
    foreign = [other[start:end] for start, end in sentences(other)]
    foreign = [one for one in foreign if _tellable(one) and len(frozenset(content_stems(one)) - known) >= MEANING - 1]
    if not foreign or len(sentence.split()) > 30:
        return None
    second = draw.choice(foreign)
    lowered = second if has_capitals(second.split()[0]) else second[0].lower() + second[1:]
    return f"{sentence.rstrip('.')}, and {lowered}"


def _strengthen(sentence: str, draw: random.Random, _paper: str, _other: str) -> str | None:
    found = list(re.finditer(rf"\b({'|'.join(sorted(_STRONGER, key=len, reverse=True))})\b", sentence))
    found = [match for match in found if not re.search(r"\b(?:the|at|not) $", sentence[:match.start()])]
    if not found:
        return None
    match = draw.choice(found)
    return sentence[:match.start()] + _STRONGER[match.group()] + sentence[match.end():]


def _swap_roles(sentence: str, _draw: random.Random, _paper: str, _other: str) -> str | None:
    """What stands before "outperforms" and the like behind it, and the other way round."""
    match = _VERSUS.match(sentence)
    if not match:
        return None
    right = _PHRASE_END.split(match["right"].rstrip())[0]
    left, rest = match["left"], (match["right"] + match["rest"])[len(right):]
    meant = frozenset(content_stems(right)), frozenset(content_stems(left))
    if not all(meant) or meant[0] & meant[1] or left.split()[0].casefold() in _POINTING:
        return None
    lead = match["lead"] or ""
    if not lead:
        right = right[0].upper() + right[1:]
        left = left if has_capitals(left.split()[0]) else left[0].lower() + left[1:]
    return f"{lead}{right} {match['verb']} {left}{rest}"


# Each is given the sentence, chance, its paper's text and another's, and gives the sentence anew, or None where it
# cannot. A wrong citation leaves the sentence as it is.
Corruption = Callable[[str, random.Random, str, str], str | None]
CORRUPT: Mapping[str, Corruption] = {
    "number changed": _change_number, "unit changed": _change_unit, "negated": _negate, "direction flipped": _flip,
    "method swapped": _swap_method, WRONG_PAPER: lambda sentence, *_: sentence, "findings merged": _merge,
    "quantifier strengthened": _strengthen, "roles swapped": _swap_roles}
