"""The tenants stack: each department's namespaces, guarded, with its systems' declared flows."""

from __future__ import annotations

from govhub.inventory.model.root import Environment
from govhub.inventory.model.tenancy import Tenant
from govhub.inventory.sizing import namespace_quota, namespace_storage
from govhub.stacks.context import DOMAIN, Context, namespace_of
from govhub.stacks.graph import Component, Shard, Stack
from govhub.stacks.namespaces import ROLES, NamespaceKit


def render_tenants(ctx: Context) -> None:
    """Emit every tenant of the hub."""
    for index, tenant in enumerate(ctx.hub.model.tenants):
        shard = ctx.shard(Stack.TENANTS, ctx.cluster_of(tenant), tenant.name)
        for environment in ctx.hub.model.hub.environments:
            _namespace(ctx, shard, index, tenant, environment)


def _namespace(ctx: Context, shard: Shard, index: int, tenant: Tenant, environment: Environment) -> None:
    model = ctx.hub.model
    kit = NamespaceKit(
        ctx,
        shard,
        Component("Tenant", tenant.name),
        namespace_of(tenant.name, environment.name),
        tenant=tenant.name,
        source=ctx.hub.at("tenants", index),
        labels={f"{DOMAIN}/environment": environment.name, f"{DOMAIN}/level": tenant.level.value},
    )
    storage = namespace_storage(model, tenant, environment)
    kit.quota(namespace_quota(model, tenant, environment), storage, accelerator_of(ctx, shard.cluster))
    kit.default_deny()
    kit.flows()
    groups = {role: tenant.groups.get(role) or f"{model.hub.name}:{tenant.name}:{role}" for role in ROLES}
    kit.roles(groups, production=environment.production)


def accelerator_of(ctx: Context, cluster: str) -> str:
    """The accelerator resource of a cluster's nodes, or the empty string; a cluster has at most one kind."""
    return next((host.accelerator for host in ctx.hub.topology.nodes(cluster) if host.accelerator), "")
