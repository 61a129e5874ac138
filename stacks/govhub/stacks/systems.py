"""The systems stack: the departments' business systems in their namespaces."""

from __future__ import annotations

from govhub.stacks.context import Context, namespace_of
from govhub.stacks.graph import Component, Stack
from govhub.stacks.workloads import Owner, WorkloadKit


def render_systems(ctx: Context) -> None:
    """Emit every system in each of its environments."""
    production = {env.name for env in ctx.hub.model.hub.environments if env.production}
    for index, system in enumerate(ctx.hub.model.systems):
        if system.tenant not in ctx.lookup.tenants:
            continue
        tenant = ctx.lookup.tenants[system.tenant][1]
        shard = ctx.shard(Stack.SYSTEMS, ctx.cluster_of(tenant), system.tenant)
        for environment in system.environments:
            owner = Owner(
                kind="system",
                name=system.name,
                tenant=system.tenant,
                tier=system.tier,
                namespace=namespace_of(system.tenant, environment),
                production=environment in production,
                shard=shard,
                component=Component("System", system.name),
                source=ctx.hub.at("systems", index),
            )
            kit = WorkloadKit(ctx, owner)
            secrets = [kit.secret(ref) for ref in system.secrets]
            for work in system.workloads:
                kit.workload(work, secrets)
