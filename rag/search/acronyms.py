"""Acronyms that a text defines: "reinforcement learning from human feedback (RLHF)". Pure.

A plain form of Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text"
(Pacific Symposium on Biocomputing 2003): the long form is the shortest run of words beside the parenthesis in which
the acronym's letters stand in their order, the first of them at the head of a word; words whose heads spell it go
before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text import letters, words

_PARENTHESIS = re.compile(r"\(([^()]{2,120})\)")
# Where the words that a parenthesis may explain begin.
_BREAK = re.compile(r"[.!?]\s|[()\[\]{};:]")
# A definition may be followed by something else: "(RLHF; the usual way)", "(CLIP, 2021)".
_REST = re.compile(r"\s*[,;:=].*", re.DOTALL)
_PLURAL = re.compile(r"(?<=[A-Z0-9])s$")
# Longest acronym, and how many characters before a parenthesis are looked at.
_LONGEST, _REACH = 10, 160


def definitions(text: str) -> Iterator[tuple[str, str]]:
    """Acronyms with what they stand for, both folded: ("rlhf", "reinforcement learning from human feedback")."""
    for match in _PARENTHESIS.finditer(text):
        before = _BREAK.split(text[max(0, match.start() - _REACH):match.start()])[-1]
        inside = _REST.sub("", match.group(1)).strip()
        last = before.split()[-1] if before.split() else ""
        for short, around in ((inside, before), (last, inside)):
            long = _spelled(short, around) if is_acronym(short) else None
            if long:
                yield singular(short), long
                break


def singular(word: str) -> str:
    """A word folded, without the plural s of an acronym: "rnn" for "RNNs"."""
    return letters(_PLURAL.sub("", word))


def is_acronym(word: str) -> bool:
    """Whether a word is written as acronyms are: short, with a capital or digit behind the first letter."""
    bare = word.replace("-", "").replace("/", "")
    return 2 <= len(bare) <= _LONGEST and bare.isalnum() and has_capitals(word)


def has_capitals(word: str) -> bool:
    """Whether it takes more than one capital, or one behind the first letter, to write this word."""
    return not word.islower() and any(c.isupper() or c.isdigit() for c in word[1:]) and any(map(str.isupper, word))


def _spelled(short: str, around: str) -> str | None:
    """The shortest end of these words that spells the acronym, folded; None where none does."""
    spelling = singular(short)
    found = " ".join(words(around))
    # The plain case first: "semi-supervised learning (SSL)", which the letters alone find in "supervised learning".
    heads = found.split()[-len(spelling):]
    if "".join(word[0] for word in heads) == spelling:
        return " ".join(heads)
    at = len(found)
    for place in range(len(spelling) - 1, -1, -1):
        at = found.rfind(spelling[place], 0, at)
        while place == 0 and at > 0 and found[at - 1] != " ":
            at = found.rfind(spelling[0], 0, at)
        if at < 0:
            return None
    parts = found[at:].split()
    # As many words as the method allows; one word is no long form, nor is one that holds the acronym itself.
    fits = 2 <= len(parts) <= min(len(spelling) + 5, 2 * len(spelling)) and spelling not in parts
    return " ".join(parts) if fits else None
