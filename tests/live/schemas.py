"""JSON schemas for kubeconform, made from what the real API server publishes about itself (no network)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from govhub.core.kube import Kube

_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_REF = "#/definitions/"


def write_schemas(kube: Kube, folder: Path) -> str:
    """Write a strict schema for every kind; returns kubeconform's ``-schema-location``."""
    definitions = kube.request("GET", "/openapi/v2")["definitions"]
    strict = {name: _strict(name, body) for name, body in definitions.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in definitions.items():
        for kind in body.get("x-kubernetes-group-version-kind", []):
            needed = _closure(name, strict)
            schema = {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": _REF + name}
            # For the core group kubeconform gives the version as the group too.
            path = folder / f"{kind['kind']}-{kind['group'] or kind['version']}-{kind['version']}.json".lower()
            path.write_text(json.dumps(schema | {"definitions": needed}), encoding="utf-8")
    return str(folder / "{{ .ResourceKind }}-{{ .Group }}-{{ .ResourceAPIVersion }}.json")


def _strict(name: str, body: dict[str, Any]) -> dict[str, Any]:
    if name in (_QUANTITY, _INT_OR_STRING):
        return {"type": ["string", "number"]}
    out: dict[str, Any] = _plain(body)
    return out


def _plain(value: Any) -> Any:
    """A definition without the server's extensions, closed against unknown fields."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    out = {key: _plain(item) for key, item in value.items() if not key.startswith("x-") and key != "default"}
    if isinstance(value.get("properties"), dict):
        out["properties"] = {key: _plain(item) for key, item in value["properties"].items()}
        out.setdefault("additionalProperties", False)
    return out


def _closure(name: str, definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions that ``name`` refers to, itself included."""
    found: dict[str, Any] = {}
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in found:
            found[current] = definitions[current]
            todo += _references(definitions[current])
    return found


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _references(item)]
    if not isinstance(value, dict):
        return []
    own = value.get("$ref")
    names = [own.removeprefix(_REF)] if isinstance(own, str) else []
    return names + [name for key, item in value.items() if key != "$ref" for name in _references(item)]
