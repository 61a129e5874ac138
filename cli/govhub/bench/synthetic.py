"""Hubs of any size, for measuring how things grow."""

from __future__ import annotations

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
    document = _base(rows, per_row, hosts) | {
        "tenants": [
            {"name": f"tenant-{index:04d}", "title": {"zh": f"部门{index}", "en": f"Department {index}"}, "quota": "s"}
            for index in range(tenants)
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hub.yaml").write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return folder


def _base(rows: int, per_row: int, hosts: int) -> dict[str, Any]:
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
