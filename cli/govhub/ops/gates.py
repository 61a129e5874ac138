"""Gates between a plan and its run: freezes, moves between shards, deletion budgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.plan import Op, Plan, PlannedChange
from govhub.core.text import and_more, plural
from govhub.engine.planner import CLASS_OF_KIND, unresolved
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import ExceptionKind
from govhub.stacks.graph import Graph

_WRITES_VALUE = (Op.CREATE, Op.REPLACE, Op.REPAIR)
_TOUCHES = (Op.UPDATE, Op.REPLACE, Op.DELETE)


def frozen(hub: Hub, changes: Iterable[PlannedChange], today: date) -> list[Diagnostic]:
    """Errors for changes to what a freeze protects; first creation and repair are allowed, they change no service."""
    found = Diagnostics()
    freezes = [
        (index, item)
        for index, item in enumerate(hub.model.exceptions)
        if item.kind is ExceptionKind.FREEZE and item.until >= today
    ]
    changes = [change for change in changes if change.op in _TOUCHES]
    for index, freeze in freezes:
        kind, _, name = freeze.target.partition("/")
        hit = [change.address for change in changes if kind == "hub" or _concerns(change, kind, name)]
        if hit:
            found.error(
                "FRZ001",
                f"{freeze.target} is frozen until {freeze.until}: {plural(len(hit), 'change')} not allowed",
                detail=f"{freeze.reason} ({freeze.owner}); {and_more(hit, 3)}",
                address=hit[0],
                source=hub.at("exceptions", index),
                hint="wait, or have the owner end the freeze; --tenant and --system narrow the run to others",
            )
    return list(found)


def moved(changes: Iterable[PlannedChange]) -> list[Diagnostic]:
    """Errors for objects that would be deleted in one shard and created in another: the deletion could come last."""
    found = Diagnostics()
    created = {_name(change): change for change in changes if change.op is Op.CREATE}
    for change in changes:
        other = created.get(_name(change))
        if change.op is Op.DELETE and other and other.shard != change.shard:
            found.error(
                "STK002",
                f"{change.address} would move from shard {change.shard} to {other.shard}",
                address=change.address,
                source=other.source,
                hint="set `sharding` back; to change it, destroy the hub first",
            )
    return list(found)


def over_budget(hub: Hub, plan: Plan, confirmed: tuple[str, ...]) -> list[Diagnostic]:
    """Deletions beyond the hub's budgets that no ``--confirm`` names."""
    found = Diagnostics()
    if hub.model.hub.name in confirmed:
        return []
    budgets: dict[str, Any] = hub.model.hub.budgets.model_dump()
    counted: Counter[str] = Counter()
    names: dict[str, list[str]] = {}
    for change in plan.changes:
        if _loses(change) and not _confirmed(change, confirmed):
            group = CLASS_OF_KIND.get(change.kind, "others")
            counted[group] += 1
            names.setdefault(group, []).append(change.address)
    for group, count in counted.items():
        if count > budgets[group]:
            found.error(
                "BUD001",
                f"{count} deletions of {group}, the budget is {budgets[group]}",
                detail=and_more(names[group]),
                address=names[group][0],
                hint=f"name what is meant: {_example(plan, names[group])} (--yes does not do)",
            )
    return list(found)


def require_budget(hub: Hub, plan: Plan, confirmed: tuple[str, ...]) -> None:
    """Stop before the first write when the plan deletes more than it may.

    Raises:
        PolicyViolation: with one diagnostic a class of objects.
    """
    found = over_budget(hub, plan, confirmed)
    if found:
        raise PolicyViolation(found)


def require_values(graph: Graph, plan: Plan) -> None:
    """Stop before the first write when a secret would be written without its value.

    Raises:
        InvalidInput: with one diagnostic a secret that cannot be resolved here.
    """
    written = {change.address for change in plan.changes if change.op in _WRITES_VALUE}
    found = Diagnostics()
    for item in graph:
        if item.address in written and unresolved(item):
            found.error(
                "SEC014",
                f"the value of {item.address} is not known here",
                address=item.address,
                source=item.source,
                hint="set the variable or put the file that the secret names in place",
            )
    if found.errors:
        raise InvalidInput(found.sorted())


def _loses(change: PlannedChange) -> bool:
    """A replaced object is deleted too; one without data comes back as it was."""
    return (change.op is Op.DELETE and not change.undo) or (change.op is Op.REPLACE and change.data)


def _confirmed(change: PlannedChange, confirmed: tuple[str, ...]) -> bool:
    parts = change.address.split("/")
    return any(name in (change.tenant, change.system, *parts[3:]) for name in confirmed if name)


def _example(plan: Plan, addresses: list[str]) -> str:
    by_address = {change.address: change for change in plan.changes}
    names = {by_address[item].system or by_address[item].tenant or item.rpartition("/")[2] for item in addresses}
    return " ".join(f"--confirm {name}" for name in sorted(names)[:3])


def _concerns(change: PlannedChange, kind: str, name: str) -> bool:
    if kind == "tenant":
        return change.tenant == name
    if kind == "system":
        return change.system == name
    return change.address.split("/")[3:4] == [f"svc-{name}"]


def _name(change: PlannedChange) -> tuple[str, str]:
    """Cluster and identity; the stack in between is what a move changes."""
    cluster, _, rest = change.address.partition("/")
    return cluster, rest.partition("/")[2]
