"""Quarters of the year: what is signed in one has the same validity, and a new one renews everything."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from govhub.core.errors import InvalidInput

EARLY, GRACE = timedelta(days=1), timedelta(days=45)
_PERIOD = re.compile(r"(20[0-9]{2})q([1-4])")
_MONTHS = 3


def period_of(day: date) -> str:
    """The quarter that a day is in, such as ``2026q4``."""
    return f"{day.year}q{(day.month - 1) // _MONTHS + 1}"


def validity(period: str) -> tuple[datetime, datetime]:
    """From when and until when certificates of a quarter hold: a day before it to 45 days behind it.

    Raises:
        InvalidInput: that is no quarter.
    """
    found = _PERIOD.fullmatch(period)
    if not found:
        raise InvalidInput.one("HST021", f'"{period[:20]}" is no quarter', hint="write it as 2026q4")
    year, quarter = int(found[1]), int(found[2])
    begin = datetime(year, (quarter - 1) * _MONTHS + 1, 1, tzinfo=UTC)
    end = datetime(year + quarter // 4, quarter % 4 * _MONTHS + 1, 1, tzinfo=UTC)
    return begin - EARLY, end + GRACE
