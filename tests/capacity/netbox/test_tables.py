"""Racks, hosts, devices, feeds and links from tables as cities keep them; device types from the library's files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from govhub.cli.main import main
from inventory.hubs import HubFolder


@pytest.fixture
def run(folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(text: str, *words: str, code: int = 0, suffix: str = ".csv") -> dict[str, Any]:
        file = tmp_path / f"table{suffix}"
        if suffix == ".xlsx":
            book = Workbook()
            assert book.active is not None
            for line in text.strip().splitlines():
                book.active.append(line.split(","))
            book.save(file)
        else:
            file.write_text(text, encoding="utf-8")
        got = main(["capacity", "import", "csv", "testcity", str(file), *words, "--json"])
        out, err = capsys.readouterr()
        assert got == code, out + err
        document: dict[str, Any] = json.loads(out)
        return document

    return run


def outcomes(document: dict[str, Any]) -> list[tuple[int, str]]:
    return [(row["row"], row["outcome"]) for row in document["rows"]]


RACKS = """站点,机房,列,机柜,U数,额定功率(kW),承重(kg),PDU插位
jz,h1,r1,01,10,4,300,
jz,h1,r2,{01..02},10,6,300,24
jz,h2,r{1..2},{01..04},42,6,1000,24
"""


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_racks_in_chinese(run: Any, folder: HubFolder, suffix: str) -> None:
    text = RACKS if suffix == ".csv" else RACKS.replace("r{1..2},{01..04}", "r1,01")
    document = run(text, suffix=suffix)

    assert (document["what"], outcomes(document)) == ("racks", [(2, "unchanged"), (3, "updated"), (4, "added")])
    racks = folder.hub().topology.racks
    assert (racks["jz/h1/r2/01"].rated_kw, racks["jz/h1/r2/01"].outlets) == (6, 24)
    assert (racks["jz/h1/r2/03"].rated_kw, racks["jz/h1/r2/03"].outlets) == (4, None)
    assert (racks["jz/h2/r1/01"].units, racks["jz/h2/r1/01"].outlets) == (42, 24)
    assert folder.everything() == []
    assert {row["outcome"] for row in run(text, suffix=suffix)["rows"]} == {"unchanged"}


def test_each_bad_row_is_told_and_none_is_written(run: Any, folder: HubFolder) -> None:
    before = (folder.path / "places.yaml").read_text()
    table = (
        "site,hall,row,rack,units,kW\njz,h1,r9,01,99,6\njz,h1,r9,02,42,much\njz,h1,r9,{05..03},42,6\njz,h1,r9,04,42,6\n"
    )
    document = run(table + "jz,h1,r9,04,40,6\n", code=3)

    assert outcomes(document) == [(2, "error"), (3, "error"), (4, "error"), (5, "error"), (6, "error")]
    told = [item["summary"] for row in document["rows"] for item in row["diagnostics"]]
    assert "units" in told[0]
    assert "rated_kw" in told[1]
    assert "the range 05..03 falls" in " ".join(told)
    assert [item["code"] for row in document["rows"][3:] for item in row["diagnostics"]] == ["IMP023", "IMP023"]
    lines = [item["source"]["line"] for row in document["rows"] for item in row["diagnostics"]]
    assert lines == [2, 3, 4, 5, 6]
    assert (folder.path / "places.yaml").read_text() == before


def test_good_rows_go_in_beside_bad_ones_when_that_is_asked(run: Any, folder: HubFolder) -> None:
    table = "site,hall,row,rack,units\njz,h1,r9,01,99\njz,h1,r9,02,42\n"

    assert outcomes(run(table, "--partial", code=3)) == [(2, "error"), (3, "added")]
    assert [name for name in folder.hub().topology.racks if "r9" in name] == ["jz/h1/r9/02"]


def test_feeds_are_changed_where_they_stand(run: Any, folder: HubFolder) -> None:
    table = "机柜,路,列头柜,空开(A),相数\njz/h1/r1/{01..04},A路,bus-a1,32,单相\njz/h1/r2/{01..02},B路,bus-b2,63,单相\n"
    document = run(table)

    assert outcomes(document) == [(2, "unchanged"), (3, "updated")]
    feeds = [(one.racks, one.side.value, one.fed_by, one.breaker_amps) for one in folder.hub().model.feeds]
    assert ("jz/h1/r2/{01..02}", "b", "bus-b2", 63) in feeds
    assert folder.everything() == []
    assert outcomes(run(table)) == [(2, "unchanged"), (3, "unchanged")]


def test_feeds_of_what_does_not_exist_are_refused(run: Any, folder: HubFolder) -> None:
    document = run("racks,side,fed_by\njz/h1/r{1..2}/{01..04},a,ups-z\n", code=3)

    assert document["rows"][0]["outcome"] == "skipped"
    assert {item["code"] for item in document["diagnostics"]} >= {"PWR001"}


def test_hosts_and_devices_and_links(run: Any, folder: HubFolder) -> None:
    folder.edit("power.yaml", "{count: 32, gbps: 100, use: down}", "{count: 32, gbps: 100}")
    head = "主机名,机柜位置,用途,架构,核数,内存,功率(W),U位\n"
    assert outcomes(run(head + "st{1..2},jz/h1/r1/{01..02},storage,arm64,32,64Gi,500,1\n")) == [(2, "added")]
    assert folder.hub().topology.hosts["st2"].rack == "jz/h1/r1/02"

    devices = "设备名称,机柜位置,型号,层级,U位\nborder-1,jz/h1/r1/01,spine32,border,5\n"
    assert outcomes(run(devices)) == [(2, "added")]
    links = "链路,下联设备,上联设备,速率,条数\nexit,spine-1,border-1,100,2\n"
    document = run(links)
    assert (document["what"], outcomes(document)) == ("links", [(2, "added")])
    assert folder.hub().model.links[-1].count == 2
    assert folder.everything() == []

    wrong = run("链路,下联设备,上联设备,速率\nslow,spine-1,border-1,1\n", code=3)
    assert wrong["rows"][0]["diagnostics"][0]["code"] == "LNK001"
    assert wrong["rows"][0]["diagnostics"][0]["source"]["line"] == 2


SWITCH = """manufacturer: Example
model: EX-48
slug: example-ex-48
u_height: 1
is_full_depth: true
weight: 22.05
weight_unit: lb
comments: text that nobody reads
console-ports: [{name: con 0, type: rj-45}]
power-ports:
  - {name: PSU0, type: iec-60320-c14, maximum_draw: 650, allocated_draw: 300}
  - {name: PSU1, type: iec-60320-c14, maximum_draw: 650, allocated_draw: 300}
interfaces:
  - {name: mgmt0, type: 1000base-t, mgmt_only: true}
"""
PORTS = "".join(f"  - {{name: e{n}, type: 25gbase-x-sfp28}}\n" for n in range(48))
PORTS += "".join(f"  - {{name: u{n}, type: 100gbase-x-qsfp28}}\n" for n in range(6))


def types(capsys: pytest.CaptureFixture[str], folder: Path, *words: str, code: int = 0) -> dict[str, Any]:
    got = main(["capacity", "import", "device-types", "testcity", str(folder), *words, "--json"])
    out, err = capsys.readouterr()
    assert got == code, out + err
    document: dict[str, Any] = json.loads(out)
    return document


def test_device_types_of_the_library(folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    library = tmp_path / "library" / "Example"
    library.mkdir(parents=True)
    (library / "ex-48.yaml").write_text(SWITCH + PORTS)
    four = "".join(f"  - {{name: P{n}, maximum_draw: 3000}}\n" for n in range(4))
    chassis_text = "slug: chassis\nu_height: 10.5\nweight: 90\nweight_unit: kg\npower-ports:\n" + four
    (library / "chassis.yml").write_text("manufacturer: Example\nmodel: Chassis\n" + chassis_text)
    panel = "slug: panel\nweight: 900\nweight_unit: g\nfront-ports: [{name: 1, type: lc}]\n"
    (library / "panel.yaml").write_text("manufacturer: Example\nmodel: Panel\n" + panel)

    assert types(capsys, library.parent, "--yes")["counts"] == {"device_types": {"add": 3, "change": 0}}

    kinds = {kind.name: kind for kind in folder.hub().model.device_types}
    switch, chassis = kinds["example-ex-48"], kinds["chassis"]
    # One side of two supplies of 650 W; 22.05 lb are 10 kg.
    assert (switch.kind, switch.watts, switch.cords, switch.kg) == ("switch", 650, 2, 10)
    assert [(port.count, port.gbps, port.media) for port in switch.ports] == [(48, 25, "sfp28"), (6, 100, "qsfp28")]
    # Two of four supplies carry all; ten units and a half take eleven.
    assert (chassis.watts, chassis.units, chassis.assumed) == (6000, 11, True)
    assert (kinds["panel"].watts, kinds["panel"].kg) == (0, 0.9)
    assert folder.everything() == []
    assert types(capsys, library.parent, "--yes")["counts"] == {}


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("manufacturer: A\nmodel: B\nslug: b\nu_height: 1.3\n", "INV004", 4),
        ("manufacturer: A\nmodel: B\nslug: b\nweight: 3\nweight_unit: stone\n", "INV003", 5),
        ("manufacturer: A\nslug: b\n", "INV002", 1),
        ("manufacturer: A\nmodel: [\n", "YAML001", 3),
        ("- 1\n", "YAML003", 1),
    ],
)
def test_a_bad_file_is_told_with_its_line(
    folder: HubFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, code: str, line: int
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    document = types(capsys, file, "--yes", code=3)

    told = document["diagnostics"][0]
    assert (told["code"], told["source"]["file"], told["source"]["line"]) == (code, "bad.yaml", line)
    assert folder.everything() == []
