"""Who talks with a source, and whether anybody declared it: candidates for dependencies, with evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import Connection, SourceFacts
from govhub.migration.portfolio.subject import Portfolio

# Names, time, logs, packages and logins are everybody's.
_COMMON = frozenset({22, 53, 67, 68, 123, 514})
Meeting = tuple[str, int, bool]
"""Address, served port, and whether the partner calls the source."""


def partners(portfolio: Portfolio, name: str, facts: SourceFacts) -> Iterator[Finding]:
    """A finding for each partner of a source that no dependency explains (POR017, POR018)."""
    own = sorted({migration.system for migration, _ in portfolio.on_source[name]})
    for (address, port, incoming), evidence in sorted(_met(facts).items()):
        if address in _places(portfolio, name) or (port in _COMMON and not incoming):
            continue
        other = next((source for source in portfolio.on_source if address in _places(portfolio, source)), "")
        theirs = sorted({migration.system for migration, _ in portfolio.on_source.get(other, [])})
        if theirs and own and all(_tied(portfolio, one, two) for one in own for two in theirs if one != two):
            continue
        way = f"{address} connects to port {port} of {name}" if incoming else f"{name} connects to {address}:{port}"
        if theirs:
            ties = ", ".join(theirs)
            yield Finding(
                code="POR017",
                weight=Weight.RISK,
                system=own[0] if len(own) == 1 else "",
                source=name,
                summary=f"{way}, which is {other} with {ties}: no dependency is declared",
                evidence=evidence,
                way_out="declare it under `depends_on`, strong when one cannot run without the other",
            )
        else:
            yield Finding(
                code="POR018",
                weight=Weight.RISK,
                system=own[0] if len(own) == 1 else "",
                source=name,
                summary=f"{way}: nobody declared this partner",
                evidence=evidence,
                way_out="find out who it is; declare its system, or a flow, or let it end",
            )


def _met(facts: SourceFacts) -> dict[Meeting, str]:
    """Partners with the words that prove them: sockets, and sessions of database servers."""
    found: dict[Meeting, list[str]] = {}
    for item in facts.connections or ():
        found.setdefault((item.address, item.port, item.incoming), []).append(_socket(item))
    for server in facts.servers or ():
        for session in server.sessions or ():
            if session.address and server.port and session.address not in ("127.0.0.1", "::1"):
                text = f"{session.count} sessions of {session.user} on {server.engine} database {session.database}"
                found.setdefault((session.address, server.port, True), []).append(text)
    return {key: f"{'; '.join(texts[:4])}; read {facts.time}" for key, texts in found.items()}


def _socket(item: Connection) -> str:
    return f"{item.count} connections" + (f" of {item.process}" if item.process else "")


def _places(portfolio: Portfolio, name: str) -> set[str]:
    """Every address that a source is known by."""
    source = next((item for item in portfolio.hub.model.sources if item.name == name), None)
    facts = portfolio.facts.get(name)
    found: Iterable[str | None] = (
        source.address if source else None,
        portfolio.addresses.get(name),
        *(facts.addresses or () if facts else ()),
    )
    return {address for address in found if address}


def _tied(portfolio: Portfolio, one: str, two: str) -> bool:
    """Whether one of two systems is declared to need the other."""
    ties = {
        (migration.system, item.system)
        for name in (one, two)
        if (migration := portfolio.migrations.get(name))
        for item in migration.depends_on
    }
    return bool(ties & {(one, two), (two, one)})
