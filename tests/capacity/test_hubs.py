"""From hub files to figures: the shipped hubs, and a small one that can be checked by hand."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from govhub.inventory import powertree
from govhub.inventory.loader import Hub, load
from govhub.monitoring.columns import Columns
from govhub.monitoring.compute import Pod, departments, pool_headroom, powers
from govhub.monitoring.halls import Halls, Measured, Server
from govhub.monitoring.network import layers
from inventory.hubs import BASE, HERE, HubFolder

SHIPPED = Path(__file__).parents[2] / "inventories"


def shipped(name: str) -> Hub:
    hub = load(SHIPPED / name).hub
    assert hub is not None
    return hub


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    """The base hub with a power tree: two UPS of 40 kW, a busway for each row and side."""
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    return found


def test_yichang_has_its_published_racks_and_power() -> None:
    columns = Columns(shipped("yichang"))
    halls = Halls(columns)
    figures = halls.figures(columns.inside(""))

    # 10,800 standard racks of 2.5 kW are 27 MW, cabinets rated 6 kW would be 64.8 MW.
    assert figures["power.allocated"].denominator == pytest.approx(27e6)
    assert figures["power.rated"].denominator == pytest.approx(64.8e6)
    assert figures["racks"].denominator == 10_800
    assert figures["power.measured"].as_dict()["coverage"] == {"known": 0, "of": 10_800, "ratio": 0.0}
    binds = halls.binds("dongyuemiao/h05")
    assert binds is not None
    # An empty hall of 1,080 × 2.5 kW holds 3,375 servers of 800 W, before racks, UPS or cooling bind.
    assert (binds.resource, binds.servers) == ("budget", 3375)
    # 24 outlets a side and rack, one of each side for a server.
    assert binds.fits["outlets"] == 1080 * 24


def test_a_whole_side_of_yichang_may_be_lost() -> None:
    columns = Columns(shipped("yichang"))
    load = columns.tree_load
    tops = [columns.elements.names.index(name) for name in ("grid-a", "grid-b")]
    watts = columns.loads.watts.sum()

    assert load.normal[tops].sum(axis=1) == pytest.approx([watts / 2, watts / 2])
    assert load.failover[tops].sum(axis=1) == pytest.approx([watts, watts])
    assert (load.carried(after_loss=True) <= columns.elements.capacity).all()


def test_yichang_after_phase_3_has_its_published_racks() -> None:
    hub = shipped("yichang-phase3")
    columns = Columns(hub)
    halls = Halls(columns)
    figures = halls.figures(columns.inside(""))

    # 80,000 standard racks of 2.5 kW are 200 MW; the first ten halls are those of phase 1.
    assert figures["racks"].denominator == 80_000
    assert figures["power.allocated"].denominator == pytest.approx(200e6)
    assert set(shipped("yichang").topology.racks) <= set(hub.topology.racks)
    assert len(columns.halls) == 54
    assert (columns.feeds.a >= 0).all()
    assert (columns.feeds.b >= 0).all()
    # Each side carries all racks at what they are built for, in phases that have lines of their own.
    capacity = dict(zip(columns.elements.names, columns.elements.capacity, strict=True))
    for lines, racks in (("grid", 10_800), ("grid-2", 29_200), ("grid-3", 40_000)):
        assert capacity[f"{lines}-a"] == capacity[f"{lines}-b"] >= racks * 2500
    binds = halls.binds("dongyuemiao/h54")
    assert binds is not None
    assert (binds.resource, binds.servers) == ("budget", 1600 * 2500 // 800)


@pytest.mark.parametrize("name", ["jinzhou", "dazu", "huating", "langfang", "yichang"])
def test_little_is_unknown_of_the_cities(name: str) -> None:
    hub = shipped(name)
    columns = Columns(hub)
    halls = Halls(columns)
    figures = halls.figures(columns.inside(""))
    rows = {row["role"]: row["oversubscription"] for row in layers(hub)}

    # What only a meter can tell is not in the files; a room with one side has no feed B.
    unknown = {key for key, figure in figures.items() if figure.ratio is None}
    assert unknown - {"feed.b"} == {"power.measured"}
    binds = [halls.binds(hall) for hall in columns.halls]
    assert all(bind is not None and None not in bind.fits.values() for bind in binds)
    assert rows["leaf"].coverage == 1.0  # type: ignore[attr-defined]
    three: dict[str, Any] = dict(powers(hub))
    assert three["network_gbps"]["internet"] > 0
    assert three["network_gbps"]["level"] > 0
    assert all(card["tflops_fp16"] for card in three["accelerators"])


@pytest.mark.parametrize("name", ["jinzhou", "dazu", "huating", "langfang", "yichang"])
def test_every_network_part_of_the_cities_is_marked_as_assumed(name: str) -> None:
    model = shipped(name).model
    parts = [*model.device_types, *model.devices, *model.links, *model.circuits]

    assert parts
    # None of the five publishes a device, a line or a bandwidth.
    assert [part for part in parts if not (part.assumed and part.reason)] == []


@pytest.mark.parametrize("name", ["jinzhou", "dazu", "huating", "langfang", "yichang"])
def test_every_rack_of_every_city_is_fed_and_carries_what_its_grade_asks(name: str) -> None:
    columns = Columns(shipped(name))
    halls = Halls(columns)

    assert (columns.feeds.a >= 0).all()
    assert (halls.feed_a <= columns.breakers[0]).all()
    for hall in columns.halls:
        tight = {key: found for key, found in halls.hall(hall).items() if not key.startswith("balance")}
        assert {key for key, found in tight.items() if found.ratio is None or found.ratio > 1} == set()
        assert halls.binds(hall) is not None


def test_a_hub_without_a_power_tree_says_unknown() -> None:
    hub = load(Path(__file__).parents[1] / "hubs" / "mini").hub
    assert hub is not None
    halls = Halls(Columns(hub))
    binds = halls.binds("site-a/h1")

    assert {key: found.ratio for key, found in halls.hall("site-a/h1").items()} == {"failover": None, "cooling": None}
    assert binds is not None
    assert (binds.fits["breaker"], binds.fits["cooling"]) == (None, None)


def test_a_small_power_tree_by_hand(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    load, names = columns.tree_load, columns.elements.names
    watts = dict(zip(names, load.carried(after_loss=False), strict=True))
    after = dict(zip(names, load.carried(after_loss=True), strict=True))

    # Row 1: 4 workers and 2 others of 800 W, a network host of 200 W, two switches of 150 and 200 W; two cords each.
    row = float(columns.loads.watts[columns.inside("jz/h1/r1")].sum())
    assert row == 4 * 800 + 2 * 800 + 200 + 150 + 200
    assert watts["bus-a1"] == watts["bus-b1"] == row / 2
    assert after["bus-a1"] == row
    assert after["ups-a"] == pytest.approx(columns.loads.watts.sum())
    # Three modules of 20 kW, one of them redundant.
    assert columns.elements.capacity[names.index("ups-a")] == 40_000
    assert columns.elements.whole[names.index("ups-a")] == 60_000


def test_grade_c_is_not_held_against_a_loss(folder: HubFolder) -> None:
    tolerant = Halls(Columns(folder.hub())).hall("jz/h1")["failover.ups"]
    folder.edit("places.yaml", "tier: T3", "tier: C")
    single = Halls(Columns(folder.hub())).hall("jz/h1")["failover.ups"]

    assert tolerant.numerator == pytest.approx(2 * (single.numerator or 0))
    assert single.denominator == 40_000


def test_a_feed_without_capacity_is_unknown_and_seen(folder: HubFolder) -> None:
    folder.edit("power.yaml", "kind: utility, kw: 100", "kind: utility")
    halls = Halls(Columns(folder.hub()))
    figure = halls.hall("jz/h1")["failover.utility"]
    binds = halls.binds("jz/h1")

    assert (figure.numerator, figure.coverage) == (None, 0.0)
    assert binds is not None
    assert binds.fits["utility"] is None


def test_positions_give_gaps_only_where_all_machines_have_one(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    halls = Halls(columns)

    # Every rack holds a host whose unit is not known.
    assert np.isnan(halls.gap).all()
    text = (folder.path / "places.yaml").read_text()
    (folder.path / "places.yaml").write_text(text.replace("    arch:", "    unit: 1\n    arch:"))
    columns = Columns(folder.hub())
    gaps = dict(zip(columns.racks.addresses, Halls(columns).gap, strict=True))
    # Units 1 and 2 are taken, and in r2/04, of 12 units, 10 by a leaf: 3 to 9 are free there.
    assert gaps["jz/h1/r1/04"] == 7


def test_room_of_racks_counts_what_binds_each_of_them(folder: HubFolder) -> None:
    halls = Halls(Columns(folder.hub()), Server(units=4, watts=100, kg=1))
    binds = halls.binds("jz/h1")

    assert binds is not None
    assert binds.resource == "space"
    assert binds.servers == int(halls.servers.sum())


def test_pools_lose_their_worst_rack(folder: HubFolder) -> None:
    rows = {(row["cluster"], row["pool"]): row for row in pool_headroom(folder.hub())}
    general = rows["main", "general"]["cores"]

    # Eight workers of 32 cores, one in each of eight racks.
    assert general.denominator == 7 * 32  # type: ignore[attr-defined]
    assert rows["main", ""]["nodes"] == 12


def test_departments_without_and_with_a_cluster(folder: HubFolder) -> None:
    hub = folder.hub()
    declared = {row["tenant"]: row for row in departments(hub)}
    pods = [Pod("finance", "c01", 8000, 2000.0), Pod("finance", "", 4000), Pod("nobody", "c01", 1000)]
    live = {row["tenant"]: row for row in departments(hub, pods)}

    assert declared["finance"]["watts"] is None
    assert declared["finance"]["usage"].ratio is None  # type: ignore[attr-defined]
    # A quarter of c01's 32 cores is a quarter of its 800 W.
    assert live["finance"]["watts"] == pytest.approx(200)
    usage = live["finance"]["usage"]
    assert (usage.numerator, usage.known, usage.parts) == (2, 1, 2)  # type: ignore[attr-defined]


def test_the_three_powers(folder: HubFolder) -> None:
    found = powers(folder.hub())

    assert found["network_gbps"] == {"level": None, "site": None, "internet": 20}
    assert found["accelerators"] == [{"kind": "nvidia.com/gpu", "cards": 8, "tflops_fp16": None, "known": 0}]
    assert found["storage"] == {"bytes": None, "known": 0, "of": 0, "copies": "raw"}


def test_leaves_and_their_ways_up(folder: HubFolder) -> None:
    rows = {row["role"]: row for row in layers(folder.hub())}
    leaf = rows["leaf"]["oversubscription"]

    # 48 × 25 Gbit/s down; 3 links of 100 Gbit/s to each of two spines up: 1,200 to 600.
    assert leaf.ratio == 2.0  # type: ignore[attr-defined]
    assert rows["spine"]["oversubscription"].ratio is None  # type: ignore[attr-defined]
    assert rows["leaf"]["ports_gbps"]["100"].ratio == 1.0  # type: ignore[index]


def test_half_the_meters_give_half_the_coverage_and_no_half_load() -> None:
    columns = Columns(shipped("yichang"))
    watts = np.full(10_800, 1250.0)
    watts[5184:] = np.nan
    figure = Halls(columns, measured=Measured(watts, 30.0)).figures(columns.inside(""))["power.measured"]

    # 5,184 racks at half of their 2.5 kW: 50 % of what is known, which is 48 % of the racks.
    assert (figure.ratio, figure.coverage, figure.age) == (0.5, 0.48, 30.0)
    assert figure.numerator == 5184 * 1250


def test_phases_of_a_busway_by_hand(folder: HubFolder) -> None:
    found = Halls(Columns(folder.hub())).hall("jz/h1")
    balance, phase = found["balance.busway"], found["phase.busway"]

    # Row 2 on L1, L2, L3, L1: half of 800 + 2,000, of 800 + 2,000, of 800 + 800 + 200, and of 800 + 800 + 150 W.
    first, second, third = (800 + 2000) / 2 + (800 + 800 + 150) / 2, (800 + 2000) / 2, (800 + 800 + 200) / 2
    mean = (first + second + third) / 3
    assert balance.at.startswith("bus-")
    assert balance.denominator == pytest.approx(mean)
    assert balance.numerator == pytest.approx(first - mean)
    # After the other side is lost all of L1 is here, against a third of √3 × 380 V × 63 A × 0.95.
    assert phase.numerator == pytest.approx(2 * first)
    assert phase.denominator == pytest.approx(3**0.5 * 380 * 63 * 0.95 / 3)


def test_patterns_with_a_digit_too_many_are_a_finding_and_no_standstill(
    folder: HubFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(powertree, "MAX_NAMES", 500)
    folder.edit("power.yaml", '"crah-{1..4}"', '"crah-{1..999}"')
    folder.edit("power.yaml", '"bus-{a,b}{1..2}"', '"bus-{a,b}{1..998}"')

    assert {item.code for item in folder.check()} == {"PLC006"}
