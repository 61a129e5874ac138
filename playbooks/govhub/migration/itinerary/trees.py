"""Trees of files: what is in them, equal copies, and modes that keep writers out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
from pathlib import Path

from govhub.core.files import sync_folder, write_atomic

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_PART = ".govhub-part"


def contents(root: Path) -> dict[str, str]:
    """Every file and link below ``root`` with its SHA-256, by relative path; nothing when there is no such folder."""
    found: dict[str, str] = {}
    for folder, names, files in os.walk(root):
        for name in [*files, *(item for item in names if (Path(folder) / item).is_symlink())]:
            path = Path(folder) / name
            if not name.endswith(_PART):
                found[str(path.relative_to(root))] = _digest(path)
    return found


def sizes(root: Path) -> dict[str, int]:
    """Bytes of every file below ``root``, by relative path; files that are being written are not there yet."""
    found: dict[str, int] = {}
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder) / name
            # One that goes away while it is looked at is gone.
            with contextlib.suppress(FileNotFoundError):
                if not name.endswith(_PART) and not path.is_symlink():
                    found[str(path.relative_to(root))] = path.stat().st_size
    return found


def copy_tree(source: Path, target: Path) -> int:
    """Make ``target`` equal to ``source``; what is equal already is left alone. Bytes that were written.

    A file appears under its name only when it is complete, so a copy that was killed is simply gone on with.
    """
    wanted, there = contents(source), contents(target)
    written = 0
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(set(there) - set(wanted)):
        (target / name).unlink()
    for name in sorted(wanted):
        if there.get(name) != wanted[name]:
            written += _copy(source / name, target / name)
    for stray in target.rglob(f"*{_PART}"):
        stray.unlink()
    return written


def freeze(root: Path, notes: Path) -> None:
    """Take write permission from a tree; the modes are noted first, so that :func:`thaw` puts back what was."""
    if not notes.exists():
        modes = {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in _all(root)}
        write_atomic(notes, json.dumps(modes, sort_keys=True))
    for path in _all(root):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_WRITE)


def is_frozen(root: Path) -> bool:
    """Whether nobody may write to any part of the tree."""
    return all(not path.stat().st_mode & _WRITE for path in _all(root))


def thaw(root: Path, notes: Path) -> None:
    """Give a frozen tree its modes back."""
    if notes.exists():
        set_modes(root, notes)
        notes.unlink()


def set_modes(root: Path, notes: Path) -> None:
    """Give a tree the modes that were noted of a frozen one: its copies are frozen too."""
    modes = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {}
    for path in _all(root):
        path.chmod(modes.get(str(path.relative_to(root)), stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR))


def point(link: Path, to: Path) -> None:
    """Let a symbolic link lead to ``to``, in one step for whoever follows it."""
    scratch = link.with_name(f".{link.name}.next")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(to)
    scratch.replace(link)
    sync_folder(link.parent)


def remove_tree(root: Path) -> None:
    """Remove a tree, a frozen one too."""
    if root.is_symlink() or not root.exists():
        return
    for path in _all(root):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXU)
    shutil.rmtree(root)


def _all(root: Path) -> list[Path]:
    return [root, *(path for path in root.rglob("*") if not path.is_symlink())]


def _digest(path: Path) -> str:
    if path.is_symlink():
        return f"link:{path.readlink()}"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(source: Path, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(target.name + _PART)
    scratch.unlink(missing_ok=True)
    shutil.copy2(source, scratch, follow_symlinks=False)
    if not source.is_symlink():
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
    scratch.replace(target)
    return 0 if source.is_symlink() else source.stat().st_size
