"""Processes of the lab that outlive the command that starts them: started, known again, and ended by number."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from govhub.core.errors import GovhubError
from govhub.core.process import process_started

START_SECONDS = 30.0
END_SECONDS = 10.0
_PATHS = "/usr/local/bin:/usr/bin:/usr/sbin:/sbin"


@dataclass(frozen=True, slots=True)
class Process:
    """A process by number and start: numbers alone are used again."""

    name: str
    pid: int
    started: str
    address: str = ""
    """``host:port`` that it answers on; empty for none of TCP."""

    @property
    def alive(self) -> bool:
        """Whether this very process runs; one that ended and was not collected has no command line."""
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        except OSError:
            return False
        return bool(command) and process_started(self.pid) == self.started

    def processor_seconds(self) -> float:
        """Processor time that it has used; 0 when it has ended."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def program(name: str) -> str | None:
    """Where a program of this machine is."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_PATHS}")


def start(name: str, command: Sequence[str], folder: Path, address: str = "") -> Process:
    """Start a process of its own session; what it says goes to ``NAME.log`` in ``folder``."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    found = Process(name, process.pid, process_started(process.pid), address)
    # It is meant to outlive this object, which would warn of that.
    process.returncode = 0
    return found


def await_ready(process: Process, folder: Path, ready: Callable[[], bool]) -> None:
    """Wait until a started process does its work.

    Raises:
        GovhubError: it ended, or took too long; with what it said.
    """
    end = time.monotonic() + START_SECONDS
    while process.alive and time.monotonic() < end:
        if ready():
            return
        time.sleep(0.05)
    raise GovhubError.one(
        "MTR001",
        f"the lab's {process.name} {'is not ready' if process.alive else 'ended'}",
        detail=said(folder, process.name),
        hint=f"look at {folder / process.name}.log; without meters: lab up HUB --no-meters",
    )


def said(folder: Path, name: str) -> str:
    """The last lines of a process's log."""
    with suppress(OSError):
        return "\n".join((folder / f"{name}.log").read_text(errors="replace").splitlines()[-6:])
    return ""


def answers(address: str, path: str) -> bool:
    """Whether a web server at ``host:port`` says that all is well: one listens before it has read its configuration."""
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_datagram_port(host: str) -> int:
    """A UDP port that nobody has at this address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def end(processes: Iterable[Process]) -> None:
    """End processes: asked first, made to after ``END_SECONDS``. Those that are not ours any more are left alone."""
    found = [process for process in processes if process.alive]
    for process in found:
        _signal(process, signal.SIGTERM)
    limit = time.monotonic() + END_SECONDS
    while any(process.alive for process in found) and time.monotonic() < limit:
        time.sleep(0.05)
    for process in found:
        if process.alive:
            _signal(process, signal.SIGKILL)
    for process in found:
        # Only children of this very process can be collected; others are their new parent's business.
        with suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG if process.alive else 0)


def reload(process: Process) -> None:
    """Have a process read its configuration again."""
    if process.alive:
        _signal(process, signal.SIGHUP)


def checked(command: Sequence[str], folder: Path) -> str:
    """What a short command says when it fails; empty when it does not."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except subprocess.TimeoutExpired:
        return "it does not end"
    except OSError as error:
        return str(error)
    return (done.stderr + done.stdout)[-1000:] if done.returncode else ""


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, number)
