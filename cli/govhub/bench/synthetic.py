"""Hubs of any size, for measuring how things grow."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

OBJECTS_PER_TENANT = 16
NAME = "synthetic"


def write_hub(folder: Path, *, objects: int = 0, racks: int = 24, hosts: int = 12) -> Path:
    """A hub whose tenants stack has about ``objects`` objects, with ``racks`` racks and ``hosts`` hosts as patterns.

    Each tenant has two namespaces with quota, limit range, two network policies and three role bindings each.
    """
    tenants = max(round(objects / OBJECTS_PER_TENANT), 1)
    per_row = min(racks, 400)
    rows = -(-racks // per_row)
    document = base_document(rows, per_row, hosts) | {
        "tenants": [
            {"name": f"tenant-{index:04d}", "title": {"zh": f"部门{index}", "en": f"Department {index}"}, "quota": "s"}
            for index in range(tenants)
        ],
    }
    return _written(folder, document)


def write_portfolio(folder: Path, *, systems: int) -> Path:
    """A hub with ``systems`` systems that move: half as many departments, ties, busy times, deadlines, known sizes.

    The same figures for the same number of systems: sizes from 5 to 400 GiB, a third of the systems with weak ties, one
    in twelve with a strong one, one in ten with a busy time, and teams for about ten systems a wave and hundred.
    """
    draw = random.Random(systems)  # noqa: S311  # a sample, not a secret
    names = [f"system-{index:04d}" for index in range(systems)]
    tenants = [f"tenant-{index:04d}" for index in range(max(systems // 2, 1))]
    migrations = [_migration(draw, names, position) for position in range(systems)]
    scale = max(systems // 250, 1)
    document = base_document(1, 400, max(systems // 20, 12)) | {
        "tenants": [{"name": name, "title": {"zh": name, "en": name}, "quota": "s"} for name in tenants],
        "systems": [_system(draw, name, tenants) for name in names],
        "sources": [{"name": "old", "tenant": tenants[0]}],
        "migrations": migrations,
        "migration": {
            "first_wave": "2026-03-02",
            "wave_days": 14,
            "waves": 120,
            "per_wave": 12 * scale,
            "per_department": 2,
            "link_mbps": 1000 * scale,
            "teams": [{"name": f"team-{index}", "person_days": 15} for index in range(3 * scale)],
        },
    }
    return _written(folder, document)


def _system(draw: random.Random, name: str, tenants: list[str]) -> dict[str, Any]:
    workload = {"name": "app", "image": f"registry.synthetic.internal/{name}:1", "replicas": 1, "cpu": "50m"}
    return {
        "name": name,
        "title": {"zh": f"系统{name[-4:]}", "en": f"System {name[-4:]}"},
        "tenant": draw.choice(tenants),
        "owner": "office",
        "tier": draw.choices((1, 2, 3), (1, 3, 4))[0],
        "protection_level": draw.choice((2, 2, 3)),
        "workloads": [workload | {"memory": "64Mi"}],
    }


def _migration(draw: random.Random, names: list[str], position: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"system": names[position], "effort": draw.choice((1, 1.5, 2, 3, 5, 8))}
    ties: list[dict[str, Any]] = []
    if position and draw.random() < 1 / 3:
        ties.append({"system": names[draw.randrange(position)], "kind": "call"})
    if position and draw.random() < 1 / 12:
        ties.append({"system": names[position - 1], "kind": "data", "strong": True})
    # Two ties to the same system would say two things about it.
    entry["depends_on"] = list({tie["system"]: tie for tie in ties}.values())
    if draw.random() < 1 / 10:
        entry["busy"] = [{"first": "06-01", "last": "06-30", "reason": "half-year closing"}]
    if draw.random() < 1 / 25:
        entry["not_before"] = "2026-04-01"
    move = {"name": "db", "kind": "postgresql", "source": "old", "database": "app", "size": f"{draw.randint(5, 400)}Gi"}
    return entry | {"moves": [move]}


def _written(folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hub.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def base_document(rows: int, per_row: int, hosts: int) -> dict[str, Any]:
    """The parts that every hub needs, with racks and hosts as patterns and no department."""
    title = {"zh": "合成", "en": "Synthetic"}
    hall = {"name": "h1", "rows": [{"names": f"r{{001..{rows:03d}}}", "racks": f"{{001..{per_row:03d}}}"}]}
    return {
        "hub": {"name": NAME, "title": title, "region": "city", "registries": ["registry.synthetic.internal/"]},
        "regions": [{"name": "city", "title": title, "level": "city"}],
        "sites": [{"name": "a", "title": title, "region": "city", "tier": "T3", "halls": [hall]}],
        "zones": [{"name": "extranet", "title": title, "kind": "government-extranet"}],
        "prefixes": [
            {"cidr": "10.32.0.0/16", "zone": "extranet", "purpose": "users"},
            {"cidr": "10.96.0.0/16", "zone": "extranet", "purpose": "services"},
        ],
        "clusters": [
            {"name": "main", "site": "a", "zone": "extranet", "pools": [{"name": "general", "arch": "amd64"}]}
        ],
        "hosts": [
            {
                "names": f"node{{01..{hosts:02d}}}",
                "racks": "a/h1/r001/{001..012}",
                "cluster": "main",
                "pool": "general",
                "arch": "amd64",
                "cores": 1024,
                "memory": "4096Gi",
                "watts": 300,
            }
        ],
        "quota_classes": [{"name": "s", "cpu": "4", "memory": "16Gi", "storage": "100Gi", "pods": 4}],
    }
