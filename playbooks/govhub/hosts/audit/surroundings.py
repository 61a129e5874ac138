"""Checks of what surrounds a host: ports, firewall, time, packages, services, certificates."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from govhub.core.sockets import Socket, sockets
from govhub.hosts.audit.model import Subject, Unverified
from govhub.hosts.reading.certificates import certificates as read_certificates
from govhub.hosts.reading.facts import clock as read_clock
from govhub.hosts.reading.facts import failed_services, upgrades

Rules = list[Mapping[str, Any]]
_ALWAYS = {"established, related", "lo", "icmp"}


def no_ports(host: Subject, tcp: list[int], udp: list[int]) -> list[str]:
    """Ports of protocols that send passwords in clear."""
    bad = {"tcp": set(tcp), "udp": set(udp)}
    return [_told(item) for item in _open(host) if item.port in bad[item.protocol]]


def ports(host: Subject, rules: Rules, behind: Mapping[str, list[int]]) -> list[str]:
    """Sockets that others can reach and that no declared rule is for.

    ``behind`` has ports that programs of a role open (TCP) and nobody is let in to; that is checked with the firewall.
    """
    declared = {(rule.get("protocol", "tcp"), port) for rule in rules for port in rule["ports"]}
    declared |= {("tcp", port) for role, opened in behind.items() if role in host.roles for port in opened}
    return [_told(item) for item in _open(host) if (item.protocol, item.port) not in declared]


def firewall(host: Subject, rules: Rules) -> list[str]:
    """What the live table lets in beyond the declared rules, and what it does not."""
    section = host.reading.section("nft")
    if section.exit == 1 or (section.exit == 127 and "nft" in host.reading.sections):
        return ["there is no firewall: the table inet govhub is not loaded"]
    try:
        items = json.loads("\n".join(host.lines("nft")))["nftables"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unverified(f"the firewall's table cannot be understood: {error}") from error
    chains = [item["chain"] for item in items if "chain" in item]
    found = []
    if not any(chain.get("hook") == "input" and chain.get("policy") == "drop" for chain in chains):
        found.append("what no rule is for is let in")
    live = {_live(item["rule"]) for item in items if "rule" in item and _accepts(item["rule"])} - _ALWAYS
    wanted = {_wanted(rule) for rule in rules}
    found += [f"lets in what is not declared: {text}" for text in sorted(live - wanted)]
    return found + [f"does not let in what is declared: {text}" for text in sorted(wanted - live)]


def time_servers(host: Subject, servers: list[str]) -> list[str]:
    """Sources of time beyond those declared, and those that are missing."""
    section = host.reading.section("timesources")
    if section.exit in (1, 127) and "timesources" in host.reading.sections:
        return ["the time service does not answer"]
    rows = [line.split(",") for line in host.lines("timesources")]
    if any(len(row) < 3 for row in rows):
        raise Unverified("the time service's answer cannot be understood")
    live = {row[2] for row in rows}
    found = [f"takes its time from {name}, which is not declared" for name in sorted(live - set(servers))]
    return found + [f"does not ask {name}" for name in sorted(set(servers) - live)]


def clock(host: Subject, zone: str, seconds: float) -> list[str]:
    """A clock in another zone, one that differs from ours, and one that its own source says is off."""
    found = []
    shown = "".join(host.lines("zone")).rpartition("zoneinfo/")[2]
    if shown != zone:
        found.append(f"the time zone is {shown or 'unknown'}, not {zone}")
    facts = read_clock(host.reading)
    here = facts["offset_here"]
    if here is None and facts["offset"] is None:
        raise Unverified("the clock could not be compared with anything")
    if here is not None and abs(here) - (facts["uncertainty"] or 0) > seconds:
        found.append(f"the clock differs from ours by {here:+.1f} s")
    if facts["offset"] is not None and abs(facts["offset"]) > seconds:
        found.append(f"the clock differs from its source by {facts['offset']:+.1f} s")
    return found


def package_sources(host: Subject, url: str) -> list[str]:
    """Sources of packages beside the mirror, and such whose signature apt has not seen or does not ask for."""
    fetched = [line.split() for line in host.lines("sources")]
    places = {line.strip().rstrip("/") for line in (*host.lines("configured"), *(row[0] for row in fetched))}
    if not places:
        return ["no source of packages"]
    found = {f"packages come from {place}" for place in places - {url.rstrip("/")}}
    found |= {f"packages of {row[0]} have no signature that apt knows" for row in fetched if row[-1] != "yes"}
    found |= {f"packages need no signature: {' '.join(line.split())[:80]}" for line in host.lines("insecure")}
    return sorted(found)


def none_of(host: Subject, section: str, what: str) -> list[str]:
    """Things that should not be there."""
    return [f"{what}: {line}" for line in host.lines(section)]


def none_pending(host: Subject) -> list[str]:
    """Upgrades that the mirror has and the host has not."""
    found = upgrades(host.reading)
    if found is None:
        raise Unverified("apt could not say what is newer")
    return [f"{len(found)} upgrades wait: {', '.join(found[:5])}"] if found else []


def units(host: Subject, units: Iterable[str]) -> list[str]:
    """Units that do not run, or would not after a boot."""
    states = _states(host)
    found = []
    for name in units:
        active, enabled = states.get(name, ("", ""))
        if not active:
            raise Unverified(f"systemd does not tell of {name}")
        if active != "active":
            found.append(f"{name} is {active}")
        elif enabled not in ("enabled", "static", "alias", "indirect"):
            found.append(f"{name} is {enabled or 'not enabled'}, so a boot does not start it")
    return found


def services(host: Subject, units: Mapping[str, str]) -> list[str]:
    """Services of the host's roles that do not run, and any that has failed."""
    failed = failed_services(host.reading)
    if failed is None:
        raise Unverified("systemd does not tell which services have failed")
    wrong = _running(host, [unit for role, unit in units.items() if role in host.roles])
    return wrong + [f"{name} has failed" for name in failed]


def certificates(host: Subject, days: int) -> list[str]:
    """Certificates that have expired or will soon."""
    found = read_certificates(host.reading)
    if found is None:
        raise Unverified("certificates could not be read")
    soon = host.now + timedelta(days=days)
    out = []
    for item in found:
        if "problem" in item:
            raise Unverified(f"{item['file']}: {item['problem']}")
        end = datetime.fromisoformat(item["not_after"])
        if end < soon:
            out.append(f"{item['file']} {'expired' if end < host.now else 'expires'} on {end:%Y-%m-%d}")
    return out


_running = units


def _open(host: Subject) -> list[Socket]:
    found = sockets(host.reading)
    if found is None:
        raise Unverified("the listening sockets could not be read")
    return [item for item in found if not item.local]


def _told(item: Socket) -> str:
    return f"{item.process or 'somebody'} listens on {item.port}/{item.protocol} ({item.address})"


def _states(host: Subject) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    block: dict[str, str] = {}
    for line in (*host.lines("units"), ""):
        name, equals, value = line.partition("=")
        if equals:
            block[name] = value
        elif block:
            found[block.get("Id", "")] = (block.get("ActiveState", ""), block.get("UnitFileState", ""))
            block = {}
    return found


def _accepts(rule: Mapping[str, Any]) -> bool:
    """Whether a rule lets something in; a jump does so where it leads, which is not looked at, so it counts too."""
    return any(name in part for part in rule.get("expr", []) for name in ("accept", "jump", "goto", "queue"))


def _wanted(rule: Mapping[str, Any]) -> str:
    networks = sorted(str(ipaddress.ip_network(source)) for source in rule["sources"])
    return f"{rule.get('protocol', 'tcp')} {_numbers(rule['ports'])} from {', '.join(networks)}"


def _live(rule: Mapping[str, Any]) -> str:
    """A live rule in the same words as a declared one; what has no such words is given as it is."""
    parts = dict(_condition(part["match"]) for part in rule["expr"] if "match" in part)
    if len(parts) == 1 and "always" in parts:
        return str(parts["always"])
    if set(parts) != {"from", "to"}:
        return _as_it_is(rule)
    return f"{parts['to']} from {parts['from']}"


def _condition(match: Mapping[str, Any]) -> tuple[str, str]:
    """What a match looks at, and for what: ``from`` networks, ``to`` ports, or one of what every host lets in."""
    left, right = match["left"], match["right"]
    values = right["set"] if isinstance(right, dict) and "set" in right else right
    values = values if isinstance(values, list) else [values]
    payload, meta = left.get("payload", {}), left.get("meta", {}).get("key")
    if left.get("ct", {}).get("key") == "state":
        return "always", ", ".join(sorted(map(str, values)))
    if match["op"] == "==" and meta == "iif":
        return "always", ", ".join(map(str, values))
    if match["op"] == "==" and meta == "l4proto" and set(values) <= {1, 58, "icmp", "ipv6-icmp", "icmpv6"}:
        return "always", "icmp"
    if match["op"] == "==" and payload.get("field") == "saddr":
        return "from", ", ".join(sorted(_network(item) for item in values))
    if match["op"] == "==" and payload.get("field") == "dport" and all(isinstance(item, int) for item in values):
        return "to", f"{payload['protocol']} {_numbers(values)}"
    return json.dumps(match, sort_keys=True), ""


def _as_it_is(rule: Mapping[str, Any]) -> str:
    return json.dumps(rule["expr"], sort_keys=True)[:200]


def _network(item: Any) -> str:
    if isinstance(item, dict) and "prefix" in item:
        return str(ipaddress.ip_network(f"{item['prefix']['addr']}/{item['prefix']['len']}"))
    if isinstance(item, dict) and "range" in item:
        return "-".join(map(str, item["range"]))
    return str(ipaddress.ip_network(item))


def _numbers(values: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(values)))
