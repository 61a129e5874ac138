"""Side files: JUnit, SARIF, Markdown and events beside the result, written also when the command fails."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from govhub.cli.funnel import translate
from govhub.core.diagnostics import Diagnostic
from govhub.core.events import Event, EventLog
from govhub.core.files import write_atomic

if TYPE_CHECKING:
    from govhub.core.errors import GovhubError
    from govhub.ops.requests import PlanResult, RunResult, ValidateResult

PUBLIC_FILE = 0o644
Found = Mapping[str, list[Diagnostic]]


@dataclass(slots=True, kw_only=True)
class SideFiles:
    """A context manager around a use case; what ends it early goes into the files too."""

    command: str
    hubs: tuple[str, ...]
    junit: Path | None = None
    sarif: Path | None = None
    markdown: Path | None = None
    events: Path | None = None
    program: str = "govhub"
    _log: EventLog | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        if self.events:
            from govhub.cli.views.event_file import open_log

            self._log = open_log(self.events, self.command, self.hubs)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # Writing these must not hide what went wrong before.
            with contextlib.suppress(OSError):
                self._failed(translate(error))
        if self._log:
            self._log.close()

    def listen(self, event: Event) -> None:
        """Copy a run's event; a full disk is noticed when the log is closed, and does not stop the run."""
        if self._log:
            with contextlib.suppress(OSError, ValueError):
                self._log.emit(event.kind, **{key: value for key, value in event.data.items() if key != "kind"})

    def validated(self, result: ValidateResult) -> None:
        """Write the files of ``validate``."""
        from govhub.cli.views import event_file, markdown

        self._findings(result.hubs, result.seconds)
        self._page(lambda: markdown.validate_page(result))
        if self._log:
            event_file.validated(self._log, result)

    def planned(self, result: PlanResult) -> None:
        """Write the files of ``plan``."""
        from govhub.cli.views import event_file, markdown

        self._findings({result.plan.hub: list(result.plan.findings)}, {})
        self._page(lambda: markdown.plan_page(result.plan, self.program))
        if self._log:
            event_file.planned(self._log, result.plan)

    def ran(self, result: RunResult) -> None:
        """Write the files of ``up`` and ``destroy``; their events were written as they came."""
        from govhub.cli.views import markdown

        self._page(lambda: markdown.run_page(self.command, result))

    def _failed(self, error: GovhubError) -> None:
        from govhub.cli.views import event_file, markdown

        hub = self.hubs[0] if len(self.hubs) == 1 else "govhub"
        self._findings({hub: error.diagnostics}, {})
        self._page(lambda: markdown.failure_page(self.command, self.hubs, error))
        if self._log:
            event_file.failed(self._log, error)

    def _findings(self, found: Found, seconds: Mapping[str, float]) -> None:
        if self.junit:
            from govhub.cli.views import junit

            write_side_file(self.junit, junit.document(self.command, found, seconds))
        if self.sarif:
            from govhub.cli.views import sarif

            write_side_file(self.sarif, sarif.document(found, self.hubs))

    def _page(self, make: Callable[[], str]) -> None:
        if self.markdown:
            write_side_file(self.markdown, make())


def write_side_file(path: Path, text: str) -> None:
    """Replace ``path`` in one step; what is no ordinary file (``/dev/stdout``, a pipe) is written to directly."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
    else:
        write_atomic(path, text, mode=PUBLIC_FILE)
