"""How else a question could be put, in the words that its library knows.

Three ways in which a question's words and the papers' fail to meet are mended: a word that is misspelt; a compound
that is written together here and apart there ("overoptimization", "over-optimization"); an acronym for what others
spell out. All of it comes from the library's own texts, through `rag.search.vocabulary`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.search.acronyms import has_capitals, is_acronym, singular
from rag.search.vocabulary import HYPHEN, Vocabulary, fold, is_content, stem_phrase
from rag.text import STOP_WORDS, content_stems, query_stems, stem

# How much a word counts that stands for one of the question's own.
_WEIGHT = 0.25
# What fewer than one in so many papers write is a slip of the pen or of the typesetter ("pa-per", "selfattention").
_RARE = 10
# Words of a long form, at most.
_LONGEST = 8

# Letters from which on a word has few neighbours, and letters of a word at most.
_LONG, _LONGEST_WORD = 8, 30

# "Alzheimer's" is the word "Alzheimer", "didn't" is one that nobody misspelt.
_TOKEN = re.compile(r"[^\W_]+(?:['’](?!s\b)[^\W\d_]+)?")
_VOWELS = "aeiouy"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """A word of a question, as written and folded, and what stands between it and the next: "-", " " or else ""."""

    text: str
    word: str
    start: int
    joint: str


def _tokens(question: str) -> list[_Token]:
    matches = list(_TOKEN.finditer(question))
    tokens = []
    for i, match in enumerate(matches):
        gap = question[match.end():matches[i + 1].start() if i + 1 < len(matches) else None]
        joint = "-" if re.fullmatch(HYPHEN, gap) else " " if gap.isspace() else ""
        tokens.append(_Token(text=match.group(), word=fold(match.group()), start=match.start(), joint=joint))
    return tokens


def _shouted(tokens: Sequence[_Token]) -> bool:
    """Whether capitals tell nothing here; a single word in capitals is an acronym."""
    return len(tokens) > 1 and all(token.text.isupper() for token in tokens)


# ---- spelling


def correct(question: str, vocabulary: Vocabulary, familiar: Callable[[str], bool] = lambda _: False) -> str:
    """The question, each misspelt word replaced by the one that most of the library's papers hold for it.

    Args:
        question: as it was asked.
        vocabulary: the library's.
        familiar: whether a folded word is one of the language though no paper holds it; such words stay as they are.

    Raises:
        ProjectionError: the vocabulary cannot be read.
    """
    tokens = _tokens(question)
    shouted = _shouted(tokens)
    doubtful = {token: stem(token.word) for token in tokens if _may_be_misspelt(token, shouted)}
    joined = {(a, b): stem(a.word + b.word) for a, b in pairwise(tokens) if a.joint}
    known = vocabulary.stems([*doubtful.values(), *joined.values()])
    compounds = vocabulary.values("pair", doubtful.values())
    halves = {token for both, together in joined.items() if together in known for token in both}
    corrected = question
    for token, stemmed in reversed(doubtful.items()):
        if stemmed in known or stemmed in compounds or token in halves or familiar(token.word):
            continue
        near = vocabulary.papers("word", _slips(token.word))
        # A word that one paper holds may itself be misspelt; short ones are near to too many to go by that.
        candidates = [word for word, papers in near.items() if papers > 1 or len(token.word) >= _LONG]
        if candidates:
            best = max(candidates, key=lambda word: (near[word], word))
            written = best.upper() if shouted else best.capitalize() if token.text[0].isupper() else best
            corrected = corrected[:token.start] + written + corrected[token.start + len(token.text):]
    return corrected


def _may_be_misspelt(token: _Token, shouted: bool) -> bool:
    """Words of letters alone, long enough to be told apart, no acronyms, and no longer than words are."""
    acronym = is_acronym(token.text) and not shouted
    letters = token.text.isalpha() and 5 <= len(token.word) <= _LONGEST_WORD
    return letters and token.word not in STOP_WORDS and not acronym


def _slips(word: str) -> set[str]:
    """What may have been meant by a word: the words that are one slip away (Damerau 1964).

    Fingers swap letters, drop them and strike them twice; memory takes one vowel for another. A letter too many, or
    one for another, makes another word of a short one more often than it is a slip ("canker" is not "cancer"), so
    only long ones may hold those. Nor is another head a slip: "reflection" is not "deflection".
    """
    splits = [(word[:i], word[i:]) for i in range(1, len(word) + 1)]
    swapped = {a[:-1] + b[0] + a[-1] + b[1:] for a, b in splits if b}
    dropped = {a + letter + b for a, b in splits for letter in _LETTERS}
    struck = {a + b[1:] for a, b in splits if b and (len(word) >= _LONG or a[-1] == b[0])}
    taken = {a + letter + b[1:] for a, b in splits if b
             for letter in (_LETTERS if len(word) > _LONG else _VOWELS if b[0] in _VOWELS else "")}
    return (swapped | dropped | struck | taken) - {word}


# ---- other words for the same


def others(question: str, vocabulary: Vocabulary) -> dict[str, float]:
    """Words to search by besides the question's: what else the library calls what it names.

    Returns:
        each word, folded, with its weight beside the question's words' 1.

    Raises:
        ProjectionError: the vocabulary cannot be read.
    """
    tokens = _tokens(question)
    asked = set(query_stems(question))
    found = [*_compounds(tokens, asked, vocabulary), *_spelled_out(tokens, asked, vocabulary),
             *_shortened(tokens, vocabulary)]
    own = set(content_stems(question))
    return {word: _WEIGHT for word in found if is_content(word) and stem(word) not in own}


def _compounds(tokens: Sequence[_Token], asked: set[str], vocabulary: Vocabulary) -> list[str]:
    """The question's compounds as the library writes them otherwise: apart, or together."""
    found = []
    single = {stem(token.word) for token in tokens if is_content(token.word)} & asked
    joined = {(a, b): stem(a.word + b.word) for a, b in pairwise(tokens)
              if a.joint and (is_content(b.word) or b.word.isdigit())}
    pairs = vocabulary.values("pair", [*single, *joined.values()])
    held = vocabulary.stems([*single, *joined.values(), *(stem(token.word) for token in tokens)])
    for compound in single & set(pairs):
        pair, papers = max(pairs[compound].items(), key=lambda item: (item[1], item[0]))
        if _RARE * papers >= held.get(compound, 0):
            found += pair.split()
    for (a, b), compound in joined.items():
        hyphened = pairs.get(compound, {}).get(f"{a.word} {b.word}", 0)
        # "in form" is not "inform": between blanks a small word makes a compound only where papers hyphenate it.
        content = is_content(a.word)
        apart = hyphened if a.joint == "-" or not content else min(held.get(stem(t.word), 0) for t in (a, b))
        if compound in held and _RARE * held[compound] >= apart and (a.joint == "-" or content or hyphened):
            found.append(a.word + b.word)
    return found


def _spelled_out(tokens: Sequence[_Token], asked: set[str], vocabulary: Vocabulary) -> list[str]:
    """The words that the question's acronyms stand for, and the acronyms in the other number ("LLM", "LLMs")."""
    shouted = _shouted(tokens)
    certain, possible = set(), set()
    for token in tokens:
        if stem(token.word) in asked:
            if has_capitals(token.text) and not shouted:
                certain.add(singular(token.text))
            elif token.text.islower() or shouted:
                possible |= {token.word, token.word.removesuffix("s")}
    certain |= {a.word + b.word for a, b in pairwise(tokens) if a.joint == "-" and has_capitals(a.text)}
    longs = vocabulary.values("acronym", certain | possible)
    held = vocabulary.papers("word", [form for short in longs for form in (short, f"{short}s")])
    capitals = vocabulary.papers("capitals", longs)
    found = []
    for short in sorted(longs):
        # Without capitals it is one where the library hardly writes it so.
        if short in certain or 2 * capitals.get(short, 0) > held.get(short, 0):
            found += [part for long in _meanings(short, longs[short], asked - {stem(short)}) for part in long.split()]
            found += [form for form in (short, f"{short}s") if form in held]
    return found


def _shortened(tokens: Sequence[_Token], vocabulary: Vocabulary) -> list[str]:
    """The acronyms of what the question spells out."""
    stems = [stem(token.word) for token in tokens]
    runs = [range(start, start + length) for length in range(_LONGEST, 1, -1)
            for start in range(len(stems) - length + 1)]
    phrases = [" ".join(stems[run.start:run.stop]) for run in runs]
    shorts = vocabulary.values("long", phrases)
    longs = vocabulary.values("acronym", [short for found in shorts.values() for short in found])
    taken: set[int] = set()
    found = []
    for run, phrase in zip(runs, phrases, strict=True):
        if phrase in shorts and taken.isdisjoint(run):
            taken.update(run)
            short = max(shorts[phrase], key=lambda short: (shorts[phrase][short], short))
            # An acronym that means something else to more papers would bring those.
            if [stem_phrase(long) for long in _meanings(short, longs.get(short, {}), set())] == [phrase]:
                found.append(short)
    return found


def _meanings(short: str, longs: Mapping[str, int], context: set[str]) -> list[str]:
    """What an acronym stands for: what most papers say; where they differ or are few, what fits the context."""
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for long, papers in sorted(longs.items()):
        counts[stem_phrase(long)] += papers
        spelled.setdefault(stem_phrase(long), long)
    (first, most), *others = counts.most_common()
    rivals = [long for long, papers in others if 2 * papers > most]
    # Two or three letters stand for many things: one paper is not enough to go by.
    if not rivals and (most > 1 or len(short) > 3):
        return [spelled[first]]
    return [spelled[long] for long in (first, *rivals) if context & set(content_stems(spelled[long]))]
