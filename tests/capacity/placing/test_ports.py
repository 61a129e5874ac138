"""Ports of racks: cabled ones, and those of the switches that stand in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from govhub.monitoring.columns import Columns
from govhub.monitoring.placing import ports
from govhub.monitoring.placing.need import Need
from govhub.monitoring.placing.place import Placer
from inventory.hubs import BASE, HERE, HubFolder


@pytest.fixture
def folder(tmp_path: Path) -> HubFolder:
    """The base hub; leaf-1 with 48 ports of 25 Gbit/s stands in r1/04 beside c04, whose ports are declared."""
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    text = (found.path / "places.yaml").read_text()
    first = "    cores: 32\n    memory: 128Gi\n"
    text = text.replace(first, first + "    ports: [{count: 2, gbps: 25, media: dac}]\n", 1)
    (found.path / "places.yaml").write_text(text)
    return found


def server(speed: float, count: int, media: str = "") -> Need:
    return Need("s", 1, 50.0, 1.0, ports=((speed, media, count),))


def test_ports_of_the_leaf_in_the_rack_bind(folder: HubFolder) -> None:
    columns = Columns(folder.hub())
    rack = columns.place["jz/h1/r1/04"]

    # 48 ports, two of them c04's.
    assert ports.room(columns.hub, server(25, 20))["switch"][rack] == 2
    assert ports.room(columns.hub, server(25, 46))["switch"][rack] == 1
    # No port of that speed looks down: uplinks are for spines.
    assert ports.room(columns.hub, server(100, 1))["switch"][rack] == 0
    inside = columns.inside("jz/h1/r1/04")
    found = Placer(columns, server(25, 20), inside).run(9)
    assert (found.placed, found.kept[0].refusal.resource) == (2, "switch")
    # A type without ports is not asked for any.
    assert Placer(columns, Need("s", 1, 50.0, 1.0), inside).run(9).placed > 2


def test_media_tells_ports_of_one_speed_apart(folder: HubFolder) -> None:
    folder.edit("power.yaml", "{count: 48, gbps: 25, use: down}", "{count: 48, gbps: 25, use: down, media: rj45}")
    columns = Columns(folder.hub())
    rack = columns.place["jz/h1/r1/04"]

    assert ports.room(columns.hub, server(25, 24, "dac"))["switch"][rack] == 0
    # c04's two are of another kind and take none of these.
    assert ports.room(columns.hub, server(25, 24, "rj45"))["switch"][rack] == 2


@pytest.mark.parametrize(
    ("port", "wanted", "free"),
    [
        ("qsfp28", "qsfp56", 22),
        # What is fixed in ports has to be the same on both ends, as for links (LNK003).
        ("multi-mode", "dac", 0),
        ("single-mode", "multi-mode", 0),
    ],
)
def test_a_server_and_a_switch_are_joined_as_links_are(folder: HubFolder, port: str, wanted: str, free: int) -> None:
    folder.edit("power.yaml", "{count: 48, gbps: 25, use: down}", f"{{count: 24, gbps: 25, use: down, media: {port}}}")
    columns = Columns(folder.hub())

    assert ports.room(columns.hub, server(25, 1, wanted))["switch"][columns.place["jz/h1/r1/04"]] == free


def test_a_link_takes_the_cages_that_others_want_for_another_cable(folder: HubFolder) -> None:
    folder.edit("power.yaml", "{count: 48, gbps: 25, use: down}", "{count: 48, gbps: 25, use: down, media: sfp28}")
    folder.edit("places.yaml", "media: dac", "media: sfp28")
    with (folder.path / "link.yaml").open("w") as file:
        file.write("links:\n  - {name: more, lower: c01, upper: leaf-1, gbps: 25, count: 4, media: single-mode}\n")
    columns = Columns(folder.hub())

    # c04's two, and four of the link: they are cages, whatever goes into them.
    assert ports.room(columns.hub, server(25, 1, "multi-mode"))["switch"][columns.place["jz/h1/r1/04"]] == 42
    assert ports.room(columns.hub, server(25, 1, "rj45"))["switch"][columns.place["jz/h1/r1/04"]] == 0


def test_cabled_ports_count_and_unknown_ones_do_not_bind(folder: HubFolder) -> None:
    folder.edit("places.yaml", "rated_kw: 4, max_kg: 300", "rated_kw: 4, max_kg: 300, ports: 6")
    columns = Columns(folder.hub())
    room = ports.room(columns.hub, server(25, 2))["ports"]
    taken, have = ports.cabled(columns.hub)

    # r1/04 holds c04 alone: two of six are taken. Others hold machines that do not tell theirs.
    assert room[columns.place["jz/h1/r1/04"]] == 2
    assert (taken[columns.place["jz/h1/r1/04"]], have[columns.place["jz/h1/r1/04"]]) == (2, 6)
    known = [name for name, count in zip(columns.racks.addresses, room, strict=True) if not np.isnan(count)]
    assert known == ["jz/h1/r1/04"]
