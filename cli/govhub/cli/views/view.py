"""The view: chosen before anything can fail, for people or for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from govhub.cli.terminal import Terminal
from govhub.core.secrets import REDACTOR, scrub

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.core.errors import GovhubError
    from govhub.core.events import Listener

ERROR_SCHEMA = "govhub.error/1"


class View(Protocol):
    """What a command does with its results."""

    def show(self, document: dict[str, Any], human: Callable[[Console], None]) -> None:
        """Put a result on stdout: the document for programs, or what ``human`` prints for people."""

    def message(self, text: str) -> None:
        """Tell how it goes, on stderr."""

    def watch(self) -> AbstractContextManager[Listener]:
        """Follow a run's events, on stderr."""

    def failed(self, error: GovhubError) -> None:
        """Tell how the command ended."""


class HumanView:
    """Text for people."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def show(self, document: dict[str, Any], human: Callable[[Console], None]) -> None:  # noqa: ARG002
        """Print for people."""
        human(self.terminal.out)

    def message(self, text: str) -> None:
        """One line on stderr."""
        from govhub.cli.views.text import line

        line(self.terminal.err, text)

    def watch(self) -> AbstractContextManager[Listener]:
        """Bars on a terminal, else a line for each shard that ends."""
        from govhub.cli.views.progress import watching

        return watching(self.terminal)

    def failed(self, error: GovhubError) -> None:
        """The diagnostics on stderr."""
        from govhub.cli.views.text import diagnostics

        diagnostics(self.terminal.err, error.diagnostics, verbose=self.terminal.verbose)


class JsonView(HumanView):
    """One JSON document on stdout; messages and progress still go to stderr, for whoever looks at the log."""

    def show(self, document: dict[str, Any], human: Callable[[Console], None]) -> None:  # noqa: ARG002
        """Print the document."""
        # Scrubbed string by string, past the console: a secret of digits must not tear numbers and hashes apart.
        clean = scrub(document, REDACTOR)
        sys.stdout.write(json.dumps(clean, ensure_ascii=self._ascii, indent=2, default=str) + "\n")

    def failed(self, error: GovhubError) -> None:
        """The diagnostics as a document, so that a pipeline need not read two forms."""
        found = [item.as_dict() for item in error.diagnostics]
        self.show({"schema": ERROR_SCHEMA, "diagnostics": found, "exit": int(error.exit)}, lambda _: None)

    @property
    def _ascii(self) -> bool:
        return "utf" not in (sys.stdout.encoding or "utf-8").lower()


def view_of(terminal: Terminal) -> View:
    """The view that was asked for."""
    return JsonView(terminal) if terminal.json else HumanView(terminal)
