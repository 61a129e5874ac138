"""Pools after the loss of a rack, and departments against their quota."""

from __future__ import annotations

from govhub.monitoring.rules.alerts.places import Examples, around, pair, place_of
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.promql import Query, ratio
from govhub.monitoring.rules.spec import Alert, Owner, Severity

POOL = ("hub", "cluster", "pool", "arch")
TENANT = ("hub", "tenant")
ASKED, LEFT = "govhub_pool_requests_cores", "govhub_pool_capacity_after_loss_cores"
REQUESTS, QUOTA = "govhub_tenant_requests_cores", "govhub_tenant_quota_cores"


def compute_alerts(query: Query, limits: Limits) -> list[Alert]:
    """All of pools and departments."""
    pool, tenant = Examples(query.hub).pool, Examples(query.hub).tenant
    pools = ratio(query.one(ASKED, POOL), query.one(LEFT, POOL))
    tenants = ratio(query.one(REQUESTS, TENANT), query.one(QUOTA, TENANT))
    above, below, shown = around(limits)
    return [
        Alert(
            name="GovhubPoolNearLimitAfterLoss",
            expr=f"{pools}\n> {limits.near}",
            hold=60,
            severity=Severity.WARNING,
            owner=Owner.COMPUTE,
            labels=place_of(pool),
            fires=pair(pool, (ASKED, above), (LEFT, "100")),
            quiet=pair(pool, (ASKED, below), (LEFT, "100")),
            shown=shown,
        ),
        Alert(
            name="GovhubPoolOverLimitAfterLoss",
            expr=f"{pools}\n> 1",
            hold=15,
            severity=Severity.CRITICAL,
            owner=Owner.COMPUTE,
            labels=place_of(pool),
            fires=pair(pool, (ASKED, "112"), (LEFT, "100")),
            quiet=pair(pool, (ASKED, "100"), (LEFT, "100")),
            shown="112%",
            softer="GovhubPoolNearLimitAfterLoss",
        ),
        Alert(
            name="GovhubTenantNearQuota",
            expr=f"{tenants}\n> {limits.near}",
            hold=60,
            severity=Severity.WARNING,
            owner=Owner.COMPUTE,
            labels=place_of(tenant),
            fires=pair(tenant, (REQUESTS, above), (QUOTA, "100")),
            quiet=pair(tenant, (REQUESTS, below), (QUOTA, "100")),
            shown=shown,
        ),
        # A quota is enforced when pods are made; above it something was lowered or went past admission.
        Alert(
            name="GovhubTenantOverQuota",
            expr=f"{tenants}\n> 1",
            hold=30,
            severity=Severity.WARNING,
            owner=Owner.COMPUTE,
            labels=place_of(tenant),
            fires=pair(tenant, (REQUESTS, "130"), (QUOTA, "100")),
            quiet=pair(tenant, (REQUESTS, "100"), (QUOTA, "100")),
            shown="130%",
            softer="GovhubTenantNearQuota",
        ),
    ]
