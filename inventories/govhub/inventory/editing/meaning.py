"""What a hub file has to mean after an edit, worked out on plain values: every written form is held against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from govhub.inventory.editing.tree import REMOVE, Layout

ItemPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemEdit:
    """What happens to one item of a section; ``changes`` lead from the item to each new value."""

    item: int | None = None
    """Its position in the section; None for a new one, which comes last, or for the whole section of a layout
    that is edited in place."""
    changes: Mapping[ItemPath, Any] = field(default_factory=dict)
    drop: bool = False
    """The item goes away as a whole."""


def meant(tree: Mapping[str, Any], layout: Layout, edits: Iterable[ItemEdit]) -> dict[str, Any]:
    """The plain values of ``tree`` after the edits: what an alias stands for is changed in the one place alone."""
    root: dict[str, Any] = plain(tree)
    edits = list(edits)
    if root.get(layout.section) is None:
        root[layout.section] = {} if layout.in_place else []
    items = root[layout.section]
    for one in edits:
        if one.item is None and not layout.in_place:
            items.append({})
        node = items if one.item is None and layout.in_place else items[-1 if one.item is None else one.item]
        for path, value in one.changes.items():
            _assign(node, path, value)
    for position in sorted((one.item for one in edits if one.drop and one.item is not None), reverse=True):
        del items[position]
    return root


def plain(value: Any) -> Any:
    """Mappings and lists without positions, each a copy of its own."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _assign(node: Any, path: ItemPath, value: Any) -> None:
    for position, step in enumerate(path[:-1]):
        if isinstance(node, list) and step == len(node):
            node.append({})
        elif isinstance(node, dict) and node.get(step) is None:
            node[step] = [] if isinstance(path[position + 1], int) else {}
        node = node[step]
    if value is REMOVE:
        node.pop(path[-1], None)
    else:
        node[path[-1]] = plain(value)
