"""What kind of answer a question asks for, and of what type the answer is. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rag.schema import AnswerKind
from rag.text import content_stems

Wanted = Literal["count", "number", "share", "factor", "time", "length", "money", "date", "name", "person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a question asks for.

    Attributes:
        kind: of answer.
        sides: what is compared, for a comparison.
        wanted: the type of the one fact that is asked for; None where a question does not tell.
        of: stems of what is counted or named: "languag" of "in how many languages".
    """

    kind: AnswerKind = "papers"
    sides: tuple[str, ...] = ()
    wanted: Wanted | None = None
    of: frozenset[str] = frozenset()


_LEAD = r"^\W*(?:(?:so|and|but|ok|okay|hi|hello|please)\b[\s,]*)*"
_PREPOSITION = (r"(?:(?:by|on|from|at|(?:up |down )?to|in|into|of|with|for|under|over|after|within|during|until|since|"
                r"through)\s+)?")
# Whoever asks for papers wants a list, however it is put.
_PAPERS = re.compile(
    r"\b(?:what|which|any|some|list|me|there)\s+(?:[\w-]+\s+){0,2}?(?:papers?|works|stud(?:y|ies)|articles?|publications?|"
    r"literature|research|resources?|references)\b|"
    r"\b(?:what|which)\s+(?:[\w-]+\s+){0,2}?(?:methods?|approaches|techniques|ways|strategies|solutions|frameworks)\b"
    r"(?!.*\b(?:was|were|did|does)\b)", re.IGNORECASE)
_AUXILIARY = re.compile(
    _LEAD + r"(?:do|does|did|is|are|was|were|can|could|has|have|had|will|would|should|may|might)(?:n[’']t)?\s+\w",
    re.IGNORECASE)
_REQUEST = re.compile(_LEAD + r"(?:can|could|would|will)\s+you\b|" + _LEAD + r"(?:are|is)\s+there\b", re.IGNORECASE)

# ---- comparisons

_THING = r"(.{2,80}?)"
_END = r"\s*(?:[,;:?.!].*|\s(?:for|on|in|at|when|with|under|as|which)\s.*)?$"
_COMPARISONS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in (
    rf"\b(?:differences?|distinction|trade-?offs?|comparisons?)\s+between\s+{_THING}\s+and\s+{_THING}{_END}",
    rf"\b(?:how|in what way)\s+(?:do|does|did|is|are)\s+{_THING}\s+(?:differ(?:ent)?\s+from|"
    rf"compare\s+(?:to|with|against))\s+{_THING}{_END}",
    rf"{_LEAD}(?:is|are|do|does)\s+{_THING}\s+(?:better|worse|stronger|weaker|faster|slower|cheaper|safer|"
    rf"(?:more|less)\s+\w+)\s+than\s+{_THING}{_END}",
    rf"\bcompar(?:e|ing|ison of)\s+{_THING}\s+(?:and|with|to|against|versus|vs\.?)\s+{_THING}{_END}",
    rf"{_LEAD}(?:what|which)\s+(?:is|are|works?)\s+(?:better|best|worse)\W+{_THING}\s+or\s+{_THING}{_END}",
    rf"{_LEAD}(?:[^:?]*:\s*)?{_THING}\s+(?:versus|vs\.?)\s+{_THING}{_END}",
    rf"{_LEAD}(?:[^:?]*:\s*)?{_THING}\s+compared\s+(?:to|with)\s+{_THING}{_END}",
    rf"\bbetter\s+to\s+{_THING}\s+or\s+(?:to\s+|just\s+|only\s+)*{_THING}{_END}",
))
_SEVERAL = re.compile(_LEAD + r"([^:?]{3,90}\bor\b[^:?]{3,60})\s*:\s*(?:which|what)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:how\s+\w+\s+)?(?:(?:is|are|do|does)\s+)?(?:an?|the|using|use of|to)?\b\s*", re.IGNORECASE)

# What is measured, so that its value is a number.
_MEASURES = (r"accurac(?:y|ies)|speed|height|depth|width|size|rate|ratio|margin|scores?|f1|m?ap|auroc|auc|bleu|"
             r"perplexity|precision|recall|error|gain|improvement|amount|number|temperature|budget|resolution|level|value|"
             r"mass(?:es)?|weight|frequency|probability|savings?|speed-?up|reduction|advantage|dimension(?:ality)?")

# ---- overviews

_OVERVIEW = re.compile(
    _LEAD + r"(?:(?:give|write|show|tell)\s+(?:me\s+)?(?:an?\s+|the\s+)?|(?:i\s+\w+\s+)?(?:an?\s+)?)?"
    r"(?:(?:brief|short|quick|general)\s+)?(?:overview|introduction|summary|state[- ]of[- ]the[- ]art|definition|"
    r"explanation|recent (?:progress|advances))\b|"
    r"\b(?:overview\s+(?:of|on)|state[- ]of[- ]the[- ]art\s+(?:in|on|of|for)|what\s+is\s+known\s+about)\b|"
    + _LEAD + r"(?:explain|define|describe|introduce|tell\s+me\s+about)\b|"
    + _LEAD + r"(?:what|who)\s+(?:is|are)\s+(?:meant\s+by\s+)?(?!the\s+(?:[\w-]+\s+of|best|main|most|name|ways)\b)"
    rf"(?!(?:the\s+)?(?:{_MEASURES})\b)(?:[\w’'-]+\s*){{1,6}}\W*$|"
    + _LEAD + r"what\s+(?:does|do)\s+.{2,40}\s+mean\W*$", re.IGNORECASE)

# ---- facts

_DEGREES = (r"much|little|large|big|small|short|often|frequent(?:ly)?|close(?:ly)?|well|good|bad|badly|accurate(?:ly)?|"
            r"precise(?:ly)?|reliabl[ey]|low|high|heavy|strong(?:ly)?|weak(?:ly)?|severe(?:ly)?|likely|common|"
            r"efficient(?:ly)?|dense|sparse")
# What a question opens with, and the type of its answer; the first that fits.
_OPENINGS: tuple[tuple[Wanted | None, str], ...] = (
    ("share", r"(?:what|which)\s+(?:\w+\s+)?(?:percentage|percent|fraction|share|proportion|portion|part|slice)\b|"
              r"in\s+how\s+many\s+percent\b"),
    ("factor", r"how\s+(?:many|much)\s+times\b|how\s+many[- ]fold\b|(?:what|which)\s+factor\b|"
               r"how\s+much\s+(?:faster|quicker|slower|cheaper|smaller|larger|bigger|fewer|longer)\b"),
    ("time", r"how\s+(?:long|quick(?:ly)?|fast|soon|old)\b|how\s+(?:many|much)\s+(?:[\w-]+\s+){0,2}?(?:seconds|minutes|"
             r"hours|days|weeks|months|years|milliseconds|time)\b|(?:what|which)\s+(?:duration|latency|time\s+span|age)\b"),
    ("length", r"how\s+(?:far|tall|wide|deep|high)\b|(?:what|which)\s+(?:distance|height|depth|width|length|range)\b"),
    ("money", r"(?:what|which)\s+(?:price|costs?|budget)\b|how\s+(?:expensive|cheap|costly)\b|how\s+much\s+(?:money|"
              r"(?:does|do|did)\s+.*\bcost)\b|what\s+(?:does|do|did)\s+.*\bcost\b"),
    ("date", r"when\s+(?:was|were|did|is|has|had)\b|(?:what|which)\s+(?:year|month|date|day|decade)\b|"
             r"since\s+when\b|how\s+recent(?:ly)?\b"),
    ("count", r"how\s+(?:many|few)\b"),
    ("number", rf"how\s+(?:{_DEGREES})\b|which\s+(?:{_MEASURES})\s+(?:is|was|were|does|did|do)\b|"
               rf"what\s+(?:(?:is|are|was|were)\s+the\s+)?(?:(?!of\b)[\w’'-]+\s+){{0,3}}?(?:{_MEASURES})\b"),
    ("person", r"(?:who|whom|whose)\b"),
    ("name", r"where\s+(?:was|were|did|does|is)\b|what\s+is\s+the\s+name\b"),
    ("name", r"(?:\w+\s+){1,3}(?:with|of|from|for|in|on|by|to)\s+which\b"),
    ("name", r"(?:which|what)\s+(?:two|three|four|five|\d+)\b"),
    ("name", r"which\b(?!\s+(?:of|is|are)\b)(?!.*\b(?:should|could|might)\b)|"
             r"what\b(?=\s+[\w’'-]+\s+.*\b(?:was|were|did|does)\b|\s+(?:[\w’'-]+\s+){1,3}(?:is|are)\s+used\b)|what\s+is\b.*\bcalled\W*$"),
    (None, r"what\b(?=.*\b(?:was|were|did)\b)"),
)
_FACTS = tuple((wanted, re.compile(rf"{_LEAD}{_PREPOSITION}(?:{opening})", re.IGNORECASE))
               for wanted, opening in _OPENINGS)
# A question in its own right that comes after something else: "..., and how many of them ...?"
_ENQUIRY = re.compile(rf"[,;]\s+(?:and\s+)?(?={_PREPOSITION}how\s+(?:many|few|long|far|fast|{_DEGREES})\b)",
                      re.IGNORECASE)
# What follows "how many" or "which" up to where the question goes on.
_NAMED = re.compile(
    r"\b(?:how\s+(?:many|few|much)|which|what)\s+((?:[\w’'/&+-]+[ ,]+){0,5}?)"
    r"(?=(?:was|were|did|does|do|is|are|has|have|had|can|could|may|should|will|would|went|come|comes|came|"
    r"suffice|needed|outside|of|in|on|for|with|from|to|by|that|than|under|before|after|and|without|used)\b)|"
    r"\bhow\s+(?:many|few)\s+([\w-]+)", re.IGNORECASE)

_COUNTS = frozenset("two three four five six seven eight nine ten".split())


# Characters of a question that are looked at: what it asks for is said by then, and patterns take their time.
_LONGEST = 400


def understand(question: str) -> Asks:
    """What a question asks for, by how it is put.

    A question that asks for papers in so many words wants their list, whatever else it says; and what is not recognised
    as another kind wants one too.
    """
    question = " ".join(question.split())[:_LONGEST]
    if _REQUEST.search(question):
        return Asks()
    opened = [wanted for wanted, opening in _FACTS if opening.search(question)]
    if opened and opened[0] not in ("name", None):
        return _fact(question, opened[0])
    sides = _sides(question)
    if sides:
        return Asks(kind="comparison", sides=sides)
    if _OVERVIEW.search(question):
        return Asks(kind="overview")
    if _AUXILIARY.search(question):
        return Asks(kind="yes-no")
    if opened:
        return Asks() if _PAPERS.search(question) else _fact(question, opened[0])
    later = _ENQUIRY.search(question)
    return understand(question[later.end():]) if later else Asks()


def _fact(question: str, wanted: Wanted | None) -> Asks:
    named = _NAMED.search(question)
    thing = content_stems(named.group(1) or named.group(2) or "") if named else []
    stems = [found for found in thing if found not in _COUNTS]
    # "Data sets" are "datasets" to some.
    joined = [first + second for first, second in pairwise(stems)]
    if wanted in ("count", "number"):
        # Of "training examples" it is examples that are counted.
        stems, joined = stems[-1:], joined[-1:]
    return Asks(kind="fact", wanted=wanted, of=frozenset(stems + joined))


def _sides(question: str) -> tuple[str, ...]:
    """What a question compares; nothing where it compares nothing, or does not name both."""
    several = _SEVERAL.search(question)
    if several:
        return _kept(re.split(r"\s*,\s*(?:or\s+|and\s+)?|\s+or\s+", several.group(1)))
    for pattern in _COMPARISONS:
        found = pattern.search(question)
        if found:
            return _kept(found.groups())
    return ()


def _kept(sides: Sequence[str]) -> tuple[str, ...]:
    named = tuple(_ARTICLE.sub("", side.strip(" ,;:?.!'\"“”")) for side in sides)
    return named if len(named) > 1 and all(content_stems(side) for side in named) else ()
