"""Declared flows as NetworkPolicies: both sides of each flow are opened, and nothing else.

A flow is declared once, by the system or service that needs it. What the other side has to allow follows
from it, so nobody declares the same connection twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from govhub.inventory.model.network import Purpose
from govhub.inventory.model.tenancy import Flow, Service, System
from govhub.stacks.context import DOMAIN, Context, manifest, namespace_of, service_namespace
from govhub.stacks.graph import Manifest

ANYWHERE = "0.0.0.0/0"
INTERNAL = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
_PEOPLE = (Purpose.USERS, Purpose.DEPARTMENTS)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a flow in one environment: how others select it, and where its own policy goes, if it is ours."""

    selectors: tuple[Any, ...]
    cluster: str = ""
    namespace: str = ""
    label: str = ""
    owner: str = ""


class Rules:
    """Ingress and egress rules of one namespace, collected by the pods they are for."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, str, str], dict[str, list[Any]]] = defaultdict(lambda: {"from": [], "to": []})

    def add(self, side: Side, workload: str, direction: str, peers: Iterable[Any], ports: list[Any]) -> None:
        """Allow ``peers`` in a direction (``from`` or ``to``); without peers it would mean everybody: not added."""
        rule = {direction: list(peers), "ports": ports}
        rules = self._rules[side.label, side.owner, workload][direction]
        if rule[direction] and rule not in rules:
            rules.append(rule)

    def policies(self, namespace: str) -> Iterator[tuple[str, Manifest]]:
        """A NetworkPolicy for each set of pods, with the system whose pods they are, if they are one's."""
        for (label, owner, workload), sides in sorted(self._rules.items()):
            labels = {f"{DOMAIN}/{label}": owner} if owner else {}
            if workload:
                labels["app.kubernetes.io/component"] = workload
            spec: dict[str, Any] = {"podSelector": {"matchLabels": labels} if labels else {}, "policyTypes": []}
            for direction, title in (("from", "Ingress"), ("to", "Egress")):
                if sides[direction]:
                    spec["policyTypes"].append(title)
                    spec[title.lower()] = sides[direction]
            name = "-".join(filter(None, ("flows", owner or "all", workload)))
            if spec["policyTypes"]:
                policy = manifest("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec=spec)
                yield (owner if label == "system" else ""), policy


def flow_rules(ctx: Context) -> dict[str, Rules]:
    """The rules of every namespace of the hub."""
    collected: dict[str, Rules] = defaultdict(Rules)
    for system in ctx.hub.model.systems:
        if system.tenant not in ctx.lookup.tenants:
            continue
        for environment in system.environments:
            own = _system_side(ctx, system, environment)
            _inside(collected, own, system)
            for flow in system.flows:
                _open(ctx, collected, own, flow, environment)
    for service in ctx.hub.model.services:
        own = _service_side(ctx, service)
        _inside(collected, own, service)
        for flow in service.flows:
            _open(ctx, collected, own, flow, ctx.production.name)
    return collected


def _inside(collected: dict[str, Rules], own: Side, owner: System | Service) -> None:
    """Parts of one system or service talk to each other; no one should have to declare that."""
    ports = [{"port": work.port, "protocol": "TCP"} for work in owner.workloads if work.port]
    selector = [{"podSelector": {"matchLabels": {f"{DOMAIN}/{own.label}": own.owner}}}]
    if ports:
        collected[own.namespace].add(own, "", "from", selector, ports)
        collected[own.namespace].add(own, "", "to", selector, ports)


def _open(ctx: Context, collected: dict[str, Rules], own: Side, flow: Flow, environment: str) -> None:
    """Open both sides of one flow that ``own`` declares."""
    ports = [{"port": flow.port, "protocol": flow.protocol}]
    outward, inward = ("to", "from") if flow.to else ("from", "to")
    for peer in _peer_sides(ctx, flow.peer, environment):
        seen = peer.selectors if _together(own, peer) else _remote(ctx, peer.cluster)
        collected[own.namespace].add(own, flow.workload or "", outward, seen, ports)
        if peer.namespace:
            back = own.selectors if _together(own, peer) else _remote(ctx, own.cluster)
            collected[peer.namespace].add(peer, "", inward, back, ports)


def _together(own: Side, peer: Side) -> bool:
    """Label selectors end at the cluster; an address range is the same everywhere."""
    return not peer.cluster or own.cluster == peer.cluster


def _peer_sides(ctx: Context, peer: str, environment: str) -> list[Side]:
    kind, _, name = peer.partition("/")
    if kind == "system":
        found = ctx.lookup.systems.get(name)
        return [_system_side(ctx, found[1], environment)] if found and environment in found[1].environments else []
    if kind == "service":
        service = ctx.lookup.services.get(name)
        return [_service_side(ctx, service[1])] if service else []
    if kind == "tenant":
        tenant = ctx.lookup.tenants.get(name)
        return [_tenant_side(ctx, name, environment)] if tenant else []
    if kind == "zone":
        return [Side(tuple(_block(cidr) for cidr in _zone_ranges(ctx, name)))]
    if kind == "cidr":
        return [Side((_block(name),))]
    return [Side(({"ipBlock": {"cidr": ANYWHERE, "except": INTERNAL}},))]


def _system_side(ctx: Context, system: System, environment: str) -> Side:
    tenant = _tenant_side(ctx, system.tenant, environment)
    selector = tenant.selectors[0] | {"podSelector": {"matchLabels": {f"{DOMAIN}/system": system.name}}}
    return Side((selector,), tenant.cluster, tenant.namespace, "system", system.name)


def _tenant_side(ctx: Context, tenant: str, environment: str) -> Side:
    namespace = namespace_of(tenant, environment)
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return Side((selector,), ctx.cluster_of(ctx.lookup.tenants[tenant][1]), namespace)


def _service_side(ctx: Context, service: Service) -> Side:
    namespace = service_namespace(service.name)
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    return Side((selector,), ctx.cluster_of(service), namespace, "service", service.name)


def _zone_ranges(ctx: Context, zone: str) -> list[str]:
    """Where people and departments sit in a zone; its pods, nodes and storage are no users."""
    ours = [prefix for prefix in ctx.hub.model.prefixes if prefix.zone == zone]
    people = [prefix for prefix in ours if prefix.purpose in _PEOPLE]
    return [str(prefix.cidr) for prefix in people or [item for item in ours if item.purpose is Purpose.SERVICES]]


def _remote(ctx: Context, cluster: str) -> tuple[Any, ...]:
    """Another cluster, as its neighbours see it: the declared ranges of its nodes and pods."""
    purposes = (Purpose.NODES, Purpose.PODS)
    prefixes = [item for item in ctx.hub.model.prefixes if item.cluster == cluster and item.purpose in purposes]
    return tuple(_block(str(item.cidr)) for item in prefixes)


def _block(cidr: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr}}
