"""A real MariaDB for a while: made in a folder of its own, on loopback and a socket, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from govhub.core.errors import GovhubError, ToolMissing
from govhub.lab.scratch import free_port, other_user

# Of this process alone; nothing else is to reach the server.
PASSWORD = secrets.token_urlsafe(18)
START = 60.0
_SETTINGS = (
    "--innodb-flush-log-at-trx-commit=0",
    "--sync-binlog=0",
    "--innodb-buffer-pool-size=128M",
    "--log-bin=binlog",
    "--server-id=1",
    "--max-connections=80",
    "--character-set-server=utf8mb4",
    "--skip-name-resolve",
)


@dataclass
class Server:
    """A running server; everything it owns is under ``folder``."""

    port: int
    folder: Path
    command: tuple[str, ...] = field(repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """Its process, as long as it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it takes connections.

        Raises:
            GovhubError: it does not start.
        """
        log = self.folder / "log"
        # Somebody who looks for the server that was just ended may hold its port for a moment.
        for last in (False, False, True):
            try:
                self._begin(log)
            except GovhubError:
                if last:
                    raise
                time.sleep(1)
            else:
                return

    def _begin(self, log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(self.command, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _wait(self._process, self, log)

    def kill(self) -> None:
        """End it without a word, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=30)
            self._process = None

    @property
    def options(self) -> Path:
        """Its file of options, which it reads at a start; empty unless somebody writes it."""
        return self.folder / "server.cnf"

    @property
    def socket(self) -> Path:
        """Where it answers without TCP."""
        return self.folder / "server.sock"

    def address(self, name: str) -> str:
        """The address of a database, without the password."""
        return f"mariadb://govhub@127.0.0.1:{self.port}/{name}"


def binaries() -> tuple[str, str] | None:
    """The server and the tool that makes its first tables."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    server, install = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    return (server, install) if server and install else None


@contextmanager
def running(*settings: str) -> Iterator[Server]:
    """Start a server; ``settings`` are further options.

    Raises:
        ToolMissing: MariaDB is not installed.
        GovhubError: it does not start.
    """
    tools = binaries()
    if tools is None:
        raise ToolMissing.one("LAB005", "MariaDB is not installed", hint="Debian: apt-get install mariadb-server-core")
    folder = Path(tempfile.mkdtemp(prefix="govhub-mariadb-", dir="/tmp"))
    try:
        user = _as_other_user(folder)
        options = folder / "server.cnf"
        options.touch()
        # Not the kernel's asynchronous reads: their number is limited on the whole machine.
        common = [
            f"--defaults-file={options}",
            f"--datadir={folder / 'data'}",
            "--innodb-use-native-aio=0",
            f"--tmpdir={folder}",
            *user,
        ]
        install = [tools[1], *common, "--skip-test-db", "--auth-root-authentication-method=normal"]
        first = folder / "first.sql"
        first.write_text(
            # It is read at every start, and replicas have accounts of their own.
            "SET SESSION sql_log_bin = 0;\n"
            f"CREATE USER IF NOT EXISTS govhub@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"CREATE USER IF NOT EXISTS govhub@localhost IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO govhub@'127.0.0.1' WITH GRANT OPTION;\n"
            "GRANT ALL ON *.* TO govhub@localhost WITH GRANT OPTION;\n"
            "DROP USER IF EXISTS root@localhost;\n"
        )
        first.chmod(0o644)
        log = folder / "log"
        with log.open("ab") as out:
            _made(install, out, folder)
            port = free_port()
            place = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'server.sock'}"]
            start = (tools[0], *common, *place, f"--init-file={first}", *_SETTINGS, *settings)
        server = Server(port, folder, start)
        try:
            server.start()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_other_user(folder: Path) -> list[str]:
    """MariaDB refuses root: hand the folder to another user, and the option that becomes that user."""
    user = other_user("mysql", folder)
    return [f"--user={user.pw_name}"] if user else []


def _made(command: list[str], out: object, folder: Path) -> None:
    done = subprocess.run(
        command,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=out,
        check=False,
        timeout=120,  # type: ignore[call-overload]
    )
    if done.returncode:
        text = (folder / "log").read_text(errors="replace")[-2000:]
        raise GovhubError.one("LAB004", "MariaDB cannot make its first tables", detail=text)


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    """Until it accepts connections: it opens its socket after the accounts were made."""
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(server.socket))
            return
        time.sleep(0.05)
    raise GovhubError.one("LAB004", "MariaDB does not start", detail=log.read_text(errors="replace")[-2000:])
