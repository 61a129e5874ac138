"""Commands of movers on a mover host, over SSH.

The host has Python, the tools and a folder. The agent is sent through a pipe with each command, and with it the
password, which is in no argument. It ends with all that it started when the pipe closes or falls silent.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from govhub.migration.movers.afar import FarRunner, Load, done_of
from govhub.migration.movers.frames import Heard, hear
from govhub.migration.movers.packing import Routes, agent, nowhere
from govhub.migration.movers.protocol import MoveFailed
from govhub.migration.movers.runner import Command, Done

LEASE = 25.0
"""Seconds without a sign of life after which a command ends; shorter than the lease of a system, so that whoever takes
a system over finds nobody at work on it."""
_BEAT = 4.0
_BEGIN = "import sys;s=sys.stdin.buffer.raw;n=int(s.read(9));b=b''\nwhile len(b)<n:b+=s.read(n-len(b))\nexec(b)"


class Pipes(Protocol):
    """A process at the other end; :class:`subprocess.Popen` is one."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code."""

    def kill(self) -> None:
        """End it."""


class Shell(Protocol):
    """A way to a host."""

    name: str

    def begin(self, *words: str) -> Pipes:
        """Start a command there.

        Raises:
            TargetUnreachable: the host does not answer.
        """

    def close(self) -> None:
        """Let go of the connection."""


class SshRunner(FarRunner):
    """Runs commands on one mover host, in one place of it."""

    def __init__(
        self, shell: Shell, root: str, place: str, local: Path, routes: Routes = nowhere, *, lease: float = LEASE
    ) -> None:
        """Nothing is contacted yet.

        Args:
            shell: The way to the host.
            root: The folder of movers on the host.
            place: The move's own folder under it: ``hub/system/move``.
            local: The folder of this machine that stands for that place.
            routes: How the host reaches the servers.
            lease: Seconds without a sign of life after which a command ends.
        """
        super().__init__(local, routes)
        self._shell, self._root, self._place, self._lease = shell, root, place, lease
        self._session, self._took = secrets.token_hex(8), False
        self._lock = threading.Lock()

    @property
    def where(self) -> str:
        """The host's name."""
        return self._shell.name

    def look(self) -> Load:
        """What the host has to do.

        Raises:
            TargetUnreachable: it does not answer.
            MoveFailed: it cannot run commands (MOV402).
        """
        return Load(**self._ask("look"))

    def claim(self) -> None:
        """Make the place, and end what an earlier session left running in it.

        Raises:
            TargetUnreachable: the host does not answer.
            MoveFailed: it cannot run commands (MOV402).
        """
        self._ask("matching", path="*")

    def run(self, command: Command) -> Done:
        """Run it to its end; a time-out is code 124.

        Raises:
            TargetUnreachable: the host does not answer.
            MoveFailed: the connection was lost (MOV401), or the host cannot run commands (MOV402).
        """
        folders, files = self._packing.files(command)
        chain = self._packing.chain(command, f"{self._root}/{self._place}")
        more = {"chain": chain, "folders": folders, "files": files, "timeout": command.timeout}
        heard = self._serve("run", more, command.input or b"", command.arguments[0].rpartition("/")[2])
        return done_of(heard)

    def close(self) -> None:
        """Let go of the connection."""
        self._shell.close()

    def _serve(self, operation: str, more: Mapping[str, Any], given: bytes = b"", word: str = "") -> Heard:
        word = word or operation
        if operation == "look":
            return self._once(operation, more, given, word, take=False)
        if not self._took:
            # The first command alone: it ends what an earlier session left.
            with self._lock:
                if not self._took:
                    heard = self._once(operation, more, given, word, take=True)
                    self._took = True
                    return heard
        return self._once(operation, more, given, word, take=False)

    def _once(self, operation: str, more: Mapping[str, Any], given: bytes, word: str, *, take: bool) -> Heard:
        header = {"op": operation, "root": self._root, "place": self._place, "session": self._session, **more}
        line = json.dumps(header | {"lease": self._lease, "take": take, "input": len(given)}).encode() + b"\n"
        text = agent()
        pipes = self._shell.begin("python3", "-c", _BEGIN)
        assert pipes.stdin is not None
        assert pipes.stdout is not None
        assert pipes.stderr is not None
        over = threading.Event()
        talking = threading.Thread(
            target=_talk, args=(pipes.stdin, b"%09d" % len(text) + text + line + given, over), daemon=True
        )
        talking.start()
        trouble = _Rest(pipes.stderr)
        try:
            heard = hear(pipes.stdout)
        finally:
            over.set()
            pipes.kill()
            code = pipes.wait()
            talking.join(_BEAT)
            trouble.join()
            pipes.stdout.close()
            pipes.stderr.close()
        if heard.result is None:
            raise self._lost(word, code, (bytes(heard.errors) + trouble.found).decode(errors="replace"))
        return heard

    def _lost(self, word: str, code: int, said: str) -> MoveFailed:
        lines = [line for line in said.splitlines() if line.strip()]
        if "Traceback" in said or "not there, or cannot" in said or code in {126, 127}:
            return MoveFailed.one(
                "MOV402",
                f"the mover host {self.where} cannot run `{word}`",
                detail="\n".join(lines[-3:])[-400:],
                hint=f"bring it to its declared state (role `mover`): python3, the tools, and {self._root}",
            )
        return MoveFailed.one(
            "MOV401",
            f"the connection to the mover host {self.where} was lost while `{word}` ran",
            detail="\n".join(lines[-3:])[-400:],
            hint="the command ends there within half a minute; look at the host, then repeat",
        )


class _Rest:
    """The error stream, read while something else is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.found = b""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        self.found = stream.read()

    def join(self) -> None:
        self._thread.join(2)


def _talk(stream: IO[bytes], begin: bytes, over: threading.Event) -> None:
    with suppress(OSError, ValueError):
        stream.write(begin)
        stream.flush()
        while not over.wait(_BEAT):
            stream.write(b".")
            stream.flush()
    with suppress(OSError, ValueError):
        stream.close()
