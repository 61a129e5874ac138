"""Changes in a hub's YAML text that leave everything else as it was written.

Three ways, the gentlest first: values and keys where they stand (:mod:`.inplace`); the lines of the changed items,
taken over from a file that ruamel.yaml rendered; that whole file. Each result is read again, and the first that means
exactly what the edits ask for is the one.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.inventory.editing.inplace import in_place
from govhub.inventory.editing.meaning import ItemEdit, meant
from govhub.inventory.editing.tree import Layout, put
from govhub.inventory.located import LocatedMap, read_yaml

MIN_WIDTH = 130
BOM = "\ufeff"
_DASH = re.compile(r"( *)- ")
_BETWEEN = re.compile(r"\s*(#.*|\.\.\.)?\s*")


def edit(text: str, layout: Layout, edits: Iterable[ItemEdit], scratch: Path) -> str:
    """``text`` (a hub file, or nothing) with the items of a section changed, added and dropped.

    ``scratch`` is a file that may be overwritten; it is where the outcome is parsed.

    Raises:
        InvalidInput: the file cannot be edited without losing something (IMP034).
    """
    edits = list(edits)
    body = text.removeprefix(BOM)
    wanted = meant(_parse(body, scratch) or {}, layout, edits)
    for result in _written(body, layout, edits, scratch):
        if _parse(result, scratch) == wanted:
            return text[: len(text) - len(body)] + result
    raise _refused(layout, "nothing that can be written means just this change")


def _written(body: str, layout: Layout, edits: list[ItemEdit], scratch: Path) -> Iterator[str]:
    """The edited text, one way after the other."""
    here = in_place(body, layout, edits)
    if here is not None:
        yield here
    if layout.in_place:
        return
    rendered = _render(body.replace("\r\n", "\n"), layout, edits, scratch)
    if "\r\n" in body:
        rendered = rendered.replace("\n", "\r\n")
    yield from _splice(body, rendered, layout.section, edits, scratch)
    yield rendered


def _refused(layout: Layout, why: str) -> InvalidInput:
    summary = f"the hub's file cannot be edited: {why}"
    hint = f"make the change in {layout.section} by hand, or move the section into a file of its own"
    return InvalidInput.one("IMP034", summary, hint=hint)


def _render(body: str, layout: Layout, edits: list[ItemEdit], scratch: Path) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = max(MIN_WIDTH, *(len(line) for line in body.split("\n")))
    offset = _offset(body, layout.section, scratch)
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    try:
        root = yaml.load(body)
        root = CommentedMap() if root is None else root
        _change(root, layout, edits)
        out = io.StringIO()
        yaml.dump(root, out)
    except (YAMLError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _refused(layout, " ".join(str(error).split())[:160]) from error
    return out.getvalue()


def _change(root: Any, layout: Layout, edits: list[ItemEdit]) -> None:
    if root.get(layout.section) is None:
        root[layout.section] = CommentedSeq()
    items = root[layout.section]
    if not items:
        # `tenants: []` would go on as one long line.
        items.fa.set_block_style()
    for one in edits:
        if one.item is None:
            items.append(CommentedMap())
        elif any(path[0] in layout.opened for path in one.changes):
            items[one.item].fa.set_block_style()
        for path, value in one.changes.items():
            put(items, (len(items) - 1 if one.item is None else one.item, *path), value, layout)
    for position in sorted((one.item for one in edits if one.drop and one.item is not None), reverse=True):
        del items[position]


def _splice(body: str, rendered: str, section: str, edits: list[ItemEdit], scratch: Path) -> Iterator[str]:
    """The original lines with the changed items' rendered lines; nothing when items do not stand line by line."""
    before, after = _spans(body, section, scratch), _spans(rendered, section, scratch)
    if not before or not after:
        return
    old, new = body.split("\n"), rendered.split("\n")
    dropped = {one.item for one in edits if one.drop}
    changed = {one.item for one in edits} - dropped
    kept = iter(after)
    out = old[: before[0][0]]
    for position, (start, end) in enumerate(before):
        following = before[position + 1][0] if position + 1 < len(before) else len(old)
        if position not in dropped:
            span = next(kept)
            out += new[slice(*span)] if position in changed else old[start:end]
        if position + 1 == len(before):
            out += _added(old, new, before, list(kept))
        out += old[end:following]
    yield "\n".join(out)


def _added(old: list[str], new: list[str], before: list[tuple[int, int]], after: list[tuple[int, int]]) -> list[str]:
    """The rendered lines of new items, set apart by an empty line when the items of the file are."""
    gaps = [old[end:start] for (_, end), (start, _) in pairwise(before)]
    spaced = any(not line.strip() for gap in gaps for line in gap)
    blank = ["\r" if old[0].endswith("\r") else ""] if spaced else []
    lines: list[str] = []
    for start, end in after:
        lines += blank + new[start:end]
    return lines


def _spans(text: str, section: str, scratch: Path) -> list[tuple[int, int]]:
    """First line and the line after the last one of each item; nothing when they do not stand line by line."""
    tree = _parse(text, scratch)
    if not tree or not tree.get(section):
        return []
    lines = text.split("\n")
    starts = [mark[0] - 1 for mark in tree[section].marks]
    if starts != sorted(set(starts)) or not all(_DASH.match(lines[start]) for start in starts):
        return []
    later = [mark[0] - 1 for mark in tree.marks.values() if mark[0] - 1 > starts[-1]]
    ends = [*starts[1:], min(later, default=len(lines))]
    return [(start, _without_tail(lines, start, end)) for start, end in zip(starts, ends, strict=True)]


def _without_tail(lines: list[str], start: int, end: int) -> int:
    """Comments and empty lines behind an item belong to what follows."""
    while end > start + 1 and _BETWEEN.fullmatch(lines[end - 1]):
        end -= 1
    return end


def _offset(body: str, section: str, scratch: Path) -> int:
    """How far the section's dashes are indented; 2 when it has no items yet."""
    spans = _spans(body, section, scratch)
    match = _DASH.match(body.split("\n")[spans[0][0]]) if spans else None
    return len(match[1]) if match else 2


def _parse(text: str, scratch: Path) -> LocatedMap | None:
    # newline="": a carriage return stays where it is.
    scratch.write_text(text, encoding="utf-8", newline="")
    found = Diagnostics()
    tree = read_yaml(scratch, scratch.name, found)
    return None if found.errors else tree
