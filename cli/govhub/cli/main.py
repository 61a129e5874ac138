"""The entry point: build the terminal, then the commands, then run one of them inside the funnel."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from govhub.cli import funnel
from govhub.cli.commands import (
    bench,
    capacity,
    config,
    demo,
    destroy,
    doctor,
    drift,
    events,
    evidence,
    hosts,
    importing,
    init,
    lab,
    migrate,
    plan,
    schema,
    serve,
    state,
    status,
    up,
    validate,
)
from govhub.cli.grammar import CONTEXT, Sections
from govhub.cli.options import Language
from govhub.cli.terminal import Terminal

# Each module has `register(app)`; a new command is a module and a name here.
_COMMANDS = (
    validate,
    plan,
    up,
    drift,
    status,
    destroy,
    init,
    importing,
    schema,
    state,
    events,
    config,
    hosts,
    evidence,
    migrate,
    capacity,
    serve,
    lab,
    doctor,
    demo,
    bench,
)
_EPILOG = (
    "Exit codes: 0 done, 1 failed, 2 changes (with --detailed-exitcode), 3 invalid input, 4 policy, 5 locked, "
    "6 tool missing, 7 target unreachable, 64 usage, 130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code and never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    terminal = Terminal.of(words, os.environ)

    def run() -> object:
        return make_app()(args=words, prog_name=terminal.program, standalone_mode=False, obj=terminal)

    code = funnel.run(terminal, run)
    if arguments is None:
        # All is done and said: a late Ctrl-C must not change the exit code while the interpreter winds down.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def make_app() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        cls=Sections,
        callback=_root,
        epilog=_EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT,
    )
    for module in _COMMANDS:
        module.register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("govhub")
        except PackageNotFoundError:
            found = "0 (not installed)"
        typer.echo(f"govhub {found}")
        raise typer.Exit


def _root(
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    lang: Annotated[Language | None, typer.Option(help="Language of messages.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Cut nothing short.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (as NO_COLOR).")] = False,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Govhub: a city's government cloud as files, planned and provisioned.

    Data goes to stdout, messages to stderr. The common flags may stand before or after the command.
    """
