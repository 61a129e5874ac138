"""Recording rules: feeds to racks to rows to halls to sites to the region, the power tree as measured, ports."""

from __future__ import annotations

import itertools

from govhub.monitoring.rules.contract import FEED, HALL, PORT, RACK, ROW
from govhub.monitoring.rules.promql import Query, on, quoted
from govhub.monitoring.rules.recorded_tree import tree_rules
from govhub.monitoring.rules.scope import Scope
from govhub.monitoring.rules.spec import Recording, Series

POWER = "govhub_meter_rack_power_watts"
INFO = "govhub_rack_info"
RATED = "govhub_rack_rated_watts"
IMPLAUSIBLE = 3
"""Times of what a rack is rated for: more than a breaker lets through, so the meter or its unit is wrong."""


def recordings(scope: Scope) -> dict[str, list[Recording]]:
    """All of them by group, in the order in which they need each other."""
    query = scope.query
    return {
        "racks": [*_feeds(query), _draw(query), *_places(query), *_coverage(query), _pue(query)],
        "declared": _declared(query),
        "tree": tree_rules(query, scope.depth),
        "network": _ports(query),
        "p95": _p95(query),
    }


def place(query: Query, rack: str = "01", **more: str) -> dict[str, str]:
    """The labels of the rack of the examples."""
    return {"hub": query.hub, "site": "s1", "hall": "h1", "row": "r1", "rack": rack, **more}


def _feeds(query: Query) -> list[Recording]:
    reading = query.one(POWER, FEED)
    ends = [_end(query, side) for side in ("a", "b")]
    info = Series(INFO, place(query, feed_a="bw-a", feed_b="bw-b"), "1")
    rated = Series(RATED, place(query), "6000")
    sane, wild, reverse = (
        Series(POWER, place(query, rack, side=side), watts)
        for rack, side, watts in (("01", "a", "1500"), ("01", "b", "1500000"), ("02", "a", "-40"))
    )
    return [
        Recording(
            record="feed:govhub_rack_feed:info",
            expr=f"max by ({', '.join(FEED)}, element) (\n  {ends[0]}\n  or\n  {ends[1]}\n)",
            labels=(*FEED, "element"),
            given=(info,),
            gives=tuple((place(query, side=side, element=f"bw-{side}"), 1.0) for side in ("a", "b")),
        ),
        # What a meter cannot mean is no reading: below nothing, or far above what the cabinet is made for.
        Recording(
            record="feed:govhub_power_watts:max",
            expr=(
                f"({reading} >= 0)\nunless {on(*FEED)}\n"
                f"(\n  {reading}\n  > {on(*RACK)} group_left ()\n  {IMPLAUSIBLE} * {query.one(RATED, RACK)}\n)"
            ),
            labels=FEED,
            given=(sane, wild, reverse, rated),
            gives=((place(query, side="a"), 1500.0),),
            optional=frozenset({RATED}),
        ),
        Recording(
            record="rack:govhub_feeds:count",
            expr=(
                f"sum by ({', '.join(RACK)}) ({query.select('feed:govhub_rack_feed:info')})\n"
                f"or\n{query.one(INFO, RACK)}"
            ),
            labels=RACK,
            given=(
                Series("feed:govhub_rack_feed:info", place(query, side="a", element="bw-a"), "1"),
                Series("feed:govhub_rack_feed:info", place(query, side="b", element="bw-b"), "1"),
                Series(INFO, place(query, "02", feed_a="", feed_b=""), "1"),
            ),
            gives=((place(query), 2.0), (place(query, "02"), 1.0)),
            optional=frozenset({INFO, "feed:govhub_rack_feed:info"}),
        ),
    ]


def _draw(query: Query) -> Recording:
    """A rack of which one meter is silent is unknown: half of its draw would look like a whole rack's."""
    watts = query.one("feed:govhub_power_watts:max", FEED)
    end = Series("feed:govhub_power_watts:max", place(query, side="a"), "1500")
    return Recording(
        record="rack:govhub_power_watts:sum",
        expr=(
            f"sum by ({', '.join(RACK)}) ({watts})\nand {on(*RACK)}\n(\n"
            f"  count by ({', '.join(RACK)}) ({watts})\n"
            f"  >= {on(*RACK)}\n  {query.one('rack:govhub_feeds:count', RACK)}\n)"
        ),
        labels=RACK,
        given=(
            end,
            end.with_labels(side="b"),
            Series("rack:govhub_feeds:count", place(query), "2"),
            Series("rack:govhub_feeds:count", place(query, "03"), "2"),
            end.with_labels(rack="03"),
        ),
        gives=((place(query), 3000.0),),
    )


def _end(query: Query, side: str) -> str:
    """The element at the end of each rack's feed on one side, as the label ``element``."""
    declared = query.select(INFO, f"feed_{side}!={quoted('')}")
    sided = f'label_replace({declared}, "side", "{side}", "", "")'
    return f'label_replace({sided}, "element", "$1", "feed_{side}", "(.+)")'


def _places(query: Query) -> list[Recording]:
    levels = [("rack", RACK), ("row", ROW), ("hall", HALL), ("site", HALL[:2]), ("region", HALL[:1])]
    out = []
    for (below, from_labels), (level, labels) in itertools.pairwise(levels):
        source = f"{below}:govhub_power_watts:sum"
        one = {name: value for name, value in place(query).items() if name in from_labels}
        other = one | {from_labels[-1]: "other"}
        given = (Series(source, one, "3000"), Series(source, other, "2000"))
        out.append(
            Recording(
                record=f"{level}:govhub_power_watts:sum",
                expr=f"sum by ({', '.join(labels)}) ({query.one(source, from_labels)})",
                labels=labels,
                given=given,
                gives=(({name: one[name] for name in labels}, 5000.0),),
            )
        )
    return out


def _coverage(query: Query) -> list[Recording]:
    """How many racks of a hall are known."""
    hall = {name: value for name, value in place(query).items() if name in HALL}
    racks = tuple(Series(INFO, place(query, f"0{n}", feed_a="bw-a", feed_b=""), "1") for n in range(1, 5))
    declared, known = "hall:govhub_racks:count", "hall:govhub_racks_measured:count"
    measured = f"count by ({', '.join(HALL)}) ({query.one('rack:govhub_power_watts:sum', RACK)})"
    of_all = query.one(declared, HALL)
    return [
        Recording(
            record=declared,
            expr=f"count by ({', '.join(HALL)}) ({query.one(INFO, RACK)})",
            labels=HALL,
            given=racks,
            gives=((hall, 4.0),),
        ),
        # A hall whose meters are all silent has 0 of its racks measured; one without racks has no share.
        Recording(
            record=known,
            expr=f"{measured}\nor\n{of_all} * 0",
            labels=HALL,
            given=(Series(declared, hall, "4"), Series("rack:govhub_power_watts:sum", place(query, "01"), "900")),
            gives=((hall, 1.0),),
            optional=frozenset({declared, "rack:govhub_power_watts:sum"}),
        ),
        Recording(
            record="hall:govhub_meter_coverage:ratio",
            expr=f"{query.one(known, HALL)}\n/ {on(*HALL)}\n({of_all} > 0)",
            labels=HALL,
            given=(Series(declared, hall, "4"), Series("rack:govhub_power_watts:sum", place(query, "01"), "900")),
            gives=((hall, 0.25),),
            optional=frozenset({"rack:govhub_power_watts:sum"}),
        ),
    ]


def _declared(query: Query) -> list[Recording]:
    """What halls are built for, and what is declared to be drawn."""
    hall = {name: value for name, value in place(query).items() if name in HALL}
    out = []
    for name in ("budget", "allocated"):
        metric = f"govhub_rack_{name}_watts"
        out.append(
            Recording(
                record=f"hall:govhub_{name}_watts:sum",
                expr=f"sum by ({', '.join(HALL)}) ({query.one(metric, RACK)})",
                labels=HALL,
                given=(Series(metric, place(query, "01"), "2500"), Series(metric, place(query, "02"), "2500")),
                gives=((hall, 5000.0),),
            )
        )
    return out


def _pue(query: Query) -> Recording:
    metric, site = "govhub_meter_facility_power_watts", ("hub", "site")
    labels = {"hub": query.hub, "site": "s1"}
    parts = [query.one(metric, site, f'category="{category}"') for category in ("total", "it")]
    return Recording(
        record="site:govhub_pue:ratio",
        expr=f"{parts[0]}\n/ {on(*site)}\n({parts[1]} > 0)",
        labels=site,
        given=(
            Series(metric, {**labels, "category": "total"}, "1250"),
            Series(metric, {**labels, "category": "it"}, "1000"),
        ),
        gives=((labels, 1.25),),
    )


def _ports(query: Query) -> list[Recording]:
    port = {"hub": query.hub, "site": "s1", "device": "leaf-1", "port": "1"}
    out = []
    for way in ("receive", "transmit"):
        metric = f"govhub_meter_port_{way}_bytes_total"
        out.append(
            Recording(
                record=f"port:govhub_{way}_bits_per_second:rate5m",
                expr=f"max by ({', '.join(PORT)}) (rate({query.select(metric)}[5m])) * 8",
                labels=PORT,
                # 61,440 bytes a minute are 1,024 a second, 8,192 bit/s: a number that floats hold exactly.
                given=(Series(metric, port, "0+61440x40"),),
                gives=((port, 8192.0),),
            )
        )
    return out


def _p95(query: Query) -> list[Recording]:
    """95th percentile of a day: of the sum, since percentiles do not add up."""
    out = []
    port = {"hub": query.hub, "site": "s1", "device": "leaf-1", "port": "1"}
    hall = {name: value for name, value in place(query).items() if name in HALL}
    for record, source, labels in (
        ("rack:govhub_power_watts:p95_1d", "rack:govhub_power_watts:sum", place(query)),
        ("hall:govhub_power_watts:p95_1d", "hall:govhub_power_watts:sum", hall),
        *(
            (f"port:govhub_{way}_bits_per_second:p95_1d", f"port:govhub_{way}_bits_per_second:rate5m", port)
            for way in ("receive", "transmit")
        ),
    ):
        names = tuple(labels)
        out.append(
            Recording(
                record=record,
                expr=f"max by ({', '.join(names)}) (quantile_over_time(0.95, {query.select(source)}[1d]))",
                labels=names,
                # 0, 100, …, 2000 by minute 20: nineteen twentieths of the way is 1900.
                given=(Series(source, labels, "0+100x20"),),
                gives=((labels, 1900.0),),
                at=20,
            )
        )
    return out
