"""The thresholds of alerts, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator may set; everything else is fixed by what it means."""

    near: float = 0.9
    """Share of a limit from which it counts as near."""
    room: int = 20
    """Servers of the reference size that a hall should still have room for."""
    order_days: int = 30
    """Days before the last day to order from which somebody is told."""
    exhaustion_days: int = 180
    """Days before a resource may be used up (one in ten) from which somebody is told."""
    coverage: float = 0.9
    """Share of racks whose meters have to answer."""
    traffic: float = 0.7
    """Share of a port's speed that its 95th percentile may reach."""
