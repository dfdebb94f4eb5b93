"""Follow-ups that leave something out: "shorter", "more", "why?", "what about PPO?", "since 2023". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.conversation.topic import is_name, name, topic
from rag.search.years import PAPERS

# Sentences of an answer that is asked for in short, where no number is said.
_SHORT = 3
_NUMBERS = {"a": 1, "an": 1, "single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5}

_PLEASE = r"\W*(?:(?:please|ok(?:ay)?|and|but|so|now|can\s+you|could\s+you|would\s+you)\b[\s,]*)*"
_END = r"(?:[\s,]+(?:please|then|now|instead))?\W*"
_IN = rf"in\s+(?:just\s+|only\s+)?(?:(?:{'|'.join(_NUMBERS)}|\d)\s+)?(?:short\s+)?(?:sentences?|lines?)"
_THAT = r"(?:it|that|this|them|the\s+(?:answer|above))"
_KINDS = {
    "brief": rf"""(?:(?:(?:make|say|put|give|answer)\s+(?:me\s+)?(?:{_THAT}\s+)?)?
        (?:(?:an?\s+)?(?:much\s+)?(?:short(?:er)?|brief(?:ly|er)?|(?:more\s+)?concise(?:ly)?|tl;?\s?dr|summary)
          (?:\s+(?:version|answer|summary|of\s+{_THAT}))?|in\s+(?:short|brief)|{_IN})
        |(?:shorten|condense|summari[sz]e|sum\s+up|sum)(?:\s+{_THAT})?(?:\s+up)?)(?:,?\s+{_IN})?""",
    "more": rf"""(?:(?:(?:tell|give|show)\s+me\s+|say\s+)?(?:(?:some|a\s+bit|a\s+little)\s+)?more
          (?:\s+(?:about|on|of)\s+(?:{_THAT}|these|those))?(?:\s+details?)?
        |go\s+(?:on|deeper)|continue|(?:elaborate|expand)(?:\s+on\s+{_THAT})?|(?:some\s+|more\s+)*details?
        |in\s+(?:more\s+)?detail|explain(?:\s+{_THAT})?(?:\s+(?:further|more|in\s+(?:more\s+)?detail))?|longer
        |what\s+(?:else|more)\s+do\s+they\s+say)""",
    "others": rf"""(?:(?:are\s+there|is\s+there|do\s+you\s+have|have\s+you(?:\s+got)?|find|show|give|list|what|which)\s+
          (?:me\s+)?)?(?:(?:any|some|the)\s+)*
        (?:others?|(?:(?:any|some)\s+)?(?:other|further|additional|more)\s+(?:ones|{PAPERS}|results|works?|articles?)
          |(?:anything|something|what|who|anyone)\s+else)
        (?:\s+(?:are\s+there|is\s+there|do\s+you\s+have|there|address\s+{_THAT}
          |(?:on|about|like)\s+(?:{_THAT}|these|those)(?:\s+(?:topic|subject|ones?))?))?""",
    "why": r"""(?P<word>why|by\s+how\s+much|how\s+much|how\s+often|how|when|where
          |(?:under|on|in|for)\s+(?:what|which)\s+\w+)
        (?:\s+(?:is|was)\s+(?:that|this|it)(?:\s+so)?|\s+so|\s+come|\s+not|\s+exactly)?""",
}
_AGAIN = {kind: re.compile(_PLEASE + pattern + _END, re.IGNORECASE | re.VERBOSE) for kind, pattern in _KINDS.items()}
_MANY = re.compile(rf"\b(?:({'|'.join(_NUMBERS)}|\d)\s+)?(?:short\s+)?(?:sentence|line)(s?)\b", re.IGNORECASE)

_SHORT_END = re.compile(rf"(?<=\w)[\s,]+(?:{_IN}|in\s+(?:short|brief)|briefly)\W*$", re.IGNORECASE)

_OPENING = re.compile(r"\W*(?:(?:and|but|so|ok(?:ay)?|then|also)\b[\s,]*)*", re.IGNORECASE)
_WHAT_ABOUT = re.compile(r"(?:what\s+about|how\s+about|what\s+of|(?:the\s+)?same\s+for)\s+(?P<what>.+?)\W*",
                         re.IGNORECASE)
_AND = re.compile(r"\W*(?:and|or|but|also)\b(?:\s+also)?\s+(?P<what>.+?)\W*", re.IGNORECASE)
_CIRCUMSTANCE = re.compile(r"(?:only\s+)?(?:for|in|on|with|without|using|at|among|by|under|beyond|outside)\s",
                           re.IGNORECASE)
_WHEN = re.compile(
    r"(?:only\s+|just\s+|what\s+about\s+|how\s+about\s+)*(?P<when>(?:published\s+)?(?:since|before|after|until|in|from|"
    r"between)\s+(?:19|20)\d\d(?:\s*(?:-|–|to|and|or)\s*(?:(?:19|20)\d\d|later|earlier))?)\W*", re.IGNORECASE)
_YEAR = re.compile(r"(?:only|what\s+about|how\s+about)\s+(?P<year>(?:19|20)\d\d)\W*", re.IGNORECASE)
# Words that make a question of their own of what follows "and".
_OWN = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|should|"
                  r"tell|show|find|list|give|explain|compare|summari[sz]e|they|them|it|these|those)\b|[:;]",
                  re.IGNORECASE)
_OBJECT = re.compile(r"\b(?:use|mention|address|study|report|measure|evaluate|test|need|propose|reduce|increase|"
                     r"improve|lower|raise|save|cut|cost|hurt|harm|help|require|remove|prevent|cause)(?:e?s)?\s+(?P<what>.+?)\W*$",
                     re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|they)\b", re.IGNORECASE)
_MOST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """The question before is asked again: in at most so many sentences, for more, for other papers, or for a reason.

    ``word`` is what is asked of it: "Why", "By how much".
    """

    kind: Literal["brief", "more", "others", "why"]
    sentences: int | None = None
    word: str = ""


def again(question: str) -> Again | None:
    """Whether a follow-up only asks the question before again, and how."""
    if _AGAIN["brief"].fullmatch(question):
        return Again(kind="brief", sentences=_sentences(question))
    if _AGAIN["others"].fullmatch(question):
        return Again(kind="others")
    if _AGAIN["more"].fullmatch(question):
        return Again(kind="more")
    why = _AGAIN["why"].fullmatch(question)
    return Again(kind="why", word=why.group("word").capitalize()) if why else None


def short(question: str) -> tuple[str, int | None]:
    """A question without the words at its end that ask for a short answer, and the sentences that they allow."""
    found = _SHORT_END.search(question)
    return (question[:found.start()] + "?", _sentences(found.group())) if found else (question, None)


def _sentences(text: str) -> int:
    many = _MANY.search(text)
    if many is None or (many.group(1) is None and many.group(2)):
        return _SHORT
    number = (many.group(1) or "one").casefold()
    return max(1, _NUMBERS.get(number) or int(number))


def opened(question: str) -> str:
    """The follow-up without the words that only join it to what came before: "and", "but then"."""
    found = _OPENING.match(question)
    return question[found.end():] if found and found.end() < len(question) else question


def put_in(question: str) -> str | None:
    """What a follow-up puts into the question before: "PPO" of "what about PPO?"; None where it asks for itself."""
    match = _WHAT_ABOUT.fullmatch(opened(question)) or _AND.fullmatch(question)
    if match is None or len(match.group("what").split()) > _MOST or _OWN.search(match.group("what")):
        return None
    return match.group("what")


def dated(question: str) -> str | None:
    """The years of publication that a follow-up asks for and nothing else: "since 2023" of "and since 2023?"."""
    match = _WHEN.fullmatch(opened(question))
    year = _YEAR.fullmatch(opened(question))
    return match.group("when") if match else f"from {year.group('year')}" if year else None


def about(question: str, what: str, *, add: bool = True) -> str | None:
    """The question, asked of something else: a name in its name's place, a topic in its topic's.

    A circumstance ("for vision models") joins the rest. What finds no place is added at the end, or not at all (None).
    """
    bare = question.rstrip(" ?.!")
    if _CIRCUMSTANCE.match(what):
        return f"{bare} {what}?"
    subject, called = topic(question), name(question)
    pronoun = _PRONOUN.search(question)
    if is_name(what) and (called is not None or pronoun is not None):
        place = called or (pronoun.span() if pronoun else None)
    else:
        place = subject
    if place is None:
        thing = _OBJECT.search(question)
        if thing is None:
            return f"{bare}, for {what}?" if add else None
        place = thing.span("what")
    return question[:place[0]] + what + question[place[1]:]


def since(question: str, when: str) -> str:
    """The question, of papers of these years."""
    papers = re.search(PAPERS, question, re.IGNORECASE)
    if papers is None:
        return f"{question.rstrip(' ?.!')}, in papers published {when.removeprefix('published ')}?"
    return f"{question[:papers.end()]} {when}{question[papers.end():]}"
