"""The chat's filter: the fields that set it, and what it is in words. Pure; the page's side is in ``filter.js``.

The page holds the filter as pairs of a kind and a value, each shown as a chip: ``[["since", "2023"]]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from rag.schema import Where
from ui.since import day
from ui.web.typeset import escape

Pairs: TypeAlias = Sequence[tuple[str, str]]

# What stands before a value of each kind, on its chip and in a sentence.
WORDS = {"since": "since", "until": "until", "author": "by", "tag": "tagged", "file": "from"}

ROW = ('<div class="filter-row"><button class="filter" aria-expanded="false" aria-controls="fields">Filter</button>'
       '<ul class="chips" aria-label="Active filters"></ul></div>')


def chosen(pairs: Pairs | None) -> Where | None:
    """The filter that the pairs make; None where they leave everything in."""
    def values(kind: str) -> tuple[str, ...]:
        return tuple(value for this, value in pairs or () if this == kind)

    first, last = (next(map(int, values(kind)), None) for kind in ("since", "until"))
    where = Where(years=(first, last) if first or last else None, files=values("file"), authors=values("author"),
                  tags=values("tag"))
    return where or None


def named(parameters: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs among the parameters of the page's address, which anybody may have written."""
    found = [(kind, value) for kind, value in dict.fromkeys(parameters)
             if kind in WORDS and (kind not in ("since", "until") or re.fullmatch("[12][0-9]{3}", value))]
    return [pair for place, pair in enumerate(found)
            if pair[0] not in ("since", "until") or pair[0] not in dict(found[:place])]


def phrase(where: Where) -> str:
    """The filter in words, to stand behind "papers": "since 2023, from listing.txt"."""
    first, last = where.years or (None, None)
    if first and last:
        years = f"from {first} to {last}" if first != last else f"of {first}"
    else:
        years = f"since {first}" if first else f"until {last}" if last else ""
    rest = [f"{WORDS[kind]} {' or '.join(values)}" for kind, values in (
        ("author", where.authors), ("tag", where.tags), ("file", where.files)) if values]
    by_id = "" if not where.ids else f"with id {' or '.join(where.ids)}" if len(where.ids) < 4 else (
        f"among {len(where.ids)} that were named")
    came = f"that came since {day(where.added)}" if where.added else ""
    return ", ".join(filter(None, (years, *rest, by_id, came)))


def only(where: Where) -> str:
    """The filter as the sentence that an answer begins with."""
    return f"Only papers {phrase(where)}."


def unknown(where: Where) -> str:
    """The sentence in its place where no paper fits the filter."""
    return f"The library knows no paper {phrase(where)}."


def pairs(where: Where | None) -> list[tuple[str, str]]:
    """The pairs that make the filter, as `chosen` reads them."""
    if where is None:
        return []
    bounds = zip(("since", "until"), where.years or (), strict=False)
    return [*((kind, str(year)) for kind, year in bounds if year is not None),
            *((kind, value) for kind, values in (("author", where.authors), ("tag", where.tags), ("file", where.files))
              for value in values)]


def fields_html(years: Iterable[int] = (), undated: int = 0, files: Iterable[str] = (),
                tags: Iterable[str] = ()) -> str:
    """The fields of the filter.

    Args:
        years: the years that there are papers of.
        undated: how many papers have no year, which any bound leaves out.
        files: the files that were read.
        tags: the tags that papers have.
    """
    options = "".join(f"<option>{year}</option>" for year in sorted(years, reverse=True))
    bounds = "".join(f'<label class="field">{name.capitalize()} <select name="{name}">'
                     f'<option value="">any year</option>{options}</select></label>' for name in ("since", "until"))
    count = "1 paper has" if undated == 1 else f"{undated:,} papers have"
    hint = (f'<p class="hint">{count} no year: Since and Until leave {"it" if undated == 1 else "them"} out.</p>'
            if undated and options else "")
    return (
        f'<div class="fields" role="group" aria-label="Filter">{bounds}'
        '<label class="field author">Author <input name="author" type="text" placeholder="A name, or part of one" '
        'maxlength="200" autocomplete="off" enterkeyhint="done"></label>'
        f'{hint}{_picks("Files", "file", files)}{_picks("Tags", "tag", tags)}</div>'
    )


def _picks(legend: str, kind: str, values: Iterable[str]) -> str:
    boxes = "".join(f'<label class="pick"><input type="checkbox" name="{kind}" value="{escape(value)}">'
                    f"<span>{escape(value)}</span></label>" for value in values)
    return f'<fieldset><legend>{legend}</legend><div class="picks">{boxes}</div></fieldset>' if boxes else ""
