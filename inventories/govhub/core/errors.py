"""Errors that end a command.

::

    GovhubError                 1   the operation failed
    ├── InvalidInput            3   the inventory or the configuration is wrong
    ├── PolicyViolation         4   a mandatory rule, the capacity or a deletion budget says no
    ├── LockHeld                5   somebody else works on this hub
    ├── ToolMissing             6   the engine or a tool is not there, or of the wrong version
    ├── TargetUnreachable       7   a cluster does not answer, or is not the one that was pinned
    ├── UsageError             64   the command line makes no sense
    └── Interrupted           130   Ctrl-C

Each carries its diagnostics; one funnel (``govhub.cli.funnel``) turns them into text and an exit code.
"""

from __future__ import annotations

from typing import Any, Self

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.exits import Exit


class GovhubError(Exception):
    """The operation failed; ``diagnostics`` say how and what to do."""

    exit = Exit.FAILED

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        super().__init__("; ".join(item.summary for item in diagnostics) or type(self).__name__)

    def __reduce__(self) -> tuple[type[Self], tuple[list[Diagnostic]]]:
        """Errors cross processes whole: what is pickled is the diagnostics, not the text made of them."""
        return type(self), (self.diagnostics,)

    @classmethod
    def one(cls, code: str, summary: str, **more: Any) -> Self:
        """The usual case: an error made of a single diagnostic."""
        return cls([Diagnostic(code=code, severity=Severity.ERROR, summary=summary, **more)])


class InvalidInput(GovhubError):
    """The inventory or the configuration is wrong."""

    exit = Exit.INVALID


class PolicyViolation(GovhubError):
    """A mandatory rule, the capacity or a deletion budget says no."""

    exit = Exit.POLICY


class LockHeld(GovhubError):
    """Somebody else works on this hub."""

    exit = Exit.LOCKED


class ToolMissing(GovhubError):
    """The engine or a tool is missing or has the wrong version."""

    exit = Exit.MISSING_TOOL


class TargetUnreachable(GovhubError):
    """A cluster does not answer, or it is not the one that was pinned."""

    exit = Exit.UNREACHABLE


class UsageError(GovhubError):
    """The command line makes no sense."""

    exit = Exit.USAGE


class Interrupted(GovhubError):
    """Ctrl-C: the run stopped at a safe point."""

    exit = Exit.INTERRUPTED
