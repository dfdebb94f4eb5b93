"""What a question is about, as far as its form tells: the words to put "it" or another topic in their place. Pure."""

from __future__ import annotations

import re

from rag.search.years import PAPERS
from rag.text import Span, words

_VERB = (r"(?:address|stud(?:y|ies)|discuss|cover|concern|deal\s+with|look\s+at|investigate|examine|explore|treat|"
         r"tackle|focus\s+on|speak\s+of|mention|use|propose|introduce|measure|evaluate|describe|analy[sz]e|consider|report\s+on|"
         r"work\s+on|relate\s+to|help\s+with)(?:e?s)?")
# What may stand between papers and what they are about.
_SET = r"(?:\s+(?:since|before|after|until|from|in|by|published|written|of|between)\b[^?,;]{1,60}?)?"
_ABOUT = rf"(?:(?:that|which)\s+)?(?:(?:are|is)\s+(?:there\s+)?)?(?:{_VERB}|on|about|of|dealing\s+with|concerning)"
_FRAMES = tuple(re.compile(rf"^\W*(?:(?:and|but|so|ok(?:ay)?|now)\b\W*)?{frame}\s+(?P<topic>.+?)\W*$", re.IGNORECASE)
                for frame in (
    rf"(?:(?:what|which|are\s+there|is\s+there|do\s+you\s+have|have\s+you|find|list|show|give|any|some|all|the|me|"
    rf"other|more|recent|new)\s+)*(?:{PAPERS}){_SET}\s+{_ABOUT}",
    r"what\s+(?:is|was)\s+(?:known|said|written)\s+(?:about|of|on)",
    r"what\s+(?:do|does|did)\s+(?:\w+\s+){1,3}(?:know|say|report|tell|find|show)\s+(?:about|of|on)",
    rf"how\s+do\s+(?:the\s+)?(?:{PAPERS})\s+(?:approach|{_VERB})",
    r"what\s+problems\s+remain\s+with",
    r"(?:(?:please|can\s+you|could\s+you)\s+)*(?:tell\s+me\s+(?:more\s+)?about|explain|describe|define|"
    r"(?:give\s+me\s+)?an?\s+overview\s+of|summari[sz]e)",
    r"what\s+(?:is|are|was|were)",
))
_WORKS = re.compile(r"^\W*(?:how|why)\s+(?:do|does|did|is|are)\s+(?P<topic>.+?)\s+"
                    r"(?:work|works|function|help|done|made|used|trained|useful)\b[^,;]{0,30}$", re.IGNORECASE)
_ASKED = re.compile(r"\b(?:what|which|who|whom|whose|when|where|why|how|is|are|was|were|do|does|did|can|could|has|have|"
                    r"had|should|will|would|it|its|they|them|their)\b", re.IGNORECASE)
# Conditions behind a topic are no part of it.
_CONDITION = re.compile(r"[\s,]+(?:(?:since|before|after|until|between|from|in|during)\s+(?:\w+\s+)?(?:19|20)\d\d\b.*|"
                        r"published\b.*|in\s+(?:this|the|your)\s+library)$", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w-])[^\W\d_][\w.+-]*(?<![.-])")
# Words of a topic, and characters of a question that has one.
_MOST, _LONGEST = 8, 400
_PLURAL = re.compile(r"(?<![su])s$", re.IGNORECASE)


def topic(question: str) -> Span | None:
    """Where the words stand that a question is about: "What papers address [label noise] since 2023?".

    None where its form does not tell. A few words that ask nothing are their own topic.
    """
    if len(question) > _LONGEST:
        return None
    for frame in (*_FRAMES, _WORKS):
        found = frame.match(question)
        if found:
            start, end = found.span("topic")
            cut = _CONDITION.search(question, start, end)
            end = cut.start() if cut else end
            text = question[start:end]
            return (start, end) if len(text.split()) <= _MOST and not _ASKED.search(text) else None
    bare = question.strip(" \t\n?!.,;:")
    if bare and len(bare.split()) <= _MOST and not _ASKED.search(bare):
        start = question.index(bare)
        return start, start + len(bare)
    return None


def name(question: str) -> Span | None:
    """Where the one name stands that a question holds: "Does [LoRA] reduce memory?"; None for none and for several."""
    found = {match.group(): match.span() for match in _NAME.finditer(question) if _is_name(match)}
    return next(iter(found.values())) if len(found) == 1 else None


def _is_name(match: re.Match[str]) -> bool:
    text = match.group()
    if sum(c.isupper() for c in text) > 1 or (any(c.isupper() for c in text) and any(c.isdigit() for c in text)):
        return True
    return text[0].isupper() and len(text) > 2 and bool(words(match.string[:match.start()]))


def is_name(text: str) -> bool:
    """Whether a text is one name and nothing else: "PPO", "GPT-4"."""
    found = name(f"of {text}")
    return found is not None and found == (3, 3 + len(text))


def is_plural(text: str) -> bool:
    """Whether a topic is several things, to judge by its last word."""
    return bool(_PLURAL.search(text.rstrip())) and not (is_name(text) and not text.endswith("s"))
