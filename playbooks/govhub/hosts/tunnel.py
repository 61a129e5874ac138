"""One SSH connection to a host for a while: commands over it, and one TCP port of the host as a Unix socket here.

The socket lies in a private folder, so no other account of this machine reaches it. OpenSSH ends with this process.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import TargetUnreachable
from govhub.hosts.reach import Reach

OPENING = 20.0
"""Seconds until a host has to answer."""
SECONDS = 120.0
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "ExitOnForwardFailure=yes",
    "StreamLocalBindMask=0177",
    "LogLevel=ERROR",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to."""

    code: int
    output: str
    errors: str


class Tunnel:
    """Opened when it is needed, and again when it was lost."""

    def __init__(self, name: str, reach: Reach, port: int | None = None) -> None:
        """Nothing is contacted yet.

        Args:
            name: The host's name, for messages.
            reach: How it is reached.
            port: A TCP port of the host's loopback to lead here; None for commands alone.
        """
        self.name, self.reach, self.port = name, reach, port
        self._folder: Path | None = None
        self._master: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def open(self) -> Path:
        """The folder with the socket ``.s.PGSQL.PORT``, as clients of PostgreSQL expect it.

        Raises:
            TargetUnreachable: the host does not answer, or lets nobody forward (HST040).
        """
        with self._lock:
            if self._folder is None or self._master is None or self._master.poll() is not None:
                self._close()
                self._begin()
            assert self._folder is not None
            return self._folder

    @property
    def socket(self) -> Path:
        """The host's port on this machine; see :meth:`open`."""
        return self.open() / f".s.PGSQL.{self.port}"

    def run(self, *words: str, text: str = "") -> Said:
        """Run a command on the host; ``text`` goes to its standard input, and is never an argument.

        Raises:
            TargetUnreachable: the host does not answer (HST040).
        """
        folder = self.open()
        command = ["ssh", "-S", str(folder / "master"), *self._words(), self._login, "--", shlex.join(words)]
        try:
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self._unreachable(f"`{words[0]}` did not end within {SECONDS:g} s") from error
        return Said(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a command on the host, with pipes; for as long as it takes, and no longer than the connection.

        Raises:
            TargetUnreachable: the host does not answer (HST040).
        """
        folder = self.open()
        command = ["ssh", "-S", str(folder / "master"), *self._words(), self._login, "--", shlex.join(words)]
        leash = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--"]
        pipe = subprocess.PIPE
        return subprocess.Popen([*leash, *command], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._close()

    def shared(self) -> tuple[str, ...]:
        """Options of OpenSSH with which other commands go over this connection.

        Raises:
            TargetUnreachable: the host does not answer (HST040).
        """
        return ("-S", str(self.open() / "master"), *self._words())

    @property
    def login(self) -> str:
        """Account and address, as OpenSSH takes them."""
        return self._login

    @property
    def _login(self) -> str:
        return f"{self.reach.user}@{self.reach.address}"

    def _words(self) -> list[str]:
        words = [word for option in _OPTIONS for word in ("-o", option)]
        if self.reach.key:
            words += ["-i", self.reach.key, "-o", "IdentitiesOnly=yes"]
        if self.reach.known_hosts:
            words += ["-o", f"UserKnownHostsFile={self.reach.known_hosts}"]
        return words

    def _begin(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="govhub-ssh-"))
        socket = self._folder / f".s.PGSQL.{self.port}"
        lead = ["-L", f"{socket}:127.0.0.1:{self.port}"] if self.port is not None else []
        master = self._folder / "master"
        command = ["ssh", "-M", "-S", str(master), "-N", *self._words(), *lead, self._login]
        # A killed worker must not leave a way into somebody's database behind.
        leash = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "KILL", "--"]
        log = self._folder / "log"
        with log.open("wb") as errors:
            self._master = subprocess.Popen(
                [*leash, *command], stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, start_new_session=True
            )
        until = time.monotonic() + OPENING
        while not (master.exists() and (self.port is None or socket.exists())):
            if self._master.poll() is not None or time.monotonic() > until:
                said = log.read_text(errors="replace").strip()[-400:]
                self._close()
                raise self._unreachable(said)
            time.sleep(0.03)

    def _close(self) -> None:
        if self._master is not None:
            self._master.kill()
            self._master.wait()
            self._master = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _unreachable(self, detail: str) -> TargetUnreachable:
        return TargetUnreachable.one(
            "HST040",
            f"{self.name} ({self._login}) is not reached over SSH",
            detail=detail,
            hint="look at its SSH, its key in known_hosts, and whether its sshd allows TCP forwarding",
        )
