"""Sentences said in other words or another order that mean the same: what no checker may flag. Pure, by chance.

What is made here is crude beside what a person writes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

from rag.search.acronyms import has_capitals
from rag.text import content_stems

# Words of meaning of its own that a sentence needs; one with fewer is true of anything.
MEANING = 6
# Small numbers in words.
WORDED = {word: str(value) for value, word in enumerate(
    "two three four five six seven eight nine ten eleven twelve".split(), 2)}

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
_SUBJECT = (("We ", "The authors "), ("Our ", "Their "), ("we ", "they "), ("our ", "their "), ("us ", "them "))



def _drop(sentence: str, draw: random.Random) -> str | None:
    """Without its opening phrase, without what stands in parentheses, or without a relative clause at its end."""
    made = []
    if opening := re.match(r"(?:In|On|For|With|Using|By|To|From|At|During|After|Here|Finally|Moreover|Furthermore|"
                           r"Specifically|Additionally|Recently)\b[^,;:()]{0,90}, (?=[a-z])", sentence):
        made.append(sentence[opening.end():opening.end() + 1].upper() + sentence[opening.end() + 1:])
    if inside := re.search(r" \([^()]*\)", sentence):
        made.append(sentence[:inside.start()] + sentence[inside.end():])
    if ending := re.search(r", (?:which|where|while|whereas|making|leading|suggesting|indicating|thus|thereby|"
                           r"including|such as|and)\b[^,;()]{12,}\.$", sentence):
        made.append(sentence[:ending.start()] + ".")
    made = [text for text in made if len(set(content_stems(text))) >= MEANING]
    return draw.choice(made) if made else None


def _reorder(sentence: str, _draw: random.Random) -> str | None:
    """Its opening phrase at its end, or its two halves exchanged."""
    if opening := re.match(
            r"((?:In|On|For|With|Using|By|At|During|After)\b[^,;:()]{4,90}), (we |the |our |it |a )(.*)\.$", sentence):
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
    made = re.sub(r"(?<![A-Za-z\d.-])(\d+(?:\.\d+)?)([MB])\b(?!-)",
                  lambda found: found[1] + {"M": " million", "B": " billion"}[found[2]], made)
    made = re.sub(r"\b(" + "|".join(WORDED) + r")\b(?![-'])", lambda found: WORDED[found[1]], made)
    return made if made != sentence else None


Rewording = Callable[[str, random.Random], str | None]
# Each gives the sentence anew, or None where it cannot.
FAITHFUL: Mapping[str, Rewording] = {
    "clause dropped": _drop, "order changed": _reorder, "synonyms": _reword, "hedged": _hedge,
    "number format": _renumber}
