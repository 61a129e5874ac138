"""Generations in a hub's files: raised in place, with every other character as it was written.

The number, or the line that is missing, is put where the reader found its neighbours. The result is read again, and
refused when it does not mean exactly the same hub with the one number raised.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostics
from govhub.core.errors import InvalidInput
from govhub.inventory.located import LocatedMap, Mark, read_yaml

CERTIFICATES = ("baseline", "certificates")
_NUMBER = re.compile(r"""["']?generation["']?\s*:\s*([0-9]+)""")


@dataclass(frozen=True, slots=True)
class Edit:
    """One file of a hub before and after."""

    file: Path
    before: str
    after: str

    def diff(self, folder: Path) -> str:
        """The change as people read it."""
        name = str(self.file.relative_to(folder.parent))
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), name, name, n=1
        )
        return "".join(lines)


def raise_generations(folder: Path, *, certificates: bool, databases: tuple[str, ...]) -> list[Edit]:
    """The edits that raise the generation of the certificates, and of databases by name, each by one.

    Raises:
        InvalidInput: a file cannot be edited without changing something else (HST041).
    """
    files = sorted(path for path in folder.rglob("*.y*ml") if not any(part.startswith(".") for part in path.parts))
    texts = {path: path.read_bytes().decode("utf-8-sig") for path in files}
    before = dict(texts)
    if certificates:
        path = _holder(texts, "baseline") or _holder(texts, "hub")
        assert path is not None, "a valid hub has a section of its own"
        texts[path] = _raised(texts[path], CERTIFICATES)
    for name in databases:
        path, position = next(_database(texts, name))
        texts[path] = _raised(texts[path], ("databases", position))
    marked = {path: "\ufeff" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "" for path in texts}
    return [
        Edit(path, marked[path] + before[path], marked[path] + text)
        for path, text in texts.items()
        if text != before[path]
    ]


def _holder(texts: dict[Path, str], section: str) -> Path | None:
    return next((path for path, text in texts.items() if section in _tree(text)), None)


def _database(texts: dict[Path, str], name: str) -> Iterator[tuple[Path, int]]:
    for path, text in texts.items():
        for position, item in enumerate(_tree(text).get("databases") or []):
            if isinstance(item, dict) and item.get("name") == name:
                yield path, position


def _raised(text: str, steps: tuple[str | int, ...]) -> str:
    """``text`` with the generation of the mapping at ``steps`` raised."""
    tree = _tree(text)
    result = _spliced(text, tree, steps)
    wanted = _plain(tree)
    node = wanted
    for step in steps:
        node = node[step] if isinstance(step, int) else node.setdefault(step, {})
    node["generation"] = node.get("generation", 1) + 1
    if _plain(_tree(result)) != wanted:
        where = ".".join(map(str, steps))
        hint = f"raise `generation` of {where} by hand, then run `up`"
        raise InvalidInput.one("HST041", f"{where} cannot be edited without changing something else", hint=hint)
    return result


def _spliced(text: str, tree: LocatedMap, steps: tuple[str | int, ...]) -> str:
    found: Any = tree
    for depth, step in enumerate(steps):
        known = step in found if isinstance(found, dict) else True
        if not known or found[step] is None:
            return _added(text, tree, found, steps[depth:])
        found = found[step]
    if "generation" not in found:
        return _inserted(text, found, "generation: 2")
    start = _offset(text, found.marks["generation"])
    number = _NUMBER.match(text, start)
    if not number:
        return text
    return f"{text[: number.start(1)]}{int(number[1]) + 1}{text[number.end(1) :]}"


def _added(text: str, tree: LocatedMap, parent: LocatedMap, steps: tuple[str | int, ...]) -> str:
    """With a section or a part of it that was not there."""
    if parent is not tree:
        return _inserted(text, parent, f"{steps[0]}: {{generation: 2}}")
    end = "" if not text or text.endswith("\n") else "\n"
    return f"{text}{end}\n{steps[0]}:\n  {steps[1]}: {{generation: 2}}\n"


def _inserted(text: str, node: LocatedMap, entry: str) -> str:
    """With one more key in a mapping: before its second, else before its first, in the mapping's own style."""
    if not node:
        return text
    marks = sorted(node.marks.values())
    mark = marks[min(1, len(marks) - 1)]
    flow = text[_offset(text, node.at)] == "{"
    at = _offset(text, mark)
    return f"{text[:at]}{entry}{', ' if flow else chr(10) + ' ' * (mark[1] - 1)}{text[at:]}"


def _offset(text: str, mark: Mark) -> int:
    return sum(len(line) for line in text.splitlines(keepends=True)[: mark[0] - 1]) + mark[1] - 1


def _tree(text: str) -> LocatedMap:
    with tempfile.TemporaryDirectory(prefix="govhub-edit-") as folder:
        path = Path(folder) / "file.yaml"
        path.write_text(text, encoding="utf-8", newline="")
        return read_yaml(path, path.name, Diagnostics()) or LocatedMap("", (1, 1))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
