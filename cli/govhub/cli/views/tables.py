"""Rows as CSV on stdout, for commands that have them beside ``--json``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from govhub.cli.terminal import Terminal
from govhub.core.errors import UsageError

Csv = Annotated[bool, typer.Option("--csv", help="Rows as CSV on stdout.")]


def one_form(terminal: Terminal, *, csv: bool) -> None:
    """Refuse two forms of one output.

    Raises:
        UsageError: ``--json`` was given, too.
    """
    if csv and terminal.json:
        raise UsageError.one("USE009", "--csv and --json are two forms of one output", hint="leave one of them out")


def write_rows(lines: Iterable[str]) -> None:
    """Lines of CSV, with their ends."""
    for line in lines:
        sys.stdout.write(line)
