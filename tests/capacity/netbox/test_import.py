"""What NetBox knows, brought into a hub's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.inventory.netbox.client import NetBox
from inventory.hubs import HubFolder

Objects = dict[str, dict[str, Any]]


class Filler:
    """Puts objects into a NetBox, with as few words as a test can bear."""

    def __init__(self, netbox: NetBox) -> None:
        self.netbox = netbox

    def __call__(self, path: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
        return [made for part in self.netbox.create(path, items) for made in part]

    def named(self, path: str, name: str, **more: Any) -> int:
        """One object whose slug is its name; its id."""
        return int(self(path, {"name": name, "slug": name.lower(), **more})[0]["id"])

    def hall(self, site: str = "dc", hall: str = "h1", rows: tuple[str, ...] = ("r1", "r2")) -> Objects:
        """A site with one hall and rows of three racks."""
        found: Objects = {}
        number = self.named("dcim/sites", site)
        parent = self.named("dcim/locations", hall, site=number)
        for row in rows:
            place = self.named("dcim/locations", row, site=number, parent=parent)
            for name in ("01", "02", "03"):
                rack = {"name": name, "site": number, "location": place, "u_height": 47}
                found[f"{row}/{name}"] = self("dcim/racks", rack | {"max_weight": 2205, "weight_unit": "lb"})[0]
        return found

    def type(self, model: str, *, draw: int | None = 300, supplies: int = 2, ports: str = "25gbase-x-sfp28") -> int:
        """A type of device with two supplies and four ports."""
        slug = model.lower()
        maker = self.netbox.all("dcim/manufacturers", slug="maker")
        number = int(maker[0]["id"]) if maker else self.named("dcim/manufacturers", "Maker")
        size = {"u_height": 1.5, "weight": 10.0, "weight_unit": "kg"}
        found = int(self("dcim/device-types", {"manufacturer": number, "model": model, "slug": slug, **size})[0]["id"])
        for place in range(supplies):
            port = {"device_type": found, "name": f"PSU{place}"}
            self("dcim/power-port-templates", port | ({} if draw is None else {"maximum_draw": draw}))
        for place in range(4):
            self("dcim/interface-templates", {"device_type": found, "name": f"e{place}", "type": ports})
        return found

    def device(self, name: str, kind: int, role: str, rack: dict[str, Any], **more: Any) -> int:
        """A device in a rack."""
        known = self.netbox.all("dcim/device-roles", slug=role)
        number = int(known[0]["id"]) if known else self.named("dcim/device-roles", role, color="aabbcc")
        place = {"site": rack["site"]["id"], "location": rack["location"]["id"], "rack": rack["id"]}
        item = {"name": name, "device_type": kind, "role": number, **place, **more}
        return int(self("dcim/devices", item)[0]["id"])

    def cable(self, *ends: tuple[int, int]) -> None:
        """A cable between two devices' ports, each by its place."""
        sides = []
        for device, port in ends:
            found = self.netbox.all("dcim/interfaces", device_id=device)
            sides.append([{"object_type": "dcim.interface", "object_id": found[port]["id"]}])
        self("dcim/cables", {"a_terminations": sides[0], "b_terminations": sides[1], "status": "connected"})


@pytest.fixture
def fill(netbox: NetBox) -> Filler:
    return Filler(netbox)


@pytest.fixture
def run(netbox: NetBox, token: Path, folder: HubFolder, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, code: int = 0) -> dict[str, Any]:
        where = ["--url", netbox.url, "--token-file", str(token)]
        got = main(["capacity", "import", "netbox", "testcity", *where, *words, "--json"])
        out, err = capsys.readouterr()
        assert got == code, err + out
        document: dict[str, Any] = json.loads(out)
        return document

    return run


def test_racks_become_rows_and_the_hub_stays_valid(fill: Filler, run: Any, folder: HubFolder) -> None:
    fill.hall()

    document = run("--dry-run")
    assert document["counts"] == {"sites": {"add": 1, "change": 0}}
    assert "dc/" not in (folder.path / "places.yaml").read_text()
    assert not document["written"]

    assert run("--yes")["written"]
    racks = folder.hub().topology.racks
    assert [name for name in racks if name.startswith("dc/")] == [
        f"dc/h1/r{row}/0{n}" for row in (1, 2) for n in (1, 2, 3)
    ]
    rack = racks["dc/h1/r2/03"]
    # 2,205 lb are 1,000.17 kg.
    assert rack.units == 47
    assert rack.max_kg == pytest.approx(1000.17)
    site = folder.hub().model.sites[1]
    assert site.halls[0].rows[0].assumed
    assert "rated power" in site.halls[0].rows[0].reason
    assert folder.everything() == []

    again = run("--yes")
    assert (again["counts"], again["diff"], again["written"]) == ({}, "", False)


def test_devices_come_with_types_places_and_links(fill: Filler, run: Any, folder: HubFolder) -> None:
    racks = fill.hall()
    leaf, spine = fill.type("Leaf"), fill.type("Spine", draw=500)
    leaves = [fill.device(f"L{n}", leaf, "leaf", racks[f"r1/0{n}"], position=40, face="front") for n in (1, 2, 3)]
    spines = [fill.device(f"S{n}", spine, "spine", racks[f"r2/0{n}"], position=20, face="front") for n in (1, 2)]
    for at, lower in enumerate(leaves):
        for port, upper in enumerate(spines):
            fill.cable((lower, port), (upper, at))

    document = run("--yes")

    hub = folder.hub()
    assert document["counts"]["links"] == {"add": 6, "change": 0}
    kinds = {kind.name: kind for kind in hub.model.device_types}
    # One side of two equal supplies; a unit and a half is counted as two.
    assert (kinds["leaf"].watts, kinds["leaf"].cords, kinds["leaf"].units, kinds["leaf"].kg) == (300, 2, 2, 10)
    assert kinds["leaf"].assumed
    assert [(port.count, port.gbps, port.media) for port in kinds["leaf"].ports] == [(4, 25, "sfp28")]
    assert [(run.names, run.racks, run.unit, run.role) for run in hub.model.devices[2:]] == [
        ("l{1..3}", "dc/h1/r1/{01..03}", 40, "leaf"),
        ("s{1..2}", "dc/h1/r2/{01..02}", 20, "spine"),
    ]
    link = hub.model.links[-1]
    assert (link.lower, link.upper, link.gbps, link.count) == ("l{1..3}", "s{1..2}", 25, 1)
    assert folder.everything() == []
    assert run("--yes")["counts"] == {}


def test_a_draw_that_nobody_states_is_not_made_up(fill: Filler, run: Any, folder: HubFolder) -> None:
    racks = fill.hall()
    fill.device("x1", fill.type("Mystery", draw=None), "leaf", racks["r1/01"])

    document = run("--yes")
    assert "device_types" not in document["counts"]
    (told,) = [item for item in document["diagnostics"] if item["code"] == "NBX010"]
    assert "draw" in told["summary"]

    assert run("--yes", "--watts-per-unit", "150")["counts"]["devices"] == {"add": 1, "change": 0}
    kind = folder.hub().model.device_types[-1]
    assert (kind.watts, kind.assumed) == (300, True)
    assert "150 W a unit" in kind.reason


def test_feeds_come_with_their_panel_whose_capacity_is_unknown(fill: Filler, run: Any, folder: HubFolder) -> None:
    racks = fill.hall()
    site = racks["r1/01"]["site"]["id"]
    for side, kind in (("a", "primary"), ("b", "redundant")):
        panel = fill("dcim/power-panels", {"site": site, "name": f"PP-{side}"})[0]["id"]
        for name, rack in racks.items():
            feed = {"power_panel": panel, "rack": rack["id"], "name": f"{name}-{side}", "type": kind}
            fill("dcim/power-feeds", feed | {"voltage": 220, "amperage": 32, "max_utilization": 80})

    run("--yes")

    hub = folder.hub()
    feeds = hub.model.feeds[2:]
    assert [(one.racks, one.side, one.fed_by, one.breaker_amps, one.derating) for one in feeds] == [
        ("dc/h1/r{1..2}/{01..03}", "a", "pp-a", 32, 0.8),
        ("dc/h1/r{1..2}/{01..03}", "b", "pp-b", 32, 0.8),
    ]
    assert {item.code for item in folder.everything()} == {"PWR006"}
    assert run("--yes")["counts"] == {}


def test_hosts_of_the_hub_are_moved_and_get_their_serial_numbers(fill: Filler, run: Any, folder: HubFolder) -> None:
    racks = fill.hall("jz", "h1", ("r3",))
    server = fill.type("Server", draw=900)
    fill.device("c03", server, "server", racks["r3/02"], position=7, face="front", serial="CN003")
    fill.device("n1", server, "server", racks["r3/01"], position=9, face="front", serial="CN100")

    document = run("--yes")

    hub = folder.hub()
    host = hub.topology.hosts["c03"]
    assert (host.rack, host.unit, host.serial, host.watts, host.units) == ("jz/h1/r3/02", 7, "CN003", 900, 2)
    assert hub.topology.hosts["n1"].serial == "CN100"
    # The others of the run stand where they stood.
    assert [hub.topology.hosts[f"c0{n}"].rack for n in (2, 4)] == ["jz/h1/r1/02", "jz/h1/r1/04"]
    moved = [item for item in document["changes"] if item["name"] == "c03" and "rack" in item["after"]]
    assert moved[0]["before"]["rack"] == "jz/h1/r1/03"
    assert folder.everything() == []
    assert run("--yes")["counts"] == {}


def test_racks_that_differ_get_overrides(fill: Filler, run: Any, folder: HubFolder) -> None:
    number = fill.named("dcim/sites", "jz")
    parent = fill.named("dcim/locations", "h1", site=number)
    row = fill.named("dcim/locations", "r1", site=number, parent=parent)
    for name in ("01", "02", "03", "04"):
        size = {"u_height": 12 if name in ("02", "03") else 10, "max_weight": 300, "weight_unit": "kg"}
        fill("dcim/racks", {"name": name, "site": number, "location": row, **size})

    document = run("--yes")

    hub = folder.hub()
    assert document["counts"] == {"racks": {"add": 0, "change": 2}}
    assert [hub.topology.racks[f"jz/h1/r1/{n}"].units for n in ("01", "02", "03", "04")] == [10, 12, 12, 10]
    # r2/04 had its override before.
    assert hub.topology.racks["jz/h1/r2/04"].units == 12
    assert run("--yes")["counts"] == {}


def test_what_would_break_the_hub_is_not_written(fill: Filler, run: Any, folder: HubFolder) -> None:
    before = (folder.path / "power.yaml").read_text()
    racks = fill.hall("jz", "h1", ("r3",))
    kind = fill.type("Leaf48")
    for name in ("leaf-1", "leaf-2"):
        fill.device(name, kind, "leaf", racks["r3/01"], position=10 + 2 * int(name[-1]), face="front")

    document = run("--yes", code=3)

    # The hub's own leaf48 has ports for the fabric, NetBox' one has four.
    assert any(item["code"] == "LNK001" for item in document["diagnostics"])
    assert not document["written"]
    assert (folder.path / "power.yaml").read_text() == before


def test_people_see_the_plan_the_difference_and_what_is_next(
    fill: Filler, folder: HubFolder, token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill.hall("jz", "h1", ("r3",))
    fill.device("x1", fill.type("Mystery", draw=None), "leaf", fill.netbox.all("dcim/racks")[0])
    words = ("capacity", "import", "netbox", "testcity", "--url", fill.netbox.url, "--token-file", str(token))

    assert main([*words, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "+" in out
    assert "names: r3" in out
    assert "NBX010" in out
    assert "dry run, nothing was written" in out
    assert main(["--lang", "zh", *words, "--yes"]) == 0
    out = capsys.readouterr().out
    assert "新增" in out
    assert "places.yaml" in out
    assert main(["--lang", "zh", *words, "--yes"]) == 0
    assert "无需写入" in capsys.readouterr().out
    assert folder.everything() == []
