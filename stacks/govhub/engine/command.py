"""The Pulumi CLI as a child process that cannot outlive us, hang for ever or flood the memory.

The Automation API runs everything through a ``PulumiCommand``; this one starts the engine in a process
group of its own, ends the group at a time-out or on request, and keeps only the tail of its output.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from pulumi.automation import PulumiCommand
from pulumi.automation._cmd import CommandResult  # the type run() must return
from pulumi.automation.errors import CommandError, create_command_error
from semver import VersionInfo

from govhub.core.secrets import REDACTOR

TAIL_LINES = 2000
LINE_CHARACTERS = 64 * 1024
GRACE_SECONDS = 15.0
LINGER_SECONDS = 5.0
OnOutput = Callable[[str], Any]


class EngineTimeoutError(Exception):
    """The engine was ended because it took longer than it may."""


class EngineCommand(PulumiCommand):
    """Runs ``pulumi``; one instance a shard, so that a shard can be interrupted by itself."""

    def __init__(self, binary: Path, version: str, *, timeout: float) -> None:
        """No process is started here: the toolchain has told the version already."""
        self.command = str(binary)
        self.version = VersionInfo.parse(version)
        self.timeout = timeout
        self._process: subprocess.Popen[str] | None = None
        self._asked: signal.Signals | None = None

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        """Run one engine command.

        Raises:
            EngineTimeoutError: it took longer than ``timeout`` seconds and was ended with its children.
            CommandError: it failed.
        """
        command = [*_dies_with_parent(), self.command, "--non-interactive", *args]
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        # Not as a context manager: that would wait for a stream which an abandoned child may hold open for ever.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._process = process
        if self._asked:
            # Asked to stop between two commands, when there was nobody to tell.
            self._signal(self._asked)
        out, err = _Tail(process.stdout, on_output), _Tail(process.stderr, on_error)
        expired = self._wait(process)
        code = process.wait()
        if not (out.ended(LINGER_SECONDS) and err.ended(LINGER_SECONDS)):
            _kill_group(process.pid)
        result = CommandResult(stdout=out.text(), stderr=err.text(), code=code)
        self._process = None
        if expired:
            raise EngineTimeoutError
        if code:
            error: CommandError = create_command_error(result)
            raise error
        return result

    def interrupt(self) -> None:
        """Ask the engine to stop after what it is doing, as Ctrl-C does."""
        self._asked = signal.SIGINT
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End the engine and everything it started, now."""
        self._asked = signal.SIGKILL
        self._signal(signal.SIGKILL)

    def _wait(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the end; True when the time-out ended it: first asked, then killed."""
        deadline = time.monotonic() + self.timeout
        try:
            process.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=GRACE_SECONDS)
            # Its children may have ignored the request, whether or not it ended itself.
            _kill_group(process.pid)
            return True
        return False

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)


class _Tail:
    """Reads a stream in a thread, hands each line on, and keeps the last ones."""

    def __init__(self, stream: IO[str] | None, callback: OnOutput | None) -> None:
        assert stream
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._callback = callback
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        with stream:
            self._lines_of(stream)

    def _lines_of(self, stream: IO[str]) -> None:
        whole = True
        # Read in bounded pieces: the rest of a line without an end is dropped, not kept in memory.
        for line in iter(lambda: stream.readline(LINE_CHARACTERS), ""):
            first, whole = whole, line.endswith("\n")
            if not first:
                continue
            clean = REDACTOR(line.rstrip())
            self._lines.append(clean)
            if self._callback:
                self._callback(clean)

    def ended(self, seconds: float) -> bool:
        """Whether the stream ends within ``seconds``; a child that the engine left behind may hold it open."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def text(self) -> str:
        """What was kept."""
        self.ended(LINGER_SECONDS)
        return "\n".join(self._lines)


def _kill_group(leader: int) -> None:
    """End what is left of a process group; its number is not used again while it has members."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def _dies_with_parent() -> list[str]:
    """A prefix that has the kernel kill the engine when we are killed, even by -9."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
