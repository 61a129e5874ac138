"""What was found on sources against what people declared."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.inventory.model.migration import MoveKind
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.partners import partners
from govhub.migration.portfolio.subject import Part, Portfolio
from govhub.migration.portfolio.units import amount

DIFFERS = 0.2
"""The part of the declared size by which a found one may be off before it is told."""


def compare(portfolio: Portfolio) -> list[Finding]:
    """Every difference, for all sources that were read (POR010 to POR018)."""
    found: list[Finding] = []
    for name, declared in portfolio.on_source.items():
        facts = portfolio.facts.get(name)
        if facts:
            for migration, move in declared:
                found += _declared(portfolio.part(migration, move), facts)
            found += _undeclared(portfolio, name, facts)
            found += partners(portfolio, name, facts)
    return found


def _declared(part: Part, facts: SourceFacts) -> Iterator[Finding]:
    """What is declared: whether it is there, and as large as that."""
    move = part.move
    at = {"system": part.migration.system, "source": facts.source, "move": move.name}
    if move.kind.is_database:
        yield from _database(part, facts, at)
    elif move.kind is MoveKind.FILES:
        folder = facts.folders.get(move.path or "")
        if folder and not folder.exists:
            yield Finding(
                code="POR011",
                weight=Weight.BLOCKER,
                summary=f"the folder {move.path} does not exist on {facts.source}",
                evidence=f"read {facts.time}",
                way_out="correct `path`, or name the server that has it",
                **at,
            )
    else:
        unit = facts.units.get(move.unit or "")
        if unit and not unit.exists:
            yield Finding(
                code="POR012",
                weight=Weight.BLOCKER,
                summary=f"there is no unit {move.unit} on {facts.source}",
                evidence=f"systemd does not know it; read {facts.time}",
                way_out="name the unit whose stop ends writes",
                **at,
            )
        elif unit and unit.active != "active":
            yield Finding(
                code="POR013",
                weight=Weight.RISK,
                summary=f"{move.unit} is {unit.active} on {facts.source}",
                evidence=f"read {facts.time}",
                way_out="ask the department whether the system is still used",
                **at,
            )
    yield from _size(part, at)


def _database(part: Part, facts: SourceFacts, at: dict[str, str]) -> Iterator[Finding]:
    server, move = part.server, part.move
    if server and server.databases is not None and part.database is None:
        names = ", ".join(item.name for item in server.databases[:10]) or "none"
        yield Finding(
            code="POR010",
            weight=Weight.BLOCKER,
            summary=f"the database {move.database} does not exist on {facts.source}",
            evidence=f"the {server.engine} server on port {server.port} has: {names}",
            way_out="correct `database`, or name the server that has it",
            **at,
        )
    elif server is None and facts.servers is not None and not facts.unread:
        engines = ", ".join(f"{item.engine} on {item.port}" for item in facts.servers) or "none"
        yield Finding(
            code="POR014",
            weight=Weight.BLOCKER,
            summary=f"no {move.kind} server answers on port {part.port} of {facts.source}",
            evidence=f"database servers found: {engines}",
            way_out="correct `kind` or `port`",
            **at,
        )


def _size(part: Part, at: dict[str, str]) -> Iterator[Finding]:
    declared, found = part.declared_size, part.found_size
    if declared is None or found is None or abs(found - declared) <= DIFFERS * declared:
        return
    yield Finding(
        code="POR015",
        weight=Weight.RISK if found > declared else Weight.NOTE,
        summary=f"{amount(declared)} are declared, {amount(found)} were found",
        evidence=f"read {part.facts.time if part.facts else ''}",
        way_out="correct `size`; the assessment counts with what was found",
        **at,
    )


def _undeclared(portfolio: Portfolio, name: str, facts: SourceFacts) -> Iterator[Finding]:
    """Databases that nobody spoke of: somebody will miss them when the server is switched off."""
    parts = [portfolio.part(migration, move) for migration, move in portfolio.on_source[name]]
    known = {(item.engine, item.port, item.name) for part in parts if (item := part.database)}
    for server in facts.servers or ():
        for database in server.databases or ():
            if (database.engine, database.port, database.name) in known:
                continue
            users = {item.user for item in server.sessions or () if item.database == database.name}
            talk = f"; connected: {', '.join(sorted(users)[:5])}" if users else ""
            yield Finding(
                code="POR016",
                weight=Weight.RISK,
                source=name,
                summary=f"the {database.engine} database {database.name} is not declared",
                evidence=f"{amount(database.size)}, {database.tables if database.tables is not None else '?'} "
                f"tables on port {database.port}{talk}",
                way_out="declare it as a move of its system, or let its owner say that it ends with the server",
            )
