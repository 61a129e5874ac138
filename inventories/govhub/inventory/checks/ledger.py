"""The ledger of standard racks: each stage is a part of the one before it, and none falls with time."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from govhub.inventory.checks.report import Report
from govhub.inventory.model.ledger import STAGES


def check(report: Report) -> None:
    """LED001 more of a stage than of the one before it, LED002 a stage that falls with time."""
    sites: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for position, entry in enumerate(report.model.ledger):
        sites[entry.site].append((entry.month, position))
        stages = [(stage, getattr(entry, stage)) for stage in STAGES]
        known = [(stage, value) for stage, value in stages if value is not None]
        for (before, more), (after, less) in pairwise(known):
            if less > more:
                summary = f"{less:,g} standard racks are {after}, but only {more:,g} are {before}"
                hint = "a rack goes through planned, built, energised, sold and loaded in this order"
                report.error("LED001", ("ledger", position, after), summary, hint=hint)
    for entries in sites.values():
        _falling(report, [position for _, position in sorted(entries)])


def _falling(report: Report, positions: list[int]) -> None:
    # What is sold or loaded may be given back; plans, buildings and power do not vanish.
    for stage in STAGES[:3]:
        last: tuple[float, str] | None = None
        for position in positions:
            entry = report.model.ledger[position]
            value = getattr(entry, stage)
            if value is None:
                continue
            if last and value < last[0]:
                summary = f"{value:,g} standard racks are {stage} in {entry.month}, after {last[0]:,g} in {last[1]}"
                hint = "each number is counted from the beginning: correct it, or the month"
                report.error("LED002", ("ledger", position, stage), summary, hint=hint)
            last = (value, entry.month)
