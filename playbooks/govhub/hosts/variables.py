"""What the roles are told of each host: groups and variables, worked out from the hub alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from govhub.core.settings import today
from govhub.hosts import images, nodes
from govhub.hosts.balancers import balancer_groups, balancer_rules, balancer_variables
from govhub.hosts.databases import database_groups, database_rules, database_variables
from govhub.hosts.movers import mover_groups, mover_variables
from govhub.hosts.moving import forwarded_ports
from govhub.hosts.period import period_of
from govhub.hosts.reach import Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.network import Purpose, ZoneKind
from govhub.inventory.topology import PlacedHost

SSH, NTP, METRICS = 22, 123, 9100


@dataclass(frozen=True, slots=True)
class Declared:
    """One host as playbooks see it: its groups, its variables, and how Ansible logs in."""

    name: str
    groups: tuple[str, ...]
    variables: Mapping[str, Any]
    """What roles read; these decide whether a host has changed."""
    connection: Mapping[str, Any]
    """``ansible_*``: where it is and how to log in; a moved host is still the same host."""


def declared_hosts(hub: Hub, reached: Reaches) -> dict[str, Declared]:
    """Every host that can be reached, by name."""
    placed = [host for name, host in hub.topology.hosts.items() if name in reached.hosts]
    clock = placed[0].name if placed else ""
    return {host.name: _declared(hub, reached, host, clock) for host in placed}


def _declared(hub: Hub, reached: Reaches, host: PlacedHost, clock: str) -> Declared:
    reach = reached.hosts[host.name]
    site, hall, row, _ = host.rack.split("/")
    groups = [
        f"role_{host.role}",
        f"site_{site}",
        f"hall_{site}_{hall}",
        f"row_{site}_{hall}_{row}",
        f"arch_{host.arch}",
    ]
    if host.cluster:
        groups.append(f"cluster_{host.cluster}")
    if host.pool:
        groups.append(f"pool_{host.cluster}_{host.pool}")
    if nodes.joins(reached, host):
        groups.append(nodes.GROUP)
    if images.keeps_images(hub, reached, host):
        groups.append(images.GROUP)
    groups += database_groups(hub, reached, host) + balancer_groups(hub, host) + mover_groups(hub, host)
    connection: dict[str, Any] = {"ansible_host": reach.address, "ansible_user": reach.user}
    if reach.key:
        connection["ansible_ssh_private_key_file"] = reach.key
    if reach.known_hosts:
        connection["ansible_ssh_common_args"] = (
            f"-o UserKnownHostsFile={reach.known_hosts} -o StrictHostKeyChecking=yes -o IdentitiesOnly=yes"
        )
    variables = _facts_of_place(hub, host) | _baseline(hub, reached, host, clock)
    variables |= nodes.node_variables(hub, reached, host) | images.registry_variables(hub, reached, host)
    variables |= database_variables(hub, reached, host) | balancer_variables(hub, reached, host)
    variables |= mover_variables(hub, host)
    # Last: the lab's surroundings stand for the declared ones.
    variables |= dict(reached.variables)
    return Declared(host.name, tuple(sorted(_group(name) for name in groups)), variables, connection)


def _facts_of_place(hub: Hub, host: PlacedHost) -> dict[str, Any]:
    return {
        "govhub_hub": hub.name,
        "govhub_rack": host.rack,
        "govhub_role": host.role.value,
        "govhub_cluster": host.cluster,
        "govhub_pool": host.pool,
    }


def _baseline(hub: Hub, reached: Reaches, host: PlacedHost, clock: str) -> dict[str, Any]:
    base = hub.model.baseline
    out: dict[str, Any] = {
        "base_timezone": base.timezone,
        "base_administrators": [{"name": person.name, "key": person.key} for person in base.administrators],
        "base_former_administrators": list(base.former_administrators),
        "base_journal_days": base.journal_days,
        "ssh_users": sorted({base.login, *(person.name for person in base.administrators)}),
        "ssh_forwards": forwarded_ports(hub, reached, host.name),
        "ssh_forwards_user": base.login,
        "chrony_servers": list(base.time_servers) if host.name == clock else [reached.hosts[clock].address],
        "chrony_clients": _networks(hub, reached, "nodes") if host.name == clock else [],
        "firewall_rules": firewall_rules(hub, reached, host, clock),
        "certificates_hub": hub.name,
        "certificates_name": host.name,
        "certificates_addresses": [reached.hosts[host.name].address],
        "certificates_generation": base.certificates.generation,
        "certificates_period": period_of(today()),
    }
    if base.mirror:
        out |= {"mirror_url": base.mirror.url, "mirror_suite": base.mirror.suite, "mirror_key": base.mirror.key}
    return out


def firewall_rules(hub: Hub, reached: Reaches, host: PlacedHost, clock: str) -> list[dict[str, Any]]:
    """What may reach a host itself; flows between systems are the network policies' matter."""
    management, peers = _networks(hub, reached, "management"), _networks(hub, reached, "nodes")
    rules = [
        {"name": "administration", "protocol": "tcp", "ports": [SSH], "sources": management},
        {"name": "figures", "protocol": "tcp", "ports": [METRICS], "sources": sorted({*management, *peers})},
    ]
    if host.name == clock:
        rules.append({"name": "time", "protocol": "udp", "ports": [NTP], "sources": peers})
    rules += nodes.node_rules(reached, host, peers) + images.registry_rules(hub, reached, host, peers)
    rules += database_rules(hub, reached, host) + balancer_rules(hub, reached, host)
    return [rule for rule in rules if rule["sources"]]


def _networks(hub: Hub, reached: Reaches, purpose: str) -> list[str]:
    """Declared networks, and the lab's: of the management zones, or of nodes."""
    zones = {zone.name for zone in hub.model.zones if zone.kind is ZoneKind.MANAGEMENT}
    wanted = [
        str(prefix.cidr)
        for prefix in hub.model.prefixes
        if (prefix.zone in zones if purpose == "management" else prefix.purpose is Purpose.NODES)
    ]
    return sorted({*wanted, *reached.networks.get(purpose, [])})


def _group(name: str) -> str:
    """Ansible's group names have no hyphens."""
    return name.replace("-", "_")
