"""The assessment: each system with a suggested strategy, findings, estimates and a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from govhub.inventory.model.migration import Migration, Strategy
from govhub.inventory.model.tenancy import System
from govhub.migration.portfolio.compare import compare
from govhub.migration.portfolio.data_rules import database_findings
from govhub.migration.portfolio.estimate import Estimate, together
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.source_rules import source_findings
from govhub.migration.portfolio.strategy import Suggestion, decided, suggest
from govhub.migration.portfolio.subject import Part, Portfolio
from govhub.migration.portfolio.target_rules import target_findings
from govhub.migration.portfolio.time_rules import estimate_of, part_findings, system_findings

# What only says that a decision and the facts differ; it stands for systems that stay, too.
_DECISIONS = ("POR020", "POR021", "POR022", "POR023")


class Verdict(StrEnum):
    """How a system stands."""

    READY = "ready"
    RISKS = "risks"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    STAYS = "stays"
    """People decided that it does not move, and nothing speaks against that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One system."""

    system: str
    tenant: str
    decided: Strategy | None
    """By people."""
    suggestion: Suggestion
    verdict: Verdict
    findings: tuple[Finding, ...]
    """Those about its sources included, what weighs most first."""
    estimate: Estimate | None
    """None when nothing of it is declared to move."""
    moves: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        found = self.estimate
        return {
            "system": self.system,
            "tenant": self.tenant,
            "strategy": {
                "decided": self.decided.value if self.decided else None,
                "suggested": self.suggestion.strategy.value if self.suggestion.strategy else None,
                "reasons": list(self.suggestion.reasons),
            },
            "verdict": self.verdict.value,
            "estimate": None if found is None else _estimate(found),
            "moves": list(self.moves),
            "findings": [item.as_dict() for item in self.findings],
        }


def assess(portfolio: Portfolio, today: date, more: Iterable[Finding] = ()) -> tuple[list[Assessment], list[Finding]]:
    """Assess every system of the hub.

    Args:
        portfolio: The hub and what was read.
        today: The day that ends of support are compared with.
        more: What went wrong while sources were read.

    Returns:
        The systems in the order of the hub, and what is about sources that nothing is declared to move from.
    """
    by_source: dict[str, list[Finding]] = {}
    by_system: dict[str, list[Finding]] = {}
    about_sources = [item for facts in portfolio.facts.values() for item in source_findings(facts, today)]
    for item in [*more, *about_sources, *compare(portfolio)]:
        place = by_system.setdefault(item.system, []) if item.system else by_source.setdefault(item.source, [])
        place.append(item)
    used = {name for name, declared in portfolio.on_source.items() if declared}
    out = [
        _system(portfolio, system, by_system.get(system.name, []), by_source) for system in portfolio.systems.values()
    ]
    left = [item for name, items in by_source.items() if name not in used for item in items]
    return out, sorted(left, key=lambda item: item.order)


def _system(
    portfolio: Portfolio, system: System, own: list[Finding], by_source: dict[str, list[Finding]]
) -> Assessment:
    migration = portfolio.migrations.get(system.name)
    parts = [portfolio.part(migration, move) for move in migration.moves] if migration else []
    about = [item for name in dict.fromkeys(part.move.source for part in parts) for item in by_source.get(name, [])]
    suggestion = suggest(portfolio, system, old=any(item.code == "POR024" for item in about))
    total = together([estimate_of(part) for part in parts]) if parts else None
    found = [*decided(system, migration, suggestion), *own, *about]
    if migration and total and not migration.staying:
        found += _moving(portfolio, migration, parts, total)
    stays = bool(migration and migration.staying)
    findings = tuple(sorted(dict.fromkeys(found), key=lambda item: item.order))
    return Assessment(
        system=system.name,
        tenant=system.tenant,
        decided=migration.strategy if migration else None,
        suggestion=suggestion,
        verdict=_verdict(findings, stays=stays),
        findings=findings,
        estimate=None if stays else total,
        moves=tuple(_move(part) for part in parts),
    )


def _moving(portfolio: Portfolio, migration: Migration, parts: list[Part], total: Estimate) -> Iterator[Finding]:
    for part in parts:
        yield from database_findings(part)
        yield from target_findings(part)
        yield from part_findings(part)
    yield from system_findings(portfolio, migration, total)


def _verdict(findings: Iterable[Finding], *, stays: bool) -> Verdict:
    if stays:
        weighty = [item for item in findings if item.code in _DECISIONS and item.weight is not Weight.NOTE]
        return Verdict.RISKS if weighty else Verdict.STAYS
    weights = {item.weight for item in findings}
    for weight, verdict in (
        (Weight.BLOCKER, Verdict.BLOCKED),
        (Weight.UNKNOWN, Verdict.UNKNOWN),
        (Weight.RISK, Verdict.RISKS),
    ):
        if weight in weights:
            return verdict
    return Verdict.READY


def _move(part: Part) -> dict[str, Any]:
    return {
        "name": part.move.name,
        "kind": part.move.kind.value,
        "source": part.move.source,
        "to": part.move.to,
        "read": part.facts.time if part.facts else None,
        "declared": part.declared_size,
        "found": part.found_size,
        "estimate": _estimate(estimate_of(part)),
    }


def _estimate(found: Estimate) -> dict[str, Any]:
    return {
        "bytes": found.bytes,
        "copy": None if found.copy is None else round(found.copy, 1),
        "pause": None if found.pause is None else round(found.pause, 1),
        "online": found.online,
    }
