"""What a source is itself: its age, engines that the cloud does not have, and what could not be read of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.software import FOREIGN_ENGINES, SUPPORTED_UNTIL


def source_findings(facts: SourceFacts, today: date) -> Iterator[Finding]:
    """All rules on one source that was read (POR005, POR024, POR034)."""
    yield from _support(facts, today)
    yield from _engines(facts)
    missing = [
        name
        for name, value in (
            ("connections", facts.connections),
            ("listening ports", facts.listening),
            ("file systems", facts.file_systems),
            ("services", facts.services),
            ("scheduled jobs", facts.jobs),
            ("database servers", facts.servers),
        )
        if value is None
    ]
    missing += [f"{engine} (it runs, and did not answer)" for engine in facts.unread]
    if missing:
        yield Finding(
            code="POR005",
            weight=Weight.UNKNOWN,
            source=facts.source,
            summary=f"not all of {facts.source} could be read",
            evidence=", ".join(missing),
            way_out="look what its tools and rights lack (ss, systemctl, psql as postgres, mariadb as root)",
        )


def _support(facts: SourceFacts, today: date) -> Iterator[Finding]:
    release = (facts.release or "").lower()
    until = next(
        (day for name, day in SUPPORTED_UNTIL.items() if release == name or release.startswith(f"{name}.")), None
    )
    if until is None or until >= today:
        return
    yield Finding(
        code="POR024",
        weight=Weight.RISK,
        source=facts.source,
        summary=f"{facts.os or facts.release} has had no security updates since {until.isoformat()}",
        evidence=f"installed by {facts.installed or 'unknown'}; read {facts.time}",
        way_out="do not rehost it as it is: replatform onto a supported system",
    )


def foreign_engines(facts: SourceFacts) -> dict[str, str]:
    """Engines that the cloud does not run, with the process that tells of them."""
    processes = {process for _, _, process in facts.listening or ()}
    processes |= {item.process for item in facts.connections or ()}
    return {
        product: name
        for name, product in FOREIGN_ENGINES.items()
        if any(process.lower().startswith(name) for process in processes)
    }


def _engines(facts: SourceFacts) -> Iterator[Finding]:
    for product, process in foreign_engines(facts).items():
        yield Finding(
            code="POR034",
            weight=Weight.BLOCKER,
            source=facts.source,
            summary=f"{product} runs on {facts.source}; the cloud has no such server",
            evidence=f"process {process} listens or is connected; read {facts.time}",
            way_out="replatform: change to a domestic database that the cloud offers, with tests by the system's maker",
        )
