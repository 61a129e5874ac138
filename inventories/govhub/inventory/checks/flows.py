"""Declared connections: peers that exist, ports that are served, open doors that somebody answers for."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_network

from govhub.inventory.checks.exceptions import granted
from govhub.inventory.checks.report import Report
from govhub.inventory.index import Owner
from govhub.inventory.model.tenancy import ExceptionKind, Flow, System
from govhub.inventory.topology import Path

# 0.0.0.0/1 and 128.0.0.0/1 together are the internet too; 10.0.0.0/8 is the widest range of a city's own.
WIDEST = {4: 8, 6: 16}


def check(report: Report) -> None:
    """REF001 unknown peers, REF006 and REF008 ports nobody serves, NET003 no network, NET004 open flows."""
    ports = {f"{where[0]}/{owner.name}": _ports(owner) for where, owner in report.index.owners()}
    for where, owner in report.index.owners():
        for position, flow in enumerate(owner.flows):
            path: Path = (*where, "flows", position)
            if is_open(flow.peer):
                _open_flow(report, path, owner, flow)
            _peer(report, path, flow)
            _served(report, path, owner, flow, ports)


def is_open(peer: str) -> bool:
    """Whether ``peer`` is the open internet, by name or by a range wider than a city's own."""
    if peer == "internet":
        return True
    if not peer.startswith("cidr/"):
        return False
    try:
        network = ip_network(peer.removeprefix("cidr/"), strict=False)
    except ValueError:
        return False
    return network.prefixlen < WIDEST[network.version]


def _ports(owner: Owner) -> set[int]:
    return {workload.port for workload in owner.workloads if workload.port}


def _side(flow: Flow) -> str:
    return "to" if flow.to else "from"


def _peer(report: Report, path: Path, flow: Flow) -> None:
    kind, _, name = flow.peer.partition("/")
    index = report.index
    known: dict[str, Collection[str]] = {
        "service": index.services,
        "system": index.systems,
        "tenant": index.tenants,
        "zone": index.zones,
    }
    if kind == "cidr":
        _network(report, (*path, _side(flow)), name)
    elif kind in known and name not in known[kind]:
        report.unknown((*path, _side(flow)), kind, name, known[kind])


def _network(report: Report, path: Path, text: str) -> None:
    try:
        ip_network(text)
    except ValueError as error:
        hint = "write an address and a length, such as cidr/10.20.0.0/16"
        if "host bits" in str(error):
            hint = f"write cidr/{ip_network(text, strict=False)}"
        report.error("NET003", path, f'"{text}" is not a network: {error}', hint=hint)


def _served(report: Report, path: Path, owner: Owner, flow: Flow, ports: dict[str, set[int]]) -> None:
    if flow.to:
        kind, _, name = flow.to.partition("/")
        served = ports.get(f"{kind}s/{name}")
        if served is not None and flow.port not in served:
            summary = f'the {kind} "{name}" does not serve port {flow.port}'
            report.error("REF006", (*path, "port"), summary, hint=_listing(served))
        return
    own = {part.port for part in owner.workloads if part.port and flow.workload in (None, part.name)}
    if flow.port not in own:
        who = f'the workload "{flow.workload}"' if flow.workload else f'no workload of "{owner.name}"'
        summary = f"port {flow.port} is opened, but {who} {'does not serve' if flow.workload else 'serves'} it"
        report.warning("REF008", (*path, "port"), summary, hint=_listing(own))


def _listing(ports: set[int]) -> str:
    """A hint that names the ports there are."""
    served = ", ".join(str(port) for port in sorted(ports))
    return f"served: {served}" if served else "none is served: add `port` to the workload that serves it"


def _open_flow(report: Report, path: Path, owner: Owner, flow: Flow) -> None:
    targets = [f"service/{owner.name}"]
    if isinstance(owner, System):
        targets = [f"system/{owner.name}", f"tenant/{owner.tenant}"]
    if not granted(report, ExceptionKind.OPEN_FLOW, targets):
        report.error(
            "NET004",
            (*path, _side(flow)),
            f'"{owner.name}" has a flow {_side(flow)} {flow.peer}, which needs an exception that holds today',
            hint=f"add an exception of kind open-flow with `target: {targets[0]}`, or name a narrower peer",
        )
