"""How values are written on pages: with their unit, and never blank when they are unknown."""

from __future__ import annotations

from typing import Any

from govhub.core.text import minute_of
from govhub.monitoring.words import Look


def number(value: float | None, look: Look, digits: int = 0) -> str:
    """``12,345`` or ``unknown``; digits only where they say something."""
    if value is None:
        return look("unknown")
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1000 else f"{value:,.{max(digits, 1)}f}"


def kilowatts(watts: float | None, look: Look) -> str:
    """W as kW, without the unit."""
    if watts is None:
        return look("unknown")
    return f"{watts / 1000:,.0f}" if abs(watts) >= 1e6 else f"{watts / 1000:,.1f}"


def scaled(figure: dict[str, Any], side: str, look: Look) -> str:
    """One side of a figure in the unit that people use."""
    value = figure[side]
    return kilowatts(value, look) if figure["unit"] == "W" else number(value, look)


def unit(figure: dict[str, Any], look: Look) -> str:
    """The unit of ``scaled``."""
    return "kW" if figure["unit"] == "W" else look(figure["unit"])


def percent(ratio: float | None, look: Look) -> str:
    """``34.2 %``, or ``unknown``."""
    if ratio is None:
        return look("unknown")
    return f"{ratio * 100:.0f} %" if ratio >= 10 else f"{ratio * 100:.1f} %"


def coverage(figure: dict[str, Any], look: Look) -> str:
    """What is known of a figure, in words when it is not all: ``coverage 48 %``."""
    found = figure["coverage"]
    if not found["of"]:
        return ""
    if found["known"] == found["of"]:
        return ""
    # Rounded down: 9,999 of 10,000 are not all.
    return f"{look('coverage')} {found['known'] * 100 // found['of']} %"


def told(figure: dict[str, Any], look: Look) -> str:
    """A ratio with its coverage: ``34.2 %``, ``34.2 %, coverage 48 %``, ``unknown, coverage 0 %``."""
    return ", ".join(filter(None, (percent(figure["ratio"], look), coverage(figure, look))))


def age(seconds: float | None, look: Look) -> str:
    """``12 s``, ``3 min``, ``5 h``, ``9 d``."""
    if seconds is None:
        return look("unknown")
    for limit, size, name in ((120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def moment(timestamp: float | None, look: Look) -> str:
    """A Unix time as a date with minutes, UTC."""
    if timestamp is None:
        return look("unknown")
    return minute_of(timestamp)


def behind(forecast: dict[str, Any], look: Look) -> str:
    """How much data stand behind a forecast, or why nobody can say yet."""
    days = forecast["history_days"]
    if days:
        return look("{count} days of data").format(count=f"{days:,.0f}")
    if forecast["state"] == "making":
        return look("the forecast is being made")
    return look("the forecast cannot be made") if forecast["state"] == "failed" else look("no history")


def level(ratio: float | None) -> str:
    """Which class of fullness a ratio is in; the map's classes, too."""
    if ratio is None:
        return "unknown"
    for name, least in (("over", 1.0), ("full", 0.9), ("high", 0.75), ("half", 0.5)):
        if ratio > least:
            return name
    return "low" if ratio > 0 else "empty"
