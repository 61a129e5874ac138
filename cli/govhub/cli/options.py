"""Options that several commands share, each written once."""

from __future__ import annotations

import inspect
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from govhub.ops.hostread import SweepRequest
    from govhub.ops.requests import Selection


class Language(StrEnum):
    """What ``--lang`` takes."""

    EN = "en"
    ZH = "zh"


class Layer(StrEnum):
    """What ``--layer`` takes."""

    HOSTS = "hosts"
    STACKS = "stacks"


HubName = Annotated[str, typer.Argument(metavar="HUB", help="A name under inventories/, or a hub's folder.")]
Stacks = Annotated[
    list[str] | None, typer.Option("--stack", metavar="GLOB", help="Only these stacks. May be repeated.")
]
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", metavar="GLOB", help="Only these departments. May be repeated.")
]
Systems = Annotated[
    list[str] | None, typer.Option("--system", metavar="GLOB", help="Only these systems. May be repeated.")
]
Clusters = Annotated[
    list[str] | None, typer.Option("--cluster", metavar="GLOB", help="Only these clusters. May be repeated.")
]
Layers = Annotated[list[Layer] | None, typer.Option("--layer", help="Only this layer: hosts, or the clusters' stacks.")]
Limit = Annotated[
    list[str] | None,
    typer.Option("--limit", metavar="GLOB", help="Only these hosts. May be repeated."),
]
Junit = Annotated[Path | None, typer.Option(metavar="FILE", help="Write findings as JUnit XML.")]
Sarif = Annotated[Path | None, typer.Option(metavar="FILE", help="Write findings as SARIF 2.1.0, with file and line.")]
Markdown = Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page for a pull request (64,000 bytes).")]
Events = Annotated[Path | None, typer.Option(metavar="FILE", help="Write events as NDJSON, one a line.")]
Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit with 2 when there is something to do.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Go on without asking.")]
Confirm = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Name what may be deleted beyond the budgets: a tenant, system or the hub."),
]
Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="End an engine that runs longer.")]
DrainTimeout = Annotated[float, typer.Option(metavar="SECONDS", min=1, help="For the pods of a node to go.")]
HostTimeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give a host up after that long.")
]
Parallel = Annotated[int, typer.Option(metavar="N", min=1, max=200, help="Hosts at the same time.")]
Saved = Annotated[bool, typer.Option("--saved", help="Take what was read last; contact nobody.")]
MaxFail = Annotated[
    int, typer.Option(metavar="PERCENT", min=0, max=100, help="Begin no more hosts when more than this part failed.")
]
Workers = Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Shards at the same time.")]


def selection(
    stacks: list[str] | None,
    tenants: list[str] | None,
    systems: list[str] | None,
    clusters: list[str] | None,
    layers: list[Layer] | None = None,
    limit: list[str] | None = None,
) -> Selection:
    """The narrowing options as one."""
    from govhub.core.errors import UsageError
    from govhub.ops.requests import Selection

    if layers == [Layer.HOSTS] and (stacks or tenants or systems or clusters):
        hint = "leave out --layer hosts, or the others; --limit narrows hosts"
        raise UsageError.one("USE005", "--stack, --tenant, --system and --cluster narrow objects, not hosts", hint=hint)
    return Selection(
        stacks=tuple(stacks or ()),
        tenants=tuple(tenants or ()),
        systems=tuple(systems or ()),
        clusters=tuple(clusters or ()),
        layers=tuple(layer.value for layer in layers or ()),
        hosts=tuple(limit or ()),
    )


def sweep(hub: str, limit: list[str] | None, saved: bool, timeout: float, parallel: int) -> SweepRequest:
    """The options of the commands that read hosts as one."""
    from govhub.ops.hostread import SweepRequest

    return SweepRequest(hub=hub, limit=tuple(limit or ()), timeout=timeout, parallel=parallel, saved=saved)


def _flag(name: str, annotation: object, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


# The terminal has looked for these already; here they are declared, so that they are checked and shown in --help.
EVERYWHERE = {
    item.name: item
    for item in (
        _flag("json", Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")], False),
        _flag("lang", Annotated[Language | None, typer.Option(help="Language of messages.")], None),
        _flag("verbose", Annotated[bool, typer.Option("--verbose", "-v", help="Cut nothing short.")], False),
        _flag("no_color", Annotated[bool, typer.Option("--no-color", help="No colour (as NO_COLOR).")], False),
    )
}
