"""The fields of a record in their normal form: texts without markup, names, identifiers, years. Pure."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rag.schema import SUMMARY, Origin, Paper, TextKind
from rag.text import normalise

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ATTRIBUTE = r"""(?:\s+[\w:-]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*"""
_HEADING = re.compile(
    rf"<(?:jats:)?(title|h[1-6]){_ATTRIBUTE}>\s*(?:abstract|summary)\s*:?\s*</(?:jats:)?\1>", re.IGNORECASE
)
_BLOCK = re.compile(
    rf"</?(?:jats:)?(?:p|br|div|sec|title|abstract|ul|ol|li|list|list-item|h[1-6]){_ATTRIBUTE}/?>", re.IGNORECASE
)
_INLINE = re.compile(
    rf"</?(?:jats:)?(?:i|b|u|em|strong|italic|bold|sub|sup|span|sc|tt|code|monospace|a|ext-link|inline-formula)"
    rf"{_ATTRIBUTE}/?>",
    re.IGNORECASE,
)
# A sentence may open with the noun ("Abstract reasoning is"), so a bare word counts as a label only before a word
# that could not follow the adjective.
_LABEL = re.compile(
    r"^\s*abstract(?:\s*[:.—–|]\s*|\s*-{1,2}\s+|[^\S\n]*\n\s*|"
    r"\s+(?=(?-i:We|In|This|The|These|Our|It|To|Although|While|Recently|There|An?)\s))",
    re.IGNORECASE,
)
_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|"
    "funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|"
    "plasm-ph|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_ARXIV = re.compile(
    r"(?:https?://)?(?:(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|(?:dx\.)?doi\.org/10\.48550/arxiv\.|"
    r"10\.48550/arxiv\.|arxiv\s*:?\s*)?"
    rf"(?:(?P<new>\d\d(?:0[1-9]|1[0-2])\.\d{{4,5}})|(?P<old>{_ARCHIVES})(?:\.[a-z]{{2}})?/(?P<number>\d{{7}}))"
    r"(?:v\d+)?(?:\.pdf)?(?:\s*\[[\w.-]+\])?/?",
    re.IGNORECASE,
)
_DOI = re.compile(r"(?:https?://(?:dx\.|www\.)?doi\.org/|doi\s*:?\s*)?(10\.\d{4,9}/[^\s\"<>]+)", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a file: its number from 1, and its paper (without origin), or the reason why it has none."""

    number: int
    paper: Paper | None = None
    reason: str = ""


def clean(text: str) -> str:
    """The text without HTML entities and simple tags, in normal form; words and ``$mathematics$`` as they are."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    if "<" in text:
        text = _INLINE.sub("", _BLOCK.sub(" ", _HEADING.sub(" ", text)))
    return normalise(text)


def unlabelled(text: str) -> str:
    """The text without a leading "Abstract:"."""
    return _LABEL.sub("", text, count=1)


def text_kind(remark: str | None) -> TextKind:
    """What a remark says of the text it stands by: exports mark summaries so where the format has no field for it."""
    return "summary" if remark and SUMMARY in remark else "abstract"


def arxiv_id(text: str | None) -> str | None:
    """The arXiv id, without version, if the whole text is one (bare, with "arXiv:", or as an address); else None."""
    match = _ARXIV.fullmatch(text.strip()) if text else None
    if not match:
        return None
    return match["new"] or f"{match['old'].lower()}/{match['number']}"


def doi(text: str | None) -> str | None:
    """The DOI, lower case and without resolver, if the whole text is one; else None."""
    match = _DOI.fullmatch(text.strip()) if text else None
    return match[1].rstrip(".,;").lower() if match else None


def year(text: str | None) -> int | None:
    """The first four-digit year in the text, if any."""
    match = _YEAR.search(text) if text else None
    return int(match.group()) if match else None


def names(text: str) -> tuple[str, ...]:
    """Authors from one string: "A, B and C", "A; B", or "Last, First and Last, First" (as in BibTeX)."""
    if ";" in text:
        return _tidy(text.split(";"))
    parts = re.split(r",?\s+(?:and|&)\s+", text.strip())
    turned = [part for part in parts if _is_turned(part)]
    if turned and (len(parts) > 1 or len(turned) == len(parts)) and all(p.count(",") <= 1 for p in parts):
        return _tidy(parts)
    return _tidy([name for part in parts for name in part.split(",")], turn=False)


def _is_turned(name: str) -> bool:
    """Whether the name reads "Last, First": "Alice Smith, Bob Jones" are two people instead."""
    last, comma, first = name.partition(",")
    return bool(comma) and bool(first.strip()) and (len(last.split()) == 1 or len(first.split()) == 1)


def _tidy(parts: Sequence[str], *, turn: bool = True) -> tuple[str, ...]:
    found: list[str] = []
    for part in parts:
        last, comma, first = part.partition(",")
        name = normalise(f"{first} {last}" if turn and comma and "," not in first else part).strip(" ,")
        if name and name.casefold() not in ("et al.", "et al", "others") and name not in found:
            found.append(name)
    return tuple(found)


def identified(paper: Paper) -> Paper:
    """The paper with the arXiv id that its DOI or address spells out."""
    found = paper.arxiv_id or arxiv_id(paper.doi) or arxiv_id(paper.url)
    return replace(paper, arxiv_id=found, doi=paper.doi or doi(paper.url))


def originated(paper: Paper, file: str, number: int, uri: str) -> Paper:
    """The paper with its origin, which carries the hash of every field the record gave."""
    content = json.dumps(paper.record, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return replace(paper, origins=(Origin(file=file, record=number, uri=uri, sha256=digest),))


def plain(text: str) -> str:
    """The text without LaTeX's braces, accents and commands; ``$mathematics$`` stays as it is."""
    if not any(sign in text for sign in "\\{}~"):
        return clean(text)
    pieces = re.split(r"((?<!\\)\$(?:[^$\\]|\\.)+\$)", text)
    return clean("".join(piece if i % 2 else _unlatexed(piece) for i, piece in enumerate(pieces)))


def _unlatexed(text: str) -> str:
    from pylatexenc.latex2text import LatexNodes2Text

    if not any(sign in text for sign in "\\{}~"):
        return text
    # A bare per cent sign would comment out the rest of its line, which no author of an abstract meant; a lone
    # dollar would open mathematics.
    escaped = re.sub(r"(?<!\\)([%$])", r"\\\1", text)
    reader: Any = LatexNodes2Text
    found: str = reader(math_mode="verbatim", strict_latex_spaces=True).latex_to_text(escaped, tolerant_parsing=True)
    return found
