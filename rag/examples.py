"""Example questions made from what the library really holds. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from rag.schema import Paper
from rag.text import STOP_WORDS, stem

_WORD = re.compile(r"[A-Za-z][\w-]*[\w]|[A-Za-z]")
# Words of titles that name no subject.
_EMPTY = STOP_WORDS | frozenset(
    "approach approaches based better beyond case data effective efficient empirical evaluating exploring framework "
    "general improved improving introducing investigating large learn learning makes making method methods mitigate "
    "model models need new novel paper revisiting rethinking scaling simple study survey system systems task tasks "
    "towards toward understanding unified use using via work works".split()
)


def examples(papers: Sequence[Paper], count: int = 4) -> tuple[str, ...]:
    """Questions on the subjects that most titles share, each on other papers than the ones before.

    A subject is a run of two or three words that stands in at least two titles (in one, for a handful of papers);
    fewer than ``count`` questions come back where there are not that many.
    """
    titled = [paper for paper in papers if paper.title]
    holders: dict[str, set[int]] = defaultdict(set)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for number, paper in enumerate(titled):
        for phrase in phrases(paper.title or ""):
            key = " ".join(stem(word.casefold()) for word in phrase.split())
            holders[key].add(number)
            spellings[key][phrase] += 1
    least = 2 if len(titled) > 5 else 1
    # A subject of many titles is a field, and tells little about what this library holds.
    most = max(4, len(titled) // 60)
    shared = {key: found for key, found in holders.items() if least <= len(found) <= most}
    questions: list[str] = []
    taken: set[int] = set()
    # A longer subject says more; it wins over its own parts unless they cover clearly more papers.
    for key in sorted(shared, key=lambda key: (-len(shared[key]) * (1 + 0.25 * key.count(" ")), key)):
        if len(questions) == count:
            break
        if len(shared[key] - taken) < max(least, 0.6 * len(shared[key])):
            continue
        taken |= shared[key]
        subject = spellings[key].most_common(1)[0][0]
        questions.append(_FORMS[len(questions) % len(_FORMS)].format(subject=subject))
    return tuple(questions)


_FORMS = ("What papers address {subject}?", "What is known about {subject}?", "How do papers approach {subject}?",
          "What problems remain with {subject}?")


def phrases(title: str) -> list[str]:
    """Runs of two or three words of a title, all of them naming something, in no other case than the title's own."""
    found = []
    for part in re.split(r"[:;,.?!()\[\]/—–]|\s-\s", title):
        tokens = _WORD.findall(part)
        for size in (2, 3):
            for start in range(len(tokens) - size + 1):
                run = tokens[start:start + size]
                if run[0].casefold() in _EMPTY or any(word.casefold() in STOP_WORDS for word in run):
                    continue
                if run[-1].casefold() in _EMPTY - {"model", "models", "learning", "data", "systems"}:
                    continue
                found.append(" ".join(word if _is_name(word) else word.casefold() for word in run))
    return found


def _is_name(word: str) -> bool:
    """Whether a word's capitals are its own, as in "LLM" or "ImageNet", not the title's."""
    return any(c.isupper() for c in word[1:])
