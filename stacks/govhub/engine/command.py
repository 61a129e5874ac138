"""The Pulumi CLI as a child process that cannot outlive us, hang for ever or flood the memory.

The Automation API runs everything through a ``PulumiCommand``; this one starts the engine in a process
group of its own, ends the group at a time-out or on request, and keeps only the tail of its output.
"""

from __future__ import annotations

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
GRACE_SECONDS = 15.0
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
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._process = process
            out, err = _Tail(process.stdout, on_output), _Tail(process.stderr, on_error)
            expired = self._wait(process)
            code = process.wait()
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
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End the engine and everything it started, now."""
        self._signal(signal.SIGKILL)

    def _wait(self, process: subprocess.Popen[str]) -> bool:
        """Wait for the end; True when the time-out ended it: first asked, then killed."""
        deadline = time.monotonic() + self.timeout
        try:
            process.wait(timeout=max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            self.interrupt()
            try:
                process.wait(timeout=GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
            return True
        return False

    def _signal(self, number: signal.Signals) -> None:
        process = self._process
        if process and process.poll() is None:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                return


class _Tail:
    """Reads a stream in a thread, hands each line on, and keeps the last ones."""

    def __init__(self, stream: IO[str] | None, callback: OnOutput | None) -> None:
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._callback = callback
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str] | None) -> None:
        for line in stream or ():
            clean = REDACTOR(line.rstrip())
            self._lines.append(clean)
            if self._callback:
                self._callback(clean)

    def text(self) -> str:
        """What was kept; waits shortly for the stream's end, which a grandchild may hold open."""
        self._thread.join(timeout=5)
        return "\n".join(self._lines)


def _dies_with_parent() -> list[str]:
    """A prefix that has the kernel kill the engine when we are killed, even by -9."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
