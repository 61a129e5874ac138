"""Another revision of a hub: a folder, or a git revision unpacked into a temporary one."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from govhub.core.errors import InvalidInput


@contextmanager
def hub_at(folder: Path, against: str) -> Iterator[Path | None]:
    """The hub folder as of ``against``; None when it did not exist in that revision.

    Args:
        folder: The hub folder of today.
        against: A folder (a hub, or one that holds a hub of the same name) or a git revision.

    Raises:
        InvalidInput: neither a folder nor a revision of the folder's repository.
    """
    given = Path(against)
    for candidate in (given / "inventories" / folder.name, given / folder.name, given):
        if _is_folder(candidate) and any(candidate.glob("*.y*ml")):
            yield candidate.absolute()
            return
    if _is_folder(given):
        raise InvalidInput.one("REV001", f"{against} holds no hub", hint="name a hub folder or a git revision")
    with revision_of(folder, against) as found:
        yield found


@contextmanager
def revision_of(folder: Path, revision: str) -> Iterator[Path | None]:
    """The same of a git revision alone: for names from elsewhere, which must not lead to other folders.

    Raises:
        InvalidInput: there is no such revision.
    """
    with tempfile.TemporaryDirectory(prefix="govhub-against-") as scratch:
        yield _unpack(folder, revision, Path(scratch))


def _unpack(folder: Path, revision: str, scratch: Path) -> Path | None:
    top = _git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise InvalidInput.one(
            "REV002", f"{folder} is in no git repository", hint="compare with a folder: --against DIR"
        )
    # --verify with --end-of-options: a revision that starts with a dash stays a revision.
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if commit is None:
        raise InvalidInput.one(
            "REV003", f'"{revision[:80]}" is no revision of this repository', hint="in CI, fetch the base branch first"
        )
    inside = folder.resolve().relative_to(Path(top.decode().strip()).resolve())
    archive = _git(Path(top.decode().strip()), "archive", "--format=tar", commit.decode().strip(), "--", str(inside))
    if archive is None:
        return None
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(scratch, filter="data")
    except tarfile.TarError as error:
        raise InvalidInput.one(
            "REV005", f"{folder.name} at {revision[:80]} cannot be unpacked: {error}", hint="compare with a folder"
        ) from error
    return scratch / inside


def _is_folder(path: Path) -> bool:
    """A revision may be longer than any file name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _git(folder: Path, *args: str) -> bytes | None:
    try:
        command = [shutil.which("git") or "git", "-C", str(folder), *args]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InvalidInput.one(
            "REV004", f"git cannot be run: {error}", hint="install git, or use --against DIR"
        ) from error
    return done.stdout if done.returncode == 0 else None
