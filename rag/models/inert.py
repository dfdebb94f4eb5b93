"""What a model wrote, made inert: nothing unseen in it, no address, no HTML, no raised digit that cites. Pure."""

from __future__ import annotations

import functools
import re
import unicodedata

from rag.text import normalise

TAG = re.compile(
    r"""<!--.*?-->|<!(?!--)[^<>]*>|<\?[^<>]*>|</?[a-z][\w:-]*(?:[\s/"'][^<>]*)?>|<[a-z][\w+.-]*:[^<>\s]*>""",
    re.DOTALL | re.IGNORECASE)
TAG_SO_FAR = re.compile(
    r"""<!--.*|<!-?|<[!?][^<>]*|</?(?:[a-z][\w:-]*(?:[\s/"'][^<>]*)?)?|<[a-z][\w+.-]*:[^<>\s]*""",
    re.DOTALL | re.IGNORECASE)

# Wherever a browser or a mail program could be led to: scheme://, //host, data:, www., a host with a path, an e-mail
# address. "and/or", "nDCG@10" and "mAP@0.5" are none.
_ADDRESS = re.compile(
    r"""(?:(?:[a-z][a-z0-9+.-]{0,20}:)?//+
    |\b(?:https?|ftps?|file|data|javascript|vbscript|mailto|blob|tel|sms):(?=[^\s.,;:!?)])
    |\bwww\d?\.(?=\w)
    |(?<![\w.-])(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?::\d+)?(?:/|[?\#](?=\w))
    |(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/
    )(?:[^\s<>\ue000-\uf8ff]*[^\s<>.,;:!?)\ue000-\uf8ff])?
    |[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}""", re.IGNORECASE | re.VERBOSE)
_CLOSES = re.compile(r"(?<!<)<+(?=[/!?])")
_OPENS = re.compile(r"<(?=[^\W\d_])")
_EMPTY = re.compile(r"\(\s*(?:see|cf\.?|e\.g\.?,?)?[\s(),;]*\)|<>")
_SHIFTED = {"sup": str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"), "sub": str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")}
# A raised digit is a mark behind a word or a full stop; it is none in "10⁵", "R²", "CO₂" and "log₂".
_CITED = re.compile(r"(?:^|[\s.!?,;:\"”’»]|[^\W\d_]{3})$")
_CITED_BELOW = re.compile(r"(?:^|[\s.!?,;:\"”’»]|(?!log)[a-z]{3})$")
_SIGNS = str.maketrans("【】〔〕〖〗⟦⟧❲❳⁅⁆", "[][][][][][]")


@functools.lru_cache(maxsize=4096)
def plain(character: str) -> str:
    """The character as it is read: wide digits, letters and brackets as plain ones, nothing for what is not seen."""
    if character.isascii():
        return character if character.isprintable() or character in "\n\t\v\f" else ""
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co"):
        return ""
    shape = unicodedata.decomposition(character).partition(" ")[0]
    folded = unicodedata.normalize("NFKC", character)
    if len(folded) == 1 and folded.isascii() and (
            (shape in ("<wide>", "<small>") and (folded.isalnum() or folded in "()[]<>"))
            or (shape == "<font>" and folded.isdigit())):
        return folded
    return character.translate(_SIGNS)


def shifted(character: str, tag: str) -> str:
    """The character as it stands within the tag "sup" or "sub"."""
    return character.translate(_SHIFTED[tag])


def raised_mark(character: str, before: str) -> bool:
    """Whether it is a raised, lowered or encircled digit that cites something for what stands before it."""
    if character.isdecimal() or not character.isdigit():
        return False
    lowered = unicodedata.decomposition(character).startswith("<sub>")
    return (_CITED_BELOW if lowered else _CITED).search(before[-3:]) is not None


def inert(text: str) -> str:
    """The text without addresses, tags and what taking them off has left empty; none can form of what is left."""
    before = None
    while text != before:
        before = text
        text = _CLOSES.sub("", _ADDRESS.sub("", TAG.sub("", text)))
        # "$x<y$" stays a comparison, but opens no tag.
        text = _EMPTY.sub("", _OPENS.sub("< ", text))
        text = re.sub(r"\s+([.,;:!?])(?=\s|$)", r"\1", text)
        text = normalise(re.sub(r"[,;]+([.!?])$", r"\1", re.sub(r"(?<!\.)([.!?])\.$", r"\1", text)))
    return text
