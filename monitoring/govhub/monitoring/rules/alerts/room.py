"""Room: servers that still fit, weight, growth, and the dates of the forecast."""

from __future__ import annotations

from functools import partial

from govhub.monitoring.rules.alerts.places import DAY, Examples, pair, place_of
from govhub.monitoring.rules.contract import HALL, RACK
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.promql import Query, on, quoted, ratio
from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.spec import Alert, Owner, Series, Severity

ROOM = "govhub_hall_servers_room"
RACKS = "govhub_hall_standard_racks"
ORDER = "govhub_forecast_order_by_timestamp_seconds"
RESOURCE = (*HALL, "resource")


def room_alerts(scope: Scope, limits: Limits) -> list[Alert]:
    """Room of halls and weight of racks, as declared, and halls that are declared alone."""
    return [*_declared(scope, limits), *_missing(scope)]


def _declared(scope: Scope, limits: Limits) -> list[Alert]:
    query, examples = scope.query, Examples(scope.hub)
    hall, rack = examples.hall, examples.rack
    binding = 'resource="binding"'
    room = Series(ROOM, hall | {"resource": "binding"}, f"{limits.room - 1}")
    weight, most = "govhub_rack_weight_grams", "govhub_rack_weight_limit_grams"
    declared = Series(RACKS, hall | {"state": "declared"}, "100")
    return [
        Alert(
            name="GovhubHallRoomLow",
            expr=f"{query.one(ROOM, HALL, binding, how='min')} < {limits.room}",
            hold=60,
            severity=Severity.WARNING,
            owner=Owner.PLANNING,
            labels=place_of(hall),
            fires=(room,),
            quiet=(Series(ROOM, room.labels, f"{limits.room}"),),
            shown=f"{limits.room - 1}",
        ),
        Alert(
            name="GovhubHallRoomUnknown",
            expr=f"{query.one(RACKS, HALL)}\nunless {on(*HALL)}\n{query.one(ROOM, HALL, binding)}",
            hold=60,
            severity=Severity.INFO,
            owner=Owner.PLANNING,
            labels=place_of(hall),
            fires=(declared,),
            quiet=(declared, room),
        ),
        Alert(
            name="GovhubRackOverweight",
            expr=f"{ratio(query.one(weight, RACK), query.one(most, RACK))}\n> 1",
            hold=30,
            severity=Severity.WARNING,
            owner=Owner.FACILITIES,
            labels=place_of(rack),
            fires=pair(rack, (weight, "1200000"), (most, "1000000")),
            quiet=pair(rack, (weight, "1000000"), (most, "1000000")),
            shown="120%",
        ),
    ]


def _missing(scope: Scope) -> list[Alert]:
    """Only a rule that names each hall can tell that one is not there."""
    there = tuple(
        Series(RACKS, {"hub": scope.hub, "site": site, "hall": name, "state": "declared"}, "100")
        for site, name in scope.halls
    )
    return [
        Alert(
            name="GovhubHallMissing",
            expr=f"absent({scope.query.select(RACKS, f'site={quoted(site)}', f'hall={quoted(name)}')})",
            hold=15,
            severity=Severity.WARNING,
            owner=Owner.MONITORING,
            labels={"site": site, "hall": name},
            fixed={"site": site, "hall": name},
            fires=tuple(item for item in there if item.labels["site"] != site or item.labels["hall"] != name),
            quiet=there,
            absence=True,
        )
        for site, name in scope.halls
    ]


def growth_alerts(query: Query, limits: Limits) -> list[Alert]:
    """Level and trend together, and only where meters say enough."""
    hall = Examples(query.hub).hall
    p95, budget = "hall:govhub_power_watts:p95_1d", "hall:govhub_budget_watts:sum"
    coverage = "hall:govhub_meter_coverage:ratio"
    month, names = 30 * DAY, ", ".join(HALL)

    def given(values: str, share: str = "1") -> tuple[Series, ...]:
        return (Series(p95, hall, values), Series(budget, hall, "1000"), Series(coverage, hall, share))

    return [
        # 750 W and 3 W more every half hour are far above 1,000 W in 30 days; the same level without growth is not.
        Alert(
            name="GovhubHallPowerGrowth",
            expr=(
                f"max by ({names}) (predict_linear({query.select(p95)}[7d], {month}))\n"
                f"> {on(*HALL)}\n{query.one(budget, HALL)}\n"
                f"and {on(*HALL)}\n(\n  {query.one(p95, HALL)}\n  > {on(*HALL)}\n  0.7 * {query.one(budget, HALL)}\n)\n"
                f"and {on(*HALL)}\n(max by ({names}) (count_over_time({query.select(p95)}[7d])) >= 24)\n"
                f"and {on(*HALL)}\n({query.one(coverage, HALL)} >= {limits.coverage})"
            ),
            hold=360,
            severity=Severity.WARNING,
            owner=Owner.PLANNING,
            labels=place_of(hall),
            fires=given("750+3x200"),
            quiet=given("750+0x200"),
            since=690,
        ),
    ]


def forecast_alerts(query: Query, limits: Limits) -> list[Alert]:
    """Dates that the forecast gives, and whether it may be believed."""
    labels = Examples(query.hub).hall | {"resource": "power"}
    error, history = "govhub_forecast_backtest_error_ratio", "govhub_forecast_history_seconds"
    runs_out = "govhub_forecast_exhaustion_timestamp_seconds"
    left = f"({query.one(ORDER, RESOURCE, how='min')} - time()) / {DAY}"
    tenth = f"quantile={quoted('0.1')}"
    soon = f"({query.one(runs_out, RESOURCE, tenth, how='min')} - time()) / {DAY}"
    short = f"{query.one(history, RESOURCE)} < {30 * DAY}"
    dated = f"and {on(*RESOURCE)}\n{query.one(ORDER, RESOURCE)}"
    early = labels | {"quantile": "0.1"}
    alert = partial(Alert, owner=Owner.PLANNING, labels=place_of(labels), hold=60)

    def day(days: float) -> str:
        return f"{days * DAY:.0f}"

    return [
        alert(
            name="GovhubOrderByNear",
            expr=f"{left}\n< {limits.order_days}",
            severity=Severity.WARNING,
            fires=(Series(ORDER, labels, day(limits.order_days / 2)),),
            quiet=(Series(ORDER, labels, day(limits.order_days + 10)),),
            # An hour's `for` has passed by then, and the margin.
            shown=f"{limits.order_days / 2 - 63 / 1440:.0f}",
        ),
        # At minute 0 the clock of the tests stands at 1970-01-01; a date before it is in the past.
        alert(
            name="GovhubOrderByPassed",
            expr=f"{left}\n< 0",
            severity=Severity.CRITICAL,
            fires=(Series(ORDER, labels, "-864000"),),
            quiet=(Series(ORDER, labels, day(10)),),
            shown="-10",
            softer="GovhubOrderByNear",
        ),
        alert(
            name="GovhubExhaustionNear",
            expr=f"{soon}\n< {limits.exhaustion_days}",
            severity=Severity.WARNING,
            fires=(Series(runs_out, early, day(limits.exhaustion_days - 80)),),
            quiet=(Series(runs_out, early, day(limits.exhaustion_days + 10)),),
            shown=f"{limits.exhaustion_days - 80}",
        ),
        alert(
            name="GovhubForecastUnreliable",
            expr=f"(\n  {query.one(error, RESOURCE)} > 1\n  or\n  {short}\n)\n{dated}",
            severity=Severity.INFO,
            fires=(Series(error, labels, "1.2"), Series(ORDER, labels, day(400))),
            quiet=(Series(error, labels, "0.8"), Series(history, labels, day(90)), Series(ORDER, labels, day(400))),
        ),
    ]
