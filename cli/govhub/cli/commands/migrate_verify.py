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
SourceDsn = Annotated[str, typer.Option("--source", metavar="ADDRESS", help=f"Where the data is. {Address}")]
TargetDsn = Annotated[str, typer.Option("--target", metavar="ADDRESS", help="Where it was moved to.")]
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


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "verify")(verify)


def verify(  # noqa: PLR0917  # options are named on the command line
    terminal: Terminal,
    source: SourceDsn,
    target: TargetDsn,
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
) -> int:
    """Prove that moved data is the same: schema, counts, ranges, digests down to the differing rows, every value.

    Exits with 0 when all of it passes, and with 1 when something differs or could not be verified.
    """
    from govhub.cli.views.verifying import show_verification
    from govhub.migration.verify.result import Rung
    from govhub.ops.migration.verify import VerifyRequest
    from govhub.ops.migration.verify import verify as run

    view = view_of(terminal)
    request = VerifyRequest(
        source=source,
        target=target,
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
    document = run(request, view.message if terminal.verbose else lambda _: None)
    view.show(document, lambda console: show_verification(console, document, verbose=terminal.verbose))
    return 0 if document["verdict"] == "pass" else 1
