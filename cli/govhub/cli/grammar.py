"""How commands are declared: a plain function of a terminal and its arguments, and a list with headings."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from govhub.cli.funnel import Escaped
from govhub.cli.options import EVERYWHERE
from govhub.cli.terminal import Terminal

Run = Callable[..., int]
# Wide enough for one line an option, and the same on every machine that has no terminal.
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
SECTIONS = {
    "Every day": ("validate", "plan", "up", "drift", "status", "destroy"),
    "Hub files": ("init", "import", "schema"),
    "State and records": ("state", "events", "config"),
    "Hosts": ("hosts", "evidence"),
    "Migration": ("migrate",),
    "Capacity": ("capacity", "serve"),
    "Lab and tools": ("lab", "doctor", "demo", "bench"),
}


class Sections(TyperGroup):
    """The list of commands under headings, in the order of use; what no heading names comes last."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list into ``--help``."""
        left = {name: command for name, command in self.commands.items() if not command.hidden}
        width = max(map(len, left), default=0)
        # Commands of a group may be called like others, and belong nowhere else.
        titles = SECTIONS.items() if ctx.parent is None else ()
        for title, names in [*titles, ("Commands", tuple(left))]:
            rows = [(name.ljust(width), left.pop(name).get_short_help_str(100)) for name in names if name in left]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def group(parent: typer.Typer, name: str, text: str) -> typer.Typer:
    """A command with sub-commands."""
    child = typer.Typer(name=name, help=text, cls=Sections, rich_markup_mode=None, context_settings=CONTEXT)
    parent.add_typer(child)
    return child


def command(app: typer.Typer, name: str) -> Callable[[Run], Run]:
    """Register a function as a command: it gets the terminal first, and every command takes the common flags."""

    def register(function: Run) -> Run:
        app.command(name, context_settings=CONTEXT)(_adapted(function))
        return function

    return register


def _adapted(function: Run) -> Run:
    def adapted(ctx: typer.Context, **arguments: Any) -> int:
        for flag in EVERYWHERE:
            arguments.pop(flag)
        try:
            return function(terminal_of(ctx), **arguments)
        except (KeyboardInterrupt, OSError) as error:
            # Typer would end the process for these without a word; the funnel has one.
            raise Escaped(error) from error

    # Typer reads the signature: ours is the function's, with the context for the terminal, and the common flags.
    hints = typing.get_type_hints(function, include_extras=True)
    given = list(inspect.signature(function).parameters.values())[1:]
    parameters = [inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)]
    parameters += [item.replace(annotation=hints[item.name]) for item in given]
    parameters += EVERYWHERE.values()
    adapted.__signature__ = inspect.Signature(parameters, return_annotation=int)  # type: ignore[attr-defined]
    adapted.__annotations__ = {item.name: item.annotation for item in parameters}
    adapted.__doc__, adapted.__name__ = function.__doc__, function.__name__
    return adapted


def terminal_of(ctx: typer.Context) -> Terminal:
    """The terminal that ``main`` made."""
    found = ctx.find_object(Terminal)
    assert found is not None
    return found
