"""Which sentences can be read alone, and what the others need before them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text import Span

# An opening that leans on the sentence before it.
_PAPER = r"(?:paper|work|study|survey|article|review|report|thesis|research|tutorial|letter|position|technical)\b"
_LEANING = re.compile(
    rf"^(?:(?:this|these)(?! {_PAPER})|those|it|its|they|their|them|he|she|such|both|another|others?|one (?:such|of)|"
    r"(?:two|some|many|most|each|all|none) of (?:them|these|those|which)|"
    r"the (?:former|latter|first|second|third|other|others|resulting|proposed|same|remaining|above)|however|moreover|"
    r"furthermore|therefore|thus|hence|consequently|accordingly|additionally|instead|then|nevertheless|nonetheless|"
    r"similarly|likewise|conversely|rather|yet|but|and|or|so|also|too|indeed|further|finally|lastly|meanwhile|otherwise|"
    r"subsequently|second(?:ly)?|third(?:ly)?|next|again|afterwards?|"
    r"to (?:this|that) end|as a (?:result|consequence|bonus|remedy)|in (?:addition|contrast|turn|response|other words|"
    rf"(?:this|that|these)(?! {_PAPER})|such|doing so|both|the (?:second|third|latter|former))|"
    rf"for (?:example|instance|(?:this|that|these)(?! {_PAPER})|such|both)|on the (?:other hand|contrary|one hand)|"
    r"by (?:contrast|doing so|this)|(?:with|under|using|from|among) (?:this|these|that|them)|"
    r"based on (?:this|these|it)|of (?:these|those|them)|to (?:address|overcome|tackle|solve|mitigate|alleviate|remedy|"
    r"handle|resolve|fill|bridge|close|answer|counteract|do|achieve|understand|verify|validate|improve) "
    r"(?:this|these|those|it|them|such|so|the (?:former|above|aforementioned))|that is|namely)\b", re.IGNORECASE)
# What one that opens otherwise takes up from before all the same: "we address this problem".
_TAKING_UP = re.compile(
    r"^.{0,60}?\b(?:this|that|these|those|such|the above|(?:the )?aforementioned) (?:[\w-]+ )?(?:issues?|problems?|"
    r"challenges?|limitations?|drawbacks?|gaps?|questions?|observations?|findings?|insights?|goals?|needs?|shortcomings?|"
    r"concerns?|difficult(?:y|ies)|obstacles?|bottlenecks?|dilemmas?|trade-?offs?|phenomen(?:on|a)|uncertainty|approach(?:es)?|"
    r"methods?|techniques?|directions?|ideas?|constraints?|tasks?|setups?|components?|steps?)\b", re.IGNORECASE)
# What was cut at the number of a list's next item is no sentence.
_CUT = re.compile(r"(?:[:;,]|\b(?:and|or))\s+\(?[\divx]{1,3}[.)]$|:$", re.IGNORECASE)
# How many sentences before it a reader is given with one.
_BEFORE = 3


def leans(sentence: str) -> bool:
    """Whether a sentence cannot be read without the one before it."""
    return _LEANING.match(sentence) is not None or _TAKING_UP.match(sentence) is not None


def opening(text: str, spans: Sequence[Span], place: int) -> int | None:
    """The place of the sentence that a quote of this one must begin with; None where it leans too far back, or was cut.

    The first sentence of a text leans on nothing that could be brought along.
    """
    if _CUT.search(text, *spans[place]):
        return None
    for at in range(place, max(-1, place - _BEFORE - 1), -1):
        if at == 0 or not leans(text[slice(*spans[at])]):
            return at
    return None
