"""The good objects of ``good.yaml``, changes of them, and the hub they belong to."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from govhub.core.diagnostics import SourceRange
from govhub.inventory.loader import Hub, load
from govhub.stacks.graph import Component, DesiredObject, Graph, Shard
from govhub.stacks.policies.view import TEMPLATES

HERE = Path(__file__).parent
HUB_FILE = (HERE / "hub" / "hub.yaml").read_text(encoding="utf-8")
# Through JSON, because YAML's anchors make parts that would change together.
GOOD: dict[str, Any] = json.loads(json.dumps(yaml.safe_load((HERE / "good.yaml").read_text(encoding="utf-8"))))
GONE = "(gone)"


def hub(folder: Path, *, policies: Mapping[str, str] | None = None, exceptions: str | list[Any] = "") -> Hub:
    """The test hub, written into ``folder`` with these policies and exceptions, and loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    levels = "".join(f"    {name}: {level}\n" for name, level in (policies or {}).items())
    text = (
        HUB_FILE.replace("  region: testcity\n", f"  region: testcity\n  policies:\n{levels}", 1)
        if levels
        else HUB_FILE
    )
    (folder / "hub.yaml").write_text(text, encoding="utf-8")
    if exceptions:
        body = exceptions if isinstance(exceptions, str) else yaml.safe_dump({"exceptions": exceptions})
        (folder / "exceptions.yaml").write_text(body, encoding="utf-8")
    loaded = load(folder)
    assert loaded.hub is not None, [f"{item.source} {item.summary}" for item in loaded.problems]
    return loaded.hub


def graph(changes: Mapping[str, Any] | None = None) -> Graph:
    """The graph of all good objects after ``changes``: ``{object: {path: value}}``."""
    out = Graph("testcity")
    unknown = set(changes or {}) - set(GOOD)
    assert not unknown, f"good.yaml has no {unknown}"
    for line, (key, good) in enumerate(GOOD.items(), 1):
        change = (changes or {}).get(key, {})
        if change != GONE:
            out.add(_object(good["of"], _changed(_labelled(good), change), line))
    return out


def _labelled(good: dict[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = copy.deepcopy(good["manifest"])
    of = good["of"]
    labels = {"app.kubernetes.io/managed-by": "govhub", "govhub.io/hub": "testcity", "govhub.io/stack": of["stack"]}
    labels |= {f"govhub.io/{key}": of[key] for key in ("tenant", "system") if key in of}
    body["metadata"]["labels"] = labels | body["metadata"].get("labels", {})
    return body


def _object(of: dict[str, str], body: dict[str, Any], line: int) -> DesiredObject:
    kind = "Service" if "service" in of else "Any"
    return DesiredObject(
        shard=Shard("main", of["stack"], 0),
        component=Component(kind, of.get("service", "any")),
        manifest=body,
        tenant=of.get("tenant", ""),
        system=of.get("system", ""),
        source=SourceRange("testcity/systems.yaml", line),
    )


def _changed(body: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    for path, value in change.items():
        *way, last = _steps(body["kind"], path)
        node: Any = body
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node.setdefault(step, {})
        if value == GONE:
            del node[last]
        elif isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = copy.deepcopy(value)
    return body


def _steps(kind: str, path: str) -> list[str]:
    first, *rest = path.split(" ")
    pod = [*TEMPLATES.get(kind, ()), "spec"]
    return {"pod": pod, "container": [*pod, "containers", "0"]}.get(first, [first]) + rest
