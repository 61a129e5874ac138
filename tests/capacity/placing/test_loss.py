"""Losing parts: what goes dark, what is overloaded, whom it reaches; and that a loss never makes room."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.placing.hubs import KILOWATT, hub_of, mirrored, run, tiny, two_sides
from govhub.inventory.loader import Hub
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing import reach
from govhub.monitoring.placing.derive import placed
from govhub.monitoring.placing.loss import Fallout, Lost, degraded, fallout, meanings, together
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.place import Placer
from inventory.hubs import BASE, HERE, HubFolder


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    return found


def lose(columns: Columns, *addresses: str) -> Fallout:
    parts = [meanings(columns, address) for address in addresses]
    assert all(len(found) == 1 for found in parts), parts
    return fallout(columns, together(found[0][1] for found in parts))


def filled(hub: Hub, counts: list[int], cords: int = 2) -> Columns:
    need = Need("kilowatt", units=1, watts=1000.0, kg=10.0, cords=cords)
    return placed(Columns(hub), need, np.array(counts))


def test_one_side_lost_darkens_nothing_and_loads_the_other() -> None:
    columns = filled(hub_of(*two_sides(10)), [4, 4, 4])
    found = lose(columns, "ups-a")

    assert not found.dark.any()
    assert found.one_side.all()
    # 6 kW on each side before; 12 kW on 10 kW after.
    told = [(item.at, item.before, item.used, item.limit) for item in found.overloads]
    assert told == [("ups-b", 6000, 12_000, 10_000)]
    assert lose(columns, "ups-a", "ups-b").dark.all()


def test_machines_with_one_cord_go_dark_with_side_a() -> None:
    columns = filled(hub_of(*two_sides(10)), [2, 0, 1], cords=1)
    found = lose(columns, "ups-a")

    assert found.dimmed.tolist() == [True, True, True]
    assert found.columns.tree_load.normal.sum() == 0
    assert lose(columns, "ups-b").columns.tree_load.normal.sum(axis=1).tolist() == [3000, 0]


def test_a_rack_takes_its_load_with_it_and_its_room_too() -> None:
    columns = filled(hub_of(*two_sides(10)), [5, 3, 0])
    found = lose(columns, "a/h1/r1/1")

    assert found.dark.tolist() == [True, False, False]
    assert found.columns.tree_load.normal.sum(axis=1).tolist() == [1500, 1500]
    # What is lost comes back: 10 kW hold two machines more, not seven.
    more = Placer(columns, KILOWATT, columns.inside(""), degraded(columns, found, 2)).run(50)
    assert (more.placed, more.counts[0]) == (2, 0)
    assert {item.refusal.resource for item in more.kept} == {"lost", "element"}


def test_losing_cooling_units_leaves_less_for_more_machines(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    one, three = lose(columns, "crah-1"), lose(columns, "crah-1", "crah-2", "crah-3", "crah-4")

    assert one.cooling == [{"hall": "jz/h1", "heat": 14_500.0, "left": 45_000.0, "exceeded": False}]
    assert three.cooling[0]["exceeded"] is True
    after = degraded(columns, three, 2)
    assert Placer(columns, KILOWATT, columns.inside(""), after).run(5).placed == 0


def test_whom_the_loss_of_a_row_reaches(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    found = lose(columns, "jz/h1/r2")
    reached = {(item["kind"], item["name"]): item for item in reach.systems(columns.hub, found)}
    pools = {(row["pool"], row["resource"]): row for row in reach.pool_rows(columns.hub, found)}

    assert found.hosts == {"c05", "c06", "c07", "c08", "g01", "g02", "db1", "db2"}
    # Both hosts of pg-main stand there, and the one of maria-main.
    assert {name: item["state"] for (kind, name), item in reached.items() if kind == "database"} == {
        "pg-main": "down",
        "maria-main": "down",
    }
    assert (pools["gpu", "cores"]["before"], pools["gpu", "cores"]["after"]) == (64, 0)
    assert pools["general", "cores"]["after"] == 128
    assert any(item["state"] == "down" and kind == "system" for (kind, _), item in reached.items())


def test_a_spine_less_is_half_the_way_up(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    one, both = lose(columns, "spine-1"), lose(columns, "spine-1", "spine-2")
    leaf = next(row for row in reach.network(columns.hub, one)["layers"] if row["role"] == "leaf")

    # 48 × 25 Gbit/s down of 3 × 100 Gbit/s to each spine.
    assert (leaf["oversubscription"], leaf["after"], leaf["left"]) == (2.0, 4.0, 2)
    assert reach.network(columns.hub, one)["cut_off"] == []
    assert reach.network(columns.hub, both)["cut_off"] == ["leaf-1", "leaf-2"]
    # The leaf of a rack that is dark: its hosts are dark, those of other racks keep their switches.
    assert reach.network(columns.hub, lose(columns, "leaf-1"))["hosts_cut_off"] == 1


def test_a_site_takes_its_lines_with_it(folder: HubFolder) -> None:
    columns = Columns(folder.hub())

    assert reach.network(columns.hub, lose(columns, "jz"))["lines"] == [
        {"kind": "internet", "before_gbps": 20, "after_gbps": 0}
    ]
    assert reach.network(columns.hub, lose(columns, "exit"))["lines"][0]["after_gbps"] == 0


def test_a_name_with_two_meanings_asks_for_the_kind() -> None:
    power, feeds = two_sides(10)
    hub = hub_of([*power, {"names": "a", "kind": "pdu", "kw": 5}], feeds)
    columns = Columns(hub)

    assert [kind for kind, _ in meanings(columns, "a")] == ["place", "power"]
    assert [kind for kind, _ in meanings(columns, "power:a")] == ["power"]
    assert meanings(columns, "nothing") == []


@st.composite
def losses(draw: st.DrawFn, trees: st.SearchStrategy[Columns]) -> tuple[Columns, Lost]:
    columns = draw(trees)
    counts = np.array([draw(st.integers(0, 2)) for _ in columns.racks.addresses])
    columns = placed(columns, Need("there", 1, 400.0, 1.0, draw(st.sampled_from([1, 2]))), counts)
    racks = np.array([draw(st.booleans()) and draw(st.booleans()) for _ in columns.racks.addresses])
    elements = np.array([draw(st.booleans()) and draw(st.booleans()) for _ in columns.elements.names])
    return columns, Lost(racks, elements)


def fed(columns: Columns, element: int, lost: Lost) -> list[int]:
    """The element and what feeds it, through whichever source of each switch lives; nothing when none does."""
    if element < 0 or lost.elements[element]:
        return []
    above, other = columns.tree.parents[element], columns.tree.alternates[element]
    if above < 0:
        return [element]
    way = fed(columns, above, lost) or (fed(columns, other, lost) if other >= 0 else [])
    return [element, *way] if way else []


def by_definition(columns: Columns, lost: Lost) -> tuple[list[float], list[bool]]:
    """W on each element and which racks are dark, one rack and one side after the other."""
    watts = [0.0] * len(columns.elements.names)
    dark = []
    for rack, (a, b) in enumerate(zip(columns.feeds.a.tolist(), columns.feeds.b.tolist(), strict=True)):
        ways = [fed(columns, leaf, lost) for leaf in (a, b)]
        there = [leaf >= 0 for leaf in (a, b)]
        live = [bool(way) and not lost.racks[rack] for way in ways]
        dark.append(bool(lost.racks[rack]) or (any(there) and not any(live)))
        first = 0 if there[0] else 1
        for side, way in enumerate(ways):
            mine = float(columns.loads.dual[rack]) / sum(live) if live[side] else 0.0
            mine += float(columns.loads.single[rack]) if side == first and live[side] else 0.0
            for item in way:
                watts[item] += mine
    return watts, dark


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(losses(tiny()))
def test_a_loss_is_what_following_every_feed_gives(case: tuple[Columns, Lost]) -> None:
    columns, lost = case
    found = fallout(columns, lost)
    watts, dark = by_definition(columns, lost)

    assert found.dark.tolist() == dark
    assert found.columns.tree_load.normal.sum(axis=1) == pytest.approx(watts)
    over = {item.at for item in found.overloads if item.resource == "element"}
    limit = np.where(np.isnan(columns.elements.capacity), np.inf, columns.elements.capacity)
    rows = zip(columns.elements.names, watts, limit, strict=True)
    assert over == {name for name, load, most in rows if load > most + 0.01}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(losses(mirrored()), st.sampled_from([1, 2]))
def test_a_loss_never_frees_capacity(case: tuple[Columns, Lost], cords: int) -> None:
    columns, lost = case
    need = Need("more", 1, 700.0, 1.0, cords)
    after = degraded(columns, fallout(columns, lost), cords)
    found: Any = Placer(columns, need, columns.inside(""), after).run(50)

    assert found.placed <= run(columns, 50, need).placed
    assert not found.counts[after.closed].any()
