"""Values into a ruamel.yaml tree, in the layout of a hub file: short parts on one line, keys in their usual order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

REMOVE = object()
"""The value that takes a key away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the items of a section are written."""

    section: str
    file: str
    """The file that is made when the hub has no such section."""
    order: tuple[str, ...]
    """Keys in their usual order; others come last."""
    one_line: tuple[str, ...] = ()
    """Parts that are written on one line."""
    opened: tuple[str, ...] = ()
    """Parts that may grow long: an item that stood on one line is opened when it gets one."""
    blocks: tuple[str, ...] = ()
    """Lists in an item whose own new items have their keys on lines of their own."""
    in_place: bool = False
    """Single values change where they stand, or the edit is refused; the file is never rendered. An edit without an
    item leads from the section itself, a mapping."""


def put(root: Any, path: tuple[str | int, ...], value: Any, layout: Layout) -> None:
    """Set the value at ``path``; what lies between is created, and nothing that is shared by an alias is changed."""
    node = root
    for position, step in enumerate(path[:-1]):
        opened = position > 0 and path[position - 1] in layout.blocks
        node = _child(node, step, path[position + 1], layout, opened=opened)
    if value is REMOVE:
        node.pop(path[-1], None)
    else:
        _set(node, path[-1], styled(value), layout)


def following(keys: Sequence[Any], key: Any, order: Sequence[str]) -> int:
    """Where ``key`` comes among ``keys`` by the usual order; last when nothing is known that comes before it."""
    before = [known for known in keys if known in order and key in order and order.index(known) < order.index(key)]
    return max((keys.index(known) for known in before), default=len(keys) - 1) + 1


def styled(value: Any) -> Any:
    """A value for the tree, mappings and lists on one line."""
    if isinstance(value, dict):
        return _flow(CommentedMap(value))
    return _flow(CommentedSeq(value)) if isinstance(value, list) else value


def _child(node: Any, step: str | int, following: str | int, layout: Layout, *, opened: bool) -> Any:
    if isinstance(node, CommentedSeq) and step == len(node):
        node.append(CommentedMap() if opened else _flow(CommentedMap()))
    elif isinstance(node, CommentedMap) and node.get(step) is None:
        child: Any = CommentedSeq() if isinstance(following, int) else CommentedMap()
        _set(node, step, _flow(child) if step in layout.one_line else child, layout)
    child = node[step]
    if child.anchor.value is not None:
        # An alias elsewhere stands for the same object; the other place must keep its value.
        node[step] = child = _copy(child)
    return child


def _copy(child: Any) -> Any:
    fresh: Any = CommentedMap(child) if isinstance(child, CommentedMap) else CommentedSeq(child)
    return _flow(fresh) if child.fa.flow_style() else fresh


def _set(node: Any, key: Any, value: Any, layout: Layout) -> None:
    if not isinstance(node, CommentedMap) or key in node:
        node[key] = value
        return
    keys = list(node)
    at = following(keys, key, layout.order)
    node.insert(at, key, value)
    if keys and at == len(keys):
        _keep_gap(node, keys[-1], key)


def _keep_gap(node: Any, last: Any, key: Any) -> None:
    """The empty lines and comments behind an item hang on its last key: they move on to the new last one."""
    tokens = node.ca.items.get(last)
    if tokens and tokens[2] is not None and tokens[2].value.startswith("\n"):
        node.ca.items[key] = node.ca.items.pop(last)


def _flow(node: Any) -> Any:
    node.fa.set_flow_style()
    return node
