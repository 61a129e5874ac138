"""Differences between two JSON-like trees, as an immutable sequence of ``(op, path, old, new)``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: ``op`` is add, remove or change; ``path`` leads to it from the root."""

    op: str
    path: Path
    old: Any
    new: Any

    def as_dict(self) -> dict[str, Any]:
        """The JSON form; an absent side is left out, because null is a value."""
        out: dict[str, Any] = {"op": self.op, "path": dotted(self.path)}
        if self.op != "add":
            out["old"] = self.old
        if self.op != "remove":
            out["new"] = self.new
        return out


def dotted(path: Path) -> str:
    """``("spec", "hard", 0)`` as ``spec.hard[0]``; a key with a dot is quoted."""
    out = ""
    for step in path:
        if isinstance(step, int):
            out += f"[{step}]"
        elif "." in step or "/" in step:
            out += f'["{step}"]'
        else:
            out += f".{step}" if out else step
    return out


def diff(old: Any, new: Any) -> tuple[Change, ...]:
    """All differences from ``old`` to ``new``; lists are compared by position."""
    return tuple(_walk(old, new, ()))


def _walk(old: Any, new: Any, path: Path) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            here = (*path, key)
            if key not in new:
                yield Change("remove", here, old[key], None)
            elif key not in old:
                yield Change("add", here, None, new[key])
            else:
                yield from _walk(old[key], new[key], here)
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            here = (*path, index)
            if index >= len(new):
                yield Change("remove", here, old[index], None)
            elif index >= len(old):
                yield Change("add", here, None, new[index])
            else:
                yield from _walk(old[index], new[index], here)
    elif type(old) is not type(new) or old != new:
        yield Change("change", path, old, new)
