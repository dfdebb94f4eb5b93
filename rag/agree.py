"""Where a statement departs from the words it rests on: numbers, names, denials, directions, additions. Pure."""

from __future__ import annotations

import re

from rag.text import content_stems, stem, words

_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|neither|none|nobody|nothing|without|cannot|lacks?|lacking|fail(?:s|ed|ing)?|unable|hardly|"
    r"rarely)\b|n[’']t\b", re.IGNORECASE)
# How far a negation reaches, in content words; what it may pass over to reach its first; what denies the word before.
_SCOPE = 3
_PASSED = frozenset("true case clear clearly evidence able fully always necessarily only just simply yet".split())
_BACKWARD = frozenset({"nothing", "nobody"})
_UP = frozenset(stem(word) for word in
                "improve improves increase increases higher better raise raises boost gain gains outperform "
                "outperforms exceed exceeds surpass faster more larger greater strengthen accelerate enhance rise "
                "grow".split())
_DOWN = frozenset(stem(word) for word in
                  "degrade degrades decrease decreases lower worse reduce reduces decline underperform "
                  "underperforms slower less smaller weaken hurt hurts harm harms deteriorate cut cuts shrink mitigate "
                  "prevent eliminate limit".split())
_ABSOLUTE = frozenset("all always every everything everyone never entirely completely fully only any first guarantee "
                      "guarantees prove proves proven eliminate eliminates removes".split())
_DISBELIEF = frozenset("false untrue wrong incorrect retracted disproved debunked refuted hacked".split())
_CLAUSE = re.compile(r"[,;:.!?()]\s|\s[–—-]\s|\b(?:but|and|while|whereas|so|because|although)\b")
# A clause of so many content words must share at least this part of them with the paper.
_CLAUSE_WORDS, _COMMON = 3, 0.34
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_UNITS = {word: unit for unit, spelled in {
    "%": "% percent", "x": "x × times fold", "point": "point points", "thousand": "k thousand",
    "million": "m million", "billion": "b billion", "ms": "ms milliseconds millisecond",
    "s": "s second seconds sec", "min": "min minute minutes", "h": "h hour hours", "day": "day days",
    "week": "week weeks", "month": "month months", "year": "year years", "mm": "mm millimetres millimeters",
    "cm": "cm centimetre centimetres centimeter centimeters", "metre": "metre metres meter meters",
    "km": "km kilometre kilometres kilometers", "kb": "kb", "mb": "mb", "gb": "gb", "tb": "tb",
    "token": "token tokens", "parameter": "parameter parameters",
}.items() for word in spelled.split()}
_NEXT = re.compile(r"[\s-]*(%|×|per cent\b|[a-z]+)", re.IGNORECASE)
_MARKUP = frozenset("{}<>|")
_SPELLED = {name: str(value) for value, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve".split())}


def numbers(text: str) -> frozenset[str]:
    """The numbers a text states, in one spelling: "1,000" and "1000", "two" and "2" are the same."""
    digits = {match.group().replace(",", "") for match in _NUMBER.finditer(text)}
    spelled = {_SPELLED[word] for word in words(text) if word in _SPELLED and word != "one"}
    return frozenset(digits | spelled)


def negations(text: str) -> int:
    """How many negations a text holds."""
    return len(_NEGATION.findall(text))


def opposed(statement: str, quote: str) -> bool:
    """Whether one denies what the other says, or they point in opposite directions and in no common one."""
    ours, theirs = frozenset(content_stems(statement)), frozenset(content_stems(quote))
    (our_heads, our_reach), (their_heads, their_reach) = _denied(statement), _denied(quote)
    if (their_heads & ours) - our_reach or (our_heads & theirs) - their_reach:
        return True
    up, down = bool(ours & _UP), bool(ours & _DOWN)
    return (up and not down and bool(theirs & _DOWN) and not theirs & _UP) or (
        down and not up and bool(theirs & _UP) and not theirs & _DOWN)


def invents(statement: str, paper: str) -> bool:
    """Whether it names or counts something that the paper never does, calls it untrue, or is no prose."""
    known, said = frozenset(words(paper)), frozenset(words(statement))
    named = {word for token in statement.split()[1:] if any(c.isupper() for c in token)
             for word in words(token) if len(word) > 1}
    return (bool(named - known) or bool((said & _DISBELIEF) - known) or not numbers(statement) <= numbers(paper)
            or bool((frozenset(statement) & _MARKUP) - frozenset(paper)))


def strays(statement: str, paper: str) -> bool:
    """Whether a clause of it speaks of nothing that the paper speaks of."""
    known = frozenset(content_stems(paper))
    clauses = [frozenset(content_stems(clause)) for clause in _CLAUSE.split(statement)]
    return any(len(clause & known) < _COMMON * len(clause) for clause in clauses if len(clause) >= _CLAUSE_WORDS)


def strengthens(statement: str, quote: str) -> bool:
    """Whether it says of all, or always, or for certain, what the words it rests on do not."""
    return bool((frozenset(words(statement)) & _ABSOLUTE) - frozenset(words(quote)))


def counted_alike(statement: str, quote: str) -> bool:
    """Whether each number stands for the same thing on both sides: the same unit, and a word in common near it."""
    theirs = _counts(quote)
    return all(any(number == other and unit == their_unit and (not near or bool(near & their_near))
                   for other, their_unit, their_near in theirs)
               for number, unit, near in _counts(statement))


def _counts(text: str) -> list[tuple[str, str, frozenset[str]]]:
    """Each number in digits with its unit ("" where it has none that matters) and the content words around it."""
    found = []
    for match in _NUMBER.finditer(text):
        follows = _NEXT.match(text, match.end())
        kind = _UNITS.get(follows.group(1).casefold().replace("per cent", "%"), "") if follows else ""
        before = content_stems(_CLAUSE.split(text[:match.start()])[-1])[-4:]
        after = content_stems(_CLAUSE.split(text[match.end():])[0])[:3]
        found.append((match.group().replace(",", ""), kind, frozenset(before + after)))
    return found


def _denied(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """What each negation denies first of all, and all that it may reach, as far as the clause goes."""
    heads: set[str] = set()
    reach: set[str] = set()
    for match in _NEGATION.finditer(text):
        behind = content_stems(_CLAUSE.split(text[match.end():], maxsplit=1)[0])
        before = content_stems(_CLAUSE.split(text[:match.start()])[-1])
        if match.group().casefold() in _BACKWARD and before:
            behind = [before[-1], *behind]
        passed = [word for word in behind if word not in _PASSED]
        heads.update(passed[:1])
        reach.update(passed[:_SCOPE])
    return frozenset(heads), frozenset(reach)
