"""The words of a follow-up that mean something said before: "which of them", "does it ...", "their limits". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.text import Span, content_stems, subject

# Words of a question that asks for no matter in particular: "What is the main idea of it?".
_EMPTY = frozenset(
    "about abstract agre argu author between claim common compar comparison conclud conclus contribut describ "
    "detail differ disagre explain find function gist give goal idea investig key latest like list look main mani "
    "messag newest number oldest paper point present propos publish purpos read report result s say show similar "
    "studi summar summari tell thing think topic understand versus vs work write written wrote year".split())
_COMPARE = re.compile(r"\b(?:compare[ds]?|comparison|differ\w*|similarit\w+|versus|vs|in\s+common|(?:dis)?agree)\b",
                      re.IGNORECASE)

_AUXILIARY = r"(?:do|does|did|is|are|was|were|can|could|has|have|had|will|would|should|might|may)"
# "What data do they ...": what stands before the pronoun is not what it means.
_ASKED_OF = re.compile(
    r"(?:(?:in|on|by|for|with|to|at|of|from)\s+)?(?:what|which|how|why|where|when|who)\b"
    r"(?:(?!\b(?:that|when|if|because|while|whether|and|or)\b)[^,;:])*"
    rf"\b{_AUXILIARY}\s+", re.IGNORECASE)
_PAPERS = r"(?:papers|publications|studies|works|articles)"
_LISTED = re.compile(
    rf"""\b(?:(?P<of>of)\s+(?:them|these|those)(?:\s+(?:\w+\s+)?(?:{_PAPERS}|ones))?|(?P<which>which)\s+ones?
    |(?P<the>of)\s+the\s+(?:two|three|four|five|\d+)(?:\s+{_PAPERS})?(?!\s+(?:main|best|first|largest|most))
    |(?P<only>only)\s+(?:the\s+)?(?:{_PAPERS}|those|ones)
    |(?:these|those)\s+(?:\w+\s+)?{_PAPERS}
    |the\s+{_PAPERS}\s+(?:above|(?:(?:that\s+)?you\s+)?(?:just\s+)?(?:showed|shown|listed|named|mentioned)))\b""",
    re.IGNORECASE | re.VERBOSE)
_THEIRS = re.compile(
    r"\b(?:these|those)\s+(?P<what>methods|approaches|techniques|models|algorithms|results|findings|experiments|authors|"
    r"data\s?sets|benchmarks|metrics|systems|ideas|solutions|remedies|claims|effects|problems|measures|tasks)\b",
    re.IGNORECASE)
_LAST = re.compile(r"\b(?:that|this|the\s+same|said)\s+(?:paper|work|study|article|publication)\b", re.IGNORECASE)
_MANY = re.compile(r"\b(?:they|them|their|those|these)\b(?!\s+(?:of|that|who|which|whose|days)\b)", re.IGNORECASE)
_IT = re.compile(
    r"\b(?:it|its|(?:this|that)(?=\s+(?:(?:also|still|really|always|ever|not)\s+)?(?:happen|hold|work|help|apply|occur|"
    r"scale|generali[sz]e|transfer|matter|fail|measured|done|solved|avoided|prevented|explained|tested|used)\b)"
    r"|(?:this|that)\s+(?:method|approach|technique|model|algorithm|idea|problem|effect))\b", re.IGNORECASE)
# "Is it true that ...", "does it matter whether ...": this "it" means nothing.
_NOTHING = re.compile(
    r"it\s+(?:\w+\s+){0,2}?(?:true|possible|known|clear|better|necessary|useful|important|worth|hard|easy|difficult|"
    r"feasible|safe|enough|likely|matters?|takes?|means?|makes?\s+sense|pays?)\b.*"
    r"\b(?:that|to|whether|how|if|for|when|which|off)\b", re.IGNORECASE)
_DIFFERENCE = re.compile(
    r"(?:what|where)(?:['’]s|\s+is|\s+are)\s+the\s+(?:main\s+)?(?:differences?|similarit(?:y|ies))\W*", re.IGNORECASE)
_OWNED = re.compile(r"\s+((?:[\w-]+\s+)?[\w-]+)(?=\W*$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pronoun:
    """Words that mean something said before.

    Attributes:
        means: the papers "listed" together, or those shown "last", without a doubt; else "many" things or one ("it").
        before, after: what stands around the thing's name in their place.
    """

    means: Literal["listed", "last", "many", "it"]
    span: Span
    before: str = ""


def find(asked: str) -> Pronoun | None:
    """What a follow-up leaves to be understood; None where it says it all itself.

    "What is pruning and why does it work?" itself says what "it" is.
    """
    theirs = _THEIRS.search(asked)
    if theirs and leans(asked[:theirs.start()].removesuffix("of ")):
        return Pronoun(means="listed", span=theirs.span(), before=f"the {theirs.group('what')} of ")
    if found := _LISTED.search(asked):
        before = ("of " if found.group("of") or found.group("the") else "which of " if found.group("which") else
                  "only those of " if found.group("only") else "")
        return Pronoun(means="listed", span=found.span(), before=before)
    if found := _LAST.search(asked):
        return Pronoun(means="last", span=found.span())
    if (found := _MANY.search(asked)) and leans(asked[:found.start()]):
        return Pronoun(means="many", span=found.span())
    if (found := _IT.search(asked)) and leans(asked[:found.start()]) and not _NOTHING.match(asked, found.start()):
        return Pronoun(means="it", span=found.span())
    return None


def leans(before: str) -> bool:
    """Whether a pronoun behind these words means something said earlier."""
    return says_nothing(before) or _ASKED_OF.fullmatch(before) is not None


def completed(asked: str) -> str:
    """The follow-up with the pronoun it left out: "What is the difference between them?"."""
    return f"{asked.rstrip(' ?.')} between them?" if _DIFFERENCE.fullmatch(asked) else asked


def put(asked: str, pronoun: Pronoun, thing: str) -> str:
    """The follow-up with a thing's name for the pronoun: "the limits of PPO" for "its limits"."""
    start, end = pronoun.span
    if asked[start:end].casefold() not in ("its", "their"):
        return asked[:start] + pronoun.before + thing + asked[end:]
    owned = _OWNED.match(asked, end)
    # A long name is hard to read with an apostrophe behind it.
    if owned and len(thing.split()) > 2:
        return f"{asked[:start]}the {owned.group(1)} of {thing}{asked[owned.end():]}"
    return f"{asked[:start]}{thing}{'’' if thing.endswith('s') else '’s'}{asked[end:]}"


def says_nothing(question: str) -> bool:
    """Whether a question, taken by itself, names no matter."""
    return all(stem in _EMPTY for stem in content_stems(subject(question)))


def compares(question: str) -> bool:
    """Whether a question asks how things differ."""
    return _COMPARE.search(question) is not None
