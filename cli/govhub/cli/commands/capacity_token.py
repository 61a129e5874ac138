"""``capacity token``: let somebody into the capacity page."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


class RoleName(StrEnum):
    """What ``--role`` takes."""

    OPERATOR = "operator"
    DEPARTMENT = "department"
    SCRAPER = "scraper"


TokenFile = Annotated[Path, typer.Argument(metavar="FILE", help="The token file; made when it is not there.")]
Who = Annotated[str, typer.Option(metavar="NAME", help="Whom it is for; shown on the page.")]
RoleOf = Annotated[RoleName, typer.Option(help="Operators see all, departments their rows, scrapers metrics.")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="The department, with --role department.")]
Days = Annotated[int, typer.Option(metavar="N", min=1, max=3650, help="How long it is good.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "token")(token)


def token(
    terminal: Terminal,
    file: TokenFile,
    *,
    name: Who,
    role: RoleOf = RoleName.OPERATOR,
    tenant: Tenant = "",
    days: Days = 365,
) -> int:
    """Make a token for `serve --tokens FILE`. It is shown once; the file keeps a hash."""
    from govhub.core.settings import today
    from govhub.ops.capacity.admission import admit
    from govhub.ops.capacity.places import SCHEMA

    until = today() + timedelta(days=days)
    made = admit(file, name=name, role=role.value, tenant=tenant, until=until)
    document = {
        "schema": SCHEMA,
        "name": name,
        "role": role.value,
        "tenant": tenant or None,
        "until": until.isoformat(),
    }
    view = view_of(terminal)
    view.message(f"{tr('good until')} {until.isoformat()}")
    view.show(document | {"token": made}, lambda console: console.print(made, highlight=False, soft_wrap=True))
    return Exit.OK
