"""The services stack: the city's platform services, each in a guarded namespace of its own."""

from __future__ import annotations

from govhub.inventory.sizing import quota_of, storage_quota
from govhub.stacks.context import DOMAIN, Context, service_namespace
from govhub.stacks.graph import Component, Stack
from govhub.stacks.namespaces import ROLES, NamespaceKit
from govhub.stacks.tenants import accelerator_of
from govhub.stacks.workloads import Owner, WorkloadKit


def render_services(ctx: Context) -> None:
    """Emit every platform service of the catalogue."""
    for index, service in enumerate(ctx.hub.model.services):
        shard = ctx.shard(Stack.SERVICES, ctx.cluster_of(service))
        component = Component("Service", service.name)
        source = ctx.hub.at("services", index)
        namespace = service_namespace(service.name)
        labels = {f"{DOMAIN}/service": service.name, f"{DOMAIN}/environment": ctx.production.name}
        kit = NamespaceKit(ctx, shard, component, namespace, source=source, labels=labels)
        amount, storage = quota_of(ctx.hub.model, service), storage_quota(ctx.hub.model, service)
        kit.quota(amount, storage, accelerator_of(ctx, shard.cluster))
        kit.default_deny()
        kit.flows()
        kit.roles({role: f"{ctx.hub.model.hub.name}:svc-{service.name}:{role}" for role in ROLES}, production=True)
        owner = Owner(
            kind="service",
            name=service.name,
            tenant="",
            tier=service.tier,
            namespace=namespace,
            production=True,
            shard=shard,
            component=component,
            source=source,
        )
        workloads = WorkloadKit(ctx, owner)
        secrets = [workloads.secret(ref) for ref in service.secrets]
        for work in service.workloads:
            workloads.workload(work, secrets)
