"""What a statement adds to the words it rests on: numbers, names, clauses of its own, stronger words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.checker.edits import Edit
from rag.checker.thesaurus import kin
from rag.search.acronyms import has_capitals, singular
from rag.text import STOP_WORDS, content_stems, stem, words

_NEGATION = re.compile(
    r"\b(?:no|not|nor|never|neither|none|nobody|nothing|without|cannot|lacks?|lacking|fail(?:s|ed|ing)?|unable|hardly|"
    r"rarely)\b|n[’']t\b", re.IGNORECASE)
# Letters from which on a word is not found in others by chance.
_LONG = 6
_DISBELIEF = frozenset("false untrue wrong incorrect retracted disproved debunked refuted hacked".split())
# Words of a handful, and the share of them that prose does not repeat; neighbours looked at, how far from each other
# they may stand in the paper, and the share of them that must.
_HANDFUL, _VARIED = 5, 0.5
_PAIRS, _NEAR, _TOGETHER = 4, 4, 0.25
_MARKUP = frozenset("{}<>|")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
_SPELLED = {name: str(value) for value, name in enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve".split())}
# Words that speak of all, of all times, of one alone, of a first time, of certainty: what says the same of each.
_ALL = frozenset("all every each both any whole entire everyone everything everywhere anyone none no nothing "
                 "throughout across regardless entirely fully completely totally universally".split())
_ALWAYS = frozenset("always never invariably consistently whenever wherever every all any ever unfailingly".split())
_ENTIRELY = frozenset("entirely completely fully totally perfectly perfect abolish abolishes eliminate eliminates "
                      "whole entire all remove removes".split())
_ONLY = frozenset("only solely exclusively just alone merely except sole unless".split())
_FIRST = frozenset("first novel new pioneer unprecedented".split())
_SURE = frozenset("guarantee guarantees guaranteed guaranteeing prove proves proven proof theorem certainly definitely "
                  "must provably undoubtedly".split())
_MEANS: dict[str, frozenset[str]] = {word: same for spelled, same in (
    ("all every everyone everything everywhere none universally", _ALL),
    ("always never invariably whenever wherever unfailingly", _ALWAYS),
    ("entirely completely fully totally perfectly perfect eliminate eliminates removes", _ENTIRELY),
    ("only solely exclusively", _ONLY), ("first", _FIRST),
    ("guarantee guarantees guaranteed prove proves proven certainly definitely undoubtedly must", _SURE),
) for word in spelled.split()}
_GREAT = frozenset("all always never invariably entirely completely fully guarantee guarantees guaranteed prove proves "
                   "proven".split())
# Words that leave room; where one of them has given way to one of those above, more is said.
_ROOM = frozenset("some few several many most sometimes can may might could occasionally certain partly partially "
                  "often usually typically generally mostly mainly largely frequently commonly nearly almost tend "
                  "tends suggest suggests rarely seldom likely".split())


def numbers(text: str) -> frozenset[str]:
    """The numbers a text states, in one spelling: "1,000" and "1000", "two" and "2" are the same."""
    digits = {match.group().replace(",", "") for match in _NUMBER.finditer(text)}
    spelled = {_SPELLED[word] for word in words(text) if word in _SPELLED and word != "one"}
    return frozenset(digits | spelled)


def negations(text: str) -> int:
    """How many negations a text holds."""
    return len(_NEGATION.findall(text))


def scattered(statement: str, paper: str) -> bool:
    """Whether it only throws the paper's words together: hardly any two neighbours of it are near each other there."""
    said = content_stems(statement)
    if len(said) >= _HANDFUL and len(set(said)) < _VARIED * len(said):
        return True
    places: dict[str, list[int]] = {}
    for at, word in enumerate(content_stems(paper)):
        places.setdefault(word, []).append(at)
    pairs = [(one, other) for one, other in pairwise(said) if one != other and one in places and other in places]
    near = sum(any(abs(at - to) <= _NEAR for at in places[one] for to in places[other]) for one, other in pairs)
    return len(pairs) >= _PAIRS and near < _TOGETHER * len(pairs)


def invents(statement: str, paper: str) -> bool:
    """Whether it calls the paper's findings untrue where the paper does not, or is no prose."""
    return bool((frozenset(words(statement)) & _DISBELIEF) - frozenset(words(paper))
                or (frozenset(statement) & _MARKUP) - frozenset(paper))


def unknown_names(statement: str, paper: str) -> frozenset[str]:
    """The names in a statement, folded, that the paper knows neither as they are nor spelled out."""
    known = frozenset(words(paper))
    run = "".join(words(paper))
    found: set[str] = set()
    for number, token in enumerate(statement.split()):
        # What opens a sentence is a name only if it is written as no other word is.
        if not (has_capitals(token) if number == 0 else any(c.isupper() for c in token)):
            continue
        joined = singular(token.strip(".,;:!?()\"'“”‘’"))
        parts = words(token)
        if joined not in known and not _spelled_out(joined, paper):
            # Of "GPT-4" the number counts too; "DailyMail" is "Daily Mail".
            found.update(part for part in parts if (len(part) > 1 or part.isdigit()) and _strange(part, known)
                         and not (len(part) >= _LONG and part in run))
    return frozenset(name for name in found if name.isdigit() or not _spelled_out(name.removesuffix("s"), paper))


def renamed(changes: Iterable[Edit]) -> bool:
    """Whether one name was put for another."""
    return any(_named(edit.put) and _named(edit.gone) and _named(edit.put).isdisjoint(_named(edit.gone))
               and not _short_for(edit.put, edit.gone) and not _short_for(edit.gone, edit.put) for edit in changes)


def _short_for(tokens: Sequence[str], others: Iterable[str]) -> bool:
    return len(tokens) == 1 and _spelled_out(singular(tokens[0]), " ".join(others))


def _named(tokens: Iterable[str]) -> frozenset[str]:
    return frozenset(singular(token) for token in tokens if has_capitals(token) and any(c.isalpha() for c in token))


def _strange(word: str, known: frozenset[str]) -> bool:
    if word in known or word in STOP_WORDS or word.removesuffix("s") in known or f"{word}s" in known:
        return False
    root = stem(word)
    return not any(root == stem(other) or kin(root, stem(other)) for other in known if other[:2] == word[:2])


def _spelled_out(short: str, paper: str) -> bool:
    """Whether the paper spells an acronym out: its letters begin words in a row, of a long one small words between."""
    if not (2 <= len(short) <= 6 and short.isalpha()):
        return False
    row = words(paper)
    heads = "".join(word[0] for word in row)
    if _found(short, heads, row):
        return True
    bare = [word for word in row if word not in STOP_WORDS]
    return len(short) > 3 and short in "".join(word[0] for word in bare)


def _found(short: str, heads: str, row: Sequence[str]) -> bool:
    at = heads.find(short)
    while at >= 0:
        if row[at] not in STOP_WORDS and row[at + len(short) - 1] not in STOP_WORDS:
            return True
        at = heads.find(short, at + 1)
    return False


def strengthens(statement: str, text: str, changes: Iterable[Edit] | None = None) -> bool:
    """Whether it says of all, or always, or for certain, what the words it rests on do not.

    Args:
        statement: one sentence.
        text: the words; all of the paper's for a statement that is said freely.
        changes: what makes the one of the other, where it is nearly a copy. Only of a copy smaller words are weighed,
            such as "only" and "every": said freely, they may stand for anything.
    """
    theirs = frozenset(words(text))
    # "all-cause" is not all causes.
    ours = words(re.sub(r"\b(?:all|any|first|every|only)-\w+", "", statement, flags=re.IGNORECASE))
    for place, word in enumerate(ours):
        if word not in _MEANS or word in theirs or (changes is None and word not in _GREAT):
            continue
        if word == "first" and not (place and ours[place - 1] == "the"):
            continue
        if not theirs & _MEANS[word] or (changes is not None and (theirs & _ROOM) - frozenset(ours)):
            return True
    return any(_folded(edit.gone) & _ROOM and _folded(edit.put) & _MEANS.keys() for edit in changes or ())


def _folded(tokens: Iterable[str]) -> frozenset[str]:
    return frozenset(token.casefold() for token in tokens)


def prose(statement: str) -> list[str]:
    """Its content stems that are words."""
    return [word for word in content_stems(statement) if not word.isdigit()]
