"""``events verify``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.errors import InvalidInput
from govhub.core.events import first_broken_link, read_events
from govhub.core.exits import Exit

Log = Annotated[Path, typer.Argument(metavar="FILE", help="events.ndjson of a run folder, or an --events file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    child = group(app, "events", "The records of runs.")
    command(child, "verify")(verify)


def verify(terminal: Terminal, file: Log) -> int:
    """Check that no record of a log was changed, removed or reordered."""
    from govhub.cli.views.text import line

    count, last, broken = _read(file)
    document = {
        "schema": "govhub.events-verify/1",
        "file": str(file),
        "events": count,
        "intact": broken is None,
        "first_broken": broken,
        "last_hash": last,
    }
    # A chain that was cut at its end still holds; whoever kept the last hash elsewhere can tell.
    good = f"{tr('intact')}: {count:,}, {tr('last hash')} {last}"
    text = good if broken is None else f"{tr('the chain is broken at event')} {broken}"
    view_of(terminal).show(document, lambda console: line(console, f"{file}: {text}"))
    return Exit.OK if broken is None else Exit.FAILED


def _read(file: Path) -> tuple[int, str, int | None]:
    """Number of events, hash of the last one, and the first that does not follow from the one before."""
    broken = first_broken_link(file)
    if broken is not None:
        if broken == 0 and not _is_event(file):
            hint = "give events.ndjson of a run folder, or a file written with --events"
            raise InvalidInput.one("EVT001", f"{file} holds no events of govhub", hint=hint)
        return broken, "", broken
    events = list(read_events(file))
    return len(events), str(events[-1]["hash"]) if events else "", None


def _is_event(file: Path) -> bool:
    try:
        first = next(read_events(file), None)
    except ValueError:
        return False
    return isinstance(first, dict) and "seq" in first
