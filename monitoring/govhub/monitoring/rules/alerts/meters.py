"""Meters that are silent, stuck, negative, implausible or at odds with themselves; coverage of halls and figures."""

from __future__ import annotations

from functools import partial

from govhub.monitoring.rules.alerts.places import Examples, pair, place_of
from govhub.monitoring.rules.contract import FEED, HALL, METERS_JOBS, RACK
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.promql import Query, on, quoted, ratio
from govhub.monitoring.rules.recording import IMPLAUSIBLE, POWER, RATED
from govhub.monitoring.rules.spec import Alert, Owner, Series, Severity

FEEDS = "feed:govhub_rack_feed:info"
UNREAD = "govhub_meter_unread"
COVERAGE = "hall:govhub_meter_coverage:ratio"
ENERGY = "govhub_meter_rack_energy_joules_total"


def meter_alerts(query: Query, limits: Limits) -> list[Alert]:
    """All of meters and coverage."""
    return [*_readings(query), *_over_time(query), *_coverage(query, limits)]


def _readings(query: Query) -> list[Alert]:
    examples = Examples(query.hub)
    feed, rack = examples.feed, examples.rack
    alert = partial(Alert, owner=Owner.METERING, severity=Severity.WARNING)
    end = Series(FEEDS, feed | {"element": "bw-a"}, "1")
    neighbour = Series(POWER, examples.other_rack(side="a"), "900")
    return [
        # Where no meter of the hall answers, that is one message of the hall's, not one of each rack's.
        alert(
            name="GovhubMeterSilent",
            expr=(
                f"{query.one(FEEDS, (*FEED, 'element'))}\nunless {on(*FEED)}\n{query.select(POWER)}\n"
                f"and {on(*HALL)}\n{query.select(POWER)}"
            ),
            hold=10,
            labels=place_of(feed) | {"element": "bw-a"},
            fires=(end, neighbour),
            quiet=(end, neighbour, Series(POWER, feed, "900")),
        ),
        alert(
            name="GovhubMeterUnread",
            expr=query.one(UNREAD, FEED),
            hold=10,
            labels=place_of(feed),
            fires=(Series(UNREAD, feed | {"unit": "6;10;0", "status": "1"}, "4"),),
            quiet=(Series(POWER, feed, "900"),),
            softer="GovhubMeterSilent",
        ),
        alert(
            name="GovhubMeterNegative",
            expr=f"{query.one(POWER, FEED, how='min')} < 0",
            hold=5,
            labels=place_of(feed),
            fires=(Series(POWER, feed, "-40"),),
            quiet=(Series(POWER, feed, "0"),),
            shown="-40",
        ),
        alert(
            name="GovhubMeterImplausible",
            expr=(
                f"{query.one(POWER, FEED)}\n/ {on(*RACK)} group_left ()\n({query.one(RATED, RACK)} > 0)\n"
                f"> {IMPLAUSIBLE}"
            ),
            hold=5,
            labels=place_of(feed),
            fires=(Series(POWER, feed, "24000"), Series(RATED, rack, "6000")),
            quiet=(Series(POWER, feed, "6000"), Series(RATED, rack, "6000")),
            shown="4",
        ),
    ]


def _over_time(query: Query) -> list[Alert]:
    feed = Examples(query.hub).feed
    names = ", ".join(FEED)
    alert = partial(Alert, owner=Owner.METERING, severity=Severity.WARNING, labels=place_of(feed))
    rate = f"max by ({names}) (rate({query.select(ENERGY)}[30m]))"
    mean = f"max by ({names}) (avg_over_time({query.select(POWER)}[30m]))"
    return [
        # A load of servers never stands still to the watt for three hours; an empty rack's 0 does.
        alert(
            name="GovhubMeterStuck",
            expr=(
                f"max by ({names}) (changes({query.select(POWER)}[3h])) == 0\n"
                f"and {on(*FEED)}\n({query.one(POWER, FEED)} > 0)\n"
                f"and {on(*FEED)}\n(max by ({names}) (count_over_time({query.select(POWER)}[3h])) >= 30)"
            ),
            hold=15,
            fires=(Series(POWER, feed, "1500"),),
            quiet=(Series(POWER, feed, "1500+1x240"),),
            since=29,
        ),
        # Joules that do not add up to the watts: a wrong unit, or a clock that runs at another speed.
        alert(
            name="GovhubMeterDisagrees",
            expr=(f"abs(\n  {rate}\n  - {on(*FEED)}\n  {mean}\n)\n/ {on(*FEED)}\n({mean} > 50)\n> 0.25"),
            hold=30,
            # 60 kJ a minute are 1,000 W; the meter says 2,000.
            fires=pair(feed, (ENERGY, "0+60000x240"), (POWER, "2000")),
            quiet=pair(feed, (ENERGY, "0+60000x240"), (POWER, "1000")),
            since=1,
            shown="50%",
        ),
    ]


def _coverage(query: Query, limits: Limits) -> list[Alert]:
    hall = Examples(query.hub).hall
    figure = hall | {"figure": "power.measured"}
    job = f"job=~{quoted(METERS_JOBS)}"
    known, parts = "govhub_figure_known_parts", "govhub_figure_parts"
    labels = (*HALL, "figure")
    coverage = query.one(COVERAGE, HALL, how="min")
    # A hall that never had meters is no fault; what had some within a day and has fewer now is.
    metered = f"and {on(*HALL)}\n(max by ({', '.join(HALL)}) (max_over_time({query.select(COVERAGE)}[1d])) > 0)"
    return [
        Alert(
            name="GovhubMeterCoverageLow",
            expr=f"{coverage} < {limits.coverage}\n{metered}",
            hold=15,
            severity=Severity.WARNING,
            owner=Owner.METERING,
            labels=place_of(hall),
            fires=(Series(COVERAGE, hall, "0.48"),),
            quiet=(Series(COVERAGE, hall, "0"),),
            shown="48%",
        ),
        Alert(
            name="GovhubMetersMostlySilent",
            expr=f"{coverage} < 0.5\n{metered}",
            hold=10,
            severity=Severity.CRITICAL,
            owner=Owner.METERING,
            labels=place_of(hall),
            fires=(Series(COVERAGE, hall, "1 0+0x200"),),
            quiet=(Series(COVERAGE, hall, "0.5"),),
            shown="0%",
            since=1,
            softer="GovhubMeterCoverageLow",
        ),
        Alert(
            name="GovhubFigureCoverageLow",
            expr=f"{ratio(query.one(known, labels), query.one(parts, labels))}\n< {limits.coverage}",
            hold=60,
            severity=Severity.INFO,
            owner=Owner.PLANNING,
            labels=place_of(figure),
            fires=pair(figure, (known, "48"), (parts, "100")),
            quiet=pair(figure, (known, "90"), (parts, "100")),
            shown="48%",
        ),
        Alert(
            name="GovhubMeterTargetDown",
            expr=f"sum by (hub) (1 - {query.one('up', ('hub', 'instance'), job)}) > 0",
            hold=5,
            severity=Severity.WARNING,
            owner=Owner.METERING,
            labels={},
            fires=(Series("up", {"hub": query.hub, "job": "meters-row", "instance": "pdu-1"}, "0"),),
            quiet=(Series("up", {"hub": query.hub, "job": "meters-row", "instance": "pdu-1"}, "1"),),
            shown="1",
        ),
    ]
