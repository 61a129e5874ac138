"""Small helpers for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import UTC, datetime


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint naming the closest known word, or the empty string when nothing is close."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else ""


def plural(count: int, one: str, many: str = "") -> str:
    """``1 change``, ``2 changes``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def and_more(names: list[str], limit: int = 5) -> str:
    """The first names, and how many were left out."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def minute_of(timestamp: float) -> str:
    """A Unix time as a date with minutes, UTC.

    Raises:
        OverflowError, ValueError, OSError: it is no time that a calendar has.
    """
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
