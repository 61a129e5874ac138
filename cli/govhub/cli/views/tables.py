"""Rows as CSV on stdout, for commands that have them beside ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

Document = dict[str, Any]
Csv = Annotated[bool, typer.Option("--csv", help="Rows as CSV on stdout.")]


def one_form(terminal: Terminal, *, csv: bool) -> None:
    """Refuse two forms of one output.

    Raises:
        UsageError: ``--json`` was given, too.
    """
    if csv and terminal.json:
        raise UsageError.one("USE009", "--csv and --json are two forms of one output", hint="leave one of them out")


def show_rows(
    terminal: Terminal,
    document: Document,
    human: Callable[[Console], None],
    rows: Callable[[Document], Iterable[str]],
    *,
    csv: bool,
) -> None:
    """Put a result on stdout as its rows, when that is asked for, else as ``View.show`` does.

    Args:
        terminal: Of the command.
        document: The result.
        human: Prints it for people.
        rows: Its lines of CSV, with their ends.
        csv: Whether ``--csv`` was given.
    """
    if not csv:
        view_of(terminal).show(document, human)
        return
    for line in rows(document):
        sys.stdout.write(line)
