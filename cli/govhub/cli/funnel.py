"""The funnel: whatever ends a command becomes one clear message and an exit code, here and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer

from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.core.errors import GovhubError, Interrupted, ToolMissing, UsageError
from govhub.core.exits import Exit
from govhub.core.secrets import REDACTOR
from govhub.core.settings import Env

_FULL = (errno.ENOSPC, errno.EDQUOT)


class Escaped(Exception):  # named for what it is: an exception on its way past Typer
    """Carries an interrupt or OSError past Typer, which would end the process for these by itself."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(str(cause))


def run(terminal: Terminal, command: Callable[[], Any]) -> int:
    """Run ``command``; its return value is the exit code, and nothing is raised."""
    try:
        code = int(command() or Exit.OK)
        sys.stdout.flush()
    except BaseException as error:  # noqa: BLE001  # the one place for everything
        return _ended(terminal, _unwrapped(error))
    return code


def translate(error: BaseException) -> GovhubError:
    """Any exception as an error of ours."""
    error = _unwrapped(error)
    match error:
        case GovhubError():
            return error
        case KeyboardInterrupt():
            return Interrupted.one("GOV002", tr("interrupted"), hint=tr("nothing is lost; run the command again"))
        case ModuleNotFoundError() if not (error.name or "").startswith("govhub"):
            hint = "install govhub again, or remove .venv and run ./hub"
            return ToolMissing.one("GOV005", f"the Python package {error.name} is missing", hint=hint)
        case OSError():
            return _of_system(error)
        case typer.TyperException():
            return _of_usage(error)
        case _:
            return _defect(error)


def _unwrapped(error: BaseException) -> BaseException:
    return error.cause if isinstance(error, Escaped) else error


def _ended(terminal: Terminal, error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(Exit.FAILED)
    if isinstance(error, BrokenPipeError):
        return _reader_gone()
    found = translate(error)
    if os.environ.get(Env.DEBUG):
        sys.stderr.write(REDACTOR("".join(traceback.format_exception(error))))
    try:
        _show(terminal, found)
    except BrokenPipeError:
        return _reader_gone()
    except OSError:
        # Nowhere left to say anything; the exit code still tells.
        return int(found.exit)
    return int(found.exit)


def _show(terminal: Terminal, error: GovhubError) -> None:
    from govhub.cli.views.view import view_of

    view_of(terminal).failed(error)
    sys.stdout.flush()


def _reader_gone() -> int:
    """``govhub … | head``: nobody reads on. Say nothing, and keep the interpreter from trying again at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    return int(Exit.FAILED)


def _of_system(error: OSError) -> GovhubError:
    where = f": {error.filename}" if error.filename else ""
    if error.errno in _FULL:
        hint = "free some space, or move GOVHUB_HOME and GOVHUB_CACHE to another disk; nothing is lost, run again"
        return GovhubError.one("GOV003", f"the disk is full{where}", hint=hint)
    text = f"{error.strerror or type(error).__name__}{where}"
    return GovhubError.one("GOV004", text, hint=_WAYS_OUT.get(error.errno or 0, ""))


def _of_usage(error: typer.TyperException) -> UsageError:
    context = getattr(error, "ctx", None)
    hint = f"see {context.command_path} --help" if context else ""
    return UsageError.one("USE001", error.format_message(), hint=hint)


def _defect(error: BaseException) -> GovhubError:
    text = " ".join(str(error).split())[:500]
    return GovhubError.one(
        "GOV001",
        f"govhub itself failed: {type(error).__name__}{': ' if text else ''}{text}",
        detail="This is a defect, not your input's fault.",
        hint=f"set {Env.DEBUG}=1 to see where, and report it; nothing is lost, run again",
    )


_WAYS_OUT = {
    errno.EACCES: "check the permissions, or give another path",
    errno.EPERM: "check the permissions, or give another path",
    errno.EROFS: "the file system is read-only; give another path",
    errno.ENOENT: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "check the path",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}
