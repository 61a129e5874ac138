"""All alerts of a hub by group."""

from __future__ import annotations

from govhub.monitoring.rules.alerts.compute import compute_alerts
from govhub.monitoring.rules.alerts.health import health_alerts
from govhub.monitoring.rules.alerts.meters import meter_alerts
from govhub.monitoring.rules.alerts.network import network_alerts
from govhub.monitoring.rules.alerts.power import cooling_alerts, failover_alerts, power_alerts
from govhub.monitoring.rules.alerts.room import forecast_alerts, growth_alerts, room_alerts
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.spec import Alert

SLOW = {"growth": 30}
"""Minutes between evaluations of groups that look at days; the others are evaluated every minute."""


def alerts_of(scope: Scope, limits: Limits | None = None) -> dict[str, list[Alert]]:
    """The alerts of each group."""
    limits, query = limits or Limits(), scope.query
    return {
        "power": power_alerts(query),
        "failover": failover_alerts(query, limits),
        "cooling": cooling_alerts(query, limits),
        "room": room_alerts(scope, limits),
        "growth": growth_alerts(query, limits),
        "forecast": forecast_alerts(query, limits),
        "compute": compute_alerts(query, limits),
        "network": network_alerts(query, limits),
        "meters": meter_alerts(query, limits),
        "health": health_alerts(query),
    }
