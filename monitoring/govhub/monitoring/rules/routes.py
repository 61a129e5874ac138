"""Alertmanager's configuration: who is told by severity, site and owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from govhub.monitoring.rules.alerting import alerts_of
from govhub.monitoring.rules.documents import as_yaml
from govhub.monitoring.rules.files import REMARK
from govhub.monitoring.rules.inhibition import inhibitions
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.spec import Owner, Severity

REMARKS = (
    REMARK,
    "Receivers without an address tell nobody: generate with --webhook, or keep receivers of your own in a copy.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where notifications go, and how long they wait for company."""

    webhook: str = ""
    """Address that receives notifications; the receiver's name is appended. Empty: receivers without an address."""
    group_wait: str = "45s"
    """Time for the alert about a cause to come in, too, before those about what follows are sent."""
    group_interval: str = "5m"
    repeat_interval: str = "12h"


def alertmanager_file(scope: Scope, limits: Limits, delivery: Delivery) -> str:
    """The configuration of Alertmanager for this hub."""
    alerts = [alert for group in alerts_of(scope, limits).values() for alert in group]
    document = {
        "route": _routes(scope, delivery),
        "inhibit_rules": inhibitions(scope, alerts),
        "receivers": [_receiver(name, delivery) for name in receivers(scope)],
    }
    return as_yaml(document, *REMARKS)


def receivers(scope: Scope) -> list[str]:
    """Names of all receivers: a page for each site, tickets for each owner."""
    pages = [f"page-{site}" for site in scope.sites]
    tickets = [f"ticket-{owner.value}" for owner in Owner]
    return ["unrouted", "nobody", "watchdog", "page-hub", *pages, *tickets]


def _routes(scope: Scope, delivery: Delivery) -> dict[str, Any]:
    pages = [_route(f"page-{site}", f'site="{site}"') for site in scope.sites]
    tickets = [_route(f"ticket-{owner.value}", f'owner="{owner.value}"') for owner in Owner]
    watchdog = _route("watchdog", 'alertname="GovhubWatchdog"') | {"group_wait": "0s", "repeat_interval": "5m"}
    branches = [
        watchdog,
        _route("nobody", f'severity=~"{Severity.INFO.value}|{Severity.NONE.value}"'),
        # What concerns no single site is paged to whoever is responsible for all of it.
        _route("page-hub", f'severity="{Severity.CRITICAL.value}"') | {"routes": pages},
        _route("unrouted", f'severity="{Severity.WARNING.value}"')
        | {"group_interval": "1h", "repeat_interval": "7d", "routes": tickets},
    ]
    return {
        "receiver": "unrouted",
        "group_by": ["hub", "site", "hall", "alertname"],
        "group_wait": delivery.group_wait,
        "group_interval": delivery.group_interval,
        "repeat_interval": delivery.repeat_interval,
        "routes": [_route("unrouted", f'hub="{scope.hub}"') | {"routes": branches}],
    }


def _route(receiver: str, matcher: str) -> dict[str, Any]:
    return {"receiver": receiver, "matchers": [matcher]}


def _receiver(name: str, delivery: Delivery) -> dict[str, Any]:
    if not delivery.webhook or name == "nobody":
        return {"name": name}
    return {
        "name": name,
        "webhook_configs": [{"url": _below(delivery.webhook, name), "send_resolved": True}],
    }


def _below(address: str, name: str) -> str:
    """The address with a name at the end of its path; a token in its query stays where it is."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))
