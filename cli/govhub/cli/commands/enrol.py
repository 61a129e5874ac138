"""``hosts enrol``."""

from __future__ import annotations

import getpass
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of


class Power(StrEnum):
    """What ``--power`` takes."""

    ON = "on"
    OFF = "off"
    FORCE_OFF = "force-off"
    RESTART = "restart"


Bmcs = Annotated[
    list[str] | None,
    typer.Option("--bmc", metavar="PATTERN", help="Management controllers, as 10.62.13.{11..14}. May be repeated."),
]
Table = Annotated[
    Path | None, typer.Option("--from", metavar="FILE", help="A CSV or xlsx table: bmc, name, rack, address, …")
]
Names = Annotated[str, typer.Option("--name", metavar="PATTERN", help="Their host names, in the same order.")]
Racks = Annotated[str, typer.Option("--rack", metavar="PATTERN", help="Their racks as site/hall/row/rack, or one.")]
Addresses = Annotated[str, typer.Option("--address", metavar="PATTERN", help="Their addresses for SSH.")]
Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="What new hosts are for; workers when not given.")]
Cluster = Annotated[str, typer.Option("--cluster", metavar="NAME", help="The cluster whose nodes new hosts become.")]
Pool = Annotated[str, typer.Option("--pool", metavar="NAME", help="The node pool in it.")]
Units = Annotated[str, typer.Option("--units", metavar="N", help="Height of new hosts in rack units.")]
Watts = Annotated[str, typer.Option("--watts", metavar="N", help="Rated power of new hosts.")]
Kg = Annotated[str, typer.Option("--kg", metavar="N", help="Weight of new hosts.")]
Replace = Annotated[str, typer.Option("--replace", metavar="NAME", help="The machine takes the place of this host's.")]
NetworkBoot = Annotated[bool, typer.Option("--network-boot", help="Let the next start come from the network, once.")]
PowerAction = Annotated[Power | None, typer.Option("--power", help="Then switch the machines.")]
Forget = Annotated[
    bool, typer.Option("--forget-key", help="With --replace: let go of the former machine's SSH host key.")
]
Confirm = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST", help="A host in service that may be interrupted. May be repeated."),
]
User = Annotated[str, typer.Option("--user", metavar="NAME", help="Login of the controllers; GOVHUB_BMC_USER.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Mode 600; else GOVHUB_BMC_PASSWORD, or a question."),
]
Seconds = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Wait this long for an answer.")]
Write = Annotated[bool, typer.Option("--yes", "-y", help="Write the change and do what is asked; else only show it.")]


def register(child: typer.Typer) -> None:
    """Add the command to the group `hosts`."""
    command(child, "enrol")(enrol)


def enrol(
    terminal: Terminal,
    hub: HubName,
    *,
    bmc: Bmcs = None,
    table: Table = None,
    name: Names = "",
    rack: Racks = "",
    address: Addresses = "",
    role: Role = "",
    cluster: Cluster = "",
    pool: Pool = "",
    units: Units = "",
    watts: Watts = "",
    kg: Kg = "",
    replace: Replace = "",
    network_boot: NetworkBoot = False,
    power: PowerAction = None,
    forget_key: Forget = False,
    confirm: Confirm = None,
    user: User = "",
    password_file: PasswordFile = None,
    timeout: Seconds = 20.0,
    yes: Write = False,
) -> int:
    """Look at bare machines over Redfish, and declare them in the hub's files."""
    from govhub.cli.views.machines import show_enrolled
    from govhub.ops.enrol import EnrolRequest
    from govhub.ops.enrol import enrol as run
    from govhub.ops.targets import Target, targets_of

    places = {"name": name, "rack": rack, "address": address, "role": role, "cluster": cluster, "pool": pool}
    common = Target(bmc="", **places, units=units, watts=watts, kg=kg)
    result = run(
        EnrolRequest(
            hub=hub,
            targets=targets_of(bmc or (), common, table),
            replace=replace,
            network_boot=network_boot,
            power=power.value if power else "",
            confirm=tuple(confirm or ()),
            forget_key=forget_key,
            write=yes,
            user=user,
            password_file=password_file,
            ask=_ask if terminal.interactive else None,
            timeout=timeout,
        )
    )
    view_of(terminal).show(
        result.as_dict(), lambda console: show_enrolled(console, result, terminal.program, verbose=terminal.verbose)
    )
    return result.exit


def _ask(user: str) -> str:
    return getpass.getpass(f"{tr('Password of')} {user}: ", stream=sys.stderr)
