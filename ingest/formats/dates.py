"""Dates as listings print them, and the year a page leaves out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>(?:19|20)\d\d)"
# A saved page may leave a vote or comment count behind the date: "May 28 2", "Sep 7, 2024 6".
_STRAY = r"(?:\s+\d{1,4})?"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        rf"{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?{_STRAY}",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH}(?:,?\s+{_YEAR})?{_STRAY}",
        rf"{_MONTH},?\s+{_YEAR}{_STRAY}",
        rf"{_YEAR}-(?P<number>0[1-9]|1[0-2])(?:-(?P<day>\d\d))?{_STRAY}",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A date as printed, and what it says; ``year`` and ``day`` are None where it does not say them."""

    text: str
    year: int | None
    month: int
    day: int | None


def printed(text: str) -> Printed | None:
    """The date, if the text is one and nothing else (but a stray number behind it)."""
    if len(text) > 40:
        return None
    for shape in _SHAPES:
        match = shape.fullmatch(text)
        if not match:
            continue
        found = match.groupdict()
        month = int(found["number"]) if found.get("number") else _MONTHS.index(found["month"][:3].lower()) + 1
        day = int(found["day"]) if found.get("day") else None
        if day is not None and not 1 <= day <= 31:
            return None
        return Printed(text=text, year=int(found["year"]) if found.get("year") else None, month=month, day=day)
    return None


def missing_year(page: Printed | None, dates: Sequence[Printed]) -> int | None:
    """The year that a page leaves out of its dates, if the page itself shows which one it is.

    Many pages print the year only of earlier years: a date without one is of the year in which the page was seen.
    That year is the page's own, if its date prints it; else it is the year after the latest one printed. Both are
    believed only where the whole page agrees:

    - the page bears a date at its top, and no date without a year is later than it (a page that leaves out the
      year for the last twelve months would have some);
    - a page with a year in its own date never prints that year, or a later one, with a record;
    - a page without one prints both the latest year and the one before it: its papers then cover recent years
      closely, so that a whole year between the latest printed one and now is unlikely.
    """
    open_dates = [date for date in dates if date.year is None]
    years = {date.year for date in dates if date.year is not None}
    if page is None or page.day is None or not open_dates:
        return None
    if any((date.month, date.day or 0) > (page.month, page.day) for date in open_dates):
        return None
    if page.year is not None:
        return page.year if not years or max(years) < page.year else None
    if not years or max(years) - 1 not in years:
        return None
    return max(years) + 1
