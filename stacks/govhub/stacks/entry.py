"""The entry point of ``stacks/<stack>/__main__.py``: the same program that `up` runs inline, for stock Pulumi."""

from __future__ import annotations

from pathlib import Path

import pulumi

from govhub.core.diagnostics import Severity
from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.keys import HubKey
from govhub.core.settings import home, inventories, today
from govhub.inventory.checks import check_hub
from govhub.inventory.loader import find_hub, load
from govhub.stacks.components import program
from govhub.stacks.graph import Shard
from govhub.stacks.policies import evaluate
from govhub.stacks.render import render


def main(stack: str) -> None:
    """Register one shard, named by the Pulumi stack ``HUB.CLUSTER.GROUP``; the config ``govhub:hub`` may name a folder.

    Raises:
        pulumi.RunError: with the diagnostics, when the hub is not valid or has no such shard.
    """
    try:
        _run(stack)
    except GovhubError as error:
        lines = [f"{item.code} {item.source or ''} {item.summary}" for item in error.diagnostics]
        raise pulumi.RunError("\n".join(lines)) from error


def _run(stack: str) -> None:
    hub_name, cluster, group = _parts(pulumi.get_stack())
    given = pulumi.Config("govhub").get("hub")
    loaded = load(find_hub(given or hub_name, inventories()))
    if loaded.hub is None or loaded.problems.errors:
        raise InvalidInput(loaded.problems.sorted())
    hub = loaded.hub
    found = [item for item in check_hub(hub, today()) if item.severity is Severity.ERROR]
    key = HubKey(Path(home() / "hubs" / hub.name), hub.folder)
    graph = render(hub, key)
    found += [item for item in evaluate(hub, graph, today()) if item.severity is Severity.ERROR]
    if found:
        raise InvalidInput(found)
    shard = Shard(cluster, stack, group)
    if shard not in graph.shards:
        raise InvalidInput.one("STK003", f"{hub.name} has no shard {shard}", hint="look at: govhub state list HUB")
    program(graph.shards[shard], f"{hub.name}/{cluster}")()


def _parts(name: str) -> tuple[str, str, int]:
    parts = name.split(".")
    if len(parts) != 3 or not parts[2].isdigit():
        raise InvalidInput.one(
            "STK004", f'the stack name "{name}" is not HUB.CLUSTER.GROUP', hint="for example jinzhou.main.0"
        )
    return parts[0], parts[1], int(parts[2])
