"""Recording rules that carry what racks draw up the power tree, level by level."""

from __future__ import annotations

import itertools

from govhub.monitoring.rules.contract import FEED
from govhub.monitoring.rules.promql import Query, on
from govhub.monitoring.rules.spec import Recording, Series

_ELEMENT = ("hub", "element")
_TREE = ("hub", "site", "element", "kind")
_CURRENT = "govhub_meter_rack_current_amperes"
_FEEDS = "feed:govhub_rack_feed:info"
_WATTS = "feed:govhub_power_watts:max"
_FAILOVER = "govhub_rack_feed_failover_watts"


def tree_rules(query: Query, depth: int) -> list[Recording]:
    """For a tree of ``depth`` levels: watts, feeds and feeds without power of each element, and balance of phases."""
    feed = {"hub": query.hub, "site": "s1", "hall": "h1", "row": "r1", "rack": "01", "side": "a"}
    other = feed | {"side": "b"}
    ends = (Series(_FEEDS, feed | {"element": "bw-a"}, "1"), Series(_FEEDS, other | {"element": "bw-b"}, "1"))
    joined = f"{on(*FEED)} group_left (element)\n  {query.one(_FEEDS, (*FEED, 'element'))}"
    used = f"{query.one(_FEEDS, (*FEED, 'element'))}\n  and {on(*FEED)} ({query.select(_FAILOVER)} > 0)"
    failover = (Series(_FAILOVER, feed, "3000"), Series(_FAILOVER, other, "3000"))
    gone = (
        f"{used}\n  unless {on(*FEED)} ({query.one(_WATTS, FEED)} >= 1)\n"
        f"  and {on(*FEED[:-1])} {query.one(_WATTS, FEED)}"
    )
    return [
        # Without power: a meter of the rack answers, but this feed shows nothing although machines are to draw from it.
        Recording(
            record="feed:govhub_rack_feed_gone:info",
            expr=gone,
            labels=(*FEED, "element"),
            given=(*ends, *failover, Series(_WATTS, feed, "0"), Series(_WATTS, other, "3000")),
            gives=((feed | {"element": "bw-a"}, 1.0),),
        ),
        *_rolled(
            query,
            "govhub_power_watts",
            "sum",
            f"{query.one(_WATTS, FEED)}\n  * {joined}",
            depth,
            (*ends, Series(_WATTS, feed, "1500")),
            1500.0,
        ),
        *_rolled(query, "govhub_feeds", "count", used, depth, (*ends, *failover), 1.0),
        *_rolled(
            query,
            "govhub_feeds_gone",
            "count",
            query.one("feed:govhub_rack_feed_gone:info", (*FEED, "element")),
            depth,
            (Series("feed:govhub_rack_feed_gone:info", feed | {"element": "bw-a"}, "1"),),
            1.0,
        ),
        *_phases(query, joined, ends[:1]),
    ]


def _rolled(
    query: Query, name: str, how: str, leaf: str, depth: int, given: tuple[Series, ...], value: float
) -> list[Recording]:
    """``element:NAME:HOW`` of all elements. What a leaf carries reaches each element above at one distance alone."""
    parent = query.one("govhub_power_info", ("hub", "element", "parent"), 'parent!=""')
    about = query.one("govhub_power_info", _TREE)
    info = [
        Series("govhub_power_info", {"hub": query.hub, "site": "s1", "element": e, "kind": k, "parent": p}, "1")
        for e, k, p in (("bw-a", "busway", "ups-a"), ("bw-c", "busway", "ups-a"), ("ups-a", "ups", ""))
    ]
    levels = [f"element:{name}:level{level}" for level in range(depth)]
    out = [
        Recording(
            record=levels[0],
            expr=f"sum by ({', '.join(_ELEMENT)}) (\n  {leaf}\n)",
            labels=_ELEMENT,
            given=given,
            gives=tuple(({"hub": query.hub, "element": element}, value) for element in sorted(_elements(given, value))),
        )
    ]
    for below, level in itertools.pairwise(levels):
        up = f"{query.one(below, _ELEMENT)}\n  * {on(*_ELEMENT)} group_left (parent)\n  {parent}"
        out.append(
            Recording(
                record=level,
                # Summed before the name is changed: children of one parent would be one series twice.
                expr=(
                    f"max by ({', '.join(_ELEMENT)}) (label_replace(\n  sum by (hub, parent) (\n  {up}\n  ),\n"
                    f'  "element", "$1", "parent", "(.+)"\n))'
                ),
                labels=_ELEMENT,
                given=(*(Series(below, {"hub": query.hub, "element": e}, "7") for e in ("bw-a", "bw-c")), *info[:2]),
                gives=(({"hub": query.hub, "element": "ups-a"}, 14.0),),
            )
        )
    every = query.select("", f'__name__=~"element:{name}:level[0-9]+"')
    out.append(
        Recording(
            record=f"element:{name}:{how}",
            expr=(f"sum by ({', '.join(_ELEMENT)}) ({every})\n* {on(*_ELEMENT)} group_left (site, kind)\n{about}"),
            labels=_TREE,
            given=(
                Series(levels[0], {"hub": query.hub, "element": "bw-a"}, "7"),
                Series(levels[-1], {"hub": query.hub, "element": "ups-a"}, "9"),
                *(item.with_labels(parent="") for item in info),
            ),
            optional=frozenset(levels),
            gives=tuple(
                ({"hub": query.hub, "site": "s1", "element": e, "kind": k}, v)
                for e, k, v in (("bw-a", "busway", 7.0), ("ups-a", "ups", 9.0))
            ),
        )
    )
    return out


def _elements(given: tuple[Series, ...], value: float) -> set[str]:
    fed = {item.labels["side"]: item.labels["element"] for item in given if "element" in item.labels}
    watts = {item.labels["side"] for item in given if item.metric == _WATTS}
    return {element for side, element in fed.items() if not watts or side in watts} if value else set()


def _phases(query: Query, joined: str, ends: tuple[Series, ...]) -> list[Recording]:
    element = {"hub": query.hub, "element": "bw-a"}
    amperes = "element:govhub_current_amperes:sum"
    feed = {name: value for name, value in ends[0].labels.items() if name != "element"}
    phase = (*_ELEMENT, "phase")
    current = query.one(amperes, phase)
    mean = f"avg by ({', '.join(_ELEMENT)}) ({current})"
    return [
        Recording(
            record=amperes,
            expr=f"sum by ({', '.join(phase)}) (\n  {query.one(_CURRENT, (*FEED, 'phase'))}\n  * {joined}\n)",
            labels=phase,
            given=(*ends, Series(_CURRENT, feed | {"phase": "l1"}, "11")),
            gives=((element | {"phase": "l1"}, 11.0),),
        ),
        # NEMA MG 1: the largest deviation from the mean, of the mean; unknown unless all three phases are known.
        Recording(
            record="element:govhub_phase_unbalance:ratio",
            expr=(
                f"max by ({', '.join(_ELEMENT)}) (abs(\n  {current}\n  - {on(*_ELEMENT)} group_left ()\n  {mean}\n))\n"
                f"/ {on(*_ELEMENT)}\n({mean} > 0)\n"
                f"and {on(*_ELEMENT)}\n(count by ({', '.join(_ELEMENT)}) ({current}) == 3)"
            ),
            labels=_ELEMENT,
            given=tuple(
                Series(amperes, element | {"phase": name}, amps)
                for name, amps in (("l1", "120"), ("l2", "100"), ("l3", "80"))
            ),
            gives=((element, 0.2),),
        ),
    ]
