"""Text as the rest of Vouch sees it: normal forms, sentences with their spans, stems, token counts. Pure."""

from __future__ import annotations

import functools
import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

Span = tuple[int, int]

# Words that end in a full stop without ending a sentence. "al" is "et al.", the single letters are initials.
_ABBREVIATIONS = frozenset(
    "al approx cf ca dr e.g eg eq eqs etc fig figs i.e ie incl jr mr mrs ms no nos p pp prof ref refs resp sec st "
    "tab viz vol vs w.r.t wrt u.s a.k.a".split()
)
_END = re.compile(r"""[.!?]+["'”’)\]»]*(?=\s|$)|\n\s*\n""")
_OPENING = "\"'“‘([«$\\"
_SKIPPED = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

STOP_WORDS = frozenset(
    "a about above after again all also an and any are as at be because been before being between both but by can "
    "could did do does doing down during each either few for from further had has have having he her here hers him "
    "his how i if in into is it its itself just me more most my no nor not now of off on once only or other our out "
    "over own same she should so some such than that the their them then there these they this those through to too "
    "under until up very was we were what when where which while who whom whose why will with would you your".split()
)


# Words that ask for papers and say nothing of their subject.
_ASKING = frozenset(
    "address addresses any article articles approach approaches available describe describes discuss discusses "
    "discussing examine examines exist existing exists explore explores exploring find focus focuses give help "
    "introduce introduced introduces investigate investigates investigating know literature look looking mention "
    "mentions method methods overview paper papers particularly please present presents propose proposed proposes "
    "provide publication recent recommend research researches resource resources show specifically studies study such "
    "technique techniques tool tools try use used uses using want way ways work works".split()
)


def normalise(text: str) -> str:
    """NFC, without control, zero-width and surrogate characters, white space folded to single blanks."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs") else (" " if c in "\t\n\r\v\f" else "")
        for c in unicodedata.normalize("NFC", text)
    )
    return " ".join(kept.split())


def letters(text: str) -> str:
    """Only letters and digits, folded in case and accents: two texts that a typesetter made differ are equal here."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def words(text: str) -> list[str]:
    """Words folded in case and accents, in order. "GPT-4" gives "gpt" and "4"; "0.75" stays whole."""
    return re.findall(r"\d+(?:[.,]\d+)+|[^\W_]+", _plain(text).casefold())


def _plain(text: str) -> str:
    """The text without accents, ligatures and lone surrogates, which the analyzer does not take."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cs")


@functools.cache
def analyzer() -> Any:  # noqa: ANN401 - tantivy has no types
    """The word index's analyzer: words, folded in case and accents, stemmed (Snowball English)."""
    return _stemming()


@functools.cache
def _content_analyzer() -> Any:  # noqa: ANN401 - tantivy has no types
    return _stemming(without=sorted(STOP_WORDS))


def _stemming(without: Sequence[str] = ()) -> Any:  # noqa: ANN401 - tantivy has no types
    import tantivy

    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.custom_stopword(list(without)))
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


@functools.lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The word's Snowball stem, as the word index sees it; the word itself where it has none."""
    stems: list[str] = analyzer().analyze(word)
    return stems[0] if len(stems) == 1 else word


def content_stems(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order, cut as the word index cuts them ("3.5" is "3" and "5")."""
    stems: list[str] = _content_analyzer().analyze(_plain(text))
    return stems


def subject(question: str) -> str:
    """The question without the words that only ask for papers; the whole of it where nothing else is left."""
    kept = " ".join(token for token in question.split() if not (found := words(token)) or not _ASKING.issuperset(found))
    return kept if content_stems(kept) else question


def query_stems(question: str) -> list[str]:
    """The stems that a question's subject is searched by, each once."""
    return list(dict.fromkeys(content_stems(subject(question))))


def content_words(text: str) -> tuple[Span, ...]:
    """Spans of the words that carry meaning, in order; what hyphens join is one word."""
    return tuple(match.span() for match in _WORD.finditer(text) if content_stems(match.group()))


def sentences(text: str) -> tuple[Span, ...]:
    """Spans of the sentences, in order, covering every character that is not white space.

    A full stop ends a sentence unless it belongs to a number, an abbreviation or an initial, or is followed by a
    lower-case word; a full stop that stands alone between blanks (as in tokenised text) always does.
    """
    spans: list[Span] = []
    start = 0
    for match in _END.finditer(text):
        if not _ends_here(text, match.start(), match.end()):
            continue
        _append(spans, text, start, match.end())
        start = match.end()
    _append(spans, text, start, len(text))
    return tuple(spans)


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return
    begin = start + len(piece) - len(piece.lstrip())
    # Punctuation alone (a stray bracket, an ellipsis) belongs to the sentence before it.
    if spans and not any(c.isalnum() for c in stripped):
        spans[-1] = (spans[-1][0], begin + len(stripped))
    else:
        spans.append((begin, begin + len(stripped)))


def _ends_here(text: str, at: int, after: int) -> bool:
    if text[at] == "\n" or text[at] in "!?":
        following = text[after:after + 3].lstrip()
        return not following or not following[0].islower()
    if at == 0 or text[at - 1].isspace():
        return True
    skipped = _SKIPPED.match(text, after)
    following = text[skipped.end():skipped.end() + 2] if skipped else ""
    if not following:
        return True
    word = re.search(r"\S*$", text[max(0, at - 24):at])
    last = word.group().lstrip(_OPENING).casefold() if word else ""
    if last in _ABBREVIATIONS:
        # "et al." and "etc." do end sentences when a capital follows; the others never do.
        return last in ("al", "etc") and following[0].isupper() and text[after - 1] == "."
    if len(last) == 1 and last.isalpha() and text[at - 1].isupper():
        return False
    return not (following[0].islower() or following[0] in ",;:")


def estimate_tokens(text: str) -> int:
    """Tokens of a language model, estimated upward.

    Plain English takes about four characters a token, counted here as 3.5, and never under a token for each word; a
    character outside ASCII may take up to two tokens.
    """
    plain = sum(c.isascii() for c in text)
    return max(math.ceil(plain / 3.5) + 2 * (len(text) - plain), len(text.split()))


def overlaps(span: Span, spans: Sequence[Span]) -> bool:
    """Whether the span shares a character with any of the others."""
    return any(span[0] < end and start < span[1] for start, end in spans)


_SPELLED = "no one two three four five six seven eight nine ten eleven twelve".split()


def spelled(number: int) -> str:
    """A count in words up to twelve ("no" for none), in digits beyond."""
    return _SPELLED[number] if number < len(_SPELLED) else str(number)
