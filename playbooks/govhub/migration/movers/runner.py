"""Commands of movers: one small port, so that they run here or on a mover host."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from govhub.core.files import private_folder, sync_folder
from govhub.core.secrets import Secret

HERE = "controller"
"""Where commands run that run beside ``migrate run``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; ``then`` reads what it writes. Secrets go into the environment and are never part of a text."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    input: bytes | None = None
    then: Command | None = None
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a command, or the last one of several, said; ``code`` is that of the first one that failed."""

    code: int
    output: bytes
    errors: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file that a command wrote."""

    bytes: int
    sha256: str


class Runner(Protocol):
    """Runs commands; they end with whoever started them.

    Paths are those of this machine. Where commands run elsewhere, what they write under such a path lies there, and
    only the functions here know of it; what the controller writes into a ``folder`` is brought there with a command.
    """

    @property
    def where(self) -> str:
        """The mover's name, for the record."""

    def run(self, command: Command) -> Done:
        """Run it to its end.

        Raises:
            GovhubError: nobody can say what became of it, or the mover is not reached.
        """

    def folder(self, name: str) -> Path:
        """A folder for passing files, the same for the same name; empty when it was not there."""

    def forget(self, name: str) -> None:
        """Remove that folder."""

    def fresh(self, path: Path) -> None:
        """An empty private file, in a private folder, for a command to write."""

    def facts(self, path: Path) -> FileFacts | None:
        """Size and digest of a file as they are now; None when there is none."""

    def keep(self, path: Path, new: Path) -> None:
        """Give a file its final name, so that a power cut does not take it away."""

    def brought(self, path: Path) -> Path:
        """A file that a command wrote, to be read on this machine; it goes with its folder.

        Raises:
            GovhubError: it is not there, or could not be brought.
        """

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """Files of a folder by a pattern, sorted."""


class LocalRunner:
    """Runs commands on this machine."""

    where = HERE

    def __init__(self, place: Path | None = None) -> None:
        self._place = place or Path(tempfile.gettempdir())

    def run(self, command: Command) -> Done:
        """Run it to its end; a time-out is code 124."""
        chain = [command]
        while chain[-1].then is not None:
            chain.append(chain[-1].then)
        with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as output:
            started: list[subprocess.Popen[bytes]] = []
            try:
                for index, item in enumerate(chain):
                    started.append(_start(item, started, output if index == len(chain) - 1 else None, errors))
                code = _await(started, command)
            finally:
                for process in started:
                    if process.poll() is None:
                        # With all that it started, which is in its group.
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()
            errors.seek(0)
            output.seek(0)
            return Done(code, output.read(), errors.read().decode(errors="replace"))

    def folder(self, name: str) -> Path:
        """A private folder under the runner's place."""
        path = self._place / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def forget(self, name: str) -> None:
        """Remove it with all it holds."""
        shutil.rmtree(self._place / name, ignore_errors=True)

    def fresh(self, path: Path) -> None:
        """See :class:`Runner`."""
        private_folder(path.parent)
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)

    def facts(self, path: Path) -> FileFacts | None:
        """See :class:`Runner`."""
        try:
            with path.open("rb") as file:
                return FileFacts(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
        except FileNotFoundError:
            return None

    def keep(self, path: Path, new: Path) -> None:
        """See :class:`Runner`."""
        path.replace(new)
        sync_folder(new.parent)

    def brought(self, path: Path) -> Path:
        """The file itself."""
        return path

    def remove(self, path: Path) -> None:
        """See :class:`Runner`."""
        path.unlink(missing_ok=True)

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """See :class:`Runner`."""
        return sorted(folder.glob(pattern))

    def close(self) -> None:
        """Nothing is held."""


def _start(
    item: Command, before: Sequence[subprocess.Popen[bytes]], output: object, errors: object
) -> subprocess.Popen[bytes]:
    # Not this process's whole environment: PGHOST or a proxy of the operator would lead elsewhere.
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    environment |= {"LC_ALL": "C.UTF-8", **item.environment}
    environment |= {name: secret.reveal() for name, secret in item.secrets.items()}
    stdin = before[-1].stdout if before else (subprocess.PIPE if item.input is not None else subprocess.DEVNULL)
    # A killed controller must not leave a copy behind that goes on writing.
    process = subprocess.Popen(
        [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--", *item.arguments],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE if item.then is not None else output,  # type: ignore[call-overload]
        stderr=errors,
        cwd="/",
        process_group=0,
    )
    if before and before[-1].stdout is not None:
        before[-1].stdout.close()
    return process  # type: ignore[no-any-return]


def _await(started: Sequence[subprocess.Popen[bytes]], command: Command) -> int:
    first = started[0]
    try:
        if first.stdin is not None:
            with suppress(BrokenPipeError):
                first.stdin.write(command.input or b"")
            with suppress(BrokenPipeError):
                first.stdin.close()
        # The last one first: one that fails early leaves the others with a closed pipe, which is not the cause.
        codes = [process.wait(timeout=command.timeout) for process in reversed(started)]
    except subprocess.TimeoutExpired:
        return 124
    return next((code for code in codes if code), 0)
