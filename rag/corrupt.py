"""Faithful rewordings and corruptions of a library's own sentences, to measure the checker by. Pure, by seed.

What is made here is crude beside what a person or a model writes; it stands for the ways in which a sentence may stay
true or become false, each in many places of many texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from rag.acronyms import has_capitals
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


# A sentence may be reworded in so many words; one without so many words of meaning of its own is true of anything.
_WORDS, _MEANING = (8, 45), 6
_NEIGHBOURS = 10

_SYNONYMS = {
    "use": "employ", "uses": "employs", "used": "employed", "using": "by means of", "shows": "demonstrates",
    "show": "demonstrate", "method": "approach", "methods": "approaches", "approach": "method", "large": "big",
    "improves": "enhances", "improve": "enhance", "reduces": "lowers", "reduce": "lower", "increase": "rise",
    "increased": "raised", "propose": "put forward", "introduce": "present", "significant": "considerable",
    "significantly": "considerably", "many": "numerous", "several": "a number of", "achieve": "attain",
    "achieves": "attains", "often": "frequently", "important": "crucial", "results": "findings", "obtain": "get",
    "obtained": "gained", "difficult": "hard", "various": "diverse", "however": "yet", "task": "problem",
    "enables": "allows", "patients": "people with the condition", "children": "young people", "study": "investigation",
    "examined": "looked at", "investigated": "examined", "evaluated": "assessed", "compared with": "relative to",
    "compared to": "relative to", "risk": "danger", "effect": "influence", "effects": "influences",
    "determine": "establish", "determined": "established", "suggest": "indicate", "provide": "offer",
    "provides": "offers", "require": "need", "requires": "needs", "training": "fitting", "dataset": "data set",
    "performance": "results", "consumption": "intake", "associated with": "linked to", "found": "observed",
    "outperforms": "surpasses", "generate": "produce", "quickly": "fast", "new": "novel", "novel": "new",
}
_HEDGES = ("The authors report that {}", "According to the paper, {}", "The study finds that {}",
           "It is reported that {}", "As the authors put it, {}")
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
    "%| points", " percent| points", "ms| s", " ms| s", " milliseconds| seconds", " seconds| minutes", " minutes| hours",
    " hours| days", " days| weeks", " weeks| months", " months| years", " years| months", " mg| g", " g| kg", " kg| g",
    " cm| m", " mm| cm", " km| m", " million| billion", " billion| million", " thousand| million", "x|%", " times| percent",
    "M|B", "B|M", "K|M", " kcal| kJ", " ml| l", " GB| MB", " mmol| mol"))
_STRONGER = dict(pair.split("|") for pair in (
    "some|all", "most of|all of", "many|all", "several|all", "a few|all", "can|always", "can be|is always", "may|will always", "often|always",
    "usually|always", "typically|always", "sometimes|always", "might|will always", "could|will always",
    "generally|always", "mostly|entirely", "largely|entirely", "frequently|always", "partially|fully", "partly|fully",
    "nearly all|all", "almost all|all", "in some cases|in all cases", "commonly|always", "tends to|always does",
    "suggest|prove", "suggests|proves", "nearly|completely", "almost|completely", "most cases|all cases"))
_WORDED = {word: str(value) for value, word in enumerate(
    "two three four five six seven eight nine ten eleven twelve".split(), 2)}
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
    r"surpass(?:es|ed)?|exceed(?:s|ed)?|(?:is|are|was|were) (?:\w+ )?(?:better|worse|faster|higher|lower|larger|smaller|greater|"
    r"superior|inferior|more \w+|less \w+) (?:than|to)|causes|caused|leads to|led to|predicts|predicted|precedes|inhibits|inhibited|induces|induced|replaces)) "
    r"(?P<right>(?:[\w'-]+ ?){1,8})(?P<rest>.*)$")
_PHRASE_END = re.compile(
    r" (?:in|on|by|for|with|at|under|when|and|while|of|as|from|across|over|to|that|which|after|during|but|without)\b")
_SUBJECT = (("We ", "The authors "), ("Our ", "Their "), ("we ", "they "), ("our ", "their "), ("us ", "them "))


def items(sources: Sequence[Source], seed: int = 0, each: int = 40) -> tuple[Item, ...]:
    """Statements made from the papers' sentences: of every kind that the sentences allow, in an order of its own.

    Args:
        sources: the papers; those whose texts make no such items are passed over.
        seed: the same one gives the same items.
        each: items of a kind at most; half of them from two papers in one.
    """
    found: list[Item] = []
    for kind in (*FAITHFUL, *CORRUPT):
        draw = random.Random(f"{seed} {kind}")
        places = [place for place, source in enumerate(sources) if sentences(source.text)]
        draw.shuffle(places)
        found += islice(_of_kind(kind, places, sources, draw), each)
    return tuple(found)


def _of_kind(kind: str, places: Sequence[int], sources: Sequence[Source], draw: random.Random) -> Iterator[Item]:
    faithful = kind in FAITHFUL
    for place in places:
        own = [sources[place].text[start:end] for start, end in sentences(sources[place].text)]
        own = [sentence for sentence in own if _tellable(sentence)]
        draw.shuffle(own)
        other = _other(place, sources, draw)
        for sentence in own:
            cited = place
            if kind == "wrong paper":
                made, cited = sentence, other
            elif faithful:
                made = FAITHFUL[kind](sentence, draw)
            else:
                made = CORRUPT[kind](sentence, draw, sources[place].text, sources[other].text)
            if made and words(made) != words(sentence) or (made and kind in ("wrong paper", "number format")):
                yield Item(kind=kind, faithful=faithful, statement=made, original=sentence, cited=cited)
                break


def _tellable(sentence: str) -> bool:
    length = len(sentence.split())
    return _WORDS[0] <= length <= _WORDS[1] and len(set(content_stems(sentence))) >= _MEANING and "?" not in sentence \
        and sentence[:1].isupper() and sentence.rstrip()[-1:] == "."


def _other(place: int, sources: Sequence[Source], draw: random.Random) -> int:
    near = [other for other in sources[place].near if other != place][:_NEIGHBOURS]
    return draw.choice(near or [other for other in range(len(sources)) if other != place] or [place])


# ---- faithful


def _drop(sentence: str, draw: random.Random) -> str | None:
    """Without its opening phrase, without what stands in parentheses, or without a relative clause at its end."""
    made = []
    if opening := re.match(r"(?:In|On|For|With|Using|By|To|From|At|During|After|Here|Finally|Moreover|Furthermore|"
                           r"Specifically|Additionally|Recently)\b[^,;:()]{0,90}, (?=[a-z])", sentence):
        made.append(sentence[opening.end():opening.end() + 1].upper() + sentence[opening.end() + 1:])
    if inside := re.search(r" \([^()]*\)", sentence):
        made.append(sentence[:inside.start()] + sentence[inside.end():])
    if ending := re.search(r", (?:which|where|while|whereas|making|leading|suggesting|indicating|thus|thereby|including|"
                           r"such as|and)\b[^,;()]{12,}\.$", sentence):
        made.append(sentence[:ending.start()] + ".")
    made = [text for text in made if len(set(content_stems(text))) >= _MEANING]
    return draw.choice(made) if made else None


def _reorder(sentence: str, _draw: random.Random) -> str | None:
    """Its opening phrase at its end, or its two halves exchanged."""
    if opening := re.match(r"((?:In|On|For|With|Using|By|At|During|After)\b[^,;:()]{4,90}), (we |the |our |it |a )(.*)\.$",
                           sentence):
        phrase, lead, rest = opening.groups()
        if "," not in rest:
            return f"{lead.capitalize()}{rest}, {phrase[0].lower()}{phrase[1:]}."
    if halves := re.match(r"([^,;:]{20,}), (while|whereas) ([^,;:]{20,})\.$", sentence):
        first, joint, second = halves.groups()
        return f"{second[0].upper()}{second[1:]}, {joint} {first[0].lower()}{first[1:]}."
    if halves := re.match(r"([^;:]{20,}); ([^;:]{20,})\.$", sentence):
        return f"{halves[2][0].upper()}{halves[2][1:]}; {halves[1][0].lower()}{halves[1][1:]}."
    return None


def _reword(sentence: str, _draw: random.Random) -> str | None:
    """At least two words exchanged for synonyms, and the authors told of instead of speaking."""
    count = 0
    made = sentence
    for word, other in _SYNONYMS.items():
        made, done = re.subn(rf"\b{word}\b", other, made, count=1)
        count += done
    return _third(made) if count >= 2 else None


def _hedge(sentence: str, draw: random.Random) -> str | None:
    told = _third(sentence)
    first = told.split()[0]
    lowered = told if has_capitals(first) or not first[1:].islower() else told[0].lower() + told[1:]
    return draw.choice(_HEDGES).format(lowered)


def _third(sentence: str) -> str:
    for own, other in _SUBJECT:
        sentence = re.sub(rf"(?<![\w']){own}", other, sentence)
    return sentence


def _renumber(sentence: str, _draw: random.Random) -> str | None:
    """Its numbers in another spelling, where they have one."""
    made = re.sub(r"(?<=\d) ?%", " percent", sentence)
    made = re.sub(r"(?<![\w.,])(\d{1,3}),(\d{3})(?![,\d])", r"\1\2", made)
    made = re.sub(r"(?<![A-Za-z\d.-])(\d+(?:\.\d+)?)([MB])\b(?!-)", lambda found: found[1] + {"M": " million", "B": " billion"}[found[2]], made)
    made = re.sub(r"\b(" + "|".join(_WORDED) + r")\b(?![-'])", lambda found: _WORDED[found[1]], made)
    return made if made != sentence else None


# ---- corrupt: a function of the sentence, the chance, its paper's text and another's


def _change_number(sentence: str, draw: random.Random, paper: str, _other: str) -> str | None:
    found = list(_DIGITS.finditer(sentence))
    named = list(re.finditer(r"\b(" + "|".join(_WORDED) + r")\b(?![-'])", sentence))
    if not found and not named:
        return None
    match = draw.choice(found or named)
    changed = _changed(match.group(), draw) if found else draw.choice([w for w in _WORDED if w not in words(paper)] or ["forty"])
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


def _negate(sentence: str, draw: random.Random, _paper: str, _other: str) -> str | None:
    """A "not" more, or one less."""
    if denied := re.search(r"\b(?:do|does|did) not (?=\w)|\b(?<=is|an|as|re|ve|ld) not (?=\w)", sentence):
        return sentence[:denied.start()] + sentence[denied.end():].lstrip() if denied.group().startswith("d") else \
            sentence[:denied.start()] + " " + sentence[denied.end():]
    main = [match for match in _AUXILIARY.finditer(sentence) if match.group() not in ("do", "does", "did", "has", "have", "had")
            or re.match(r" (?:been|shown|\w+ed)\b", sentence[match.end():])]
    if main:
        return f"{sentence[:main[0].end()]} not{sentence[main[0].end():]}"
    if verb := _VERB.search(sentence):
        return f"{sentence[:verb.start()]}does not {_LESS_S.get(verb.group(), verb.group()[:-1])}{sentence[verb.end():]}"
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
    foreign = [one for one in foreign if _tellable(one) and len(frozenset(content_stems(one)) - known) >= _MEANING - 1]
    if not foreign or len(sentence.split()) > 30:
        return None
    second = draw.choice(foreign)
    lowered = second if has_capitals(second.split()[0]) else second[0].lower() + second[1:]
    return f"{sentence.rstrip('.')}, and {lowered}"


def _strengthen(sentence: str, draw: random.Random, paper: str, _other: str) -> str | None:
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
    if not all(meant) or meant[0] & meant[1] or left.split()[0].casefold() in ("which", "and", "we", "it", "this", "they"):
        return None
    lead = match["lead"] or ""
    if not lead:
        right = right[0].upper() + right[1:]
        left = left if has_capitals(left.split()[0]) else left[0].lower() + left[1:]
    return f"{lead}{right} {match['verb']} {left}{rest}"


Rewording = Callable[[str, random.Random], str | None]
Corruption = Callable[[str, random.Random, str, str], str | None]
FAITHFUL: Mapping[str, Rewording] = {
    "clause dropped": _drop, "order changed": _reorder, "synonyms": _reword, "hedged": _hedge, "number format": _renumber}
CORRUPT: Mapping[str, Corruption] = {
    "number changed": _change_number, "unit changed": _change_unit, "negated": _negate, "direction flipped": _flip,
    "method swapped": _swap_method, "wrong paper": lambda *_: None, "findings merged": _merge,
    "quantifier strengthened": _strengthen, "roles swapped": _swap_roles}
