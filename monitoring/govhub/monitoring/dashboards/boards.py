"""All dashboards, in the order in which they are asked each morning."""

from __future__ import annotations

from govhub.monitoring.dashboards.compute import compute
from govhub.monitoring.dashboards.forecast import forecast
from govhub.monitoring.dashboards.network import network
from govhub.monitoring.dashboards.overview import overview
from govhub.monitoring.dashboards.parts import Board
from govhub.monitoring.dashboards.power import power


def boards(hub: str, language: str) -> dict[str, Board]:
    """All of them by the name of their file; ``hub`` is what is shown first."""
    return {
        "overview": overview(hub, language),
        "power": power(hub, language),
        "compute": compute(hub, language),
        "network": network(hub, language),
        "forecast": forecast(hub, language),
    }
