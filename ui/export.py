"""Papers as files that other programs read: JSON Lines, BibTeX, RIS, CSV. Pure; each can be ingested again."""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from rag.schema import SUMMARY, Paper
from rag.text import STOP_WORDS, words
from ui.formula import read
from ui.render import link

_COLUMNS = ("title", "abstract", "authors", "year", "year_inferred", "date", "url", "doi", "arxiv_id", "venue",
            "text_kind")
_MATHS = re.compile(r"(\${1,2})(?!\s)[^$]+?(?<!\s)\1(?!\d)")
_FORMULA = re.compile(r"\A[=+\-@\t\r]")
_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$", "{": r"\{", "}": r"\}",
}
# A brace without its partner would swallow the rest of the file, escaped or not: BibTeX counts them all.
_LONE_BRACES = _LATEX | {"{": r"\textbraceleft{}", "}": r"\textbraceright{}"}
_LIGATURES = {"--": "-{}-", "``": "`{}`", "''": "'{}'"}


def jsonl(papers: Sequence[Paper]) -> str:
    """One JSON object a line, with the fields that are known."""
    return "".join(json.dumps(paper.record, ensure_ascii=False) + "\n" for paper in papers)


def as_csv(papers: Sequence[Paper]) -> str:
    """Comma-separated values under a line of column names; authors are parted by semicolons.

    An apostrophe stands before a cell that a spreadsheet would take for a formula; reading it again takes it away.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for paper in papers:
        cells = paper.record | {"authors": "; ".join(paper.authors)}
        writer.writerow({name: _FORMULA.sub(r"'\g<0>", str(cell)) for name, cell in cells.items()})
    return out.getvalue()


def ris(papers: Sequence[Paper]) -> str:
    """RIS, as reference managers read it: a tag and a value a line."""
    return "\n".join(_ris_record(paper) for paper in papers)


def bibtex(papers: Sequence[Paper]) -> str:
    """BibTeX: special characters escaped except in mathematics, keys as ``citation_keys`` gives them."""
    keys = citation_keys(papers)
    return "\n".join(_bibtex_entry(key, paper) for key, paper in zip(keys, papers, strict=True))


EXPORTS: Mapping[str, Callable[[Sequence[Paper]], str]] = {"jsonl": jsonl, "bibtex": bibtex, "ris": ris, "csv": as_csv}
SUFFIXES = {".jsonl": "jsonl", ".bib": "bibtex", ".bibtex": "bibtex", ".ris": "ris", ".csv": "csv"}


def citation_keys(papers: Sequence[Paper]) -> list[str]:
    """A key for each paper: first author's surname, year and the title's first word that means something.

    Without authors it is the title's first three such words. Papers that would share a key each get a part of their
    id, so that no key depends on which other papers are exported in what order.
    """
    plain = [_plain_key(paper) for paper in papers]
    shared = Counter(plain)
    return [key if key and shared[key] == 1 else f"{key or 'paper'}-{_ascii(paper.id)[-6:]}"
            for key, paper in zip(plain, papers, strict=True)]


def _plain_key(paper: Paper) -> str:
    telling = [word for word in map(_ascii, words(paper.label)) if word and word not in STOP_WORDS]
    surname = ""
    if paper.authors:
        family, comma, _ = paper.authors[0].partition(",")
        surname = _ascii(family if comma else family.split()[-1]) if family.strip() else ""
    year = str(paper.year or "")
    key = surname + year + "".join(telling[:1]) if surname else "".join(telling[:3]) + year
    return key if any(c.isalpha() for c in key) else ""


def _ascii(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text).lower() if c.isascii() and c.isalnum())


def escape_latex(text: str) -> str:
    """The text as LaTeX that typesets it; mathematics between dollar signs stays as it is."""
    text = " ".join(text.split())
    out: list[str] = []
    at = 0
    for match in _MATHS.finditer(text):
        # What is no formula might be a command that does more than typeset.
        formula = read(match.group().strip("$"))
        if formula is not None:
            out += (_escaped(text[at:match.start()]), f"{match.group(1)}{formula.tex}{match.group(1)}")
            at = match.end()
    out.append(_escaped(text[at:]))
    return "".join(out)


def _escaped(text: str) -> str:
    table = _LATEX if _balanced(text) else _LONE_BRACES
    escaped = "".join(table.get(c, c) for c in text)
    for plain, kept in _LIGATURES.items():
        escaped = escaped.replace(plain, kept)
    return escaped


def _balanced(text: str) -> bool:
    depth = 0
    for c in text:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    return depth == 0


def _remarks(paper: Paper) -> list[str]:
    """What a reader must know and a format has no field for."""
    remarks = [f"Abstract: {SUMMARY}."] if paper.text_kind == "summary" else []
    return [*remarks, "Year inferred."] if paper.year and paper.year_inferred else remarks


def _bibtex_entry(key: str, paper: Paper) -> str:
    authors = " and ".join(f"{{{escape_latex(name)}}}" if " and " in name else escape_latex(name)
                           for name in paper.authors)
    fields = {
        "title": f"{{{escape_latex(paper.title)}}}" if paper.title else "",
        "author": authors,
        "year": str(paper.year or ""),
        "journal": escape_latex(paper.venue or ""),
        "doi": _address(paper.doi),
        "eprint": _address(paper.arxiv_id),
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "url": _address(link(paper)),
        "abstract": escape_latex(paper.abstract),
        "note": " ".join(_remarks(paper)),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'article' if paper.venue else 'misc'}{{{key},\n{lines}}}\n"


def _address(text: str | None) -> str:
    """An address or identifier, safe between braces."""
    return "".join(f"%{ord(c):02X}" if c in "{}\\ " else c for c in text or "")


def _ris_record(paper: Paper) -> str:
    pairs = [("TY", "JOUR" if paper.venue else "GEN"), ("TI", paper.title),
             *(("AU", _turned(name)) for name in paper.authors), ("PY", str(paper.year or "")), ("T2", paper.venue),
             ("AB", paper.abstract), ("DO", paper.doi), ("UR", link(paper)),
             *(("N1", remark) for remark in _remarks(paper)), ("ER", "")]
    return "".join(f"{tag}  - {' '.join((value or '').split())}\n" for tag, value in pairs if value or tag == "ER")


def _turned(name: str) -> str:
    """A name as RIS wants it, the last one first."""
    first, blank, last = name.rpartition(" ")
    return f"{last}, {first}" if blank and "," not in name else name
