"""Runs a command whose whole family of processes ends with it, and with whoever started it.

``python leash.py PARENT COMMAND…``, where ``PARENT`` is the process that starts it. A killed controller must not leave
a play behind that goes on changing hosts; Ansible's workers and Mitogen's brokers have sessions of their own, so
killing a process group does not reach them.

Two processes: the outer one stands for the command and dies with its parent. The inner one adopts every orphan
below it (``PR_SET_CHILD_SUBREAPER``), so that nothing can leave the family, and ends all of them when the command
has ended or the outer one is gone, however that came about. It imports nothing of govhub: it starts with each play.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def main(parent: int, command: list[str]) -> int:
    """Run it; returns its exit code, 128 and the signal's number when it was killed."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        # It was gone before it could be asked to tell of its end; nothing may begin.
        return 128 + signal.SIGKILL
    outer = os.getpid()
    inner = os.fork()
    if inner:
        return _exit_code(os.waitpid(inner, 0)[1])
    os.setsid()
    signal.signal(signal.SIGTERM, _end_all)
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != outer:
        os._exit(128 + signal.SIGTERM)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606  # the words are a command line of ours, not text
    status = 0
    pid = 0
    while pid != child:
        pid, status = os.wait()
    _kill_family()
    os._exit(_exit_code(status))


def _end_all(_number: int, _frame: FrameType | None) -> None:
    _kill_family()
    os._exit(128 + signal.SIGTERM)


def _kill_family() -> None:
    """Until none is left: a process may fork between being seen and being killed."""
    while family := _descendants(os.getpid()):
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                found += [child, *_descendants(child)]
    return found


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
