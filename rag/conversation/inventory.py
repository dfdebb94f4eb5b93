"""Questions about the library itself, told from questions about what its papers say. Pure.

"How many papers do you have on RLHF?" is one; "How many papers were used for training GPT?" is not. What is doubtful
is left to the papers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "newest", "oldest", "about", "has", "authors", "years", "list", "files", "venues",
               "wrote", "dated", "published", "link"]

_MANY = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
# Papers named where several are asked for.
_SEVERAL = 5
# Nobody asks for the library in more words.
_LONGEST = 300

_P = r"(?:papers?|publications?|stud(?:y|ies)|articles?|pre-?prints?|abstracts?|documents?|works?|entries|records)"
_LIBRARY = r"(?:the|this|your|my|our)\s+(?:whole\s+|entire\s+)?(?:library|collection|catalogue|catalog|database|corpus)"
_IN = (rf"(?:(?:in|of|from)\s+{_LIBRARY}|in\s+(?:here|there|total|all|it)|here|altogether|there(?:\s+are)?|"
       r"you\s+(?:have|know|hold|cover))")
_WHO = rf"(?:you|we|i|vouch|{_LIBRARY})"
_HAVE = (rf"(?:(?:do|does|did)\s+{_WHO}\s+(?:have|hold|know(?:\s+of)?|contain|store|cover|index|include|list)|"
         rf"(?:have|has)\s+{_WHO}\s+(?:got|read|indexed|ingested|stored)|(?:are|is)\s+(?:stored|indexed|held|{_IN}))")
_THEM = r"(?:of\s+(?:them|these|those)(?:\s+papers)?|of\s+the\s+\d+\s+papers\s+above)"
# What may follow "papers" where they are asked for by subject, author or year.
_VERB = (r"(?:address|stud(?:y|ies)|discuss|cover|concern|deal(?:s)?\s+with|investigate|examine|explore|mention|use|"
         r"treat|focus(?:es)?\s+on|speak\s+of|propose|introduce|evaluate|measure)(?:e?s)?")
_REST = (r"(?P<rest>(?:(?:(?:are|were|is|was|have\s+been)\s+)?(?:published|written|on|about|by|from|since|before|after|"
         rf"between|in\s+(?:19|20)\d\d|until|dealing\s+with|concerning)\b|(?:that\s+|which\s+)?{_VERB}\b).*)")
_TAIL = rf"(?:\s+(?:{_HAVE}|{_IN}))*"
_NEW = r"(?:newest|latest|most\s+recent|(?P<old>oldest|earliest))"
_TITLE = r"[\"“”«]\s*(?P<quoted>[^\"“”»]+?)\s*[\"”»]"
_PAPER = (rf"(?:(?:the\s+)?(?:paper|study|article|work)\s+)?(?:{_TITLE}|(?P<it>it|(?:this|that)\s+(?:paper|one))|"
          r"the\s+(?P<named>.+?)\s+(?:paper|study|article)|(?P<plain>.+?))")
_PLEASE = r"\W*(?:(?:please|ok(?:ay)?|and|so|but|can\s+you|could\s+you)\b[\s,]*)*"


_THEY = rf"(?:they|(?:all\s+)?(?:the|these|those|your)\s+{_P})"
_VENUE = r"(?:venue|journal|conference)"
_TOP = r"(?:main|top|leading|most\s+(?:frequent|common|prolific))"
_SUBJECT = r"(?:topic|subject|theme|area|field)"


def _again(form: str) -> str:
    """The form for a second place in a pattern, where its groups need other names."""
    return re.sub(r"\(\?P<(\w+)>", r"(?P<\g<1>2>", form)


def _pattern(forms: str) -> re.Pattern[str]:
    return re.compile(rf"{_PLEASE}(?:{forms})\W*", re.IGNORECASE | re.VERBOSE)


_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("files", _pattern(rf"""
        (?:which|what|how\s+many)\s+files?(?:\s+(?:{_HAVE}|{_IN}|were\s+(?:read|ingested)|did\s+you\s+(?:read|ingest)))+
        |(?:list|show)\s+(?:me\s+)?(?:all\s+)?(?:the\s+)?files(?:\s+{_IN})?
        |where\s+do\s+{_THEY}\s+come\s+from|(?:which|what)\s+are\s+your\s+sources""")),
    ("venues", _pattern(rf"""
        (?:which|what)\s+{_VENUE}s?(?:\s+and\s+{_VENUE}s)?(?:\s+(?:{_HAVE}|{_IN}|are\s+{_THEY}\s+(?:from|in)
          |do\s+{_THEY}\s+(?:come\s+from|appear\s+in)|appears?\s+most(?:\s+often)?|are\s+covered))+
        |where\s+(?:were|are)\s+{_THEY}\s+published""")),
    ("authors", _pattern(rf"""
        (?:which|what)\s+authors?\s+(?:appears?|occurs?|publish(?:es)?|wrote|has|have)\s+(?:the\s+)?most
          (?:\s+(?:often|frequently|{_P}))?(?:\s+{_IN})?
        |who\s+(?:are|is)\s+the\s+(?:{_TOP}\s+authors?(?:\s+{_IN})?|authors?\s+{_IN})
        |who\s+(?:wrote|has\s+written|published|has|authored)\s+(?:the\s+)?most(?:\s+{_P})?(?:\s+{_IN})?
        |(?:list|show)\s+(?:me\s+)?(?:all\s+)?(?:the\s+)?authors(?:\s+{_IN})?
        |(?:which|what|how\s+many)\s+authors(?:\s+(?:{_HAVE}|{_IN}))+|(?:the\s+)?{_TOP}\s+authors?(?:\s+{_IN})?""")),
    ("years", _pattern(rf"""
        (?:which|what)\s+(?:years?|(?:time\s+)?(?:period|range|span))(?:\s+of\s+(?:years|time))?\s+(?:do|does)\s+
          (?:{_THEY}|it|you|{_LIBRARY})\s+(?:cover|span|come\s+from|go\s+back\s+to)
        |(?:which|what)\s+years?\s+are\s+(?:{_THEY}|covered)(?:\s+(?:from|of))?(?:\s+{_IN})?
        |how\s+(?:old|recent|new)\s+are\s+{_THEY}(?:\s+{_IN})?
        |(?:from\s+)?when\s+(?:are|were)\s+{_THEY}(?:\s+(?:from|published|written))?(?:\s+{_IN})?
        |(?:how\s+many\s+)?{_P}\s+(?:per|a|each|by)\s+year(?:{_TAIL})?""")),
    ("about", _pattern(rf"""
        what(?:['’]s|\s+is|\s+are)\s+(?:{_LIBRARY}|{_THEY}(?:\s+{_IN})?)\s+(?:all\s+)?about
        |what(?:['’]s|\s+is)\s+(?:(?:in|inside)\s+(?:{_LIBRARY}|it)|(?:in\s+)?here)
        |(?:what|which)\s+(?:are\s+(?:the|your)\s+)?(?:main\s+)?{_SUBJECT}s?
          (?:\s+(?:{_HAVE}|{_IN}|do\s+{_THEY}\s+(?:cover|address)|are\s+(?:covered|{_THEY}\s+about)))+
        |what\s+are\s+(?:the|your)\s+(?:main\s+)?{_SUBJECT}s
        |what\s+do\s+you\s+(?:have|know|cover|hold)(?:\s+{_IN})?(?:\s+about)?
        |what\s+can\s+(?:i|one)\s+ask(?:\s+(?:you|here))?(?:\s+about)?
        |(?:describe|summari[sz]e|(?:give\s+me\s+)?an\s+overview\s+of|tell\s+me\s+about)\s+{_LIBRARY}
        |what\s+(?:kinds?|sorts?)\s+of\s+{_P}(?:\s+(?:{_HAVE}|{_IN}|are\s+{_THEY}))+""")),
    ("list", _pattern(rf"""
        (?:list|show|give|name|print)\s+(?:me\s+)?(?:all|everything|the\s+(?:full|whole)\s+list\s+of)
          (?:\s+(?:of\s+)?(?:the|your|these))?(?:\s+{_P})?(?:\s+{_IN})*(?:\s+{_REST})?
        |(?:list|show|name)\s+(?:me\s+)?(?:the|your)\s+{_P}(?:\s+{_IN})*
        |(?:what|which)\s+{_P}(?:\s+(?:{_HAVE}|are\s+{_IN}))+|all\s+(?:the\s+)?{_P}(?:\s+{_IN})?""")),
    ("count", _pattern(rf"""
        (?:how\s+many|(?:what\s+is\s+)?(?:the\s+)?number\s+of|count(?:\s+the)?)\s+{_P}{_TAIL}(?:\s+{_REST})?
        |how\s+many\s+(?:{_THEM}|are\s+there|do\s+you\s+have)(?:\s+{_again(_REST)})?
        |how\s+(?:big|large)\s+is\s+{_LIBRARY}""")),
    ("newest", _pattern(rf"""
        (?:(?:what|which)(?:['’]s|\s+is|\s+are)?|(?:list|show|give|find)(?:\s+me)?)?\s*(?:the\s+)?
          (?:(?P<many>\d+|{'|'.join(_MANY)})\s+)?{_NEW}(?:\s+(?:{_P}|ones?))?(?:\s+{_THEM})?{_TAIL}(?:\s+{_REST})?
        |(?:what|which)(?:\s+(?:ones?|{_P}))?(?:\s+{_THEM})?\s+(?:is|are)\s+the\s+{_again(_NEW)}
          (?:\s+(?:{_P}|ones?))?{_TAIL}(?:\s+{_again(_REST)})?
        |what(?:['’]s|\s+is)\s+new(?:\s+{_IN})?""")),
    ("has", _pattern(rf"""
        (?:(?:do|does)\s+{_WHO}\s+(?:have|hold|know|contain|include)|have\s+{_WHO}\s+got|is\s+there)\s+
          (?:(?:the|a|an|any|some)\s+)?(?:(?:{_P}|anything|something)\s+(?P<by>by\s+.+?)
          |{_P}\s+(?:called|titled|entitled|named)\s+(?P<called>.+?)|(?:{_P}\s+)?{_TITLE}
          |(?P<named>(?!(?:{_P})\b).+?)\s+paper)(?:\s+{_IN})?
        |is\s+(?:the\s+(?:paper\s+)?)?(?:{_again(_TITLE)}|(?P<named2>.+?)\s+paper)\s+
          (?:part\s+)?(?:in|of)\s+{_LIBRARY}""")),
    ("wrote", _pattern(rf"""
        who\s+(?:wrote|authored|has\s+written|published|(?:is|are|was|were)\s+the\s+(?:first\s+)?authors?\s+of)\s+
          {_PAPER}""")),
    ("dated", _pattern(rf"""
        (?:when|(?:in\s+)?(?:which|what)\s+year)\s+(?:was|did|were|is)\s+{_PAPER}\s+
          (?:published|written|released|posted|appear|come\s+out|from)
        |how\s+old\s+is\s+(?P<it2>it|this\s+paper|that\s+paper)""")),
    ("published", _pattern(rf"""
        (?:where|(?:in|at)\s+(?:which|what)\s+{_VENUE})\s+(?:was|did|is)\s+{_PAPER}\s+
          (?:published|presented|appear|come\s+out)""")),
    ("link", _pattern(rf"""
        (?:what(?:['’]s|\s+is)\s+|give\s+me\s+|show\s+me\s+)?the\s+
          (?:links?|urls?|dois?|arxiv(?:\s+(?:id|number|link))?|address(?:es)?)\s+(?:of|for|to)\s+{_PAPER}
        |where\s+can\s+i\s+(?:read|find|get|download)\s+(?:{_again(_TITLE)}|(?P<it2>it|this\s+paper|that\s+paper))""")),
)
# A finite verb after "papers on ..." makes it a question of what was done with them.
_DONE = re.compile(r"\b(?:were|was|did|does|do|had|(?:has|have)\s+been)\b(?!\s+(?:published|written))",
                   re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What is asked of the library.

    Attributes:
        kind: what: "has" and those from "wrote" on ask about one paper.
        rest: which papers: "on RLHF since 2023"; empty for all.
        paper: the one paper, by its title or words of it; empty for the one that was spoken of.
        many: how many are to be named.
    """

    kind: Kind
    rest: str = ""
    paper: str = ""
    many: int = _SEVERAL


def asked(question: str) -> Inventory | None:
    """What a question asks of the library itself; None for a question about what papers say."""
    for kind, pattern in _PATTERNS if len(question) <= _LONGEST else ():
        match = pattern.fullmatch(question)
        if match is None:
            continue
        said = {name.rstrip("2"): text for name, text in match.groupdict().items() if text}
        rest = " ".join(_OF_LIBRARY.sub(" ", said.get("rest") or said.get("by") or "").split()).strip(" ?.!")
        rest = _LEADING.sub("", rest)
        if kind in ("count", "newest", "list") and _DONE.search(rest):
            return None
        paper = next((said[name] for name in ("quoted", "called", "named", "plain") if name in said), "")
        if kind in ("wrote", "dated", "published", "link") and not (paper or "it" in said):
            return None
        if kind == "newest" and "old" in said:
            kind = "oldest"
        many = said.get("many", "").casefold()
        one = not many and re.search(r"\b(?:is|['’]s)\b|\b(?:newest|latest|recent|oldest|earliest)\s+(?:paper|one)\b",
                                     match.group(), re.IGNORECASE)
        return Inventory(kind=kind, rest=rest, paper=paper.strip(" ,;"),
                         many=int(many) if many.isdigit() else _MANY.get(many, 1 if one else _SEVERAL))
    return None


_LEADING = re.compile(r"^(?:(?:are|were|is|was|have\s+been)\s+)?"
                      r"(?:published\s+(?=by|since|before|after|in|from|until|between))?", re.IGNORECASE)
_OF_LIBRARY = re.compile(rf"\s+{_HAVE}\b|(?:\s+{_IN})+\W*$", re.IGNORECASE)
