"""Mover hosts and what they have to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govhub.cli.i18n import tr

if TYPE_CHECKING:
    from rich.console import Console

_GIB = 1 << 30


def show_movers(console: Console, document: dict[str, Any]) -> None:
    """One row for each; what nobody could ask is unknown, and no zero."""
    from govhub.cli.views.text import line, row, table

    if not document["movers"]:
        line(console, tr("No mover host is declared: dumps are made beside `migrate run`."))
        return
    found = table(tr("Mover"), tr("Running"), tr("Slots"), tr("Moves"), tr("Free"), tr("Systems"), numbers=(1, 2, 3, 4))
    for item in document["movers"]:
        free = item["free_bytes"]
        row(
            found,
            item["mover"],
            _known(item["running"]),
            item["slots"],
            _known(item["moves"]),
            "?" if free is None else f"{free / _GIB:,.1f} GiB",
            ", ".join(item["systems"]) or tr("all"),
        )
    console.print(found)
    for item in document["movers"]:
        if item["problem"]:
            line(console, f"{item['mover']}: {item['problem']}", style="bold red")


def _known(figure: int | None) -> str:
    return "?" if figure is None else f"{figure:,}"
