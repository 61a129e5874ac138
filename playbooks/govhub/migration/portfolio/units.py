"""Amounts in words."""

from __future__ import annotations


def amount(count: int | None) -> str:
    """Bytes for people: ``1.5 GiB``; None is unknown."""
    if count is None:
        return "unknown"
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Seconds for people: ``45 s``, ``12 min``, ``3.5 h``; None is unknown."""
    if seconds is None:
        return "unknown"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
