"""A wave as it goes: on a terminal a table that is drawn over, elsewhere a line for what happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.cli.views.migration import show_event, state_word
from govhub.cli.views.view import view_of

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType

    from govhub.core.events import Event, Listener
    from govhub.migration.movers.protocol import Progress
    from govhub.ops.migration.following import Row

_STYLES = {"running": "cyan", "done": "green", "waiting": "yellow", "failed": "bold red"}
_ORDER = ("failed", "running", "waiting", "", "done")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_CHROME = 4
"""Lines of the table that are none of a system."""


@contextmanager
def following(terminal: Terminal, hub: str, words: tuple[str, ...], plan: Path | None) -> Iterator[Listener]:
    """A listener for the events of runs; for programs it says nothing, the result says all."""
    if terminal.json:
        yield _silent
    elif terminal.live:
        with _table(terminal, hub, words, plan) as listener:
            yield listener
    else:
        view = view_of(terminal)
        yield lambda event: show_event(view, event)


@contextmanager
def _table(terminal: Terminal, hub: str, words: tuple[str, ...], plan: Path | None) -> Iterator[Listener]:
    from rich.live import Live

    from govhub.ops.migration.following import Following

    with Following(hub, words, plan) as rows:
        room = max(terminal.err.height - _CHROME, 3)
        live = Live(
            get_renderable=lambda: picture(rows.rows(), datetime.now(UTC), room),
            console=terminal.err,
            refresh_per_second=2,
            transient=True,
        )
        with live:
            yield rows


def picture(rows: list[Row], now: datetime, room: int) -> RenderableType:
    """The table of ``rows``; when there are more than ``room``, those come first that somebody may have to look at."""
    from rich.console import Group
    from rich.text import Text

    from govhub.cli.views.text import row, table

    titles = (tr("System"), tr("Phase"), tr("State"), tr("for"), tr("copied"), tr("rate"), tr("left"), tr("lag"))
    out = table(*titles, numbers=(3, 4, 5, 6, 7))
    ranked = sorted(rows, key=lambda item: _ORDER.index(item.state) if item.state in _ORDER else len(_ORDER))
    shown = rows if len(rows) <= room else ranked[:room]
    for item in shown:
        state = state_word(item.state) if item.state else ""
        age = duration((now - item.since).total_seconds()) if item.since and item.state != "done" else ""
        row(
            out,
            item.system,
            item.phase,
            state,
            age,
            *_figures(list(item.moves.values())),
            style=_STYLES.get(item.state, ""),
        )
    counts = [
        f"{state_word(state)} {n}" for state in _ORDER if state and (n := sum(item.state == state for item in rows))
    ]
    if len(shown) < len(rows):
        counts.append(f"… +{len(rows) - len(shown)}")
    return Group(out, Text(", ".join(counts), style="dim"))


def size(value: float) -> str:
    """Bytes in the unit that leaves up to four digits: ``812 MiB``, ``1.4 GiB``."""
    for unit in _UNITS:
        if abs(value) < 1024 or unit == _UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes everything")


def duration(value: float) -> str:
    """Seconds as ``0.3 s``, ``42 s``, ``3:07``, ``2:03:07`` or ``12 d 03 h``."""
    whole = max(int(value), 0)
    if whole < 10:
        # What took half a second did not take nothing.
        return f"{max(value, 0.0):.1f} s"
    if whole < 100:
        return f"{whole} s"
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{left:02d}"
    if minutes < 48 * 60:
        return f"{minutes // 60}:{minutes % 60:02d}:{left:02d}"
    return f"{minutes // 1440} d {minutes % 1440 // 60:02d} h"


def _figures(moves: list[Progress]) -> tuple[str, str, str, str]:
    """Bytes, rate, time left and lag of a system; empty where a part of it is not known."""
    if not moves:
        return "", "", "", ""
    done, total = [item.bytes_done for item in moves], [item.bytes_total for item in moves]
    copied = ""
    if None not in done and None not in total:
        copied = f"{size(sum(item or 0 for item in done))} / {size(sum(item or 0 for item in total))}"
    # What is there has no rate any more that would tell anything.
    open_ends = [item for item in moves if item.bytes_done is None or item.bytes_done != item.bytes_total]
    rates = [item.rate for item in open_ends if item.rate is not None]
    left = [item.eta for item in open_ends]
    lags = [item.lag.seconds for item in moves if item.lag.seconds is not None]
    behind = [item.lag.bytes for item in moves if item.lag.bytes is not None]
    return (
        copied,
        f"{size(sum(rates))}/s" if rates else "",
        duration(max(item or 0 for item in left)) if left and None not in left else "",
        " ".join([*([size(sum(behind))] if behind else []), *([f"{max(lags):.1f} s"] if lags else [])]),
    )


def _silent(event: Event) -> None:
    """What programs hear while it happens."""
