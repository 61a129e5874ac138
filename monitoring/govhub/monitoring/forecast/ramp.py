"""The ledger's ramp of standard racks, as declared, beside what is measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from govhub.inventory.model.ledger import STAGES, LedgerEntry
from govhub.inventory.model.root import HubFile
from govhub.monitoring.forecast.days import month_end
from govhub.monitoring.forecast.outlook import Outlook


def ramps(model: HubFile, places: Iterable[Outlook], as_of: date | None) -> list[dict[str, Any]]:
    """One ramp a site that has a ledger.

    ``weeks`` are medians of the standard racks in use, the last one ending on ``as_of``. ``next_step`` is the first
    declared month, not yet over, by which more racks are planned than halls hold now. ``short_days`` is how long before
    its end racks run out; negative when the step comes first, None when either is unknown. A declared curve is a
    promise: nothing of it goes into a forecast.
    """
    sites: defaultdict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in model.ledger:
        sites[entry.site].append(entry)
    used = {item.place: item for item in places if item.resource == "racks" and item.level == "site"}
    return [_ramp(site, entries, used.get(site), as_of) for site, entries in sorted(sites.items())]


def _ramp(site: str, entries: list[LedgerEntry], used: Outlook | None, as_of: date | None) -> dict[str, Any]:
    ordered = sorted(entries, key=lambda entry: entry.month)
    limit = used.limit if used else None
    runs_out = used.exhaustion[1] if used else None
    step = next((entry for entry in ordered if _ahead(entry, as_of, limit)), None)
    return {
        "site": site,
        "declared": [
            {"month": entry.month, "ends": month_end(entry.month).isoformat(), "assumed": entry.assumed}
            | {stage: getattr(entry, stage) for stage in STAGES}
            for entry in ordered
        ],
        "used": used.value if used else None,
        "weeks": used.as_dict().get("weeks", []) if used else [],
        "limit": limit,
        "runs_out": runs_out.isoformat() if runs_out else None,
        "next_step": {"month": step.month, "planned": step.planned} if step else None,
        "short_days": (month_end(step.month) - runs_out).days if step and runs_out else None,
    }


def _ahead(entry: LedgerEntry, as_of: date | None, limit: float | None) -> bool:
    more = entry.planned is not None and (limit is None or entry.planned > limit)
    return more and (as_of is None or month_end(entry.month) > as_of)
