"""A copy of the hub to try an import on: what it would break is known before anything is replaced."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import InvalidInput
from govhub.inventory.checks import check_hub
from govhub.inventory.importers.edits import edit
from govhub.inventory.importers.entries import Entry
from govhub.inventory.importers.results import Outcome
from govhub.inventory.loader import Hub, Loaded, load
from govhub.inventory.located import MergedList

DEFAULT_FILES = {"tenants": "tenants.yaml", "systems": "systems.yaml"}
Contents = dict[str, bytes]
"""File contents by path relative to the hub folder."""


def copy_hub(hub: Hub, target: Path) -> Path:
    """The hub's YAML files under ``target``, in a folder of the same name: positions read alike."""
    copy = target / hub.folder.name
    copy.mkdir()
    for base, folders, names in os.walk(hub.folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(base, name) for name in names):
            if _loads(path, hub.folder.resolve()):
                place = copy / path.relative_to(hub.folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)
    return copy


def _loads(path: Path, root: Path) -> bool:
    """Whether the loader reads it: the copy must mean what the hub means."""
    return (
        path.suffix in (".yaml", ".yml")
        and not path.name.startswith(".")
        and path.is_file()
        and path.resolve().is_relative_to(root)
    )


def edited(hub: Hub, copy: Path, section: str, entries: Iterable[Entry]) -> tuple[Contents, Contents]:
    """``(before, after)`` of every file that ``entries`` change.

    Raises:
        InvalidInput: a file cannot be edited (IMP034).
    """
    scratch = copy.parent / "scratch.yaml"
    before: Contents = {}
    after: Contents = {}
    for file, group in _by_file(hub, section, entries).items():
        path = copy / file
        before[file] = path.read_bytes() if path.exists() else b""
        try:
            text = before[file].decode()
        except UnicodeDecodeError as error:
            hint = "save it as UTF-8 first"
            raise InvalidInput.one("IMP034", f"{file} cannot be edited: it is not UTF-8", hint=hint) from error
        after[file] = edit(text, section, group, scratch).encode()
    return before, after


def new_errors(hub: Hub, copy: Path, before: Contents, after: Contents, today: date) -> list[Diagnostic]:
    """The errors that the hub has with ``after`` and had not before; ``before`` is put back into the copy."""
    _write(copy, after)
    try:
        tried = load(copy)
    finally:
        _write(copy, before)
    had = Counter(map(_key, [*hub.problems.errors, *check_hub(hub, today)]))
    found: list[Diagnostic] = []
    for item in _errors(tried, today):
        had[_key(item)] -= 1
        if had[_key(item)] < 0:
            found.append(item)
    return found


def _errors(tried: Loaded, today: date) -> list[Diagnostic]:
    checked = check_hub(tried.hub, today) if tried.hub else []
    return [*tried.problems.errors, *(item for item in checked if item.severity.rank == 0)]


def _key(item: Diagnostic) -> tuple[str, str]:
    # Not the summary: it holds numbers, and a shortage that the import makes smaller is no new one.
    return (item.code, item.address)


def _by_file(hub: Hub, section: str, entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Changed items stay in their file; new ones go to the last file that holds the section."""
    items = hub.tree.get(section)
    shown = list(items.files) if isinstance(items, MergedList) else []
    files = [name.removeprefix(f"{hub.folder.name}/") for name in shown]
    held = {item.get("name"): file for item, file in zip(items or [], files, strict=True)}
    first = getattr(hub.tree, "files", {}).get(section, "").removeprefix(f"{hub.folder.name}/")
    last = files[-1] if files else first or DEFAULT_FILES[section]
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(last if entry.outcome is Outcome.ADDED else held[entry.name], []).append(entry)
    return groups


def _write(copy: Path, contents: Contents) -> None:
    for file, data in contents.items():
        if data:
            (copy / file).write_bytes(data)
        else:
            (copy / file).unlink(missing_ok=True)
