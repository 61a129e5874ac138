"""What should become of a system, and why; people decide, and are contradicted in the open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from govhub.inventory.model.migration import Migration, MoveKind, Strategy
from govhub.inventory.model.tenancy import System
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.source_rules import foreign_engines
from govhub.migration.portfolio.subject import Part, Portfolio

HIGHEST_LEVEL = 3
"""The highest level of GB/T 22239 that this cloud carries."""
_LEAVING = (Strategy.REHOST, Strategy.REPLATFORM)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A strategy with its reasons; None when too little is known."""

    strategy: Strategy | None
    reasons: tuple[str, ...]


def suggest(portfolio: Portfolio, system: System, *, old: bool = False) -> Suggestion:
    """What the facts speak for.

    Args:
        portfolio: The hub and its sources.
        system: The system.
        old: One of its sources has had its last security update.
    """
    must = _must_stay(system)
    if must:
        return Suggestion(Strategy.RETAIN, must)
    migration = portfolio.migrations.get(system.name)
    if migration is None or not migration.moves:
        return Suggestion(None, ("it is not declared what of it runs where today",))
    parts = [portfolio.part(migration, move) for move in migration.moves]
    if unused := _unused(system, parts):
        return Suggestion(Strategy.RETIRE, unused)
    changes = tuple(_changes(parts, old=old))
    if changes:
        return Suggestion(Strategy.REPLATFORM, changes)
    missing = sorted({part.move.source for part in parts if part.facts is None})
    if missing:
        return Suggestion(None, (f"not read: {', '.join(missing)}",))
    return Suggestion(Strategy.REHOST, ("its servers' engines and systems run on the cloud as they are",))


def decided(system: System, migration: Migration | None, suggestion: Suggestion) -> Iterator[Finding]:
    """Where people's decision and the assessment differ (POR020, POR021), and what nobody declared (POR022, POR023)."""
    must = _must_stay(system)
    if migration is None:
        yield _say(
            system,
            "POR022",
            Weight.UNKNOWN,
            "it is not declared where this system runs today",
            "there is no entry under `migrations`",
            "declare its sources and moves: govhub migrate import HUB FILE",
        )
        return
    chosen = migration.strategy
    if must and chosen != Strategy.RETAIN:
        way = "set `strategy: retain`; state secrets and level 4 stay on networks of their own"
        yield _say(system, "POR020", Weight.BLOCKER, "it may not go onto this cloud", "; ".join(must), way)
    elif chosen and suggestion.strategy and chosen != suggestion.strategy:
        yield _say(
            system,
            "POR021",
            Weight.RISK,
            f"people decided {chosen}; the assessment suggests {suggestion.strategy}",
            "; ".join(suggestion.reasons),
            "the decision stands; let those who took it see these reasons",
        )
    if not migration.moves and not migration.staying:
        way = "declare its databases, folders and applications as moves"
        yield _say(system, "POR023", Weight.UNKNOWN, "nothing of it is declared to move", "no `moves`", way)


def _must_stay(system: System) -> tuple[str, ...]:
    found = []
    if system.classified:
        found.append("it is classified")
    if system.protection_level > HIGHEST_LEVEL:
        found.append(f"its protection level is {system.protection_level}; this cloud carries {HIGHEST_LEVEL}")
    return tuple(found)


def _unused(system: System, parts: list[Part]) -> tuple[str, ...]:
    """Reasons to end it: nobody uses it, and nothing of it runs; only what was seen counts."""
    if system.users == 0:
        return ("it has no users",)
    units = [_unit(part) for part in parts if part.move.kind is MoveKind.APPLICATION]
    if not units or None in units or any(unit for unit in units):
        return ()
    sessions = [part.server.sessions if part.server else None for part in parts if part.move.kind.is_database]
    if None in sessions:
        return ()
    names = {part.move.database for part in parts}
    if any(item.database in names for found in sessions for item in found or ()):
        return ()
    return ("its application does not run, and nobody is connected to its databases",)


def _unit(part: Part) -> bool | None:
    """Whether the application runs; None when it was not read."""
    unit = part.facts.units.get(part.move.unit or "") if part.facts else None
    return None if unit is None else unit.active == "active"


def _changes(parts: list[Part], *, old: bool) -> Iterator[str]:
    if workloads := sorted({part.move.to or "" for part in parts if _becomes_workload(part)}):
        yield f"its application becomes a workload in containers: {', '.join(workloads)}"
    if servers := sorted({part.move.to or "" for part in parts if part.move.kind.is_database and part.move.to}):
        yield f"its databases go to servers that the cloud runs: {', '.join(servers)}"
    seen: dict[str, SourceFacts] = {part.move.source: part.facts for part in parts if part.facts}
    engines = sorted({product for facts in seen.values() for product in foreign_engines(facts)})
    engines += ["MySQL"] if any(part.server and part.server.engine == "mysql" for part in parts) else []
    if engines:
        yield f"the engine changes: {', '.join(engines)}"
    if old:
        yield "its operating system gets no security updates any more"


def _becomes_workload(part: Part) -> bool:
    return part.move.kind is MoveKind.APPLICATION and part.move.to is not None


def _say(system: System, code: str, weight: Weight, summary: str, evidence: str, way_out: str) -> Finding:
    return Finding(code=code, weight=weight, system=system.name, summary=summary, evidence=evidence, way_out=way_out)
