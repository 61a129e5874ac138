"""A copy of the hub to try a change on: what it would break is known before anything is replaced."""

from __future__ import annotations

import dataclasses
import difflib
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import InvalidInput
from govhub.core.files import write_atomic
from govhub.inventory.checks import check_hub
from govhub.inventory.editing.items import edit
from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.loader import Hub, Loaded, load
from govhub.inventory.located import MergedList

DEFAULT_MODE = 0o644
CHANGED = "somebody is changing the hub's files"
AGAIN = "wait for the other change, then try again"
Contents = dict[str, bytes]
"""File contents by path relative to the hub folder."""
Edits = Mapping[Layout, Iterable[ItemEdit]]
"""What happens to each section."""


@dataclass(slots=True)
class Trial:
    """A change of the hub's files, tried on a copy."""

    before: Contents = field(default_factory=dict)
    after: Contents = field(default_factory=dict)
    diff: str = ""
    """As `diff -u` shows it; empty when nothing changes."""
    errors: list[Diagnostic] = field(default_factory=list)
    """What the hub would have wrong and has not now."""


def attempt(hub: Hub, edits: Edits, today: date) -> Trial:
    """Try edits on a copy of the hub; nothing is written.

    Raises:
        InvalidInput: a file cannot be edited (IMP034), or somebody is changing the files (IMP032).
    """
    edits = {layout: found for layout, group in edits.items() if (found := list(group))}
    if not edits:
        return Trial()
    with tempfile.TemporaryDirectory(prefix="govhub-edit-") as folder:
        copy = copy_hub(hub, Path(folder))
        if not same(hub, copy):
            raise InvalidInput.one("IMP032", CHANGED, hint=AGAIN)
        before, after = edited(hub, copy, edits)
        return Trial(before, after, unified(hub, before, after), new_errors(hub, copy, before, after, today))


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


def edited(hub: Hub, copy: Path, edits: Edits) -> tuple[Contents, Contents]:
    """``(before, after)`` of every file that ``edits`` change.

    Raises:
        InvalidInput: a file cannot be edited (IMP034).
    """
    scratch = copy.parent / "scratch.yaml"
    before: Contents = {}
    after: Contents = {}
    for layout, wanted in edits.items():
        for file, group in _by_file(hub, layout, wanted).items():
            path = copy / file
            before.setdefault(file, path.read_bytes() if path.exists() else b"")
            text = _decoded(file, after.get(file, before[file]))
            after[file] = edit(text, layout, group, scratch).encode()
    return before, after


def _decoded(file: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8 first"
        raise InvalidInput.one("IMP034", f"{file} cannot be edited: it is not UTF-8", hint=hint) from error


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


def _by_file(hub: Hub, layout: Layout, edits: Iterable[ItemEdit]) -> dict[str, list[ItemEdit]]:
    """Edits by file, with positions counted in it; new items go to the last file that holds the section."""
    items = hub.tree.get(layout.section)
    shown = list(items.files) if isinstance(items, MergedList) else []
    files = [name.removeprefix(f"{hub.folder.name}/") for name in shown]
    first = getattr(hub.tree, "files", {}).get(layout.section, "").removeprefix(f"{hub.folder.name}/")
    last = files[-1] if files else first or layout.file
    groups: dict[str, list[ItemEdit]] = {}
    for one in edits:
        file = last if one.item is None else files[one.item]
        position = None if one.item is None else files[: one.item].count(file)
        groups.setdefault(file, []).append(dataclasses.replace(one, item=position))
    return groups


def same(hub: Hub, copy: Path) -> bool:
    """Whether the copy is what was loaded: otherwise somebody changed the files in the meantime."""
    tried = load(copy).hub
    return tried is not None and tried.inputs == hub.inputs


def unified(hub: Hub, before: Contents, after: Contents) -> str:
    """What would change, as `diff -u` shows it."""
    out: list[str] = []
    for file in after:
        name = f"{hub.folder.name}/{file}"
        old, new = (part[file].decode().splitlines(keepends=True) for part in (before, after))
        out += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in out)


def replace_files(hub: Hub, before: Contents, after: Contents) -> None:
    """All files or none: when one cannot be written, those before it are put back.

    Raises:
        InvalidInput: a file is not what it was (IMP032).
        OSError: nothing was changed.
    """
    paths = {file: (hub.folder / file).resolve() for file in after}
    if any((path.read_bytes() if path.exists() else b"") != before[file] for file, path in paths.items()):
        raise InvalidInput.one("IMP032", CHANGED, hint=AGAIN)
    done: list[str] = []
    try:
        for file, path in paths.items():
            write_atomic(path, after[file], mode=_mode(path, hub.folder))
            done.append(file)
    except OSError:
        for file in done:
            if before[file]:
                write_atomic(paths[file], before[file], mode=_mode(paths[file], hub.folder))
            else:
                paths[file].unlink()
        raise


def _mode(path: Path, folder: Path) -> int:
    """The file's own mode; a new file gets that of its neighbour, so that the same people can read it."""
    for known in (path, *sorted(folder.glob("*.yaml"))):
        if known.is_file():
            return stat.S_IMODE(known.stat().st_mode)
    return DEFAULT_MODE


def _write(copy: Path, contents: Contents) -> None:
    for file, data in contents.items():
        if data:
            (copy / file).write_bytes(data)
        else:
            (copy / file).unlink(missing_ok=True)
