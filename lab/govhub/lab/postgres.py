"""A real PostgreSQL for a while: made in a folder of its own, on loopback, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import GovhubError, ToolMissing
from govhub.lab.scratch import free_port, other_user

# Of this process alone; nothing else is to reach the server.
PASSWORD = secrets.token_urlsafe(18)
_SETTINGS = "-c fsync=off -c full_page_writes=off -c max_connections=80 -c shared_buffers=32MB"


@dataclass(frozen=True)
class Server:
    """A running server on ``port``; everything it owns is under ``folder``."""

    port: int
    folder: Path
    tools: Path

    def address(self, name: str) -> str:
        """The address of a database, with the password."""
        return f"postgres://govhub:{PASSWORD}@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def database(self, name: str) -> str:
        """Make a new, empty database in place of one that may be there; returns its address."""
        for statement in (f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"'):
            self.query("postgres", statement)
        return self.address(name)

    def start(self) -> None:
        """Start it, with the settings that it was made with."""
        options = (self.folder / "settings").read_text()
        _run([*self._control(), "-l", str(self.folder / "log"), "-o", options, "start"], self.folder)

    def stop(self) -> None:
        """Stop it as a crash would: nothing is put in order, sessions just end."""
        _run([*self._control(), "-m", "immediate", "stop"], self.folder)

    def _control(self) -> list[str]:
        return [*_as_other_user(), str(self.tools / "pg_ctl"), "-D", str(self.folder / "data"), "-w"]

    def query(self, name: str, statement: str, seconds: float = 60) -> str:
        """What ``psql`` prints for one statement (or several, ended within ``seconds``), unadorned."""
        # The password is not for the process list.
        address = self.address(name).replace(f":{PASSWORD}", "")
        command = [str(self.tools / "psql"), "-XtAqc", statement, address]
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": PASSWORD}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=seconds)
        if done.returncode:
            raise GovhubError.one("LAB004", f"PostgreSQL refused: {done.stderr.strip()[:300]}")
        return done.stdout.strip()


def binaries() -> Path | None:
    """The folder with initdb and pg_ctl, which Debian keeps off the PATH."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "pg_ctl").is_file()), None)


@contextmanager
def running(*settings: str) -> Iterator[Server]:
    """Start a server; ``settings`` such as ``wal_level=logical`` come on top of those that make it quick.

    Raises:
        ToolMissing: PostgreSQL is not installed.
        GovhubError: it does not start.
    """
    tools = binaries()
    if tools is None:
        raise ToolMissing.one("LAB005", "PostgreSQL is not installed", hint="Debian: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="govhub-postgres-", dir="/tmp"))
    try:
        prefix = _as_other_user(folder)
        server = Server(free_port(), folder, tools)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = str(folder / "data")
        init = [str(tools / "initdb"), "-D", data, "-U", "govhub", "-A", "scram-sha-256", "--pwfile", str(secret)]
        _run([*prefix, *init, "--no-sync", "-E", "UTF8", "--locale=C"], folder)
        (folder / "settings").write_text(
            f"-p {server.port} -k {folder} -c listen_addresses=127.0.0.1 {_SETTINGS}"
            + "".join(f" -c {item}" for item in settings)
        )
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(GovhubError):
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_other_user(folder: Path | None = None) -> list[str]:
    """PostgreSQL refuses root: hand the folder to another user, and the prefix that becomes that user."""
    user = other_user("postgres", folder)
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def _run(command: list[str], folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C"}
    log = folder / "tool.log"
    # Into a file: a pipe would be held open by the server that pg_ctl starts.
    with log.open("ab") as out:
        done = subprocess.run(
            command, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False, timeout=90
        )
    if done.returncode:
        text = log.read_text(errors="replace")[-2000:]
        raise GovhubError.one("LAB004", "PostgreSQL does not start or stop", detail=text)
