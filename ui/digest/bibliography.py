"""A digest's papers as reference managers read them. Pure; BibTeX and RIS are `ui.export`'s."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rag.schema import SUMMARY, Paper
from ui.export import citation_keys
from ui.render import link


def csl_json(papers: Sequence[Paper]) -> str:
    """CSL-JSON, as pandoc's citeproc and Zotero read it; ids are the papers' BibTeX keys."""
    keyed = zip(citation_keys(papers), papers, strict=True)
    return json.dumps([_item(key, paper) for key, paper in keyed], ensure_ascii=False, indent=2) + "\n"


def _item(key: str, paper: Paper) -> dict[str, Any]:
    remarks = [f"Abstract: {SUMMARY}."] if paper.text_kind == "summary" else []
    if paper.year and paper.year_inferred:
        remarks.append("Year inferred.")
    fields = {
        "id": key,
        "type": "article-journal" if paper.venue else "article",
        "title": " ".join((paper.title or "").split()),
        "author": [_name(author) for author in paper.authors],
        "issued": {"date-parts": [[paper.year]]} if paper.year else None,
        "container-title": paper.venue,
        "DOI": paper.doi,
        "URL": link(paper),
        "abstract": " ".join(paper.abstract.split()),
        "note": " ".join(remarks),
    }
    return {name: value for name, value in fields.items() if value}


def _name(author: str) -> dict[str, str]:
    family, comma, given = author.partition(",")
    if not comma:
        given, _, family = author.strip().rpartition(" ")
    return {"family": family.strip(), "given": given.strip()} if given.strip() else {"literal": author.strip()}
