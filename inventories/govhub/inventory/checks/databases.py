"""Database servers: on hosts that are for them, apart from each other, with names that the server leaves free."""

from __future__ import annotations

from govhub.inventory.checks.report import Report
from govhub.inventory.model.compute import HostRole
from govhub.inventory.model.databases import Database, DatabaseEngine, TenantDatabase
from govhub.inventory.topology import Path

Carried = dict[tuple[str, str | int], str]
"""By host and by engine or port, the first server that has it."""

RESERVED = {
    DatabaseEngine.POSTGRESQL: ("all", "postgres", "public", "replication", "samegroup", "samerole", "sameuser"),
    DatabaseEngine.MARIADB: (
        "information_schema",
        "mysql",
        "performance_schema",
        "public",
        "replication",
        "root",
        "sys",
    ),
}
RESERVED_PREFIXES = {DatabaseEngine.POSTGRESQL: ("pg_", "template"), DatabaseEngine.MARIADB: ("mariadb",)}


def check(report: Report) -> None:
    """REF001 unknown hosts and tenants, DBS001 to DBS004 what databases add."""
    carried: Carried = {}
    for i, database in enumerate(report.model.databases):
        for j, name in enumerate(database.hosts):
            _host(report, ("databases", i, "hosts", j), name)
            _shared(report, ("databases", i, "hosts", j), name, database, carried)
        _racks(report, i, database)
        for j, entry in enumerate(database.tenants):
            _tenant(report, ("databases", i, "tenants", j), entry, database.engine)


def _host(report: Report, path: Path, name: str) -> None:
    topology = report.hub.topology
    if name in topology.hosts:
        role = topology.hosts[name].role
        if role is not HostRole.DATABASE:
            hint = "name hosts of `role: database`, or give these that role"
            report.error("DBS001", path, f"{name} is no database host, but {role.value}", hint=hint)
    elif not topology.findings:
        # Where patterns are broken, names are missing that somebody did declare.
        report.unknown(path, "host", name, topology.hosts)


def _shared(report: Report, path: Path, host: str, database: Database, carried: Carried) -> None:
    """Two servers of one engine, or on one port."""
    port = database.port or database.engine.port
    for taken in (database.engine.value, port):
        other = carried.setdefault((host, taken), database.name)
        if other != database.name:
            what = f"port {taken}" if taken == port else f"the {taken} server"
            hint = "a host carries one server of an engine, each on a port of its own: take another of either"
            report.error("DBS003", path, f'on {host}, {what} is already that of "{other}"', hint=hint)
            return


def _tenant(report: Report, path: Path, entry: TenantDatabase, engine: DatabaseEngine) -> None:
    if entry.tenant not in report.index.tenants:
        report.unknown((*path, "tenant"), "tenant", entry.tenant, report.index.tenants)
    if entry.database.startswith(RESERVED_PREFIXES[engine]) or entry.database in RESERVED[engine]:
        what = f'"{entry.database}" means something else to {engine.value}'
        report.error("DBS004", (*path, "database"), what, hint="take another name, such as that of the system")


def _racks(report: Report, i: int, database: Database) -> None:
    """A standby that falls with its primary is none."""
    hosts = report.hub.topology.hosts
    primary = hosts.get(database.hosts[0])
    for j, name in enumerate(database.hosts[1:], 1):
        if primary and name in hosts and name != primary.name and hosts[name].rack == primary.rack:
            report.warning(
                "DBS002",
                ("databases", i, "hosts", j),
                f"the standby {name} stands in the rack of its primary {primary.name}",
                hint=f"take a host outside of {primary.rack}: both would be lost with it",
            )
