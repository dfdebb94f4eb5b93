"""What a sentence of an abstract does: sets a problem, offers a way, gives a result, leaves a question open.

Told by the phrases that abstracts use for it (Teufel and Moens 2002 call them cue phrases). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

Role = Literal["problem", "approach", "result", "open", "apart", "confirms", "disputes"]


def _one_of(words: str) -> str:
    return "|".join(words.split())


_WE = r"(?:we|this (?:paper|work|study|article|survey|report|thesis)|(?:the|our) (?:paper|work|study|authors?))"
# Stems of the verbs by which a paper offers something; the first of them make its main offer plain.
_MAIN_VERBS = _one_of("propos introduc present develop design devis survey review investigat stud formulat explor "
                      "examin analy[sz] delv conduct test compar collect sort")
_VERBS = f"{_MAIN_VERBS}|" + _one_of(
    "describ build built creat construct offer provid adapt leverag employ address tackl seek aim")
_EARLIER = _one_of("previous prior earlier existing recent other")

_CUES: Mapping[Role, re.Pattern[str]] = {
    "problem": re.compile(
        r"\b(?:(?<!more )challeng(?:e|es|ing)|" + _one_of(
            "(?<!word.)(?<!test.)(?<!math.)problems?(?!-) difficult(?:y|ies)? suffers? struggles? "
            "limit(?:s|ed|ations?) expensive costly laborious time-consuming scarc(?:e|ity) lack(?:s|ing)? vulnerable "
            "susceptible bottleneck hinder(?:s|ed)? "
            "inefficien(?:t|cy) unreliable neglect(?:s|ed)? overlook(?:s|ed)? drawbacks? shortcomings? concerns?")
        + r"|fails? to|prone to|hard to|remains? (?:an? )?(?:unclear|open|unsolved|elusive|limited))\b", re.IGNORECASE),
    "approach": re.compile(
        rf"\b{_WE}\b(?:\s+(?!an?\b|the\b|and\b|that\b)\w+){{0,3}}?\s+(?:{_VERBS})(?:e|es|ed|y|ies|ied|s)?\b"
        r"(?:\s+(?:into\b|and\s+\w+\b))?|\b(?:is|are|was|were) (?:" + _one_of(
            "proposed introduced presented studied examined investigated analy[sz]ed explored reviewed tested compared "
            "collected sorted") + r")\b", re.IGNORECASE),
    "result": re.compile(
        r"\b(?:we|results?|experiments?|analys[ie]s|evaluations?|findings?|stud(?:y|ies)|evidence)\b(?:\s+\w+){0,4}\s+"
        r"(?:" + _one_of(r"find found show shows showed shown demonstrat\w+ reveal\w* indicat\w+ suggest\w* observe\w* "
                         r"confirm\w* report\w* achiev\w+ prov\w+ discover\w*") + r")\b|\b(?:better than|" + _one_of(
            r"outperform\w* surpass\w* exceed\w* state[-\s]of[-\s]the[-\s]art improv(?:es?|ed|ement)s? "
            r"achiev(?:es?|ed|ing) reduc(?:es?|ed) increas(?:es?|ed) superior beats? won wins equal+ed raises? "
            r"raised rose fell dropped") + r")\b", re.IGNORECASE),
    "open": re.compile(
        r"\b(?:remains?|still|yet) (?:(?:an?|largely|poorly|very|quite|relatively|mostly|to be|be|far from) )*(?:"
        + _one_of("unclear open unsolved unknown elusive under-?explored unexplored unanswered understudied understood "
                  "unresolved unaddressed challenging") + r"|(?:an? )?(?:\w+ )?challenges?)\b|"
        r"\bopen (?:problems?|questions?|challenges?|issues?|research)\b|"
        r"\b(?:future|further) (?:work|research|directions?|stud(?:y|ies)|investigation|exploration)\b|"
        r"\blittle is known\b|\b(?:not (?:yet )?(?:well|fully)|poorly|little) understood\b|"
        r"\b(?:has|have) (?:yet to be|not (?:yet )?been|received little)\b|\bunder-?explored\b|\bmore research\b|"
        r"\bcall(?:s|ing)? for\b", re.IGNORECASE),
    "apart": re.compile(
        r"\b(?:unlike|in contrast (?:to|with)|contrary to|as opposed to|different(?:ly)? from|"
        rf"differs? from|compared (?:to|with) (?:{_EARLIER}))\b", re.IGNORECASE),
    "confirms": re.compile(
        rf"\b(?:consistent|in line|in agreement|agrees?) with (?:\w+ ){{0,3}}(?:{_EARLIER}|reports?|findings|results|"
        r"observations|studies)\b|\bcorroborat\w+ (?!our|the theor)|"
        rf"\bconfirm(?:s|ed|ing)? (?:\w+ ){{0,4}}(?:{_EARLIER}|hypothes\w+|findings|predictions)\b", re.IGNORECASE),
    "disputes": re.compile(
        rf"\bcontrary to (?:\w+ ){{0,3}}(?:{_EARLIER}|common|popular|findings|beliefs?|reports?|claims?|intuition|"
        r"wisdom|assumptions?|expectations?)\b|\bin contrast to (?:\w+ ){0,3}(?:findings|beliefs?|reports?|claims?)\b|"
        r"\bcontradict\w*|\bchalleng(?:es?|ing) (?:\w+ ){0,3}(?:views?|assumptions?|beliefs?|notion|wisdom|claims?|"
        r"understanding|consensus)\b|\b(?:mixed|conflicting|inconsistent) (?:results|evidence|findings|reports)\b|"
        r"\bcall(?:s|ing)? into question\b|\bcast(?:s|ing)? doubt\b|"
        r"\bdespite (?:common|popular|conventional) (?:beliefs?|wisdom|assumptions?)\b", re.IGNORECASE),
}
_MAIN = re.compile(rf"\b(?:{_MAIN_VERBS})", re.IGNORECASE)
# A figure that measures: per cent, points, a factor, a score; not a year or a model's size.
_MEASURED = re.compile(
    r"(?<![\w.-])\d+(?:[.,]\d+)?\s?(?:\\?%|percent(?:age)?\b|points?\b|×|x\b|times\b|-?fold\b)|(?<![\w.-])0?\.\d+\b|"
    r"\b\d+\.\d+\b|\b(?:half|twice|(?:two|three|four|five|ten) times|orders? of magnitude)\b", re.IGNORECASE)
# What points back at something told before, or only goes on from it.
_BACK = re.compile(
    r"\b(?:this|these|such) (?!(?:papers?|works?|stud(?:y|ies)|survey|article|report|thesis|review|as|a|an|is|are|"
    r"that)\b)[a-z]|\bthe (?:proposed|above|same|resulting|former|latter|introduced|aforementioned)\b|"
    r"\b(?:we|it) (?:also|additionally|further(?:more)?|then|next|first|briefly|finally|still)\b|^\(?[a-z0-9]\)\s|"
    r"\b(?:is|are|was|were) then\b|^(?:\S+\s){1,5}(?:thus|therefore|hence|however)\b|"
    r"^(?:\S+\s){0,5}(?:they|them|their|its|it(?! (?:is|has been|was) \w+ (?:that|to)))\b|"
    r"^(?:the|each|both) [a-z-]+ (?:is|are|was|were|has|have|had|can|may|does|did|then|[a-z]+(?:s|ed))\b|"
    r"^(?:to (?:do so|minimi[sz]e)|at the same time|taken together|more (?:specifically|importantly|precisely)|"
    r"in (?:particular|practice|the end|doing so|summary|short|essence|detail|fact|effect)|for (?:instance|example)|"
    + _one_of("here specifically additionally concretely surprisingly interestingly notably importantly crucially "
              "overall finally moreover besides meanwhile first(?:ly)? second(?:ly)?") + r")\b", re.IGNORECASE)
# Praise, and whose.
_PRAISE = re.compile(r"\b(?:" + _one_of(
    "superior(?:ity)? effectiveness efficacy promising state-of-the-art outperforms? surpass(?:es)? significant(?:ly)? "
    "competitive extensive") + r"|improved performance)\b", re.IGNORECASE)
_OURS = re.compile(r"\b(?:our|its|this|the proposed) (?:\w+ ){0,2}(?:" + _one_of(
    "models? methods? approach framework algorithm systems? technique strategy proposal") + r")\b", re.IGNORECASE)
# The labels of structured abstracts: "METHODS:", "Objective To ...".
_SETTING = _one_of("background context introduction objectives? aims? purpose methods? design setting participants "
                   "materials")
_ENDING = _one_of("results? findings? conclusions? interpretation")
LABEL = rf"(?:(?:{_SETTING}|{_ENDING})\s?:|(?-i:(?=[A-Z]))(?:{_SETTING}|{_ENDING})(?=\s(?-i:[A-Z])))\s?"
_SETS = re.compile(rf"(?=(?:{LABEL}))(?:{_SETTING})", re.IGNORECASE)
_CONCLUDES = re.compile(rf"(?=(?:{LABEL}))(?:conclusions?|interpretation)|in conclusion\b|we conclude\b", re.IGNORECASE)
_SELF = re.compile(rf"^(?:in this (?:paper|work|study|article|report|survey|thesis)\b|{_WE}\b)", re.IGNORECASE)


def does(role: Role, sentence: str) -> bool:
    """Whether the sentence does that, to judge by its words."""
    return _CUES[role].search(sentence) is not None or (role == "result" and concludes(sentence))


def cue(role: Role, sentence: str) -> re.Match[str] | None:
    """The words by which it does."""
    return _CUES[role].search(sentence)


def offers(sentence: str) -> bool:
    """Whether it tells its paper's main offer: "we propose", not "we then use"."""
    found = cue("approach", sentence)
    return found is not None and _MAIN.search(found.group()) is not None


def measured(text: str) -> re.Match[str] | None:
    """The first figure that measures something."""
    return _MEASURED.search(text)


def points_back(sentence: str) -> bool:
    """Whether it leans on what was told before, though it may be understood without."""
    return _BACK.search(sentence) is not None


def sets_the_scene(sentence: str) -> bool:
    """Whether a label says that it tells background, aims or methods."""
    return _SETS.match(sentence) is not None


def concludes(sentence: str) -> bool:
    """Whether a label or its first words say that it is a conclusion."""
    return _CONCLUDES.match(sentence) is not None


def praises(sentence: str) -> bool:
    """Whether it says without a figure how good something is."""
    return _PRAISE.search(sentence) is not None and measured(sentence) is None


def is_of_ours(sentence: str) -> bool:
    """Whether it speaks of its own paper's way without naming it: "our method"."""
    return _OURS.search(sentence) is not None


def speaks_of_itself(sentence: str) -> bool:
    """Whether it opens with its paper or its authors."""
    return _SELF.match(sentence) is not None
