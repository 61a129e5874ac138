"""``migrate approve``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.commands.migrate_go import PlanFile
from govhub.cli.grammar import command
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit


class PartyName(StrEnum):
    """What ``--party`` takes."""

    DEPARTMENT = "department"
    AUTHORITY = "authority"
    PROVIDER = "provider"


Systems = Annotated[
    list[str], typer.Argument(metavar="SYSTEM|WAVE...", help="Systems whose runs wait for approval, or waves of them.")
]
PartyFlag = Annotated[PartyName, typer.Option("--party", help="For whom you speak.")]
As = Annotated[str, typer.Option("--as", metavar="NAME", help="Your name under migration.approvers.")]
Key = Annotated[Path, typer.Option("--key", metavar="FILE", help="Your SSH key; the public one if an agent holds it.")]
NoGo = Annotated[bool, typer.Option("--no-go", help="Say no; also after having said go.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why not.")]


def register(child: typer.Typer) -> None:
    """Add the command to ``migrate``."""
    command(child, "approve")(approve)


def approve(
    terminal: Terminal,
    hub: HubName,
    systems: Systems,
    *,
    party: PartyFlag,
    name: As,
    key: Key,
    no_go: NoGo = False,
    reason: Reason = "",
    plan: PlanFile = None,
) -> int:
    """Say go or no-go for one party, as a signature over the plan and the evidence so far."""
    from govhub.cli.views.migration import show_approval, show_approvals
    from govhub.inventory.model.migration import Party
    from govhub.ops.migration.approve import Approve, approve_all

    request = Approve(hub=hub, system="", party=Party(party.value), name=name, key=key, go=not no_go, reason=reason)
    document = approve_all(request, systems, plan)
    show = show_approvals if "approvals" in document else show_approval
    view_of(terminal).show(document, lambda console: show(console, document, terminal.program))
    return max((item["exit"] for item in document.get("refused", ())), default=int(Exit.OK))
