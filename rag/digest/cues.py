"""What a sentence of an abstract does: sets a problem, offers a way, names its data, gives a result, leaves a question.

Told by the phrases that abstracts use for it (Teufel and Moens 2002 call them cue phrases). Pure.
"""

from __future__ import annotations

import re
from typing import Literal

Role = Literal["problem", "approach", "data", "result", "open", "apart"]

_WE = r"(?:we|this (?:paper|work|study|article|survey|report|thesis)|(?:the|our) (?:paper|work|study|authors?))"
_CUES: dict[Role, re.Pattern[str]] = {role: re.compile(pattern, re.IGNORECASE) for role, pattern in {
    "problem": (
        r"^however\b|\b(?:challeng(?:e|es|ing)|problems?|difficult(?:y|ies)?|suffers?|struggles?|limit(?:s|ed|ations?)|"
        r"expensive|costly|laborious|time-consuming|scarc(?:e|ity)|lack(?:s|ing)?|fails? to|prone to|vulnerable|"
        r"susceptible|bottleneck|hinder(?:s|ed)?|inefficien(?:t|cy)|unreliable|neglect(?:s|ed)?|overlook(?:s|ed)?|"
        r"drawbacks?|shortcomings?|concerns?|hard to|remains? (?:an? )?(?:unclear|open|unsolved|elusive|limited))\b"),
    "approach": (
        rf"\b{_WE}\b(?:\s+\w+){{0,3}}\s+(?:propos|introduc|present|develop|design|describ|formulat|devis|build|built|"
        r"creat|construct|offer|provid|explor|investigat|stud|examin|analy[sz]|propose|survey|review|adapt|extend|"
        r"leverag|employ|us)(?:e|es|ed|y|ies|ied|s)?\b|\b(?:is|are) (?:proposed|introduced|presented)\b|"
        r"\b(?:we call|called|dubbed|termed)\b"),
    "data": r"\b(?:data\s?sets?|benchmarks?|corpus|corpora|test ?beds?|tasks|trials?|cohorts?|patients)\b",
    "result": (
        r"\b(?:we|results?|experiments?|analys[ie]s|evaluations?|findings?|stud(?:y|ies)|evidence)\b(?:\s+\w+){0,4}\s+"
        r"(?:find|found|show|shows|showed|shown|demonstrat\w+|reveal\w*|indicat\w+|suggest\w*|observe\w*|confirm\w*|"
        r"report\w*|achiev\w+|prov\w+|discover\w*)\b|\b(?:outperform\w*|surpass\w*|exceed\w*|state[- ]of[- ]the[- ]art|"
        r"improv(?:es?|ed|ement)s?|achiev(?:es?|ed|ing)|reduc(?:es?|ed)|increas(?:es?|ed)|better than|superior)\b"),
    "open": (
        r"\b(?:remains?|still|yet) (?:(?:an?|largely|poorly|very|quite|relatively|mostly|to be|be|far from) )*"
        r"(?:unclear|open|unsolved|unknown|elusive|underexplored|under-explored|unexplored|unanswered|understudied|"
        r"understood|unresolved|unaddressed|challenging|(?:an? )?(?:\w+ )?challenges?)\b|"
        r"\bopen (?:problems?|questions?|challenges?|issues?|research)\b|\b(?:future|further) (?:work|research|directions?|"
        r"stud(?:y|ies)|investigation|exploration)\b|\blittle is known\b|\b(?:is|are) (?:not (?:yet )?(?:well|fully)|poorly|"
        r"little) understood\b|\b(?:has|have) (?:yet to be|not (?:yet )?been|received little|been (?:little|largely "
        r"(?:over|un)\w+|under-?\w+))\b|\bunderexplored\b|\bmore research\b|\bcall(?:s|ing)? for\b"),
    "apart": (
        r"\b(?:unlike|in contrast (?:to|with)|contrary to|as opposed to|rather than|instead of|whereas|different(?:ly)? "
        r"from|differs? from|compared (?:to|with) (?:prior|previous|existing|other)|in comparison)\b"),
}.items()}
# A measure in figures: per cent, points, a factor, a score; not a year or a model's size.
_MEASURED = re.compile(
    r"(?<![\w.-])\d+(?:[.,]\d+)?\s?(?:\\?%|percent(?:age)?\b|points?\b|×|x\b|times\b|fold\b|-fold\b|pp\b)|"
    r"(?<![\w.-])0?\.\d+\b|\b\d+\.\d+\b|\bfrom \d[\d.,]*\\?%? to \d|\b(?:half|twice|two times|three times|orders? of magnitude)\b",
    re.IGNORECASE)
_SELF = re.compile(rf"^(?:in this (?:paper|work|study|article|report|survey|thesis)\b|{_WE}\b)", re.IGNORECASE)


def does(role: Role, sentence: str) -> bool:
    """Whether the sentence does that, to judge by its words."""
    return _CUES[role].search(sentence) is not None


def cue(role: Role, sentence: str) -> re.Match[str] | None:
    """The words by which it does."""
    return _CUES[role].search(sentence)


def measured(text: str) -> re.Match[str] | None:
    """The first figure that measures something."""
    return _MEASURED.search(text)


def speaks_of_itself(sentence: str) -> bool:
    """Whether it opens with its paper or its authors."""
    return _SELF.match(sentence) is not None
