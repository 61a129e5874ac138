"""Everything that is wrong with a hub that has the right form: one module a subject, each only adds to the report."""

from __future__ import annotations

from datetime import date

from govhub.core.diagnostics import Diagnostic
from govhub.inventory.checks import (
    balancing,
    capacity,
    databases,
    environments,
    exceptions,
    flows,
    ledger,
    links,
    machines,
    migrations,
    names,
    network,
    objects,
    pinned,
    places,
    positions,
    power,
    quotas,
    references,
    regions,
    security,
)
from govhub.inventory.checks.report import Report
from govhub.inventory.loader import Hub

CHECKS = (
    environments.check,
    names.check,
    objects.check,
    references.check,
    regions.check,
    places.check,
    positions.check,
    power.check,
    links.check,
    ledger.check,
    machines.check,
    databases.check,
    balancing.check,
    migrations.check,
    network.check,
    flows.check,
    security.check,
    exceptions.check,
    quotas.check,
    capacity.check,
    pinned.check,
)


def check_hub(hub: Hub, today: date) -> list[Diagnostic]:
    """All problems of ``hub`` as of ``today``, errors first; never raises for what the hub declares.

    The problems of loading (``hub.problems``) are not among them. When a file was refused there, names
    that it declares are unknown here.
    """
    report = Report(hub, today)
    for check in CHECKS:
        check(report)
    return report.found.sorted()
