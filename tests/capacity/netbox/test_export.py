"""What a hub's files say, told to NetBox: once, and without touching what is another's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.inventory.netbox.client import NetBox
from inventory.hubs import HubFolder

TAG = "govhub-testcity"


@pytest.fixture
def run(netbox: NetBox, token: Path, folder: HubFolder, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, command: str = "export", code: int = 0) -> dict[str, Any]:
        where = ["--url", netbox.url, "--token-file", str(token)]
        got = main(["capacity", command, "netbox", "testcity", *where, *words, "--json"])
        out, err = capsys.readouterr()
        assert got == code, err + out
        document: dict[str, Any] = json.loads(out)
        return document

    return run


def ops(document: dict[str, Any]) -> dict[str, int]:
    """How many objects of each operation."""
    found: dict[str, int] = {}
    for counts in document["counts"].values():
        for name, count in counts.items():
            found[name] = found.get(name, 0) + count
    return {name: count for name, count in found.items() if count}


def test_a_hub_is_told_once_and_comes_back_unchanged(netbox: NetBox, run: Any, folder: HubFolder) -> None:
    text = (folder.path / "power.yaml").read_text()
    (folder.path / "power.yaml").write_text(text.replace("gbps: 25, use: down", "gbps: 25, media: sfp28, use: down"))
    planned = run("--dry-run")
    assert netbox.all("dcim/racks") == []
    assert {path: counts["add"] for path, counts in planned["counts"].items()} == {
        "dcim/sites": 1,
        # The hall and its two rows.
        "dcim/locations": 3,
        "dcim/racks": 8,
        "dcim/manufacturers": 1,
        "dcim/device-roles": 5,
        # Switches of two types, hosts of three sizes.
        "dcim/device-types": 5,
        "dcim/power-port-templates": 10,
        "dcim/interface-templates": 48 + 6 + 32,
        "dcim/devices": 15 + 4,
        "dcim/power-panels": 4,
        "dcim/power-feeds": 16,
        # Two leaves, each three times to each of two spines.
        "dcim/cables": 12,
        "circuits/providers": 1,
        "circuits/circuit-types": 1,
        "circuits/circuits": 1,
        "circuits/circuit-terminations": 1,
    }

    done = run("--yes")
    assert sum(done["written"].values()) == ops(planned)["add"]
    rack = next(item for item in netbox.all("dcim/racks") if item["location"]["name"] == "r2" and item["name"] == "04")
    assert (rack["u_height"], rack["max_weight"], [tag["slug"] for tag in rack["tags"]]) == (12, 300, [TAG])
    leaf = next(item for item in netbox.all("dcim/devices") if item["name"] == "leaf-1")
    assert (leaf["position"], leaf["rack"]["name"], leaf["device_type"]["slug"]) == (10.0, "04", "leaf48")
    (circuit,) = netbox.all("circuits/circuits")
    assert circuit["commit_rate"] == 20_000_000

    # Neither side has anything to say to the other.
    assert run("--yes")["counts"] == {}
    back = run("--dry-run", command="import")
    assert (back["counts"], back["diff"], back["diagnostics"]) == ({}, "", [])


def test_only_what_differs_is_written(netbox: NetBox, run: Any, folder: HubFolder) -> None:
    run("--yes")
    folder.edit("places.yaml", "            units: 12", "            units: 14")
    folder.edit("power.yaml", "watts: 150, kg: 8", "watts: 160, kg: 8")

    document = run("--yes")

    changed = {item["what"]: item["after"] for item in document["changes"]}
    assert changed["dcim/racks"] == {"u_height": 14}
    assert changed["dcim/power-port-templates"] == {"maximum_draw": 160}
    assert ops(document) == {"change": 3}
    assert {item["u_height"] for item in netbox.all("dcim/racks")} == {10, 14}
    assert run("--yes")["counts"] == {}


def test_what_is_anothers_is_never_changed_and_never_deleted(netbox: NetBox, run: Any, folder: HubFolder) -> None:
    site = next(iter(netbox.create("dcim/sites", [{"name": "Somebody's", "slug": "jz"}])))[0]["id"]
    hall = next(iter(netbox.create("dcim/locations", [{"name": "h1", "slug": "h1", "site": site}])))[0]["id"]
    row = {"name": "r1", "slug": "r1", "site": site, "parent": hall}
    place = next(iter(netbox.create("dcim/locations", [row])))[0]["id"]
    theirs = [{"name": name, "site": site, "location": place, "u_height": 20} for name in ("01", "99")]
    list(netbox.create("dcim/racks", theirs))

    document = run("--yes", "--prune")

    left = {item["name"]: item["after"] for item in document["changes"] if item["op"] == "leave"}
    assert left["jz"] == {"name": "Main site"}
    assert left["jz/h1/r1/01"]["u_height"] == 10
    racks = {item["name"]: item for item in netbox.all("dcim/racks", location_id=place)}
    assert (racks["01"]["u_height"], racks["01"]["tags"], racks["99"]["u_height"]) == (20, [], 20)
    assert netbox.all("dcim/sites")[0]["name"] == "Somebody's"
    # Ours stand beside theirs, in their row.
    assert [tag["slug"] for tag in racks["02"]["tags"]] == [TAG]

    assert ops(run("--yes", "--prune")) == {"leave": len(left)}


def test_what_left_the_files_goes_only_when_that_is_asked(netbox: NetBox, run: Any, folder: HubFolder) -> None:
    run("--yes")
    folder.edit("power.yaml", "circuits:\n  - {name: exit, kind: internet, site: jz, gbps: 10, count: 2}\n", "")
    folder.edit("places.yaml", "  - names: a{01..02}", "  - retired: [a02]\n    names: a{01..02}")

    assert ops(run("--yes")) == {"delete": 4}
    assert len(netbox.all("dcim/devices")) == 19

    document = run("--yes", "--prune")
    gone = {item["name"] for item in document["changes"] if item["op"] == "delete"}
    assert gone == {"a02", "unspecified", "internet", "unspecified/exit"}
    assert len(netbox.all("dcim/devices")) == 18
    assert run("--yes", "--prune")["counts"] == {}


def test_nobody_to_ask_and_no_yes_writes_nothing(netbox: NetBox, run: Any) -> None:
    run(code=64)

    assert netbox.all("dcim/sites") == []
