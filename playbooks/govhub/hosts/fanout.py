"""The same question to many hosts at once, each with its own time-out: the adapter of the pyinfra child process."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shlex
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from govhub.core.errors import GovhubError, ToolMissing
from govhub.hosts.reach import Reach

PARALLEL = 20
SECONDS = 30.0
LIMIT = 4 * 2**20
"""Bytes that a host may answer with; what is more is read and dropped there."""
# Beyond the time-outs of the hosts: to start the child, and to come to its end.
_GRACE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One shell command for every host.

    ``script`` goes to the command's standard input. ``max_fail`` is in percent: hosts that were not begun when more
    have failed are left alone. A command that ends with anything but 0 counts as failed.
    """

    command: str
    script: str = ""
    limit: int = LIMIT
    timeout: float = SECONDS
    parallel: int = PARALLEL
    max_fail: int = 100
    clock: bool = False
    """Ask for the host's clock first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of one host: ``answered``, ``unreachable``, ``slow`` or ``not tried``."""

    host: str
    status: str
    why: str = ""
    seconds: float = 0.0
    exit: int | None = None
    output: str = ""
    """Standard output and error in the order in which they came; at most ``limit`` bytes."""
    cut: bool = False
    """There was more."""
    offset: float | None = None
    """Seconds that the host's clock is ahead of ours, give or take ``uncertainty``."""
    uncertainty: float | None = None


def fan_out(hosts: Mapping[str, Reach], errand: Errand) -> Iterator[Answer]:
    """Ask all hosts; yields an answer for each, as they come.

    Raises:
        ToolMissing: pyinfra is not installed.
        GovhubError: the child process failed as a whole.
    """
    waiting = dict(hosts)
    if not waiting:
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        _words(),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdin
        assert child.stdout
        assert child.stderr
        try:
            child.stdin.write(json.dumps(_request(hosts, errand)))
            child.stdin.close()
            for line in child.stdout:
                answer = _answer(json.loads(line), errand.limit)
                waiting.pop(answer.host, None)
                yield answer
            said = child.stderr.read()
            child.wait(_GRACE)
        except BrokenPipeError:
            said = child.stderr.read()
        finally:
            child.kill()
    if waiting:
        raise _broken(said, len(waiting))


def _words() -> list[str]:
    words = [sys.executable, "-m", "govhub.hosts.fanout_worker"]
    # It ends with us: commands must not go on behind the back of the next run.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *words] if setpriv else words


def _request(hosts: Mapping[str, Reach], errand: Errand) -> dict[str, Any]:
    found = [
        {"name": name, "address": at.address, "user": at.user, "key": at.key, "known_hosts": at.known_hosts}
        for name, at in hosts.items()
    ]
    return {
        "hosts": found,
        "line": _line(errand.command, errand.limit),
        "script": errand.script,
        "timeout": errand.timeout,
        "parallel": errand.parallel,
        "max_fail": errand.max_fail,
        "clock": errand.clock,
    }


def _line(command: str, limit: int) -> str:
    """The command, its output bounded where it arises and packed so that any byte survives; its exit code last."""
    inner = f"{{ {command}; }} 2>&1 3>&- 4>&-; echo $? >&4"
    pack = f"{{ head -c {limit + 1}; cat >/dev/null; }} | gzip -c | base64"
    return f'{{ rc=$( {{ {{ {inner}; }} | {pack} >&3; }} 4>&1 ); }} 3>&1; echo "exit $rc"'


def _answer(raw: dict[str, Any], limit: int) -> Answer:
    packed = raw.pop("output", "")
    try:
        data = gzip.decompress(base64.b64decode(packed)) if packed else b""
    except (OSError, EOFError, ValueError, zlib.error):
        return Answer(host=raw["host"], status="unreachable", why="the answer was damaged on its way")
    cut = len(data) > limit
    if cut:
        # Half a line may hold half a secret, which nobody would recognise any more.
        data = data[:limit].rpartition(b"\n")[0]
    return Answer(output=data.decode("utf-8", "replace"), cut=cut, **raw)


def _broken(said: str, left: int) -> GovhubError:
    last = said.strip().splitlines()[-1:] or ["it ended without a word"]
    if "ModuleNotFoundError" in last[0] and ("pyinfra" in last[0] or "gevent" in last[0]):
        return ToolMissing.one(
            "HST030", "pyinfra is not installed", hint="pip install pyinfra, or remove .venv and run ./hub"
        )
    return GovhubError.one(
        "HST031",
        f"{left} hosts were not asked: {' '.join(last[0].split())[:300]}",
        hint="run it again; it is a defect if it stays",
    )


def as_root(command: str) -> str:
    """The command with root's rights, without ever asking for a password."""
    return f"sudo -n {command}"


def quoted(*words: str) -> str:
    """Words as one shell command."""
    return shlex.join(words)
