"""``capacity import`` and ``capacity export``: NetBox, device types and tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from govhub.cli.grammar import command, group
from govhub.cli.i18n import tr
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.cli.views.view import view_of
from govhub.core.exits import Exit

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.ops.capacity.exporting import ExportResult
    from govhub.ops.capacity.importing import ImportResult

Url = Annotated[str, typer.Option("--url", metavar="URL", help="NetBox' address, as https://netbox.example.org.")]
TokenFile = Annotated[
    Path, typer.Option("--token-file", metavar="FILE", help="A file with an API token of NetBox; mode 600.")
]
SiteNames = Annotated[
    list[str] | None, typer.Option("--site", metavar="SLUG", help="A site of NetBox; all of them. May be repeated.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WattsPerUnit = Annotated[
    float | None, typer.Option(metavar="W", min=0, max=5000, help="Assume this draw a unit where a type states none.")
]
KgPerUnit = Annotated[
    float | None, typer.Option(metavar="KG", min=0.1, max=200, help="Assume this weight a unit where a type has none.")
]
Prune = Annotated[
    bool, typer.Option("--prune", help="Delete what carries the hub's tag and stands in no file any more.")
]
Seconds = Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Wait this long for an answer.")]


Library = Annotated[
    list[Path], typer.Argument(metavar="PATH", help="YAML files of the devicetype-library, or folders with them.")
]
Table = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or xlsx table, with titles in its first row.")]
Partial = Annotated[bool, typer.Option("--partial", help="Import the good rows although others have errors.")]


class DeviceKind(StrEnum):
    """What ``--kind`` takes."""

    SWITCH = "switch"
    ROUTER = "router"
    FIREWALL = "firewall"
    STORAGE = "storage"
    OTHER = "other"


class TableKind(StrEnum):
    """What ``--table`` takes."""

    RACKS = "racks"
    HOSTS = "hosts"
    DEVICES = "devices"
    FEEDS = "feeds"
    LINKS = "links"


Kind = Annotated[DeviceKind | None, typer.Option("--kind", help="What they are for; their words and ports tell.")]
Which = Annotated[TableKind | None, typer.Option("--table", help="What it lists; its titles tell when not given.")]


def register(child: typer.Typer) -> None:
    """Add the commands to the group `capacity`."""
    imports = group(child, "import", "Racks, machines, feeds and lines from other systems into the hub's files.")
    command(imports, "netbox")(netbox)
    command(imports, "device-types")(device_types)
    command(imports, "csv")(csv)
    exports = group(child, "export", "What the hub's files say of racks, machines, feeds and lines into other systems.")
    command(exports, "netbox")(export)


def netbox(
    terminal: Terminal,
    hub: HubName,
    *,
    url: Url,
    token_file: TokenFile,
    site: SiteNames = None,
    watts_per_unit: WattsPerUnit = None,
    kg_per_unit: KgPerUnit = None,
    timeout: Seconds = 60.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Bring what NetBox knows into the hub's files: a plan first, then the change as a whole."""
    from govhub.inventory.merging.kinds import Assumptions
    from govhub.ops.capacity.importing import NetBoxRequest, import_netbox

    request = NetBoxRequest(
        hub=hub,
        url=url,
        token_file=token_file,
        sites=tuple(site or ()),
        assume=Assumptions(watts_per_unit=watts_per_unit, kg_per_unit=kg_per_unit),
        dry_run=dry_run,
        agree=lambda result: _agrees(terminal, result, yes=yes),
        timeout=timeout,
    )
    return _shown(terminal, import_netbox(request))


def device_types(
    terminal: Terminal,
    hub: HubName,
    paths: Library,
    *,
    kind: Kind = None,
    watts_per_unit: WattsPerUnit = None,
    kg_per_unit: KgPerUnit = None,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Bring device types of NetBox' devicetype-library into the hub's files: size, draw of one side, weight, ports."""
    from govhub.inventory.merging.kinds import Assumptions
    from govhub.ops.capacity.importing import import_types

    result = import_types(
        hub,
        paths,
        Assumptions(watts_per_unit=watts_per_unit, kg_per_unit=kg_per_unit),
        kind=kind.value if kind else "",
        dry_run=dry_run,
        agree=lambda result: _agrees(terminal, result, yes=yes),
    )
    return _shown(terminal, result)


def csv(
    terminal: Terminal,
    hub: HubName,
    file: Table,
    *,
    table: Which = None,
    dry_run: DryRun = False,
    partial: Partial = False,
) -> int:
    """Import racks, hosts, devices, feeds or links from a CSV or xlsx table: each row added or updated."""
    from govhub.cli.views.documents import show_import
    from govhub.cli.views.machines import show_diff
    from govhub.cli.views.text import line
    from govhub.ops.capacity.importing import SCHEMA, import_csv

    result = import_csv(hub, file, table.value if table else None, dry_run=dry_run, partial=partial)
    document = {"schema": SCHEMA, "hub": hub} | result.as_dict() | {"diff": result.diff}

    def show(console: Console) -> None:
        show_diff(console, result.diff)
        line(console)
        show_import(console, result, hub, terminal.program, verbose=terminal.verbose)

    view_of(terminal).show(document, show)
    return Exit.OK if result.ok else Exit.INVALID


def export(
    terminal: Terminal,
    hub: HubName,
    *,
    url: Url,
    token_file: TokenFile,
    prune: Prune = False,
    timeout: Seconds = 60.0,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> int:
    """Let NetBox have what the hub's files say. Only what carries the hub's tag is changed; the rest is left alone."""
    from govhub.cli.views.capacity_import import show_capacity_export
    from govhub.ops.capacity.exporting import ExportRequest, export_netbox

    request = ExportRequest(
        hub=hub,
        url=url,
        token_file=token_file,
        prune=prune,
        dry_run=dry_run,
        agree=lambda result: _agrees_to_export(terminal, result, yes=yes),
        timeout=timeout,
    )
    result = export_netbox(request)
    view_of(terminal).show(
        result.as_dict(), lambda console: show_capacity_export(console, result, verbose=terminal.verbose)
    )
    return Exit.OK


def _agrees_to_export(terminal: Terminal, result: ExportResult, *, yes: bool) -> bool:
    from govhub.cli.approval import agreed
    from govhub.cli.views.capacity_import import show_plan

    if not yes and terminal.interactive:
        show_plan(terminal.err, result.as_dict(), verbose=terminal.verbose)
    return agreed(terminal, tr("Make these changes?"), yes=yes, look=f"capacity export netbox {result.hub} … --dry-run")


def _shown(terminal: Terminal, result: ImportResult) -> int:
    from govhub.cli.views.capacity_import import show_capacity_import

    view_of(terminal).show(
        result.as_dict(),
        lambda console: show_capacity_import(console, result, terminal.program, verbose=terminal.verbose),
    )
    return result.exit


def _agrees(terminal: Terminal, result: ImportResult, *, yes: bool) -> bool:
    """Shows the plan to whoever is asked.

    Raises:
        UsageError: there is nobody to ask.
    """
    from govhub.cli.approval import agreed
    from govhub.cli.views.capacity_import import show_change

    if not yes and terminal.interactive:
        show_change(terminal.err, result, verbose=terminal.verbose)
    return agreed(terminal, tr("Make these changes?"), yes=yes, look=f"capacity import … {result.hub} --dry-run")
