"""``migrate verify``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of


class Depth(StrEnum):
    """What ``--depth`` takes."""

    SCHEMA = "schema"
    COUNTS = "counts"
    RANGES = "ranges"
    HASHES = "hashes"
    FULL = "full"


Address = "A database as postgresql:// or mariadb://USER@HOST:PORT/DATABASE, or listing:FILE of a file tree."
Hub = Annotated[str | None, typer.Argument(metavar="[HUB]", help="A name under inventories/, or a hub's folder.")]
System = Annotated[str | None, typer.Argument(metavar="[SYSTEM]", help="The system whose moves are verified.")]
SourceDsn = Annotated[
    str | None, typer.Option("--source", metavar="ADDRESS", help=f"Instead of a system: where the data is. {Address}")
]
TargetDsn = Annotated[str | None, typer.Option("--target", metavar="ADDRESS", help="Where it was moved to.")]
SourceFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Password of the source; else GOVHUB_SOURCE_PASSWORD.")
]
TargetFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Password of the target; else GOVHUB_TARGET_PASSWORD.")
]
HowDeep = Annotated[Depth, typer.Option("--depth", help="The highest rung of the ladder.")]
Budget = Annotated[float | None, typer.Option(metavar="SECONDS", min=1, help="End after that time.")]
Tables = Annotated[
    list[str] | None, typer.Option("--table", metavar="GLOB", help="Only these tables. May be repeated.")
]
Rows = Annotated[int, typer.Option("--rows", metavar="N", min=1, max=100_000, help="Differing rows to name, by table.")]
Values = Annotated[bool, typer.Option("--show-values", help="Show the values that differ; they may be personal.")]
OnSource = Annotated[
    int, typer.Option("--source-statements", metavar="N", min=1, max=64, help="At the same time on the source.")
]
OnTarget = Annotated[
    int, typer.Option("--target-statements", metavar="N", min=1, max=64, help="At the same time on the target.")
]
Active = Annotated[
    int | None,
    typer.Option("--source-active", metavar="N", min=0, help="Pause while more sessions of others work there."),
]
Portable = Annotated[bool, typer.Option("--portable", help="Digest with MD5 between two PostgreSQL servers too.")]
Times = Annotated[bool, typer.Option("--times", help="File trees: compare times of modification too.")]
NoRecord = Annotated[
    bool, typer.Option("--no-record", help="Enter nothing: evidence of an open run voids approvals given before.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(verify)


def verify(  # options are named on the command line
    terminal: Terminal,
    hub: Hub = None,
    system: System = None,
    *,
    source: SourceDsn = None,
    target: TargetDsn = None,
    source_password_file: SourceFile = None,
    target_password_file: TargetFile = None,
    depth: HowDeep = Depth.HASHES,
    budget: Budget = None,
    table: Tables = None,
    rows: Rows = 100,
    values: Values = False,
    on_source: OnSource = 2,
    on_target: OnTarget = 2,
    active: Active = None,
    portable: Portable = False,
    times: Times = False,
    no_record: NoRecord = False,
) -> int:
    """Prove that moved data is the same, down to the rows that differ.

    Takes a hub's system, whose ends are known from its files, or two addresses. Exits with 0 when all of it passes,
    and with 1 when something differs or could not be verified.
    """
    from govhub.cli.views.verifying import show_moves, show_verification
    from govhub.migration.verify.result import Rung
    from govhub.ops.migration.verify import VerifyRequest
    from govhub.ops.migration.verify import verify as run

    _require_one_way(hub, system, source, target)
    view = view_of(terminal)
    request = VerifyRequest(
        source=source or "",
        target=target or "",
        source_password_file=source_password_file,
        target_password_file=target_password_file,
        depth=Rung(depth.value),
        budget=budget,
        tables=tuple(table or ()),
        named=rows,
        values=values,
        source_statements=on_source,
        target_statements=on_target,
        source_active=active,
        portable=portable,
        times=times,
    )
    tell = view.message if terminal.verbose else lambda _: None
    if hub is not None and system is not None:
        from govhub.ops.migration.verify_moves import verify_system

        found = verify_system(hub, system, request, tell, enter=not no_record)
        view.show(found, lambda console: show_moves(console, found, verbose=terminal.verbose))
        return 0 if found["verdict"] == "pass" else 1
    document = run(request, tell)
    view.show(document, lambda console: show_verification(console, document, verbose=terminal.verbose))
    return 0 if document["verdict"] == "pass" else 1


def _require_one_way(hub: str | None, system: str | None, source: str | None, target: str | None) -> None:
    """A system of a hub, or two addresses."""
    from govhub.core.errors import UsageError

    addresses = source is not None and target is not None and hub is None
    if not addresses and (hub is None or system is None or source is not None or target is not None):
        hint = "give HUB and SYSTEM, or --source and --target"
        raise UsageError.one("VER007", "it is not clear what is to be verified", hint=hint)
