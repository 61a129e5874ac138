"""The one plan: what every layer would change, what it takes, what was found, and what nobody could predict."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from govhub.core.canonical import digest
from govhub.core.diagnostics import Diagnostic, Severity, SourceRange
from govhub.core.diff import Change
from govhub.core.errors import InvalidInput

PLAN_SCHEMA = "govhub.plan/1"
VALID_FOR = timedelta(hours=12)


class Op(StrEnum):
    """What happens to one thing."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    REPAIR = "repair"
    """It is as declared in the state, but not on the live cluster: a hand edit or deletion is put right."""

    @property
    def symbol(self) -> str:
        """One character for terminals; never the only carrier of meaning."""
        return {"create": "+", "update": "~", "replace": "±", "delete": "-", "repair": "!"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChange:
    """One change: what, where, why, and the differences by field (secrets masked)."""

    op: Op
    address: str
    reason: str
    diff: tuple[Change, ...] = ()
    layer: str = "stacks"
    shard: str = ""
    kind: str = ""
    tenant: str = ""
    system: str = ""
    source: SourceRange | None = None
    data: bool = False
    """Whether it holds data or namespaces' worth of objects: deletions of such things have budgets of their own."""
    undo: bool = False
    """It removes what a killed run had begun to make; the ledger proves that, so no budget is spent."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        out: dict[str, Any] = {"op": self.op.value, "address": self.address, "reason": self.reason}
        out["diff"] = [change.as_dict() for change in self.diff]
        for key in ("layer", "shard", "kind", "tenant", "system"):
            if value := getattr(self, key):
                out[key] = value
        if self.source:
            out["source"] = {"file": self.source.file, "line": self.source.line, "column": self.source.column}
        return out


@dataclass(frozen=True, slots=True)
class Amounts:
    """Resources of one cluster: cores, memory in GiB, pods and racks in use."""

    cores: float = 0.0
    memory_gib: float = 0.0
    pods: int = 0
    racks: int = 0

    def minus(self, other: Amounts) -> Amounts:
        """The difference, field by field."""
        return Amounts(
            round(self.cores - other.cores, 3),
            round(self.memory_gib - other.memory_gib, 3),
            self.pods - other.pods,
            self.racks - other.racks,
        )

    def as_dict(self) -> dict[str, float | int]:
        """The JSON form."""
        return {"cores": self.cores, "memory_gib": self.memory_gib, "pods": self.pods, "racks": self.racks}


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityDelta:
    """What the plan does to one cluster's capacity: requests before and after, and what its pools hold.

    ``available`` is None when the cluster has no declared hosts: unknown, not zero.
    """

    cluster: str
    before: Amounts
    after: Amounts
    available: Amounts | None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "cluster": self.cluster,
            "before": self.before.as_dict(),
            "after": self.after.as_dict(),
            "delta": self.after.minus(self.before).as_dict(),
            "available": self.available.as_dict() if self.available else None,
        }


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One limit of the hub: what is used of it before and after; None is unknown, or not there."""

    resource: str
    """``space``, ``budget``, ``element``, ``cooling``, ``pool.cores``, ``quota.cores``, …"""
    at: str
    """The hall, power element, pool or department."""
    unit: str
    before: float | None
    after: float | None
    limit: float | None
    limit_before: float | None = None

    @property
    def ratio(self) -> float | None:
        """What is used of the limit afterwards; None when one is unknown or there is no limit."""
        return self.after / self.limit if self.after is not None and self.limit else None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        known = self.before is not None and self.after is not None
        out: dict[str, Any] = {"resource": self.resource, "at": self.at, "unit": self.unit}
        for name in ("before", "after", "limit"):
            value = getattr(self, name)
            out[name] = None if value is None else round(value, 3)
        out["change"] = round((self.after or 0.0) - (self.before or 0.0), 3) if known else None
        out["ratio"] = None if self.ratio is None else round(self.ratio, 4)
        if self.limit_before != self.limit:
            out["limit_before"] = self.limit_before
        return out


@dataclass(frozen=True, slots=True)
class Consumed:
    """What a plan takes of racks, power, cooling, pools and quotas, compared with ``than``."""

    than: str = "narrowed"
    """``applied`` (the last complete run), ``nothing`` (none yet), ``revision``; ``unknown`` when no run recorded it,
    ``narrowed`` when the plan is of a selection: then nothing is compared."""
    levels: tuple[LevelChange, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"than": self.than, "levels": [item.as_dict() for item in self.levels]}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the plan was predicted: ``predicted`` of ``total`` objects; ``unpredicted`` names the rest."""

    predicted: int
    total: int
    unpredicted: tuple[tuple[str, str], ...] = ()
    """``(address, why)`` of everything whose change could not be predicted."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "predicted": self.predicted,
            "total": self.total,
            "unpredicted": [{"address": address, "why": why} for address, why in self.unpredicted],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a plan stands on; when any of it has moved, a saved plan is refused."""

    inputs: str
    """SHA-256 over the hub's files."""
    serials: dict[str, str] = field(default_factory=dict)
    """State serial by shard."""
    targets: dict[str, str] = field(default_factory=dict)
    """Pinned UID by cluster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a run would do to one hub."""

    hub: str
    basis: Basis
    changes: tuple[PlannedChange, ...]
    unchanged: int
    findings: tuple[Diagnostic, ...] = ()
    coverage: Coverage = Coverage(0, 0)
    capacity: tuple[CapacityDelta, ...] = ()
    consumed: Consumed = Consumed()
    selection: tuple[str, ...] = ()
    """What the plan was narrowed to, as given (``--tenant finance``); empty for the whole hub."""
    pulled_in: tuple[str, ...] = ()
    """Addresses that the selection needs and that were added to it."""
    against: str = ""
    """Compared with this revision or folder instead of the state."""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    @property
    def summary(self) -> dict[str, int]:
        """Counts by operation, every operation named, and ``unchanged``."""
        counts = Counter(change.op for change in self.changes)
        return {op.value: counts.get(op, 0) for op in Op} | {"unchanged": self.unchanged}

    def of_layer(self, layer: str) -> tuple[PlannedChange, ...]:
        """The changes of one layer: ``stacks`` or ``hosts``."""
        return tuple(change for change in self.changes if change.layer == layer)

    @property
    def blocked(self) -> bool:
        """Whether a finding forbids to go on."""
        return any(item.severity is Severity.ERROR for item in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The JSON document, with ``hash`` over everything else."""
        out: dict[str, Any] = {
            "schema": PLAN_SCHEMA,
            "hub": self.hub,
            "created": self.created,
            "summary": self.summary,
            "changes": [change.as_dict() for change in self.changes],
            "findings": [item.as_dict() for item in self.findings],
            "coverage": self.coverage.as_dict(),
            "capacity": [item.as_dict() for item in self.capacity],
            "consumed": self.consumed.as_dict(),
            "selection": list(self.selection),
            "pulled_in": list(self.pulled_in),
            "basis": {"inputs": self.basis.inputs, "serials": self.basis.serials, "targets": self.basis.targets},
        }
        if self.against:
            out["against"] = self.against
        return json.loads(json.dumps(out | {"hash": digest(out)}, default=_masked))  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan read back from a file: what it stood on and what it said it would do."""

    hub: str
    hash: str
    created: datetime
    basis: Basis
    selection: tuple[str, ...]
    changes: tuple[tuple[str, str], ...]
    """``(op, address)`` of every change."""


def read_saved(text: str, now: datetime | None = None) -> SavedPlan:
    """Check a saved plan's form, hash and age.

    Raises:
        InvalidInput: it is no plan, was changed after it was written, or is too old.
    """
    try:
        document = json.loads(text)
        claimed = document.pop("hash")
        schema = document["schema"]
        saved = SavedPlan(
            hub=document["hub"],
            hash=claimed,
            created=datetime.fromisoformat(document["created"]),
            basis=Basis(**document["basis"]),
            selection=tuple(document["selection"]),
            changes=tuple((item["op"], item["address"]) for item in document["changes"]),
        )
        found, age = digest(document), (now or datetime.now(UTC)) - saved.created
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput.one(
            "PLN001", "the file is no saved plan", hint="make one with: plan HUB --out FILE"
        ) from error
    if schema != PLAN_SCHEMA:
        raise InvalidInput.one("PLN001", f'the plan has the schema "{schema}", not {PLAN_SCHEMA}', hint="plan again")
    if found != claimed:
        raise InvalidInput.one("PLN002", "the plan was changed after it was written", hint="plan again")
    if age > VALID_FOR:
        hours = int(VALID_FOR.total_seconds() // 3600)
        raise InvalidInput.one("PLN003", f"the plan is older than {hours} hours", hint="plan again")
    return saved


def by_kind(changes: Iterable[PlannedChange]) -> dict[str, Counter[str]]:
    """Counts by kind and operation, for summaries."""
    out: dict[str, Counter[str]] = {}
    for change in changes:
        out.setdefault(change.kind or change.layer, Counter())[change.op.value] += 1
    return out


def _masked(value: Any) -> Any:
    if hasattr(value, "masked"):
        return value.masked()
    raise TypeError(type(value).__name__)
