"""Rich's console without its habit of ending the process."""

from __future__ import annotations

from rich.console import Console


class CalmConsole(Console):
    """A console whose reader may go away: that is the funnel's to judge, and must not stop a run that goes on."""

    def on_broken_pipe(self) -> None:
        """Raise what happened, where rich would raise SystemExit.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError
