"""The hub's environments: their shares make a whole, and one of them is production."""

from __future__ import annotations

from fractions import Fraction

from govhub.inventory.checks.report import Report
from govhub.inventory.sizing import exact

TOLERANCE = Fraction(1, 1_000_000)


def check(report: Report) -> None:
    """HUB010 shares that do not make 1, HUB011 no production environment."""
    environments = report.model.hub.environments
    total = sum((exact(environment.share) for environment in environments), Fraction())
    if abs(total - 1) > TOLERANCE:
        shares = ", ".join(f"{environment.name} {environment.share:g}" for environment in environments)
        report.error(
            "HUB010",
            ("hub", "environments"),
            f"the environments' shares make {float(total):g} instead of 1",
            detail=f"found {shares}",
            hint="change the shares so that they sum to 1: they cut each tenant's quota into parts",
        )
    if not any(environment.production for environment in environments):
        report.error(
            "HUB011",
            ("hub", "environments"),
            "no environment is production",
            hint="set `production: true` on the environment that serves the public",
        )
