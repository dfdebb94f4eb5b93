"""When papers came, as people say it: "7d", "2 weeks" as 2w, or a date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d{1,4})\s*([hdw])", re.IGNORECASE)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment(text: str) -> str:
    """The moment that is meant, as `Where.added` takes it: so long ago, or a date (and time) of this machine's clock.

    Raises:
        ValueError: it is neither.
    """
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return _told(datetime.now(UTC) - int(ago[1]) * _UNITS[ago[2].lower()])
        return _told(datetime.fromisoformat(text).astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time: say 7d or 2w (so long ago), or a date such as 2025-03-31") from error


def after(moment: str) -> str:
    """The next moment that the library tells apart."""
    return _told(datetime.fromisoformat(moment) + timedelta(microseconds=1))


def day(moment: str) -> str:
    """The day, on this machine's calendar, to be read: "2025-03-31"."""
    try:
        return datetime.fromisoformat(moment).astimezone().date().isoformat()
    except (ValueError, OverflowError):
        return moment[:10]


def _told(when: datetime) -> str:
    return when.isoformat(timespec="microseconds")
