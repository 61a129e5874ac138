"""What is believed of meters: a real Prometheus scrapes whatever a test says they tell."""

from __future__ import annotations

import time
from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from capacity.meters.conftest import MadeUp
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls
from govhub.monitoring.live.readings import METRIC, Readings, element_figures, element_watts, read
from govhub.monitoring.prometheus import Prometheus

LOADED = "jz/h1/r1/01"
EMPTY = "jz/h1/r2/02"


def lines(columns: Columns, changes: dict[tuple[str, str], float | str | None], at: str = "") -> str:
    """Every feed with half of its rack's declared watts × 0.6, but for changes; None leaves a feed out."""
    out = []
    for rack, watts in zip(columns.racks.addresses, columns.loads.watts, strict=True):
        site, hall, row, name = rack.split("/")
        for side in "ab":
            value = changes.get((rack, side), watts * 0.3)
            if value is not None:
                place = f'hub="testcity",site="{site}",hall="{hall}",row="{row}",rack="{name}",side="{side}"'
                out.append(f"{METRIC}{{{place}}} {value}{at}")
    return "\n".join(out) + "\n"


def told(made_up: MadeUp, columns: Columns, changes: dict[tuple[str, str], float | str | None]) -> Readings:
    made_up.tell(lines(columns, changes))
    return read(Prometheus(made_up.url), columns, time.time())


def at(columns: Columns, rack: str) -> int:
    return columns.place[rack]


def test_all_is_well_and_every_rule_against_one_feed(made_up: MadeUp, columns: Columns) -> None:
    loads = columns.loads.watts
    assert loads[at(columns, LOADED)] > 0
    good = told(made_up, columns, {})
    assert good.problems == []
    assert good.racks == pytest.approx(loads * 0.6)
    assert np.nanmax(good.age) < 10
    figure = Halls(columns, measured=good.measured).figures(columns.inside(""))["power.measured"]
    assert figure.numerator == pytest.approx(loads.sum() * 0.6)
    assert (figure.known, figure.parts) == (8, 8)
    assert figure.age is not None

    mine = loads[at(columns, LOADED)]
    cases: list[tuple[str, dict[tuple[str, str], float | str | None]]] = [
        ("MTR011", {(LOADED, "a"): None}),
        ("MTR011", {(LOADED, "a"): "NaN"}),
        ("MTR012", {(LOADED, "a"): -200.0}),
        ("MTR012", {(LOADED, "a"): "+Inf"}),
        # kW or mW instead of W, on one side or on both.
        ("MTR015", {(LOADED, "a"): mine * 300}),
        ("MTR015", {(LOADED, "a"): mine * 0.0003, (LOADED, "b"): mine * 0.0003}),
        ("MTR015", {(LOADED, "a"): 0.0, (LOADED, "b"): 0.0}),
        ("MTR015", {(LOADED, "a"): mine * 0.0001, (LOADED, "b"): mine * 0.1}),
    ]
    for code, changes in cases:
        found = told(made_up, columns, changes)
        assert [text[:6] for text in found.problems] == [code], (changes, found.problems)
        assert np.isnan(found.racks[at(columns, LOADED)]), changes
        others = np.arange(8) != at(columns, LOADED)
        assert found.racks[others] == pytest.approx(loads[others] * 0.6)


def test_a_lost_feed_is_believed_when_the_other_one_carries_all(made_up: MadeUp, columns: Columns) -> None:
    mine = columns.loads.watts[at(columns, LOADED)]
    found = told(made_up, columns, {(LOADED, "a"): 0.0, (LOADED, "b"): mine * 0.6})

    assert found.problems == []
    assert found.racks[at(columns, LOADED)] == pytest.approx(mine * 0.6)


def test_an_empty_rack_that_reads_nothing_reads_nothing(made_up: MadeUp, columns: Columns) -> None:
    bare = copy(columns)
    bare.loads = replace(columns.loads, watts=np.where(np.arange(8) == at(columns, EMPTY), 0.0, columns.loads.watts))
    found = told(made_up, bare, {})

    assert found.problems == []
    assert found.racks[at(columns, EMPTY)] == 0


def test_a_meter_of_another_hub_or_rack_counts_for_nobody(made_up: MadeUp, columns: Columns) -> None:
    strange = METRIC + '{hub="testcity",site="jz",hall="h1",row="r9",rack="01",side="a"} 5\n'
    other = METRIC + '{hub="elsewhere",site="jz",hall="h1",row="r1",rack="01",side="a",instance="x"} 99999\n'
    made_up.tell(lines(columns, {}) + strange + other)
    found = read(Prometheus(made_up.url), columns, time.time())

    assert [text[:6] for text in found.problems] == ["MTR018"]
    assert np.nansum(found.racks) == pytest.approx(columns.loads.watts.sum() * 0.6)


def test_two_meters_of_one_feed_that_differ_are_not_believed(made_up: MadeUp, columns: Columns) -> None:
    site, hall, row, rack = LOADED.split("/")
    place = f'hub="testcity",site="{site}",hall="{hall}",row="{row}",rack="{rack}",side="a",again="yes"'
    mine = columns.loads.watts[at(columns, LOADED)]
    made_up.tell(lines(columns, {}) + f"{METRIC}{{{place}}} {mine * 0.2}\n")
    found = read(Prometheus(made_up.url), columns, time.time())

    assert [text[:6] for text in found.problems] == ["MTR017"]
    assert np.isnan(found.racks[at(columns, LOADED)])


def test_clocks_that_differ_are_told(made_up: MadeUp, columns: Columns) -> None:
    made_up.tell(lines(columns, {}))
    found = read(Prometheus(made_up.url), columns, time.time() - 3600)

    assert "3,6" in found.problems[0]
    assert found.problems[0].startswith("MTR010")
    # Ages go by the clock that stamped the values.
    assert np.nanmax(found.age) < 60


def test_power_elements_are_the_sums_of_the_feeds_below_them(made_up: MadeUp, columns: Columns) -> None:
    found = told(made_up, columns, {(LOADED, "a"): None})
    watts, known, parts = element_watts(found, columns)
    names = columns.elements.names
    loads = columns.loads.watts

    assert watts[names.index("grid-b")] == pytest.approx(loads.sum() * 0.3)
    assert watts[names.index("grid-a")] == pytest.approx((loads.sum() - loads[at(columns, LOADED)]) * 0.3)
    assert (known[names.index("grid-a")], parts[names.index("grid-a")]) == (7, 8)
    assert parts[names.index("bus-a1")] == 4
    figures = dict(zip(names, element_figures(found, columns), strict=True))
    # One silent feed below makes the sum unknown, and says so.
    assert (figures["grid-a"].numerator, figures["grid-a"].known, figures["grid-a"].parts) == (None, 7, 8)
    assert figures["grid-b"].numerator == pytest.approx(loads.sum() * 0.3)
    assert figures["grid-b"].age is not None


def test_values_of_the_future_and_of_the_past(made_up: MadeUp, columns: Columns) -> None:
    soon, past = int((time.time() + 120) * 1000), int((time.time() - 200) * 1000)
    text = lines(columns, {(LOADED, "a"): None, (EMPTY, "a"): None})
    for rack, stamp in ((LOADED, soon), (EMPTY, past)):
        site, hall, row, name = rack.split("/")
        # Series of their own: of others Prometheus has later values already.
        place = f'hub="testcity",site="{site}",hall="{hall}",row="{row}",rack="{name}",side="a",stamped="yes"'
        text += f"{METRIC}{{{place}}} {columns.loads.watts[at(columns, rack)] * 0.3} {stamp}\n"
    made_up.tell(text)
    found = read(Prometheus(made_up.url), columns, time.time())

    # Prometheus answers with what is of now or before: one that is ahead is not there yet.
    assert np.isnan(found.racks[at(columns, LOADED)])
    assert {text[:6] for text in found.problems} <= {"MTR011", "MTR014"}
    assert found.age[at(columns, EMPTY)] == pytest.approx(200, abs=30)
    assert found.measured.age == pytest.approx(200, abs=30)
