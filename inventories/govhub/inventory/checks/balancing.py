"""Load balancers: on network hosts, each port once, and backends that exist."""

from __future__ import annotations

from govhub.inventory.checks.report import Report
from govhub.inventory.model.balancing import LoadBalancer
from govhub.inventory.model.compute import HostRole
from govhub.inventory.topology import Path

OWN_PORTS = {22: "SSH", 9100: "the node exporter"}


def check(report: Report) -> None:
    """REF001 unknown hosts and zones, LBA001 to LBA003 what load balancers add."""
    carried: dict[str, str] = {}
    for i, balancer in enumerate(report.model.load_balancers):
        where: Path = ("load_balancers", i)
        for j, name in enumerate(balancer.hosts):
            _host(report, (*where, "hosts", j), name, balancer, carried)
        _listeners(report, where, balancer)
        if balancer.address and not any(balancer.address in prefix.cidr for prefix in report.model.prefixes):
            hint = "take a free one of the hosts' own prefix"
            report.error("LBA003", (*where, "address"), f"{balancer.address} is in no prefix of the hub", hint=hint)


def _host(report: Report, path: Path, name: str, balancer: LoadBalancer, carried: dict[str, str]) -> None:
    if not _known(report, path, name):
        return
    role = report.hub.topology.hosts[name].role
    if role is not HostRole.NETWORK:
        hint = "name hosts of `role: network`, or give these that role"
        report.error("LBA001", path, f"{name} is no network host, but {role.value}", hint=hint)
    other = carried.setdefault(name, balancer.name)
    if other != balancer.name:
        hint = "add the listeners there, or take another host"
        report.error("LBA001", path, f'{name} already carries the load balancer "{other}"', hint=hint)


def _listeners(report: Report, where: Path, balancer: LoadBalancer) -> None:
    ports = dict(OWN_PORTS)
    for j, listener in enumerate(balancer.listeners):
        path = (*where, "listeners", j)
        other = ports.setdefault(listener.port, listener.name)
        if other != listener.name:
            report.error("LBA002", (*path, "port"), f"port {listener.port} is that of {other}", hint="take a free one")
        for k, name in enumerate(listener.backends):
            _known(report, (*path, "backends", k), name)
        for k, zone in enumerate(listener.zones):
            if zone not in report.index.zones:
                report.unknown((*path, "zones", k), "zone", zone, report.index.zones)


def _known(report: Report, path: Path, name: str) -> bool:
    topology = report.hub.topology
    if name not in topology.hosts and not topology.findings:
        # Where patterns are broken, names are missing that somebody did declare.
        report.unknown(path, "host", name, topology.hosts)
    return name in topology.hosts
