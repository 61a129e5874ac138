"""Single values replaced and single keys put in exactly where they stand; no other character of the file is touched.

This is tried first. It knows nothing of aliases, merged keys or odd layouts, and need not: whoever calls it reads the
result again and takes it only when it means what it has to mean.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import REMOVE, Layout, following, styled

_BETWEEN = re.compile(r"\s*(#.*|\.\.\.)?\s*")
_WIDE = 1 << 20
Cut = tuple[int, int, str]
"""From, to, and what stands there instead; in characters."""


class _Beyond(Exception):
    """It takes more than a value or a key."""


def in_place(body: str, layout: Layout, edits: Iterable[ItemEdit]) -> str | None:
    """``body`` with the changes at their places; None when they cannot be made one by one."""
    edits = list(edits)
    if any(one.drop or (one.item is None and not layout.in_place) for one in edits):
        return None
    try:
        root = YAML().compose(body)
        cuts = [cut for one in edits for cut in _cuts(body, root, layout, one)]
    except (YAMLError, _Beyond):
        return None
    # From the end, so that places stay where they are; what comes to one place keeps its order.
    for at in sorted(range(len(cuts)), key=lambda at: (cuts[at][0], at), reverse=True):
        start, end, text = cuts[at]
        body = body[:start] + text + body[end:]
    return body


def _cuts(body: str, root: Node | None, layout: Layout, one: ItemEdit) -> list[Cut]:
    base = (layout.section,) if one.item is None else (layout.section, one.item)
    return [_cut(body, root, (*base, *path), value, layout) for path, value in one.changes.items()]


def _cut(body: str, root: Node | None, steps: tuple[str | int, ...], value: Any, layout: Layout) -> Cut:
    node = root
    for depth, step in enumerate(steps):
        if isinstance(node, MappingNode) and node.flow_style and step in layout.opened:
            raise _Beyond
        child = _child(node, step)
        if child is None:
            return _inserted(body, node, steps[depth:], value, layout)
        node = child
    if not isinstance(node, ScalarNode) or node.style in ("|", ">") or isinstance(value, dict | list):
        raise _Beyond
    return node.start_mark.index, node.end_mark.index, _text(value, flow=True)


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    if not isinstance(node, MappingNode):
        return None
    return next((value for key, value in node.value if key.value == step), None)


def _inserted(body: str, node: Node | None, steps: tuple[str | int, ...], value: Any, layout: Layout) -> Cut:
    """One more key, in the usual order of keys and in the style of the mapping."""
    key, *rest = steps
    if value is REMOVE or not all(isinstance(step, str) for step in steps):
        raise _Beyond
    if key == layout.section:
        return _section(body, layout, rest, value)
    if not isinstance(node, MappingNode) or (rest and not node.flow_style and key not in layout.one_line):
        raise _Beyond
    entry = f"{key}: {_text(_nested(rest, value), flow=bool(node.flow_style))}"
    known = [one.value for one, _ in node.value]
    at = following(known, key, layout.order)
    if node.flow_style:
        return _in_one_line(body, node, at, entry)
    return _on_a_line(body, node, at, entry)


def _section(body: str, layout: Layout, rest: list[Any], value: Any) -> Cut:
    """At the end of the file; its parts on lines of their own."""
    if len(rest) < 2:
        raise _Beyond
    eol = _eol(body)
    before = eol if body.strip() else ""
    if body and not body.endswith("\n"):
        before += eol
    text = f"{layout.section}:{eol}  {rest[0]}: {_text(_nested(rest[1:], value), flow=True)}{eol}"
    return len(body), len(body), before + text


def _in_one_line(body: str, node: MappingNode, at: int, entry: str) -> Cut:
    if not node.value:
        start = body.index("{", node.start_mark.index) + 1
        return start, start, entry
    end = node.value[at - 1][1].end_mark.index
    return end, end, f", {entry}"


def _on_a_line(body: str, node: MappingNode, at: int, entry: str) -> Cut:
    eol = _eol(body)
    lines = body.splitlines(keepends=True)
    end = node.value[at][0].start_mark.line if at < len(node.value) else _end(body, node)
    # Comments and empty lines between two keys belong to the second.
    while _BETWEEN.fullmatch(lines[end - 1].rstrip("\r\n")):
        end -= 1
    place = sum(map(len, lines[:end]))
    line = " " * node.value[0][0].start_mark.column + entry
    return (place, place, line + eol) if lines[end - 1].endswith("\n") else (place, place, eol + line)


def _end(body: str, node: MappingNode) -> int:
    """The line behind a block; its mark is where the next token begins, or the end of the text."""
    mark = node.end_mark
    begins = body[: mark.index].rstrip(" ").endswith("\n")
    return int(mark.line) + (0 if begins else 1)


def _nested(steps: Iterable[Any], value: Any) -> Any:
    for step in reversed(list(steps)):
        value = {step: value}
    return value


def _text(value: Any, *, flow: bool) -> str:
    """The value as it is written behind a key."""
    holder = CommentedMap({"k": styled(value)})
    if flow:
        holder.fa.set_flow_style()
    yaml = YAML()
    yaml.width = _WIDE
    out = io.StringIO()
    yaml.dump(holder, out)
    text = out.getvalue().removesuffix("\n").removeprefix("{").removeprefix("k:").strip()
    text = text.removesuffix("}").rstrip() if flow else text
    if "\n" in text or not text:
        raise _Beyond
    return text


def _eol(body: str) -> str:
    return "\r\n" if "\r\n" in body else "\n"
