"""The watchers themselves: the exporter, the hub it reads, Prometheus' rules, and the way to Alertmanager."""

from __future__ import annotations

from functools import partial

from govhub.monitoring.rules.alerts.places import Examples, pair, place_of
from govhub.monitoring.rules.contract import EXPORTER_JOB, HALL
from govhub.monitoring.rules.promql import Query, on, quoted
from govhub.monitoring.rules.spec import Alert, Owner, Series, Severity

LOADED = "govhub_exporter_hub_loaded_timestamp_seconds"
RENDERED = "govhub_exporter_rendered_timestamp_seconds"


def health_alerts(query: Query) -> list[Alert]:
    """All of the exporter and of Prometheus."""
    return [*_exporter(query), *_data(query), *_prometheus(query)]


def _exporter(query: Query) -> list[Alert]:
    job = f"job={quoted(EXPORTER_JOB)}"
    target = {"hub": query.hub, "job": EXPORTER_JOB, "instance": "serve:9100"}
    alert = partial(Alert, owner=Owner.MONITORING)
    return [
        alert(
            name="GovhubExporterDown",
            expr=f"count by (hub) ({query.one('up', (*HALL, 'instance'), job)} == 0)",
            hold=5,
            severity=Severity.CRITICAL,
            fires=(Series("up", target, "0"),),
            quiet=(Series("up", target, "1"),),
            shown="1",
        ),
        alert(
            name="GovhubExporterAbsent",
            expr=f"absent({query.select('up', job)})",
            hold=10,
            severity=Severity.CRITICAL,
            labels={"job": EXPORTER_JOB},
            fires=(),
            quiet=(Series("up", target, "0"),),
            absence=True,
        ),
        alert(
            name="GovhubExporterSlow",
            expr=f"{query.one('govhub_exporter_render_seconds', ('hub',))} > 8",
            hold=15,
            severity=Severity.WARNING,
            fires=(Series("govhub_exporter_render_seconds", {"hub": query.hub}, "9.5"),),
            quiet=(Series("govhub_exporter_render_seconds", {"hub": query.hub}, "8"),),
            shown="9.5s",
        ),
    ]


def _data(query: Query) -> list[Alert]:
    hub, hall = {"hub": query.hub}, Examples(query.hub).hall
    valid, series = "govhub_exporter_hub_valid", "govhub_exporter_series"
    alert = partial(Alert, owner=Owner.MONITORING, severity=Severity.WARNING)
    return [
        alert(
            name="GovhubHubInvalid",
            expr=f"{query.one(valid, ('hub',), how='min')} == 0",
            hold=10,
            fires=(Series(valid, hub, "0"),),
            quiet=(Series(valid, hub, "1"),),
        ),
        # A page is made anew when the hub has changed; its age alone is no fault, being older than the hub is one.
        alert(
            name="GovhubHubStale",
            expr=f"{query.one(LOADED, HALL)}\n- {on(*HALL)}\n{query.one(RENDERED, HALL)}\n> 300",
            hold=10,
            labels=place_of(hall),
            fires=pair(hall, (LOADED, "2000"), (RENDERED, "800")),
            quiet=pair(hall, (LOADED, "2000"), (RENDERED, "2001")),
            shown="20m 0s",
        ),
        alert(
            name="GovhubClockOff",
            expr=f"{query.one(LOADED, ('hub',))} - time() > 300",
            hold=10,
            fires=(Series(LOADED, hub, "7980"),),
            quiet=(Series(LOADED, hub, "0"),),
            shown="2h 0m 0s",
        ),
        alert(
            name="GovhubSeriesDropped",
            expr=(
                f"{query.one(series, HALL)}\n/ {on(*HALL)}\n"
                f"(max by ({', '.join(HALL)}) (max_over_time({query.select(series)}[1h])) > 0)\n< 0.9"
            ),
            hold=10,
            labels=place_of(hall),
            fires=(Series(series, hall, "1000 480+0x120"),),
            quiet=(Series(series, hall, "1000 900+0x120"),),
            since=1,
            shown="48%",
        ),
    ]


def _prometheus(query: Query) -> list[Alert]:
    group = f"/etc/prometheus/rules/govhub-{query.hub}-alerts.yml;govhub-{query.hub}-power"
    ours = f'rule_group=~".*govhub-{query.hub}-.*"'
    failures, missed = "prometheus_rule_evaluation_failures_total", "prometheus_rule_group_iterations_missed_total"
    sent, errors = "prometheus_notifications_sent_total", "prometheus_notifications_errors_total"
    reload = "prometheus_config_last_reload_successful"
    manager = {"alertmanager": "http://localhost:9093/api/v2/alerts"}
    alert = partial(Alert, owner=Owner.MONITORING, severity=Severity.CRITICAL)
    return [
        alert(
            name="GovhubRuleFailures",
            expr=f"max by (rule_group) (increase({failures}{{{ours}}}[5m])) > 0",
            hold=5,
            labels={"rule_group": group},
            fires=(Series(failures, {"rule_group": group}, "0+5x90"),),
            quiet=(Series(failures, {"rule_group": group}, "5"),),
            since=1,
            shown="25",
        ),
        alert(
            name="GovhubRulesLate",
            expr=f"max by (rule_group) (increase({missed}{{{ours}}}[15m])) > 0",
            hold=15,
            severity=Severity.WARNING,
            labels={"rule_group": group},
            fires=(Series(missed, {"rule_group": group}, "0+1x90"),),
            quiet=(Series(missed, {"rule_group": group}, "1"),),
            since=1,
            shown="15",
        ),
        alert(
            name="GovhubAlertsNotDelivered",
            expr=(
                f"max by (alertmanager) (rate({errors}[5m]))\n/\n(max by (alertmanager) (rate({sent}[5m])) > 0)\n> 0.01"
            ),
            hold=15,
            labels=manager,
            fires=(Series(errors, manager, "0+5x90"), Series(sent, manager, "0+10x90")),
            quiet=(Series(errors, manager, "0"), Series(sent, manager, "0+10x90")),
            since=1,
            shown="50%",
        ),
        alert(
            name="GovhubPrometheusReloadFailed",
            expr=f"min({reload}) == 0",
            hold=10,
            fires=(Series(reload, {}, "0"),),
            quiet=(Series(reload, {}, "1"),),
        ),
        # Always there: whoever stops hearing it knows that nothing else would be heard.
        alert(name="GovhubWatchdog", expr="vector(1)", hold=0, severity=Severity.NONE, fires=(), absence=False),
    ]
