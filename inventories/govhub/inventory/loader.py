"""From a hub folder to a checked :class:`Hub`: find the files, merge their sections, validate, keep positions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from govhub.core.canonical import digest
from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.errors import InvalidInput
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.explaining import collect
from govhub.inventory.located import (
    MAX_BYTES,
    LocatedList,
    LocatedMap,
    MergedList,
    MergedMap,
    locate,
    read_yaml,
)
from govhub.inventory.model.root import HubFile
from govhub.inventory.topology import Topology

SINGLE = ("hub",)
MAX_FILES = 200


@dataclass(slots=True)
class Hub:
    """A loaded hub: the model, where each part stands in its files, and the problems found so far."""

    name: str
    folder: Path
    model: HubFile
    tree: MergedMap
    problems: Diagnostics
    inputs: str
    """SHA-256 over the names and contents of all files: what a saved plan is bound to."""
    _topology: Topology | None = field(default=None, repr=False)

    @property
    def topology(self) -> Topology:
        """Racks and hosts, expanded once."""
        if self._topology is None:
            self._topology = Topology(self.model)
        return self._topology

    def at(self, *path: str | int) -> SourceRange | None:
        """The position of a part, by its path from the root of the model."""
        return locate(self.tree, path)


@dataclass(slots=True)
class Loaded:
    """What came of a folder: ``hub`` is None when the problems leave nothing to work with."""

    name: str
    folder: Path
    hub: Hub | None
    problems: Diagnostics


def find_hub(name: str, inventories: Path) -> Path:
    """The folder of a hub given by name (under ``inventories``) or by path.

    Raises:
        InvalidInput: there is no such folder.
    """
    if not name.strip() or "\0" in name:
        raise InvalidInput.one("HUB001", "the hub's name is empty", hint="give a name under inventories/ or a path")
    by_name = inventories / name
    looks_like_path = os.sep in name or name in (".", "..")
    for folder in (Path(name), by_name) if looks_like_path else (by_name, Path(name)):
        if os.path.isdir(folder):  # noqa: PTH112 -- Path.is_dir raises for a name that is too long
            return folder.absolute()
    raise InvalidInput.one(
        "HUB001",
        f'there is no hub "{name[:80]}"',
        detail=f"looked for {by_name} and {Path(name).absolute()}",
        hint=did_you_mean(name, hub_names(inventories))
        or f"known hubs: {and_more(hub_names(inventories), 8) or 'none'}",
    )


def hub_names(inventories: Path) -> list[str]:
    """The hubs under ``inventories``: folders that hold a hub.yaml."""
    if not inventories.is_dir():
        return []
    return sorted(entry.name for entry in inventories.iterdir() if (entry / "hub.yaml").exists())


def load(folder: Path, more: Iterable[LocatedMap] = ()) -> Loaded:
    """Read all YAML files of ``folder``; never raises for what stands in them.

    ``more`` are the sections of files that are not in the folder: what the hub would be with them. They do not count
    for ``inputs``, which a plan is bound to.
    """
    problems = Diagnostics()
    merged = MergedMap()
    contents: list[tuple[str, str]] = []
    for path in _files(folder, problems):
        shown = f"{folder.name}/{path.relative_to(folder)}"
        if tree := read_yaml(path, shown, problems):
            _merge(merged, tree, problems)
        contents.append(_fingerprint(path, shown))
    for tree in more:
        _merge(merged, tree, problems)
    name = folder.name
    if not merged and not problems.errors:
        problems.error("HUB002", f"{name} holds no YAML with content", hint=f"start with: govhub init {name}")
    if not merged or (problems.errors and "hub" not in merged):
        return Loaded(name, folder, None, problems)
    try:
        model = HubFile.model_validate(merged)
    except ValidationError as error:
        collect(error, merged, problems, HubFile)
        return Loaded(name, folder, None, problems)
    hub = Hub(name=model.hub.name, folder=folder, model=model, tree=merged, problems=problems, inputs=digest(contents))
    return Loaded(name, folder, hub, problems)


def _fingerprint(path: Path, shown: str) -> tuple[str, str]:
    try:
        # What is too large to be read is not hashed either: such a hub does not load.
        return (
            shown,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size <= MAX_BYTES else "too large",
        )
    except OSError:
        return (shown, "unreadable")


def _files(folder: Path, problems: Diagnostics) -> list[Path]:
    found: list[Path] = []
    root = folder.resolve()
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(entry for entry in folders if not entry.startswith("."))
        for name in sorted(names):
            path = Path(base, name)
            if path.suffix not in (".yaml", ".yml") or name.startswith("."):
                continue
            if path.is_symlink() and not _stays_inside(path, root):
                problems.error(
                    "HUB003",
                    "a symbolic link leads out of the hub folder, or nowhere",
                    source=SourceRange(f"{folder.name}/{path.relative_to(folder)}"),
                    hint="put the file itself into the folder: a hub must mean the same on every machine",
                )
                continue
            if not path.is_file():
                # A named pipe would block the reader for ever.
                source = SourceRange(f"{folder.name}/{path.relative_to(folder)}")
                problems.error("HUB007", "not a regular file", source=source, hint="remove it from the hub folder")
                continue
            found.append(path)
    if len(found) > MAX_FILES:
        problems.error("HUB004", f"{folder.name} holds {len(found)} YAML files; the limit is {MAX_FILES}")
        return []
    return found


def _stays_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _merge(merged: MergedMap, tree: LocatedMap, problems: Diagnostics) -> None:
    for section, value in tree.items():
        where = SourceRange(tree.file, *tree.marks[section])
        if isinstance(value, LocatedList) and section not in SINGLE:
            if section not in merged:
                merged.put(section, MergedList(), tree)
            if isinstance(merged[section], MergedList):
                merged[section].take(value)
                continue
        if section in merged:
            problems.error("HUB005", f'the section "{section[:60]}" stands in two files', source=where, hint="keep one")
        elif value is None and section not in SINGLE:
            problems.warning("HUB006", f'the section "{section[:60]}" is empty', source=where)
        else:
            merged.put(section, value, tree)
