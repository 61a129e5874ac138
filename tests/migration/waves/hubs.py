"""Small hubs that are written to disk, so that every rule has a file and a line."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from govhub.bench.synthetic import base_document
from govhub.inventory.loader import Hub, load
from govhub.migration.waves.packing import Problem
from govhub.migration.waves.portfolio import portfolio_of

TODAY = date(2026, 3, 1)
RULES: dict[str, Any] = {
    "first_wave": "2026-03-02",
    "wave_days": 14,
    "waves": 4,
    "per_wave": 3,
    "per_department": 2,
    "link_mbps": 100,
    "teams": [{"name": "red", "person_days": 6}, {"name": "blue", "person_days": 4}],
}


def write_hub(
    folder: Path,
    systems: dict[str, dict[str, Any]],
    rules: dict[str, Any] | None = None,
    exceptions: list[dict[str, Any]] | None = None,
) -> Path:
    """A hub with ``systems``: keys of a migration, and ``tenant``, ``tier`` and ``size`` (GiB; None: unknown)."""
    tenants = sorted({str(entry.get("tenant", "city")) for entry in systems.values()})
    document = base_document(1, 24, 12) | {
        "tenants": [{"name": name, "title": {"zh": name, "en": name}, "quota": "s"} for name in tenants],
        "sources": [{"name": "old", "tenant": tenants[0]}] if tenants else [],
        "systems": [_system(name, entry) for name, entry in systems.items()],
        "exceptions": exceptions or [],
    }
    folder.mkdir(parents=True)
    (folder / "hub.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    moving = {
        "migration": RULES | (rules or {}),
        "migrations": [_migration(name, entry) for name, entry in systems.items()],
    }
    (folder / "migration.yaml").write_text(
        yaml.safe_dump(moving, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    return folder


def loaded(folder: Path) -> Hub:
    """The hub in ``folder``, which must be readable."""
    found = load(folder)
    assert found.hub is not None, [item.summary for item in found.problems]
    return found.hub


def problem_of(hub: Hub, today: date = TODAY) -> Problem:
    """The hub made ready for planning."""
    return Problem(portfolio_of(hub, today))


def _system(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    image = f"registry.synthetic.internal/{name}:1"
    workload = {"name": "app", "image": image, "replicas": 1, "cpu": "50m", "memory": "64Mi"}
    return {
        "name": name,
        "title": {"zh": f"系统 {name}", "en": f"System {name}"},
        "tenant": entry.get("tenant", "city"),
        "owner": "office",
        "tier": entry.get("tier", 3),
        "protection_level": 2,
        "workloads": [workload],
    }


def _migration(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {"system": name, "effort": 2}
    out |= {key: value for key, value in entry.items() if key not in ("tenant", "tier", "size")}
    if entry.get("size", 1) is not None:
        move = {"name": "db", "kind": "postgresql", "source": "old", "database": "app"}
        out["moves"] = [move | {"size": f"{entry.get('size', 1)}Gi"}]
    return out
