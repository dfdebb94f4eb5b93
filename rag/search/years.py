"""The years of publication that a question asks for: "since 2023", "published in the last two years". Pure.

Years are said of much besides papers ("ImageNet 2012", "since 2017 Transformers have ..."), and a filter that nobody
asked for hides papers. So a year counts only where it is said of papers, or where it ends words that say nothing of
change; what is doubtful stays part of the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from rag.text import Span

# What names papers, right in front of what is said of them. "Work" and "articles" are often something else.
PAPERS = (r"(?:(?:papers?|publications?|pre-?prints?|stud(?:y|ies)|research|literature)"
          r"|(?:^|\b(?:what|which|any|all|the|other|more|recent|new|newer|older|earlier|related|relevant|prior|previous|"
          r"some|list|find|show|me)\s+)(?:works?|articles?|surveys?))")
# Things that have dates of their own, and are no papers.
_DATED = (r"news(?:papers?)?|articles?|stor(?:y|ies)|tweets?|posts?|reviews?|books?|comments?|reports?|blogs?|"
          r"documents?|texts?|messages?|videos?|songs?|photos?|images?|versions?|content|apps?|exams?|novels?|"
          r"speech(?:es)?|notes?|records?|patents?|laws?|events?|elections?|pandemics?|covid(?:-19)?|outbreaks?|"
          r"crash(?:es)?|crisis|crises|wars?|competitions?|editions?|products?")
# Things that are made, and are no papers: those with dates of their own, and those that papers are about.
THINGS = (rf"(?:{_DATED}|models?|datasets?|data|benchmarks?|code|software|tools?|questions?|problems?|challenges?|"
          r"methods?|systems?|algorithms?|techniques?|approach(?:es)?)")

_YEAR = r"(?<![\w.,/-])(?:19|20)\d\d"
_END = r"(?![\w%]|[.,]\d|['’]s\b|-\w)"
_MONTH = (r"(?:(?:early|mid|late|spring|summer|autumn|fall|winter|jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|"
          r"june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)[\s-]+)")
# Whoever pastes more than this searches by a text, whose years are the text's own.
_LONGEST = 600
_NUMBERS = "one two three four five six seven eight nine ten".split()
_Y = rf"{_MONTH}?{_YEAR}"
_CLAUSE = re.compile(
    rf"""\b(?:
      (?P<span>between\s+{_Y}\s+and\s+{_Y}|from\s+{_Y}\s*(?:to|till|until|through|[-–—])\s*{_MONTH}?(?:19|20)\d\d
        |(?:(?:in|during|of|over)\s+)?{_Y}\s*[-–—]\s*(?:19|20)\d\d){_END}
      |(?P<since>since\s+{_Y}|from\s+{_Y}\s+on(?:wards?)?\b|(?:(?:in|from)\s+)?{_Y}\s+(?:or|and)\s+(?:later|newer)\b){_END}
      |(?P<after>(?:after|later\s+than|newer\s+than|more\s+recent\s+than)\s+{_Y}){_END}
      |(?P<until>(?:until|till|up\s+to|no\s+later\s+than|through)\s+{_Y}
        |(?:(?:in|from)\s+)?{_Y}\s+(?:or|and)\s+(?:earlier|older|before)\b){_END}
      |(?P<before>(?:before|prior\s+to|earlier\s+than|older\s+than)\s+{_Y}){_END}
      |(?P<during>(?:in|from|during)\s+{_Y}(?:{_END}(?:\s*,\s*|\s*/\s*|\s*,?\s+(?:and|or)\s+){_YEAR})*){_END}
      |(?P<lately>(?:in|within|during|over|from)\s+the\s+(?:last|past)\s+(?:(?:\d\d?|{"|".join(_NUMBERS)})\s+years|year
        |(?:two\s+)?decades?)\b)
      |(?P<named>(?:(?:in|from|during)\s+)?(?:this|last)\s+year\b)(?!['’])
    )""", re.IGNORECASE | re.VERBOSE)
_GATE = re.compile(r"(?:19|20)\d\d|years?\b|decades?\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?:19|20)\d\d")
_IN_YEAR = re.compile(_MONTH, re.IGNORECASE)

_BE = r"(?:\s+(?:that|which))?(?:\s+(?:were|was|are|is|have|has|been))*(?:\s+(?:first|only|newly))?"
_SAID = rf"{_BE}\s+(?:published|written|authored|appeared|appearing|presented|released|posted|submitted|dated)"
# What stands between the papers and the year, and goes with the year.
_VERB = re.compile(rf"(?:{_SAID})?[\s,]*$", re.IGNORECASE)
_NAMED = re.compile(rf"\b(?:(?:{PAPERS}|of\s+(?:them|these|those))(?:{_SAID}|{_BE})|(?:what|anything|something|"
                    rf"everything|those|ones){_BE}\s+(?:published|written|appeared))[\s,(]*$", re.IGNORECASE)
_PUBLISHED = re.compile(rf"{_SAID}\s*$|^\s*published\s*$", re.IGNORECASE)
_ANY = re.compile(rf"\b{PAPERS}\b", re.IGNORECASE)
_THING = re.compile(rf"\b(?:{_DATED})(?:{_SAID}|{_BE})[\s,(]*$", re.IGNORECASE)

_REFUSED = re.compile(r"\b(?:not|\w+n['’]t|never|no|except|excluding|exclude|besides|without|than|instead\s+of|"
                      r"apart\s+from)\s+(?:\w+\s+){0,3}$", re.IGNORECASE)
# What follows a number that counts: "studies in 2000 patients".
_COUNTED = re.compile(rf"\s+(?:(?:\w+\s+)?(?:patients|participants|people|subjects|adults|children|women|men|mice|rats|"
                      rf"individuals|students)|samples|cases|users|sentences|words|languages|{PAPERS}|{THINGS})\b",
                      re.IGNORECASE)
# Papers of some years beside others are compared, and all are wanted.
_BESIDE = re.compile(r"\W*(?:compare[ds]?|comparing|differ\w*|versus|vs|against|relative)\b", re.IGNORECASE)
# A question about change over the years asks for no papers of those years.
_CHANGE = re.compile(r"\b(?:how(?!\s+many)|chang\w+|grew|grown|evol\w+|increas\w+|decreas\w+|declin\w+|happen\w*|"
                     r"rose|risen|trends?|progress|history|developments?|advances?|became|become|becoming)\b",
                     re.IGNORECASE)
_AUXILIARY = re.compile(r"\b(?:has|have|had|did|does|do|was|were|been|is|are|can|could|will|would|should)\b",
                        re.IGNORECASE)
_LAST = re.compile(r"[\s?.!,)]*(?:please)?[\s?.!]*", re.IGNORECASE)
_FIRST = re.compile(r"\s*,?\s*(?:which|what|are\s+there|is\s+there|have\s+any|has\s+any|find|list|show|any)\b",
                    re.IGNORECASE)
_EITHER = re.compile(r"\s*,?\s*or\s*", re.IGNORECASE)
_JOINT = re.compile(rf"\s*(?:,|and|but|,\s*and)?(?:{_SAID})?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Years from ``first`` to ``last``, either may be None; ``spans`` are the words that say so."""

    first: int | None
    last: int | None
    spans: tuple[Span, ...] = ()

    def meets(self, other: Period) -> Period:
        """What lies in both."""
        firsts = [year for year in (self.first, other.first) if year is not None]
        lasts = [year for year in (self.last, other.last) if year is not None]
        return Period(first=max(firsts, default=None), last=min(lasts, default=None), spans=self.spans + other.spans)

    def __bool__(self) -> bool:
        return self.first is None or self.last is None or self.first <= self.last


def period(question: str, this_year: int) -> Period | None:
    """The years that the question's papers must be of; None where it says none, or none that one period holds."""
    if len(question) > _LONGEST or not _GATE.search(question):
        return None
    clauses = [(match.span(), found) for match in _CLAUSE.finditer(question)
               if (found := _bounds(match, this_year)) is not None]
    runs: list[list[tuple[Span, Period]]] = []
    for clause in clauses:
        if runs and _JOINT.fullmatch(question[runs[-1][-1][0][1]:clause[0][0]]):
            runs[-1].append(clause)
        else:
            runs.append([clause])
    gaps = [question[end:start] for ((_, end), _), ((start, _), _) in pairwise(clauses)]
    if any(_EITHER.fullmatch(gap) for gap in gaps) or any(_BESIDE.match(question[end:]) for (_, end), _ in clauses):
        return None
    said: Period | None = None
    for run in runs:
        start, end = run[0][0][0], run[-1][0][1]
        kinds = {_kind(question[from_:to]) for (from_, to), _ in run}
        if not _of_papers(question[:start], question[end:], kinds):
            continue
        verb = _VERB.search(question[:start])
        assert verb is not None, "it may match nothing"
        cut = (verb.start(), end)
        for _, each in run:
            said = each if said is None else said.meets(each)
        assert said is not None, "a run holds a clause"
        said = Period(first=said.first, last=said.last, spans=(*said.spans, cut))
    return said if said is not None and said else None


def _kind(clause: str) -> str:
    match = _CLAUSE.match(clause)
    return match.lastgroup or "" if match else ""


def _bounds(match: re.Match[str], this_year: int) -> Period | None:
    """The years that a clause names; None where they are no period."""
    words, kind = match.group(), match.lastgroup or ""
    years = [int(digits) for digits in _DIGITS.findall(words)]
    if kind == "during":
        listed = sorted(set(years))
        whole = all(b - a == 1 for a, b in pairwise(listed))
        return Period(first=listed[0], last=listed[-1]) if whole else None
    # The library knows years, not months: what begins or ends inside a year takes the whole of it.
    inside = _IN_YEAR.search(words) is not None
    bounds: Mapping[str, Callable[[], tuple[int | None, int | None]]] = {
        "span": lambda: (years[0], years[1]),
        "since": lambda: (years[0], None),
        "after": lambda: (years[0] + (not inside), None),
        "until": lambda: (None, years[0]),
        "before": lambda: (None, years[0] - (not inside)),
        "lately": lambda: (this_year - _count(words), None),
        "named": lambda: (this_year, this_year) if "this" in words.casefold() else (this_year - 1, this_year - 1),
    }
    first, last = bounds[kind]()
    found = Period(first=first, last=last)
    return found if found else None


def _count(words: str) -> int:
    """How many years "the last two years" are."""
    number = words.casefold().split()[-2]
    if "decade" in words.casefold():
        return 20 if number == "two" else 10
    return int(number) if number.isdigit() else _NUMBERS.index(number) + 1 if number in _NUMBERS else 1


def _of_papers(before: str, after: str, kinds: set[str]) -> bool:
    """Whether the years are those of the papers asked for, to judge by the words around."""
    if _REFUSED.search(before) or ("during" in kinds and _COUNTED.match(after)):
        return False
    if _NAMED.search(before):
        return True
    if _THING.search(before):
        return False
    papers = _ANY.search(before) is not None
    if _PUBLISHED.search(before):
        return papers or ("published" in before[-16:].casefold() and not _AUXILIARY.search(before))
    if not before.strip():
        opening = after[:80]
        return bool(_FIRST.match(after) and _ANY.search(opening) and not _CHANGE.search(after))
    if not _LAST.fullmatch(after) or "during" in kinds or _CHANGE.search(before):
        return False
    return papers or not (kinds & {"lately", "named"} or _AUXILIARY.search(before))
