"""Where a move goes: whether that is there, large enough, and the department's own."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.core.quantities import bytes_of
from govhub.inventory import sizing
from govhub.inventory.model.databases import Database
from govhub.inventory.model.migration import Migration, Move, MoveKind
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.subject import Part, Portfolio
from govhub.migration.portfolio.units import amount

ROOM = 1.3
"""Times of a database's size that its target needs: logs, temporary files and room to grow."""


def target_findings(part: Part) -> Iterator[Finding]:
    """All rules on the target of one move (POR040 to POR044)."""
    move = part.move
    if move.to is None:
        yield from _nowhere(part)
    elif move.kind.is_database:
        server = next((item for item in part.portfolio.hub.model.databases if item.name == move.to), None)
        if server:
            yield from _own(part, server)
            yield from _room(part, server.hosts)
    elif move.kind is MoveKind.FILES:
        yield from _room(part, [move.to])
    else:
        yield from _workload(part)


def _nowhere(part: Part) -> Iterator[Finding]:
    move = part.move
    wanted = {MoveKind.FILES: "host", MoveKind.APPLICATION: "workload"}.get(move.kind, "database server")
    yield part.say(
        "POR040",
        Weight.RISK,
        f"it is not declared where {move.name} moves to",
        "the move has no `to`",
        f"name the {wanted}",
    )
    if move.kind.is_database:
        yield from _quota(part)


def _own(part: Part, server: Database) -> Iterator[Finding]:
    """The target's database must be declared for the department, so that it and its account are made."""
    system = part.portfolio.systems.get(part.migration.system)
    wanted = part.move.to_database or part.move.database
    mine = [item.database for item in server.tenants if system and item.tenant == system.tenant]
    if system and wanted not in mine:
        yield part.say(
            "POR041",
            Weight.BLOCKER,
            f"{server.name} has no database {wanted} for {system.tenant}",
            f"declared for it there: {', '.join(mine) or 'none'}",
            f"add {{tenant: {system.tenant}, database: {wanted}}} to its `tenants`, or name another with `to_database`",
        )


def _room(part: Part, hosts: list[str]) -> Iterator[Finding]:
    """What all moves bring to a target, against the disks that are declared for it."""
    portfolio, to = part.portfolio, part.move.to
    coming = list(_coming(portfolio, to or ""))
    sizes = [item.size for item in coming]
    rooms = [_storage(portfolio, host) for host in hosts]
    if None in rooms or not rooms:
        yield part.say(
            "POR042",
            Weight.UNKNOWN,
            f"how much {to} can hold is not declared",
            f"hosts without `storage`: {', '.join(host for host in hosts if _storage(portfolio, host) is None)}",
            "declare `storage` of its hosts",
        )
        return
    need, have = sum(size or 0 for size in sizes) * ROOM, min(room or 0 for room in rooms)
    if need > have:
        unknown = f", and {sizes.count(None)} of unknown size" if None in sizes else ""
        yield part.say(
            "POR043",
            Weight.BLOCKER,
            f"{to} has {amount(have)}; what moves there needs {amount(int(need))}",
            f"{len(coming)} moves{unknown}, times {ROOM} for logs and growth",
            "give it larger disks, or spread the moves over more servers",
        )


def _coming(portfolio: Portfolio, to: str) -> Iterator[Part]:
    for migration in portfolio.hub.model.migrations:
        for move in migration.moves:
            if move.to == to and not migration.staying and move.kind is not MoveKind.APPLICATION:
                yield portfolio.part(migration, move)


def _storage(portfolio: Portfolio, name: str) -> int | None:
    host = portfolio.hub.topology.hosts.get(name)
    declared = portfolio.hub.model.hosts[host.entry].storage if host else None
    return bytes_of(declared) if declared else None


def _quota(part: Part) -> Iterator[Finding]:
    """Without a server of its own a database becomes a volume in the department's namespace."""
    portfolio = part.portfolio
    system = portfolio.systems.get(part.migration.system)
    tenant = next((item for item in portfolio.hub.model.tenants if system and item.name == system.tenant), None)
    if not tenant:
        return
    own = [migration for migration in portfolio.hub.model.migrations if _of(portfolio, migration) == tenant.name]
    sizes = [
        portfolio.part(migration, move).size
        for migration in own
        if not migration.staying
        for move in migration.moves
        if _becomes_volume(move)
    ]
    need, have = sum(size or 0 for size in sizes), sizing.storage_quota(portfolio.hub.model, tenant)
    if need > have:
        yield part.say(
            "POR044",
            Weight.BLOCKER,
            f"databases without a server of {tenant.name} need {amount(need)}; its quota of storage is {amount(have)}",
            f"{len(sizes)} databases",
            "choose a larger quota class, or name a server under `databases`",
        )


def _of(portfolio: Portfolio, migration: Migration) -> str:
    system = portfolio.systems.get(migration.system)
    return system.tenant if system else ""


def _becomes_volume(move: Move) -> bool:
    return move.kind.is_database and move.to is None


def _workload(part: Part) -> Iterator[Finding]:
    """An application that uses more memory today than its pods may."""
    system = part.portfolio.systems.get(part.migration.system)
    unit = part.facts.units.get(part.move.unit or "") if part.facts else None
    workload = next((item for item in system.workloads if item.name == part.move.to), None) if system else None
    if workload and unit and unit.memory and unit.memory > bytes_of(workload.memory):
        yield part.say(
            "POR045",
            Weight.RISK,
            f"{part.move.unit} uses {amount(unit.memory)}; a pod of {workload.name} may use {workload.memory}",
            f"read {part.facts.time if part.facts else ''}",
            "raise `memory` of the workload, and look whether the quota still fits",
        )
