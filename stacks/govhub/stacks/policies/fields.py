"""Reading manifests: missing and empty parts are the same to a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def part(value: Any, *path: str) -> dict[str, Any]:
    """The mapping at ``path``; empty when any step is missing or no mapping."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any, *path: str) -> Iterator[dict[str, Any]]:
    """The mappings in the list at ``path``; nothing when there is none."""
    *way, last = path
    found = part(value, *way).get(last)
    if isinstance(found, list):
        yield from (item for item in found if isinstance(item, dict))


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches ``labels``; an empty one matches everything, a missing one nothing."""
    if not isinstance(selector, dict):
        return False
    wanted = part(selector, "matchLabels")
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in items(selector, "matchExpressions")
    )


def _holds(expression: dict[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
