"""Which of the papers shown earlier some words point at: "the second one", "the last two", "the Gao paper". Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rag.schema import Paper
from rag.text import STOP_WORDS, Span, overlaps, stem, words

# Papers as an answer listed them, in the order of their numbers.
Listed = Sequence[Paper]

_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NUMBERS = "two three four five six seven eight nine ten".split()
_NOUN = r"(?:ones?|papers?|works?|stud(?:y|ies)|articles?|results?)"
_PLACE = rf"(?:{'|'.join(_ORDINALS)}|last|[1-9]\d?(?:st|nd|rd|th))"
_PLACES = rf"{_PLACE}(?:\s*(?:,|,?\s+and|,?\s+or|&)\s+(?:the\s+)?{_PLACE})*"
# What follows a paper that was pointed at, where another noun would make it something else ("the second law").
_GOES_ON = (r"(?=\s*(?:$|[?!.,;:)]|['’]s\b|(?:and|or|but|versus|vs|with|about|say|says|said|do|does|did|use|uses|find|"
            r"finds|report|reports|is|was|are|were|has|have|conclude|concludes|claim|claims|compare|differ|need|needs|"
            r"agree|disagree|please|again|above)\b))")
# "The first paper on pruning" is any library's; "the first one of these" is one that was shown.
_OF_ITS_OWN = (r"(?!\s+(?:on|to|about|that|which|of|for|in|who|ever)\b"
               r"(?!\s+(?:them|these|those|the\s+list|your\s+list|you|one|two|three|more|short|detail|brief|a)\b))")
_ORDINAL = re.compile(
    rf"\b(?:the\s+)?(?P<places>{_PLACES})\s+{_NOUN}\b{_OF_ITS_OWN}|\bthe\s+(?P<lone>{_PLACES}){_GOES_ON}"
    rf"|\b(?:the\s+)?(?P<end>first|last)\s+(?P<many>{'|'.join(_NUMBERS)}|[1-9])(?:\s+{_NOUN}\b{_OF_ITS_OWN}|{_GOES_ON})"
    r"|\b(?:the\s+)?(?P<pair>former|latter)(?:\s+(?:two|one|paper))?\b"
    rf"|\b(?P<both>both)(?:\s+(?:of\s+(?:them|these|those)|{_NOUN}))?{_GOES_ON}", re.IGNORECASE)
_JOINED = r"(?:\s*(?:,|,?\s+and|,?\s+or|&)\s+#?\d{1,2})"
_WHOLE = r"(?![\w%-]|\.\d)"
# "Paper 2" is one whatever follows; "number 3", "results 10" and "papers 20" count something where a noun does.
_NUMBERED = re.compile(
    rf"(?:\b(?:(?:paper|reference)\s+|(?:papers|references)\s+(?=\d{{1,2}}{_JOINED}))|#)\d{{1,2}}{_JOINED}*{_WHOLE}"
    rf"|\b(?:papers|references|numbers?|results?|nos?\.)\s+\d{{1,2}}{_JOINED}*+{_WHOLE}{_GOES_ON}"
    r"|^\s*\d{1,2}(?=\W*$)|\[\d{1,2}\](?:\s*(?:,|,?\s+and|,?\s+or|&)?\s*\[\d{1,2}\])*", re.IGNORECASE)

_BY = re.compile(r"\b(?:(?:the|that|this)\s+)?(?:paper|one|work|study|article)\s+(?:by|of|from)\s+"
                 r"(?P<who>[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’-]*){0,2}?)(?P<al>\s+et\s+al\b\.?|\s+and\s+colleagues)?"
                 r"(?=\s*(?:$|[?!.,;:)])|\s+[a-z])", re.IGNORECASE)
_ET_AL = re.compile(r"\b(?P<who>[A-Z][\w'’-]+)(?:\s+et\s+al\b\.?|\s+and\s+(?:colleagues|co-?authors|co-?workers)\b)"
                    r"(?:['’]s)?(?:\s*\(\d{4}\))?(?:\s+(?:paper|work|study)\b)?")
_CALLED = re.compile(r"\b(?:the|that|this)\s+(?P<what>(?:(?!(?:the|that|this|of|in|by|on)\s)[\w.()-]+['’]?s?\s+){1,4}?)"
                     r"(?:(?:paper|study|work|article)s?|one)\b"
                     rf"{_OF_ITS_OWN}", re.IGNORECASE)
# Words before "paper" that name none: "the same paper", "the original study".
_NAMELESS = STOP_WORDS | frozenset(
    "original previous following cited best good new recent first last next seminal".split())

# Characters of a question that are looked at.
_LONGEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Words that point at papers; none where the list is not so long. ``listed`` is how many that list holds."""

    span: Span
    papers: tuple[Paper, ...]
    listed: int = 0


def mentions(question: str, lists: Sequence[Listed]) -> tuple[Mention, ...]:
    """What a question points at, in its order.

    Args:
        question: the follow-up.
        lists: what earlier answers listed, the latest first. A place counts in the latest list that is long enough.
    """
    if not any(lists):
        return ()
    question = question[:_LONGEST]
    found: list[Mention] = []
    for mention in (*_by_place(question, lists), *_by_name(question, lists)):
        if not overlaps(mention.span, [other.span for other in found]):
            found.append(mention)
    return tuple(sorted(found, key=lambda mention: mention.span))


def _by_place(question: str, lists: Sequence[Listed]) -> Iterator[Mention]:
    for match in _NUMBERED.finditer(question):
        places = [int(digits) for digits in re.findall(r"\d+", match.group())]
        yield _picked(match.span(), lists, places)
    for match in _ORDINAL.finditer(question):
        said = match.group("places") or match.group("lone")
        if said:
            yield _picked(match.span(), lists, [_place(word) for word in re.findall(_PLACE, said, re.IGNORECASE)])
        elif match.group("many"):
            many = match.group("many").casefold()
            count = int(many) if many.isdigit() else _NUMBERS.index(many) + 2
            first = match.group("end").casefold() == "first"
            yield _picked(match.span(), lists, list(range(1, count + 1)) if first else list(range(-count, 0)))
        else:
            # The former and the latter are of two.
            pair = next((listed for listed in lists if len(listed) > 1), ())
            if len(pair) == 2:
                side = (match.group("pair") or "").casefold()
                chosen = {"former": pair[:1], "latter": pair[1:]}.get(side, pair)
                yield Mention(span=match.span(), papers=tuple(chosen), listed=2)


def _place(word: str) -> int:
    word = word.casefold()
    if word == "last":
        return -1
    return int(re.sub(r"\D", "", word)) if word[0].isdigit() else _ORDINALS.index(word) + 1


def _picked(span: Span, lists: Sequence[Listed], places: Sequence[int]) -> Mention:
    """The papers at these places, from 1, or from -1 backward; of a list of one, only where there is no longer one."""
    needed = max(2, *(abs(place) for place in places))
    listed = next((each for each in lists if len(each) >= needed), next((each for each in lists if each), ()))
    inside = all(0 < abs(place) <= len(listed) for place in places)
    chosen = [listed[place if place < 0 else place - 1] for place in places] if inside else []
    return Mention(span=span, papers=tuple(dict.fromkeys(chosen)), listed=len(listed))


def _by_name(question: str, lists: Sequence[Listed]) -> Iterator[Mention]:
    for match in (*_BY.finditer(question), *_ET_AL.finditer(question)):
        papers = _first(lists, partial(_wrote, words(match.group("who"))[-1:]))
        if papers:
            yield Mention(span=match.span(), papers=papers, listed=len(papers))
    for match in _CALLED.finditer(question):
        named = [word for word in words(match.group("what").replace("’s", "")) if word not in _NAMELESS and word != "s"]
        papers = _first(lists, partial(_called, named)) if named else ()
        if papers:
            yield Mention(span=match.span(), papers=papers, listed=len(papers))


def _first(lists: Sequence[Listed], fits: Callable[[Paper], bool]) -> tuple[Paper, ...]:
    """Those that fit, of the latest list that holds any."""
    return next((found for listed in lists if (found := tuple(filter(fits, listed)))), ())


def _wrote(surname: Sequence[str], paper: Paper) -> bool:
    names = (author.partition(",")[0] if "," in author else author for author in paper.authors)
    return any(words(name)[-1:] == surname for name in names)


def _called(named: Sequence[str], paper: Paper) -> bool:
    """Whether the paper's title and its authors' names hold all these words."""
    held = {stem(word) for text in (paper.label, *paper.authors) for word in words(text)}
    return all(stem(word) in held for word in named)


def titles(papers: Iterable[Paper]) -> str:
    """The papers' titles as a person lists them."""
    quoted = [f"“{paper.label}”" for paper in papers]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
