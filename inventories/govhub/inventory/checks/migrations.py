"""Migrations: that what they name exists and fits, and that no two of them are about the same thing."""

from __future__ import annotations

from collections.abc import Collection

from govhub.core.quantities import parse_quantity
from govhub.inventory.checks.report import Report
from govhub.inventory.model.migration import Migration, Move, MoveKind, MoverPlace, SourceLimits
from govhub.inventory.moves import ipv4_of, led_by
from govhub.inventory.topology import Path

LEAST_BANDWIDTH = 1024
"""Bytes a second below which rsync knows no limit."""


def check(report: Report) -> None:
    """REF001 unknown names; MIG001 to MIG006, MIG022 to MIG025 contradictions; MIG020, MIG021 no way in."""
    model = report.model
    _limits(report, ("migration", "limits"), model.migration.limits)
    for i, source in enumerate(model.sources):
        _limits(report, ("sources", i, "limits"), source.limits)
        if source.tenant not in report.index.tenants:
            report.unknown(("sources", i, "tenant"), "tenant", source.tenant, report.index.tenants)
        if source.name in report.hub.topology.hosts:
            hint = "take another name: reports, keys and the lab know servers by it"
            report.error("MIG004", ("sources", i, "name"), f'"{source.name}" is a host of the hub already', hint=hint)
    _approvers(report)
    _movers(report)
    first: dict[str, int] = {}
    for i, migration in enumerate(model.migrations):
        path: Path = ("migrations", i)
        _system(report, (*path, "system"), migration.system)
        if first.setdefault(migration.system, i) != i:
            detail = f"first at {report.hub.at('migrations', first[migration.system])}"
            summary = f'"{migration.system}" is migrated twice'
            report.error("MIG001", path, summary, detail=detail, hint="keep one of the entries, with all moves")
        for j, dependency in enumerate(migration.depends_on):
            where = (*path, "depends_on", j, "system")
            _system(report, where, dependency.system)
            if dependency.system == migration.system:
                report.error("MIG003", where, f'"{migration.system}" depends on itself', hint="remove the entry")
        if migration.not_before and migration.not_after and migration.not_before > migration.not_after:
            hint = "exchange the two dates, or remove one"
            report.error("MIG005", (*path, "not_after"), "it may not begin before it has to be done", hint=hint)
        for j, move in enumerate(migration.moves):
            _move(report, (*path, "moves", j), migration, move)
            _settings(report, (*path, "moves", j), migration, move)


def _approvers(report: Report) -> None:
    owners: dict[str, str] = {}
    for i, approver in enumerate(report.model.migration.approvers):
        path: Path = ("migration", "approvers", i)
        if approver.tenant is not None and approver.tenant not in report.index.tenants:
            report.unknown((*path, "tenant"), "tenant", approver.tenant, report.index.tenants)
        # The comment at the end of a key is nobody's identity.
        key = " ".join(approver.key.split()[:2])
        if owners.setdefault(key, approver.name) != approver.name:
            hint = "give each person a key of their own: three parties are three people"
            report.error("MIG006", (*path, "key"), f"this is the key of {owners[key]} too", hint=hint)


def _limits(report: Report, path: Path, limits: SourceLimits) -> None:
    if limits.bandwidth is not None and parse_quantity(limits.bandwidth) < LEAST_BANDWIDTH:
        hint = "it is in bytes a second, with a unit: 20Mi"
        report.error("MIG024", (*path, "bandwidth"), f"{limits.bandwidth} bytes a second copy nothing", hint=hint)


def _movers(report: Report) -> None:
    topology, seen = report.hub.topology, set[str]()
    for i, mover in enumerate(report.model.migration.movers):
        path: Path = ("migration", "movers", i)
        host = topology.hosts.get(mover.host or "")
        if mover.host is None:
            _of_cluster(report, path, mover)
        elif host is None and not topology.findings:
            report.unknown((*path, "host"), "host", mover.host, topology.hosts)
        elif host is not None and not host.address and not host.lab:
            hint = "give the host an address; `up` then gives it the tools"
            report.error("MIG022", (*path, "host"), f'"{mover.host}" cannot be reached', hint=hint)
        if mover.name in seen:
            hint = "keep one entry, with the slots and systems of both"
            key = "host" if mover.host else "cluster"
            report.error("MIG023", (*path, key), f'"{mover.name}" is a mover twice', hint=hint)
        seen.add(mover.name)
        for j, name in enumerate(mover.systems):
            _system(report, (*path, "systems", j), name)


def _of_cluster(report: Report, path: Path, mover: MoverPlace) -> None:
    clusters = {item.name: item for item in report.model.clusters}
    if mover.cluster not in clusters:
        report.unknown((*path, "cluster"), "cluster", str(mover.cluster), clusters)
        return
    pools = {item.name for item in clusters[mover.cluster].pools}
    if mover.pool is not None and mover.pool not in pools:
        report.unknown((*path, "pool"), f"pool of {mover.cluster}", mover.pool, pools)
    image = mover.image or ""
    if not image.startswith(tuple(report.model.hub.registries)) or ":" not in image.rpartition("/")[2]:
        hint = f"one of {', '.join(report.model.hub.registries)}, with a tag; the cluster refuses others"
        report.error("MIG025", (*path, "image"), f"{image} is no image of the hub's registries", hint=hint)


def _system(report: Report, path: Path, name: str) -> None:
    if name not in report.index.systems:
        report.unknown(path, "system", name, report.index.systems)


def _move(report: Report, path: Path, migration: Migration, move: Move) -> None:
    sources = {source.name for source in report.model.sources}
    if move.source not in sources:
        report.unknown((*path, "source"), "source", move.source, sources)
    if move.to is None:
        return
    kind, known = _targets(report, migration, move)
    if move.to not in known:
        report.unknown((*path, "to"), kind, move.to, known)
    engines = {item.name: item.engine.value for item in report.model.databases}
    if move.kind.is_database and move.to in engines and engines[move.to] != move.kind.value:
        hint = f"name a server of {move.kind.value}: another engine is a replatforming, done with the system's maker"
        report.error("MIG002", (*path, "to"), f'"{move.to}" is a {engines[move.to]} server', hint=hint)


def _settings(report: Report, path: Path, migration: Migration, move: Move) -> None:
    if move.settings and led_by(migration, move) is None:
        names = ", ".join(item.name for item in migration.moves if item.kind.is_database) or "none moves"
        report.error(
            "MIG020",
            (*path, "settings"),
            f'it is not clear which database of "{migration.system}" the settings of "{move.name}" name',
            detail=f"databases: {names}",
            hint="name its move as `move`",
        )
    source = next((item for item in report.model.sources if item.name == move.source), None)
    known = {item.name for item in report.model.databases}
    if move.kind.is_database and move.to in known and source and source.address and not ipv4_of(source.address):
        report.warning(
            "MIG021",
            (*path, "source"),
            f'"{move.to}" cannot be opened to {source.name}: its address is a name',
            hint="give its IPv4 address; firewalls and pg_hba.conf of our hosts do not follow names",
        )


def _targets(report: Report, migration: Migration, move: Move) -> tuple[str, Collection[str]]:
    if move.kind.is_database:
        return "database server", {item.name for item in report.model.databases}
    if move.kind is MoveKind.FILES:
        return "host", report.hub.topology.hosts
    system = report.index.systems.get(migration.system)
    return f"workload of {migration.system}", {item.name for item in system.workloads} if system else ()
