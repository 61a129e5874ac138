"""Power and cooling: limits after a loss, limits now, feeds without power, balance of phases, growth."""

from __future__ import annotations

from functools import partial

from govhub.monitoring.rules.alerts.places import Examples, around, pair, place_of
from govhub.monitoring.rules.contract import ELEMENT, FEED, HALL, RACK
from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.promql import Query, on, ratio
from govhub.monitoring.rules.spec import Alert, Owner, Series, Severity

FEEDS = "feed:govhub_rack_feed:info"
WATTS = "feed:govhub_power_watts:max"
LIMIT = "govhub_rack_feed_limit_watts"
FAILOVER = "govhub_rack_feed_failover_watts"
CAPACITY = "govhub_power_capacity_watts"


def power_alerts(query: Query) -> list[Alert]:
    """All of the power tree and the feeds of racks as measured."""
    examples = Examples(query.hub)
    return [*_now(query, examples), *_lost(query, examples)]


def cooling_alerts(query: Query, limits: Limits) -> list[Alert]:
    """Cooling that is left when the grade's units stand still."""
    hall = Examples(query.hub).hall
    load, capacity = "govhub_hall_cooling_load_watts", "govhub_hall_cooling_capacity_watts"
    share = ratio(query.one(load, HALL), query.one(capacity, HALL))
    measured = "hall:govhub_power_watts:sum"
    above, below, shown = around(limits)
    alert = partial(Alert, owner=Owner.FACILITIES, labels=place_of(hall))
    return [
        alert(
            name="GovhubCoolingNearLimitAfterLoss",
            expr=f"{share}\n> {limits.near}",
            hold=60,
            severity=Severity.WARNING,
            fires=pair(hall, (load, above), (capacity, "100")),
            quiet=pair(hall, (load, below), (capacity, "100")),
            shown=shown,
        ),
        alert(
            name="GovhubCoolingOverLimitAfterLoss",
            expr=f"{share}\n> 1",
            hold=30,
            severity=Severity.WARNING,
            fires=pair(hall, (load, "120"), (capacity, "100")),
            quiet=pair(hall, (load, "100"), (capacity, "100")),
            shown="120%",
            softer="GovhubCoolingNearLimitAfterLoss",
        ),
        alert(
            name="GovhubHallHeatOverCooling",
            expr=f"{ratio(query.one(measured, HALL), query.one(capacity, HALL))}\n> 1",
            hold=10,
            severity=Severity.CRITICAL,
            fires=pair(hall, (measured, "110"), (capacity, "100")),
            quiet=pair(hall, (measured, "100"), (capacity, "100")),
            shown="110%",
            softer="GovhubCoolingOverLimitAfterLoss",
        ),
    ]


def failover_alerts(query: Query, limits: Limits) -> list[Alert]:
    """What a loss would do."""
    examples = Examples(query.hub)
    feed, element, rack = examples.feed, examples.element, examples.rack
    failover = "govhub_power_failover_watts"
    share = ratio(query.one(failover, ELEMENT), query.one(CAPACITY, ELEMENT))
    above, below, shown = around(limits)
    summed, weaker = "rack:govhub_power_watts:sum", query.one(LIMIT, RACK, how="min")
    return [
        Alert(
            name="GovhubRackFeedOverLimitAfterLoss",
            expr=f"{ratio(query.one(FAILOVER, FEED), query.one(LIMIT, FEED))}\n> 1",
            hold=30,
            severity=Severity.WARNING,
            owner=Owner.POWER,
            labels=place_of(feed),
            fires=pair(feed, (FAILOVER, "7500"), (LIMIT, "6000")),
            quiet=pair(feed, (FAILOVER, "6000"), (LIMIT, "6000")),
            shown="125%",
        ),
        Alert(
            name="GovhubRackDrawOverOneFeed",
            expr=f"{ratio(query.one(summed, RACK), weaker)}\n> 1",
            hold=15,
            severity=Severity.WARNING,
            owner=Owner.POWER,
            labels=place_of(rack),
            fires=(Series(summed, rack, "7500"), Series(LIMIT, rack | {"side": "a"}, "6000")),
            quiet=(Series(summed, rack, "6000"), Series(LIMIT, rack | {"side": "a"}, "6000")),
            shown="125%",
        ),
        Alert(
            name="GovhubPowerElementNearLimitAfterLoss",
            expr=f"{share}\n> {limits.near}",
            hold=60,
            severity=Severity.WARNING,
            owner=Owner.POWER,
            labels=place_of(element),
            fires=pair(element, (failover, above), (CAPACITY, "100")),
            quiet=pair(element, (failover, below), (CAPACITY, "100")),
            shown=shown,
        ),
        Alert(
            name="GovhubPowerElementOverLimitAfterLoss",
            expr=f"{share}\n> 1",
            hold=15,
            severity=Severity.CRITICAL,
            owner=Owner.POWER,
            labels=place_of(element),
            fires=pair(element, (failover, "110000"), (CAPACITY, "100000")),
            quiet=pair(element, (failover, "100000"), (CAPACITY, "100000")),
            shown="110%",
            softer="GovhubPowerElementNearLimitAfterLoss",
        ),
    ]


def _now(query: Query, examples: Examples) -> list[Alert]:
    feed, element = examples.feed, examples.element
    summed = "element:govhub_power_watts:sum"
    unbalance, amperes = "element:govhub_phase_unbalance:ratio", "element:govhub_current_amperes:sum"
    bare = {name: value for name, value in element.items() if name in ("hub", "element")}
    mean = f"avg by (hub, element) ({query.one(amperes, ('hub', 'element', 'phase'))})"
    ends = Series(FEEDS, feed | {"element": "bw-a"}, "1")

    def phases(share: str, amps: str) -> tuple[Series, ...]:
        return (
            Series(unbalance, bare, share),
            *(Series(amperes, bare | {"phase": name}, amps) for name in ("l1", "l2", "l3")),
        )

    return [
        Alert(
            name="GovhubRackFeedOverLimit",
            expr=(
                f"(\n{ratio(query.one(WATTS, FEED), query.one(LIMIT, FEED))}\n)\n"
                f"* {on(*FEED)} group_left (element)\n{query.one(FEEDS, (*FEED, 'element'))}\n> 1"
            ),
            hold=5,
            severity=Severity.CRITICAL,
            owner=Owner.POWER,
            labels=place_of(feed) | {"element": "bw-a"},
            fires=(*pair(feed, (WATTS, "6600"), (LIMIT, "6000")), ends),
            quiet=(*pair(feed, (WATTS, "6000"), (LIMIT, "6000")), ends),
            shown="110%",
            softer="GovhubRackFeedOverLimitAfterLoss",
        ),
        Alert(
            name="GovhubPowerElementOverLimit",
            expr=f"{ratio(query.one(summed, ELEMENT), query.one(CAPACITY, ELEMENT))}\n> 1",
            hold=5,
            severity=Severity.CRITICAL,
            owner=Owner.POWER,
            labels=place_of(element),
            fires=pair(element, (summed, "105000"), (CAPACITY, "100000")),
            quiet=pair(element, (summed, "100000"), (CAPACITY, "100000")),
            shown="105%",
            softer="GovhubPowerElementOverLimitAfterLoss",
        ),
        # Phases of an element that carries next to nothing differ without meaning anything.
        Alert(
            name="GovhubPhaseUnbalance",
            expr=f"{query.one(unbalance, ('hub', 'element'))} > 0.2\nand {on('hub', 'element')}\n({mean} > 10)",
            hold=30,
            severity=Severity.WARNING,
            owner=Owner.POWER,
            labels={"element": "bw-a"},
            fires=phases("0.35", "40"),
            quiet=phases("0.35", "4"),
            shown="35%",
        ),
    ]


def _lost(query: Query, examples: Examples) -> list[Alert]:
    feed, element = examples.feed, examples.element
    gone, feeds = "element:govhub_feeds_gone:count", "element:govhub_feeds:count"
    dead = "feed:govhub_rack_feed_gone:info"
    return [
        # A busway's own word is seldom to be had; when nine of ten feeds that hang on it are without power, it is away.
        Alert(
            name="GovhubPowerElementLost",
            expr=(
                f"{ratio(query.one(gone, ELEMENT), query.one(feeds, ELEMENT))}\n>= 0.9\n"
                f"and {on(*ELEMENT)}\n{query.one(feeds, ELEMENT)} >= 2"
            ),
            hold=1,
            severity=Severity.CRITICAL,
            owner=Owner.POWER,
            labels=place_of(element),
            fires=pair(element, (gone, "36"), (feeds, "36")),
            quiet=pair(element, (gone, "30"), (feeds, "36")),
            shown="100%",
        ),
        Alert(
            name="GovhubRackFeedDead",
            expr=(f"{query.one(dead, (*FEED, 'element'))}\nand {on(*FEED)}\n({query.one(WATTS, FEED)} < 1)"),
            hold=5,
            severity=Severity.WARNING,
            owner=Owner.POWER,
            labels=place_of(feed) | {"element": "bw-a"},
            fires=(Series(dead, feed | {"element": "bw-a"}, "1"), Series(WATTS, feed, "0")),
            quiet=(Series(dead, feed | {"element": "bw-a"}, "1"), Series(WATTS, feed, "20")),
        ),
    ]
