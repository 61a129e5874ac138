"""Hosts with what stands around them: their clusters' pods, their partners, and the limits that the hub declares."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError
from govhub.core.kube import Kube
from govhub.hosts.nodes import GROUP
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import HostRole
from govhub.inventory.topology import PlacedHost
from govhub.ops.nodes.census import Census, take
from govhub.ops.session import Session
from govhub.ops.upgrading.budgets import Account, Budget, Limits, Load, allowed_of
from govhub.ops.upgrading.requests import Loss


@dataclass(slots=True)
class Estate:
    """What limits an upgrade, as of the last ``refresh``."""

    hub: Hub
    joined: frozenset[str]
    """Hosts that our roles made nodes."""
    kubes: dict[str, Kube] = field(default_factory=dict)
    problems: dict[str, Diagnostic] = field(default_factory=dict)
    """Of clusters that do not say what runs on them."""
    censuses: dict[str, Census] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, names: Collection[str]) -> Estate:
        """Connect to the clusters of some hosts; problems are kept."""
        joined = frozenset(name for name in names if GROUP in session.hosts.declared[name].groups)
        made = cls(session.hub, joined)
        clusters = {made.placed(name).cluster for name in names} - {""}
        for name, connection in (session.connect(tuple(sorted(clusters))) if clusters else {}).items():
            if connection.kube:
                made.kubes[name] = connection.kube
            elif connection.problem:
                made.problems[name] = connection.problem
        return made

    def refresh(self) -> None:
        """Ask each cluster who runs where now; one that does not answer is a problem of its nodes."""
        for name, kube in self.kubes.items():
            self.censuses.pop(name, None)
            self.problems.pop(name, None)
            try:
                self.censuses[name] = take(kube, name)
            except GovhubError as error:
                self.problems[name] = error.diagnostics[0]

    def placed(self, host: str) -> PlacedHost:
        """Where a host stands and what it is for."""
        return self.hub.topology.hosts[host]

    def census_of(self, host: str) -> Census | None:
        """The pods of the cluster whose node a host is; None when it is none, or nobody can say."""
        census = self.censuses.get(self.placed(host).cluster)
        return census if census and (host in census.nodes or host in self.joined) else None

    def kube_of(self, host: str) -> Kube | None:
        """The cluster whose node a host is."""
        return self.kubes[self.placed(host).cluster] if self.census_of(host) else None

    def problem_of(self, host: str) -> Diagnostic | None:
        """Why it is not known who runs on a node; None for hosts of which nobody knows that they are nodes."""
        cluster = self.placed(host).cluster
        known = host in self.joined or cluster in self.kubes
        return self.problems.get(cluster) if known else None

    def load(self, host: str) -> Load:
        """What taking a host takes away.

        Raises:
            GovhubError: its cluster does not say who runs on it.
        """
        if problem := self.problem_of(host):
            raise GovhubError([problem])
        census = self.census_of(host)
        away = {(census.cluster, tenant): count for tenant, count in census.ready(host).items()} if census else {}
        groups = frozenset(self._groups(self.placed(host), is_node=census is not None))
        registry = self.hub.model.baseline.registry
        needs = {registry.host} - {host} if registry and census else set()
        return Load(host=host, away=away, groups=groups, needs=frozenset(needs))

    def limits(self, at_once: int, confirmed: Collection[str] = (), busy: Collection[str] = ()) -> Limits:
        """What no set of hosts in work may exceed.

        Args:
            at_once: Hosts in work at the same time.
            confirmed: Departments whose budget does not bind a host that is their only one in work.
            busy: Nodes that are closed because they are in work, and were ready before.
        """
        budgets: dict[Account, Budget] = {}
        for census in self.censuses.values():
            for tenant, (pods, gone) in census.totals.items():
                allowed = allowed_of(self._share(tenant), pods)
                budgets[census.cluster, tenant] = Budget(pods=pods, allowed=allowed, gone=gone)
        groups = dict(self._pools(frozenset(busy))) | dict(self._backends())
        return Limits(at_once=at_once, budgets=budgets, groups=groups, confirmed=frozenset(confirmed))

    def losses(self, load: Load, limits: Limits) -> list[Loss]:
        """What each department loses, for people."""
        return [
            Loss(tenant=account[1], pods=count, of=found.pods, allowed=found.allowed, gone=found.gone)
            for account, count in sorted(load.away.items())
            for found in (limits.of(account),)
        ]

    def _share(self, tenant: str) -> str:
        own = next((item.max_unavailable for item in self.hub.model.tenants if item.name == tenant), None)
        return own or self.hub.model.baseline.upgrades.max_unavailable

    def _groups(self, host: PlacedHost, *, is_node: bool) -> Iterator[str]:
        model = self.hub.model
        yield from (f"database {item.name}" for item in model.databases if host.name in item.hosts)
        for balancer in model.load_balancers:
            if host.name in balancer.hosts:
                yield f"load balancer {balancer.name}"
            for listener in balancer.listeners:
                if host.name in listener.backends:
                    yield f"backends of {balancer.name}/{listener.name}"
        if host.role is HostRole.CONTROL_PLANE:
            yield f"control plane of {host.cluster or host.rack.partition('/')[0]}"
        if host.role is HostRole.STORAGE:
            # Which copies of what are where is not known here.
            yield f"storage of {host.rack.partition('/')[0]}"
        if is_node:
            yield f"pool {host.cluster}/{host.pool}"
        elif host.cluster and host.cluster not in self.kubes:
            yield f"cluster {host.cluster}, which does not say who runs where"

    def _pools(self, busy: frozenset[str]) -> Iterator[tuple[str, int]]:
        share = self.hub.model.baseline.upgrades.max_unavailable_nodes
        for census in self.censuses.values():
            nodes: dict[str, list[str]] = {}
            for name in census.nodes & self.hub.topology.hosts.keys():
                nodes.setdefault(self.placed(name).pool, []).append(name)
            for pool, names in nodes.items():
                ready = len((census.ready_nodes | busy) & set(names))
                yield f"pool {census.cluster}/{pool}", max(min(allowed_of(share, len(names)), ready - 1), 1)

    def _backends(self) -> Iterator[tuple[str, int]]:
        """One answers always, where there is more than one."""
        for balancer in self.hub.model.load_balancers:
            for listener in balancer.listeners:
                yield f"backends of {balancer.name}/{listener.name}", max(len(set(listener.backends)) - 1, 1)
