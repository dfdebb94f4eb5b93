"""How models write what they cite: labels in brackets of every kind, and marks that name no label. Pure."""

from __future__ import annotations

import re

# One label as models write it: E1, Q1 (a quote's name), e1, E 1, Evidence 1, 1, ^1; of any number, as an invented one
# is a label too.
_ITEM = r"\^?(?:(?:[Ee](?:vidence)?[ -]?|[Qq](?:uote)?[ -]?|[Pp](?:aper|assage) )\d+|[1-9]\d*)"
_ITEMS = rf"{_ITEM}(?:(?:\s*(?:[,;&/–-]|and|,\s*and)\s*|\s+){_ITEM})*"
_SEE = r"\s*(?:(?:[Ss]ee|cf\.?|[Ss]ources?:?|[Ff]rom|[Ll]abel)\s+)?"
# "[E1: its title]" and "[E1, p. 3]" are labels with a remark; "[1: ...]" is none.
SQUARE = re.compile(rf"{_SEE}(?:({_ITEMS})\s*|(?=[EeQq])({_ITEMS})\b.*)", re.DOTALL)
ROUND = re.compile(rf"{_SEE}([EeQq]\d+(?:\s*(?:[,;&/–-]|and)\s*[EeQq]\d+)*)\s*")
COUNTED = re.compile(r"\s*([1-9]\d{0,2}(?:\s*[,;–-]\s*[1-9]\d{0,2})*)\s*")  # a mark at a sentence's end alone
_ONE = re.compile(
    r"(?P<dash>[–-]\s*)?(?P<letter>[Ee](?:vidence)?[ -]?|[Qq](?:uote)?[ -]?|[Pp](?:aper|assage) )?(?P<number>\d+)")

# Marks that name no label: "[S7]", "[citation needed]", "[sic]", "(Smith and Jones, 2021a)", "(ref. 7)".
CITING = re.compile(r"\d|\bet\.? al\b|\bcitations?\b|\bsources?\b|\bref(?:s|erences?)?\b", re.IGNORECASE)
FEW = 3  # words in square brackets that say nothing of their own
_NAME = r"[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*"
_NAMES = rf"{_NAME}(?:(?:,?\s+(?:and|&)\s+|,\s*){_NAME}\.?)*"
_YEAR = r"(?:(?:1[89]|20)\d\d[a-z]?|n\.\s?d\.?|in press|forthcoming)"
_WORK = rf"(?:(?:[Ss]ee|[Cc]f\.?|e\.g\.,?)\s+(?:also\s+)?)?{_NAMES},?\s+{_YEAR}(?:,\s*{_YEAR})*(?:,\s*pp?\.\s*[\d–-]+)?"
AUTHORS = re.compile(
    rf"\s*{_WORK}(?:;\s*{_WORK})*\s*|.{{0,60}}\bet\.? al\b.{{0,60}}|\s*(?:citation|source|ref|reference|doc|document|"
    r"evidence|paper|passage)s?[.:]?\s*(?:needed|#?[A-Za-z]?\d+(?:\s*[,;&–-]\s*[A-Za-z]?\d+)*)\s*", re.DOTALL)
DOUBLE = re.compile(r"\[\[[^\[\]\n]*\]\]")
DOUBLE_SO_FAR = re.compile(r"\[\[[^\[\]\n]*\]?")
BRACED = re.compile(r"\{\s*([EeQq]\d+(?:\s*[,;&]\s*[EeQq]\d+)*)\s*\}|\\cite[a-z]*\*?(?:\[[^\]\n]*\])*\{[^{}\n]*\}")
BRACED_SO_FAR = re.compile(r"\{[\sEeQq\d,;&]*|\\(?:c|ci|cit|cite[a-z]*\*?(?:\[[^\]\n]*\]?)*(?:\{[^{}\n]*)?)?")
HALF_ROUND = re.compile(
    rf"\({_SEE}(?:[EeQq]\d+(?:\s*[,;&]\s*[EeQq]\d*)*|[EeQq]$|[^.()]{{0,60}}\bet\.? al\b\.?(?:,?\s*\d+)?)")
HALF_SQUARE = re.compile(r".*?(?=\n|\[|[.!?](?:\s|$)|$)", re.DOTALL)


def listed(inner: str) -> tuple[str, ...]:
    """The labels of "E1, E3-E5", as they were written: a range gives each in it, if it is not absurdly long."""
    labels: list[str] = []
    letter, last = "", 0
    for one in _ONE.finditer(inner):
        number = int(one["number"])
        # A range's end is of its beginning's kind; a paper is evidence.
        letter = ("Q" if one["letter"][0] in "Qq" else "E") if one["letter"] else letter if one["dash"] else ""
        first = last + 1 if one["dash"] and 0 < number - last <= 20 else number
        labels += (f"{letter}{n}" for n in range(first, number))
        labels.append(f"{letter}{one['number']}")
        last = number
    return tuple(dict.fromkeys(labels))
