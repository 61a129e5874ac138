"""From a hub to its desired graph."""

from __future__ import annotations

from govhub.core.diagnostics import Diagnostics
from govhub.inventory.loader import Hub
from govhub.stacks.context import Context, NoSecrets, Secrets
from govhub.stacks.graph import Graph, duplicates
from govhub.stacks.monitoring import render_monitoring
from govhub.stacks.platform import render_platform
from govhub.stacks.services import render_services
from govhub.stacks.systems import render_systems
from govhub.stacks.tenants import render_tenants

RENDERERS = (render_platform, render_tenants, render_services, render_systems, render_monitoring)


def render(hub: Hub, secrets: Secrets | None = None, problems: Diagnostics | None = None) -> Graph:
    """Everything the hub stands for, in the order of the stacks; two objects of one identity become an error."""
    graph = Graph(hub.model.hub.name)
    ctx = Context(hub=hub, secrets=secrets or NoSecrets(), graph=graph)
    for renderer in RENDERERS:
        renderer(ctx)
    for first, second in duplicates(graph):
        (hub.problems if problems is None else problems).error(
            "STK001",
            f"{second.identity} is wanted twice on cluster {second.shard.cluster}",
            detail=f"first by {first.component.kind} {first.component.name}",
            address=second.address,
            source=second.source,
            hint="rename one of the two systems, services or workloads",
        )
    return graph
