"""Conditions said in a question, apart from its subject: "reward hacking papers by Jane Doe since 2023". Pure.

A condition that nobody set hides papers, so a doubtful one stays part of the question: years and authors count only
where they are said of papers (see `rag.search.years`), and a name only where the library knows an author of that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from rag.schema import Paper, Where
from rag.search.years import PAPERS, THINGS, period
from rag.text import STOP_WORDS, Span, letters, words

# Given a name, the names in the library that hold its words; given words that begin with a title, papers it may be of.
Authors = Callable[[str], Iterable[str]]
Titled = Callable[[str], Iterable[Paper]]

_LONGEST = 600
_BY = re.compile(r"\bby\s+(?=\S)", re.IGNORECASE)
_THEIRS = re.compile(r"(?:the\s+)?(?:same\s+)?(?:authors?|people|team|group)\s+(?:of|behind|(?:who|that)\s+wrote)\s+",
                     re.IGNORECASE)
_WROTE = r"(?:published|written|authored|co-?authored)"
_BE = r"(?:\s+(?:that|which))?(?:\s+(?:was|were|are|is|been|have|has))*"
_NEAR = re.compile(rf"\b(?:(?:{PAPERS}|anything|everything|something|else){_BE}(?:\s+{_WROTE})?"
                   rf"|what{_BE}\s+{_WROTE})\s*$", re.IGNORECASE)
_PAPERS = re.compile(rf"\b{PAPERS}\b", re.IGNORECASE)
_THING = re.compile(rf"\b{THINGS}\s*$", re.IGNORECASE)
# What others did to the papers, or to something else: "cited by", "the loss introduced by".
_DONE = re.compile(rf"(?<!\w)(?!{_WROTE}\b)(?:[\w-]+ed|shown|given|taken|made|found|done|drawn|led|held|built|won|said|"
                   r"known|seen|begun|run|put|set)\s*$", re.IGNORECASE)
_VERB = re.compile(rf"(?:{_BE}\s+{_WROTE})?[\s,]*$", re.IGNORECASE)
# Papers in relation to somebody's, which somebody else wrote.
_RELATED = re.compile(r"\b(?:cit(?:e|es|ed|ing)|(?:build|builds|building|built|based|improv\w+)\s+(?:up)?on|extend\w*|"
                      r"follow(?:s|ed|-?ups?|ing\s+(?:up|on|the))|respond\w*|repl(?:y|ies)|contradict\w*|refut\w+|"
                      r"replicat\w+|reproduc\w+|critici\w+|compar\w+|differ\w*|unlike|than|inspired|not|never|except|"
                      r"excluding|without|\w+n['’]t)\b", re.IGNORECASE)
_WORD = re.compile(r"\s*([^\W\d_][\w'’-]*\.?)")
_PARTICLES = frozenset("van von der den de di da dos du del della la le al el bin ibn ten ter".split())
_SUFFIXES = frozenset("jr sr ii iii iv".split())
# What can only be a person's name: two to four capitalised words.
_CAPITAL = r"(?:[A-Z][\w'’-]+|[A-Z]\.)"
_NOBODY = re.compile(rf"{_CAPITAL}(?:\s+(?:(?:van|von|de|der|den|la|di|da)\s+)*{_CAPITAL}){{1,3}}"
                     r"(?=\s*(?:$|[?!.,;:)]|(?:on|about|that|which|since|before|after|and|or|et|from|in)\b))")
_NEXT = re.compile(r"\s*(?:,\s*(?:and|or|&)?|and|or|&)\s+", re.IGNORECASE)
_OTHERS = re.compile(r",?\s+(?:et\s+al\b\.?|and\s+(?:colleagues|others|co-?authors|co-?workers|collaborators)\b)",
                     re.IGNORECASE)
_QUOTED = re.compile(r"[\"“”'‘«]\s*([^\"“”»]+?)\s*[\"”'’»](?!\w)")
# What may stand behind a title without being more of it.
_OVER = re.compile(r"\s*(?:$|[?!.,;:)]|(?:on|about|that|which|since|before|after|published|written|between|from|until|"
                   r"dealing|addressing|papers?)\b)", re.IGNORECASE)
_PAPER = re.compile(r"\s+papers?\b", re.IGNORECASE)
# Words that are left where the conditions were all that was asked.
_BARE = STOP_WORDS | frozenset(
    "anything article articles authored collection else everything find give know library list literature many number "
    "paper papers please preprint preprints publication publications published research show something studies study "
    "summarise summarize summary tell there wrote work works write written".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A question and the conditions that it set.

    Attributes:
        question: without the words of its conditions; empty where nothing else was asked.
        where: the conditions; None where there are none.
        phrase: them in words, to stand behind "papers": "by Jane Doe since 2023".
        anonymous: a paper whose authors were asked for, and which the library knows no authors of.
        unknown: a name that papers were asked for by, and that no author in the library has.
    """

    question: str
    where: Where | None = None
    phrase: str = ""
    anonymous: Paper | None = None
    unknown: str | None = None


def read(question: str, this_year: int, authors: Authors, titled: Titled, given: Where | None = None) -> Said:
    """The conditions that a question sets by itself. What is already given is not read again.

    Args:
        question: in the reader's words.
        this_year: what "the last two years" is counted from.
        authors: asked for the names in the library that a name could be, only where the question seems to hold one.
        titled: asked for the papers that a title could be.
        given: conditions set by other means, which win over the question's.
    """
    given = given or Where()
    wrote = None if given.authors else _writers(question, authors, titled)
    # What names a person or a paper says no year.
    hidden = question if wrote is None else _blank(question, wrote.span)
    when = period(hidden, this_year) if given.years in (None, (None, None)) else None
    names = wrote.names if wrote is not None else ()
    unknown = wrote.unknown if wrote is not None else None
    if when is None and not names and unknown is None:
        return Said(question=question, anonymous=wrote.anonymous if wrote is not None else None)
    told = wrote is not None and (names or unknown)
    spans = [*(when.spans if when is not None else ()), *([wrote.span] if wrote is not None and told else ())]
    phrases = [wrote.phrase] if wrote is not None and names else []
    if when is not None:
        phrases.append(_years(when.first, when.last))
    if when is None and not names:
        return Said(question=_without(question, spans), unknown=unknown)
    return Said(question=_without(question, spans), phrase=" ".join(phrases), unknown=unknown,
                where=Where(years=(when.first, when.last) if when is not None else None, authors=names),
                anonymous=wrote.anonymous if wrote is not None else None)


def _years(first: int | None, last: int | None) -> str:
    if first is None:
        return f"before {(last or 0) + 1}"
    if last is None:
        return f"since {first}"
    return f"of {first}" if first == last else f"from {first} to {last}"


def _blank(text: str, span: Span) -> str:
    return text[:span[0]] + " " * (span[1] - span[0]) + text[span[1]:]


def _without(question: str, spans: Iterable[Span]) -> str:
    """What is left of the question, empty where that asks for nothing."""
    for span in spans:
        question = _blank(question, span)
    left = re.sub(r"\s+(?=[?!.,;:)])|(?<=\()\s+", "", " ".join(question.split())).replace("()", "")
    left = " ".join(re.sub(r",+", ",", left).split()).lstrip(",;. ")
    return left if not _BARE.issuperset(words(left)) else ""


# ---- authors


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writers:
    span: Span
    names: tuple[str, ...]
    phrase: str = ""
    anonymous: Paper | None = None
    unknown: str | None = None


def _writers(question: str, authors: Authors, titled: Titled) -> _Writers | None:
    """Who wrote the papers that are asked for, where it is said and the library knows them."""
    if len(question) > _LONGEST:
        return None
    found: list[_Writers] = []
    for by in _BY.finditer(question):
        before = question[:by.start()]
        near = _NEAR.search(before) is not None
        far = _PAPERS.search(before) and not _DONE.search(before) and not _THING.search(before)
        if _RELATED.search(before) or not (near or far):
            continue
        verb = _VERB.search(before)
        assert verb is not None, "it may match nothing"
        theirs = _THEIRS.match(question, by.end())
        writers = (_of_paper(question, theirs.end(), titled) if theirs
                   else _named(question, by.end(), authors, near=near))
        if writers is not None:
            found.append(replace(writers, span=(verb.start(), writers.span[1])))
    # Papers by some beside papers by others are compared, and all are wanted.
    return found[0] if len(found) == 1 else None


def _of_paper(question: str, start: int, titled: Titled) -> _Writers | None:
    """The authors of the paper whose title stands there, or what of a title is enough to know it by."""
    quoted = _QUOTED.match(question, start)
    said = quoted.group(1) if quoted else question[start:]
    papers = [paper for paper in titled(said) if paper.title]
    for word in reversed(list(re.finditer(r"\S+", said))):
        meant = _titled(said[:word.end()], papers)
        if meant:
            stop = quoted.end() if quoted else start + len(said[:word.end()].rstrip("?!.,;:"))
            if not quoted and not _OVER.match(question, stop):
                return None
            paper_too = _PAPER.match(question, stop)
            names = tuple(dict.fromkeys(name for paper in meant for name in paper.authors))
            return _Writers(span=(start, paper_too.end() if paper_too else stop), names=names,
                            phrase=f"by the authors of “{meant[0].title}”", anonymous=None if names else meant[0])
    return None


def _titled(said: str, papers: Sequence[Paper]) -> list[Paper]:
    """The papers of that title; else those whose title goes on behind it after a colon; else the one it begins."""
    wanted = _key(said)
    if not wanted:
        return []
    whole = [paper for paper in papers if _key(paper.title) == wanted]
    heads = [paper for paper in papers if _key(re.split(r":\s|\s[-–—]\s", paper.title or "")[0]) == wanted]
    begun = [paper for paper in papers if len(said.split()) > 3 and _key(paper.title).startswith(wanted)]
    return whole or heads or (begun if len(begun) == 1 else [])


def _key(title: str | None) -> str:
    return letters(re.sub(r"^\s*(?:the|an?)\s+", "", title or "", flags=re.IGNORECASE))


def _named(question: str, start: int, authors: Authors, *, near: bool) -> _Writers | None:
    """The authors named there: "Jane Doe", "J. Doe and Bob Roe", "Doe et al."."""
    names: list[str] = []
    told: list[str] = []
    end = at = start
    while (found := _name(question, at, authors, near=near)) is not None:
        known, end = found
        names += [name for name in known if name not in names]
        told.append(" or ".join(known[:3]) + (f" or {len(known) - 3} of that name" if len(known) > 3 else ""))
        if others := _OTHERS.match(question, end):
            end = others.end()
        another = _NEXT.match(question, end)
        if another is None:
            break
        at = another.end()
    if names:
        return _Writers(span=(start, end), names=tuple(names), phrase=f"by {' or '.join(told)}")
    nobody = _NOBODY.match(question, start) if near else None
    return _Writers(span=(start, nobody.end()), names=(), unknown=nobody.group()) if nobody else None


def _name(question: str, start: int, authors: Authors, *, near: bool) -> tuple[tuple[str, ...], int] | None:
    """The longest name there that the library knows, as its authors write it, and where it ends."""
    ends: list[int] = []
    at = start
    capital = question[start:start + 1].isupper()
    if not (near or capital):
        return None
    while len(ends) < 6 and (word := _WORD.match(question, at)):
        text = word.group(1)
        if (text.casefold() in STOP_WORDS and not text[0].isupper()) or (
                capital and not text[0].isupper() and text.casefold() not in _PARTICLES):
            break
        full = text.endswith(".") and len(text) > 2
        at = word.end() - full
        ends.append(at)
        if full:
            break
    for end in reversed(ends):
        said = question[start:end]
        # A lone word, or a name in small letters, is a name only where no other reading is likely.
        if (len(words(said)) < 2 and not (near and capital)) or said.endswith(("'s", "’s")):
            continue
        known = tuple(name for name in dict.fromkeys(authors(said)) if same_name(said, name))
        if known:
            return known, start + len(said)
    return None


def same_name(said: str, author: str) -> bool:
    """Whether a name can be the author's: the surname whole, first names whole or by initial, some left out.

    A surname alone is anybody's of that name; "Nelson Liu", "N. Liu" and "N. F. Liu" are all "Nelson F. Liu".
    """
    last, comma, first = author.partition(",")
    ours, theirs = words(said), words(f"{first} {last}" if comma else author)
    while len(theirs) > 1 and theirs[-1] in _SUFFIXES:
        theirs = theirs[:-1]
    if not ours or not theirs or ours[-1] != theirs[-1]:
        return False
    if len(ours) == 1:
        return True
    if all(word in _PARTICLES for word in ours[:-1]):
        return theirs[-len(ours):] == ours
    return len(theirs) > 1 and _agree(ours[0], theirs[0]) and _subsequence(ours[1:-1], theirs[1:-1])


def _agree(a: str, b: str) -> bool:
    return a == b or (min(len(a), len(b)) == 1 and a[0] == b[0])


def _subsequence(few: Sequence[str], many: Sequence[str]) -> bool:
    left = iter(many)
    return all(any(_agree(word, other) for other in left) for word in few)
