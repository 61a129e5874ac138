"""``bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.bench.results import Result

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Which benchmarks; all when none is given.")
]
Runs = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=50, help="Pairs to measure, instead of each one's own.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "bench")(bench)


def bench(terminal: Terminal, names: Names = None, runs: Runs = None) -> int:
    """Measure against the stock tools, in the same run, as ratios."""
    from govhub.bench.suite import run, select

    view = view_of(terminal)
    results = []
    for benchmark in select(names or ()):
        view.message(f"{benchmark.name}: {benchmark.about}")
        for result in run([benchmark], runs):
            results.append(result)
            view.message(f"  {_line(result)}")
    document: dict[str, Any] = {"schema": "govhub.bench/1", "results": [item.as_dict() for item in results]}
    view.show(document, lambda console: _show(console, results))
    return 0


def _show(console: Console, results: list[Result]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("benchmark", "ours", "(min–max)", "stock", "(min–max)", "ratio", "asked", "met"):
        table.add_column(name, justify="left" if name in ("benchmark", "met") else "right")
    for item in results:
        found = item.as_dict()
        table.add_row(
            item.name,
            f"{found['ours']:.2f} {item.unit}",
            _spread(found["runs"]["ours"]),
            ("≥ " if item.stock_stopped else "") + f"{found['stock']:.2f} {item.unit}" if item.stock else "",
            _spread(found["runs"]["stock"]),
            ("≤ " if item.stock_stopped else "") + f"{found['ratio']:.3f}" if item.ratio is not None else "",
            f"≤ {item.limit:g}" if item.limit is not None else "",
            {True: "yes", False: "NO", None: ""}[item.met],
        )
    console.print(table)


def _line(item: Result) -> str:
    found = item.as_dict()
    stock = f", stock {found['stock']:.2f}, ratio {found['ratio']:.3f}" if item.stock else ""
    return f"{item.name}: {found['ours']:.2f} {item.unit}{stock}"


def _spread(side: dict[str, Any] | None) -> str:
    return f"{side['minimum']:.2f}–{side['maximum']:.2f}" if side else ""
