"""Values into a ruamel.yaml tree, in the layout of a hub file: short parts on one line, keys in their usual order."""

from __future__ import annotations

from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from govhub.inventory.importers.columns import COLUMNS

ORDER = list(dict.fromkeys(column.path[0] for columns in COLUMNS.values() for column in columns))
ONE_LINE = ("title", "overrides", "groups")


def put(root: Any, path: tuple[str | int, ...], value: Any) -> None:
    """Set the value at ``path``; what lies between is created, and nothing that is shared by an alias is changed."""
    node = root
    for position, step in enumerate(path[:-1]):
        node = _child(node, step, path[position + 1])
    _set(node, path[-1], _styled(value))


def _child(node: Any, step: str | int, following: str | int) -> Any:
    if isinstance(node, CommentedSeq) and step == len(node):
        node.append(_flow(CommentedMap()))
    elif isinstance(node, CommentedMap) and node.get(step) is None:
        child: Any = CommentedSeq() if isinstance(following, int) else CommentedMap()
        _set(node, step, _flow(child) if step in ONE_LINE else child)
    child = node[step]
    if child.anchor.value is not None:
        # An alias elsewhere stands for the same object; the other place must keep its value.
        node[step] = child = _copy(child)
    return child


def _copy(child: Any) -> Any:
    fresh: Any = CommentedMap(child) if isinstance(child, CommentedMap) else CommentedSeq(child)
    return _flow(fresh) if child.fa.flow_style() else fresh


def _set(node: Any, key: Any, value: Any) -> None:
    if not isinstance(node, CommentedMap) or key in node:
        node[key] = value
        return
    keys = list(node)
    before = [known for known in keys if known in ORDER and key in ORDER and ORDER.index(known) < ORDER.index(key)]
    at = max((keys.index(known) for known in before), default=len(keys) - 1) + 1
    node.insert(at, key, value)
    if keys and at == len(keys):
        _keep_gap(node, keys[-1], key)


def _keep_gap(node: Any, last: Any, key: Any) -> None:
    """The empty lines and comments behind an item hang on its last key: they move on to the new last one."""
    tokens = node.ca.items.get(last)
    if tokens and tokens[2] is not None and tokens[2].value.startswith("\n"):
        node.ca.items[key] = node.ca.items.pop(last)


def _styled(value: Any) -> Any:
    return _flow(CommentedSeq(value)) if isinstance(value, list) else value


def _flow(node: Any) -> Any:
    node.fa.set_flow_style()
    return node
