"""Small hubs with power trees, by hand and drawn."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from govhub.bench.synthetic import base_document
from govhub.inventory.loader import Hub, load
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.place import Order, Placement, Placer

KILOWATT = Need("kilowatt", units=1, watts=1000.0, kg=10.0)


def hub_of(power: list[dict[str, Any]], feeds: list[dict[str, Any]], racks: int = 3, **rack: Any) -> Hub:
    """A hub of one row of empty racks, 20 U and 20 kW each unless told otherwise, with the given power tree."""
    document = base_document(1, racks, 1)
    document["sites"][0]["tier"] = rack.pop("tier", "A")
    standard = rack.pop("standard_rack_kw", 50)
    document["sites"][0]["standard_rack_kw"] = standard
    sizes = {"units": 20, "rated_kw": 20, "max_kg": 1000} | rack
    document["sites"][0]["halls"] = [
        {"name": "h1", "rows": [{"names": "r1", "racks": f"{{1..{racks}}}" if racks > 1 else "1", "rack": sizes}]}
    ]
    document["hosts"] = []
    document |= {"power": power, "feeds": feeds}
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "hub.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        loaded = load(Path(scratch))
    assert loaded.hub is not None, [item.summary for item in loaded.problems]
    return loaded.hub


def run(columns: Columns, count: int, need: Need = KILOWATT, order: Order = Order.SPREAD) -> Placement:
    return Placer(columns, need, columns.inside("")).run(count, order)


def two_sides(kw: float, racks: int = 3) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    power = [{"names": "ups-{a,b}", "kind": "ups", "kw": kw}]
    every = f"a/h1/r1/{{1..{racks}}}" if racks > 1 else "a/h1/r1/1"
    return power, [
        {"racks": every, "side": side, "fed_by": f"ups-{side}", "breaker_amps": 100, "phases": 3} for side in "ab"
    ]


# Any tree of up to six elements, racks on any two of them.
@st.composite
def tiny(draw: st.DrawFn) -> Columns:
    kinds = ["utility", "ups", "busway"]
    count = draw(st.integers(1, 6))
    power = []
    for number in range(count):
        entry: dict[str, Any] = {"names": f"e{number}", "kind": draw(st.sampled_from(kinds))}
        if draw(st.booleans()) or number < 2:
            entry["kw"] = draw(st.integers(1, 9))
        parent = draw(st.integers(-1, number - 1))
        if parent >= 0 and number > 1 and draw(st.booleans()):
            entry |= {"kind": "sts", "alternate": f"e{draw(st.integers(0, number - 1))}"}
        power.append(entry | ({"fed_by": f"e{parent}"} if parent >= 0 else {}))
    feeds = []
    for rack in range(1, 4):
        for side in draw(st.sampled_from(["a", "b", "ab", "ab", "ab"])):
            entry = {"racks": f"a/h1/r1/{rack}", "side": side, "fed_by": f"e{draw(st.integers(0, count - 1))}"}
            entry |= {"phase": draw(st.sampled_from(["l1", "l2"])), "breaker_amps": draw(st.sampled_from([10, 16, 32]))}
            feeds.append(entry | {"phases": draw(st.sampled_from([1, 3])), "volts": 380})
    tier = draw(st.sampled_from(["A", "A", "B"]))
    return Columns(
        hub_of(power, feeds, tier=tier, units=draw(st.integers(2, 4)), standard_rack_kw=draw(st.integers(1, 4)))
    )


@st.composite
def mirrored(draw: st.DrawFn) -> Columns:
    """Two sides that are alike (2N) with feeds of three phases: limits are nested then."""
    count = draw(st.integers(1, 4))
    power, parents = [], [draw(st.integers(-1, number - 1)) for number in range(count)]
    for number, parent in enumerate(parents):
        kw, kind = draw(st.integers(1, 8)), draw(st.sampled_from(["ups", "busway"]))
        above = {"fed_by": f"e{parent}-{{a,b}}"} if parent >= 0 else {}
        power.append({"names": f"e{number}-{{a,b}}", "kind": kind, "kw": kw} | above)
    leaves = [draw(st.integers(0, count - 1)) for _ in range(3)]
    feeds = [
        {"racks": f"a/h1/r1/{rack}", "side": side, "fed_by": f"e{leaf}-{side}", "phases": 3, "volts": 380}
        for rack, leaf in enumerate(leaves, 1)
        for side in "ab"
    ]
    return Columns(hub_of(power, feeds, units=4))
