"""What a change consumes: every limit that racks share whose use differs between two states of a hub."""

from __future__ import annotations

import numpy as np

from govhub.core.plan import LevelChange
from govhub.core.quantities import GIB
from govhub.inventory import sizing
from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.sizing import Amount
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.levels import levels

EPS = 1e-6

Snapshot = dict[tuple[str, str], tuple[str, float | None, float | None]]
"""``(resource, address)`` to unit, used and limit; None is unknown, or no limit."""


def snapshot(columns: Columns, *, compute: bool = True) -> Snapshot:
    """Halls by space, weight, power and cooling, the power tree, pools without a rack, quotas; as plain values.

    Phases are left out: their element is there, and what is too much on one is the gate's to say. So are pools and
    quotas without ``compute``.
    """
    out: Snapshot = _halls(columns)
    for level in levels(columns, racks=False, compute=compute):
        if level.resource != "phase":
            rows = zip(level.at, level.used.tolist(), level.limit.tolist(), strict=True)
            out |= {(level.resource, at): (level.unit, _known(used), _known(limit)) for at, used, limit in rows}
    return out | _quotas(columns.hub) if compute else out


def _halls(columns: Columns) -> Snapshot:
    racks, loads = columns.racks, columns.loads
    count = len(columns.halls)
    sums = {
        "machines": ("", loads.machines, None),
        "racks": ("racks", loads.machines > 0, np.ones(len(racks.hall))),
        "space": ("U", loads.units, racks.units),
        "weight": ("kg", loads.kg, racks.max_kg),
    }
    out: Snapshot = {}
    for resource, (unit, used, limit) in sums.items():
        has = np.bincount(racks.hall, weights=used, minlength=count).tolist()
        of = [None] * count if limit is None else np.bincount(racks.hall, weights=limit, minlength=count).tolist()
        out |= {(resource, hall): (unit, has[place], of[place]) for place, hall in enumerate(columns.halls)}
    return out


def _quotas(hub: Hub) -> Snapshot:
    """Requests of each department's systems in all environments, of its quota."""
    index = Index(hub.model)
    asked: dict[str, Amount] = {}
    for system in hub.model.systems:
        for name in dict.fromkeys(system.environments):
            if environment := index.environments.get(name):
                amount = sizing.system_requests(system, environment)
                asked[system.tenant] = asked.get(system.tenant, Amount()) + amount
    out: Snapshot = {}
    for tenant in hub.model.tenants:
        have, need = sizing.quota_of(hub.model, tenant), asked.get(tenant.name, Amount())
        out["quota.cores", tenant.name] = ("cores", need.millicores / 1000, have.millicores / 1000)
        out["quota.memory", tenant.name] = ("GiB", need.memory / GIB, have.memory / GIB)
        if have.accelerators or need.accelerators:
            out["quota.accelerators", tenant.name] = ("cards", float(need.accelerators), float(have.accelerators))
    return out


def changes(before: Columns, after: Columns) -> list[LevelChange]:
    """What differs, in the order of levels."""
    if before is after:
        return []
    # Machines that are of no entry of the files belong to no pool and no department.
    compute = before.hub is not after.hub
    return between(snapshot(before, compute=compute), snapshot(after, compute=compute))


def between(before: Snapshot, after: Snapshot) -> list[LevelChange]:
    """The same of two snapshots; a limit that is in one of them alone is None in the other."""
    out = []
    for key in [*after, *(key for key in before if key not in after)]:
        _, old, former = before.get(key, ("", None, None))
        unit, new, limit = after.get(key, (before.get(key, ("",))[0], None, None))
        if _differs(old, new) or _differs(former, limit):
            out.append(LevelChange(key[0], key[1], unit, old, new, limit, former))
    return out


def _differs(one: float | None, other: float | None) -> bool:
    return one != other and (one is None or other is None or abs(one - other) > EPS)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
