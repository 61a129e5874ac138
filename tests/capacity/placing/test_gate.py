"""The gate: what does not fit fails with the part named, file and line; waivers cover it; unknown is no limit."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from govhub.cli.main import main
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.ops.capacity.gate import gate
from govhub.ops.load import read_folder
from govhub.ops.requests import ValidateResult
from govhub.ops.validate import diagnose
from inventory.hubs import BASE, HERE, HubFolder

TODAY = date(2026, 1, 15)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubFolder:
    """The base hub with a power tree: two UPS of 40 kW, busways of 63 A, four cooling units of 15 kW."""
    monkeypatch.setenv("GOVHUB_INVENTORIES", str(tmp_path))
    monkeypatch.setenv("GOVHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GOVHUB_TODAY", TODAY.isoformat())
    found = HubFolder(Path(shutil.copytree(BASE, tmp_path / "testcity")))
    shutil.copy(HERE / "more" / "power.yaml", found.path)
    return found


def found(folder: HubFolder, today: date = TODAY) -> list[Diagnostic]:
    hub, problems = read_folder(folder.path)
    assert hub is not None
    assert [item.summary for item in problems if item.severity is Severity.ERROR] == []
    return gate(hub, today)


def one(folder: HubFolder, code: str) -> Diagnostic:
    items = [item for item in found(folder) if item.code == code]
    assert len(items) == 1, items
    return items[0]


def test_a_hub_within_its_limits_has_no_finding(folder: HubFolder) -> None:
    assert found(folder) == []


def test_a_feed_that_does_not_carry_its_rack_names_rack_hosts_and_breaker(folder: HubFolder) -> None:
    # 10 A at 220 V and 0.95 carry 2,090 W; g01 and g02 draw 2,000 W beside c05 and c06 with 800 W.
    folder.edit(
        "power.yaml",
        'side: b, fed_by: "bus-b{1..2}", breaker_amps: 32',
        'side: b, fed_by: "bus-b{1..2}", breaker_amps: 10',
    )
    item = one(folder, "FIT001")

    assert (
        item.summary
        == "feed B of the rack jz/h1/r2/01 is overloaded: 2.8 of 2.09 kW after the loss of bus-a2 (and 1 more)"
    )
    assert folder.line(item).startswith("- names: g{01..02}")
    assert "power.yaml:7" in item.detail
    assert (item.address, item.severity) == ("jz/h1/r2/01", Severity.ERROR)


def test_an_element_fails_after_the_loss_that_it_has_to_survive(folder: HubFolder) -> None:
    folder.edit("power.yaml", "kw: 20, modules: 3, redundant: 1", "kw: 6, modules: 3, redundant: 1")
    item = one(folder, "FIT002")

    # 12 kW with a module away, for all 14.5 kW when the other side is lost; both UPS of the entry are one finding.
    assert item.summary == "the ups ups-a is overloaded: 14.5 of 12 kW after the loss of grid-b (and 1 more)"
    assert folder.line(item).startswith('- {names: "ups-{a,b}"')
    assert "most of it is c{01..08}" in item.detail
    # Without a loss to survive half of it flows, and that fits.
    folder.edit("places.yaml", "tier: T3", "tier: C")
    assert found(folder) == []


@pytest.mark.parametrize(
    ("code", "file", "old", "new", "words"),
    [
        (
            "FIT003",
            "power.yaml",
            "amps: 63",
            "amps: 20",
            "phase L2 of the busway bus-a2 is overloaded: 4.55 of 4.1",
        ),
        ("FIT004", "power.yaml", "kw: 15", "kw: 4", "the heat of the hall jz/h1 exceeds the cooling that is left"),
        ("FIT005", "places.yaml", "    tier: T3", "    tier: T3\n    standard_rack_kw: 1", "the hall jz/h1 draws more"),
        ("FIT006", "places.yaml", "max_kg: 300", "max_kg: 300, outlets: 2", "the rack jz/h1/r1/03 has too few outlets"),
    ],
)
def test_each_limit_fails_with_what_exceeds_it(
    folder: HubFolder, code: str, file: str, old: str, new: str, words: str
) -> None:
    folder.edit(file, old, new)
    items = [item for item in found(folder) if item.code == code]

    assert items
    assert items[0].summary.startswith(words)
    assert items[0].source is not None


def test_a_pool_has_to_carry_its_requests_without_its_worst_rack(folder: HubFolder) -> None:
    # Two racks hold four cards each. Two are requested already; three more do not survive the loss of a rack.
    (folder.path / "more.yaml").write_text(
        """systems:
  - name: vision
    title: {zh: 视觉, en: Vision}
    tenant: finance
    owner: office
    tier: 2
    protection_level: 2
    workloads:
      - {name: infer, image: "registry.testcity.gov.internal/vision/infer:1.0", replicas: 3, cpu: 1, memory: 1Gi,
         accelerators: 1, pool: gpu}
"""
    )
    hub, _ = read_folder(folder.path)
    assert hub is not None
    items = [item for item in gate(hub, TODAY) if item.code == "FIT008"]

    what = "cluster main does not carry its requests without a rack: 5 of 4 cards after the loss of jz/h1/r2/01"
    assert [item.summary for item in items] == [f"{what} (and 1 more)"]
    assert "main/gpu" in items[0].detail


def test_unknown_capacity_does_not_fail_and_is_told(folder: HubFolder) -> None:
    folder.edit("power.yaml", 'side: b, fed_by: "bus-b{1..2}", breaker_amps: 32', 'side: b, fed_by: "bus-b{1..2}"')
    folder.edit("power.yaml", "kind: utility, kw: 100", "kind: utility")
    folder.edit("places.yaml", "racks: r2/04", "racks: r2/04\n            rated_kw: 4")
    items = found(folder)

    assert {item.severity for item in items} <= {Severity.NOTE}
    assert [item.summary for item in items if "element" in item.summary] == [
        "element: 2 of 8 are unknown and were held against no limit"
    ]


WAIVER = """
  - {{name: late-ups, kind: waiver, rule: capacity-element, target: {target}, owner: operations,
     reason: the second module is delivered in May, until: {until}}}
"""


@pytest.mark.parametrize("target", ["hub", "power/ups-a"])
def test_a_waiver_turns_the_error_into_a_note_until_its_day(folder: HubFolder, target: str) -> None:
    folder.edit("power.yaml", "kw: 20, modules: 3, redundant: 1", "kw: 6, modules: 3, redundant: 1")
    with (folder.path / "waivers.yaml").open("w") as file:
        file.write("exceptions:" + WAIVER.format(target=target, until="2026-12-31"))
    items = [item for item in found(folder) if item.code == "FIT002"]
    notes = [item for item in items if item.severity is Severity.NOTE]
    errors = [item.summary for item in items if item.severity is Severity.ERROR]

    assert [item.summary.endswith("(waived until 2026-12-31)") for item in notes] == [True]
    assert "waived by operations until 2026-12-31" in notes[0].detail
    # A waiver of one UPS says nothing about the other.
    assert [text.startswith("the ups ups-b is overloaded") for text in errors] == ([] if target == "hub" else [True])


def test_a_waiver_of_nothing_and_an_unknown_rule_are_told(folder: HubFolder) -> None:
    with (folder.path / "waivers.yaml").open("w") as file:
        file.write("exceptions:" + WAIVER.format(target="power/ups-x", until="2026-12-31"))
    assert [item.code for item in found(folder)] == ["POL002"]
    assert "POL001" not in {item.code for item in diagnose("testcity")}
    text = (folder.path / "waivers.yaml").read_text().replace("capacity-element", "capacity-elements")
    (folder.path / "waivers.yaml").write_text(text)
    assert any('did you mean "capacity-element"' in item.hint for item in diagnose("testcity") if item.code == "POL001")


def test_an_expired_waiver_covers_nothing(folder: HubFolder) -> None:
    folder.edit("power.yaml", "kw: 20, modules: 3, redundant: 1", "kw: 6, modules: 3, redundant: 1")
    with (folder.path / "waivers.yaml").open("w") as file:
        file.write("exceptions:" + WAIVER.format(target="hub", until="2026-12-31"))
    hub, _ = read_folder(folder.path)
    assert hub is not None

    assert [item.severity for item in gate(hub, date(2027, 1, 1)) if item.code == "FIT002"] == [Severity.ERROR]


@pytest.mark.parametrize(("level", "severities"), [("advisory", [Severity.WARNING]), ("disabled", [])])
def test_levels_are_those_of_the_hub(folder: HubFolder, level: str, severities: list[Severity]) -> None:
    folder.edit("power.yaml", "kw: 20, modules: 3, redundant: 1", "kw: 6, modules: 3, redundant: 1")
    folder.edit("hub.yaml", "hub:\n", f"hub:\n  policies: {{capacity-element: {level}}}\n")

    assert [item.severity for item in found(folder) if item.code == "FIT002"] == severities


def test_validate_and_plan_end_with_4(folder: HubFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder.edit("power.yaml", "kw: 20, modules: 3, redundant: 1", "kw: 6, modules: 3, redundant: 1")
    sarif = tmp_path / "found.sarif"
    assert main(("validate", "testcity", "--json", "--sarif", str(sarif))) == 4
    document = json.loads(capsys.readouterr().out)
    assert [item["code"] for item in document["hubs"][0]["diagnostics"] if item["severity"] == "error"] == ["FIT002"]
    (result,) = [item for item in json.loads(sarif.read_text())["runs"][0]["results"] if item["ruleId"] == "FIT002"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 3
    assert main(("plan", "testcity", "--json")) == 4
    assert "FIT002" in {item["code"] for item in json.loads(capsys.readouterr().out)["findings"]}


def test_a_rack_that_is_overfull_is_no_mistake_of_form(folder: HubFolder) -> None:
    folder.edit("places.yaml", "rated_kw: 4", "rated_kw: 2.5")
    items = diagnose("testcity")

    assert {item.code for item in items if item.severity is Severity.ERROR} == {"PLC012"}
    assert ValidateResult(hubs={"testcity": items}, seconds={}).exit == 4


def test_a_circle_in_the_power_tree_ends_before_the_gate(folder: HubFolder) -> None:
    folder.edit(
        "power.yaml",
        '{names: "grid-{a,b}", kind: utility, kw: 100}',
        '{names: "grid-{a,b}", kind: utility, fed_by: "bus-{a,b}1", kw: 1}',
    )

    assert {item.code for item in diagnose("testcity") if item.severity is Severity.ERROR} == {"PWR003"}


@pytest.mark.parametrize("name", ["jinzhou", "dazu", "huating", "langfang", "yichang"])
def test_every_city_is_within_its_limits(name: str) -> None:
    hub, _ = read_folder(Path(__file__).parents[3] / "inventories" / name)
    assert hub is not None

    # What is not known of some racks is said, and fails nothing.
    assert {(item.code, item.severity) for item in gate(hub, TODAY)} <= {("FIT009", Severity.NOTE)}


@pytest.mark.parametrize(
    ("device", "link", "codes"),
    [
        ("rj45", "dac", ["LNK003"]),
        ("multi-mode", "single-mode", ["LNK003"]),
        ("multi-mode", "dac", ["LNK003"]),
        ("qsfp28", "dac", []),
        ("rj45", "rj45", []),
    ],
)
def test_a_link_needs_ports_that_take_its_media(folder: HubFolder, device: str, link: str, codes: list[str]) -> None:
    folder.edit("power.yaml", "{count: 6, gbps: 100, use: up}", f"{{count: 6, gbps: 100, use: up, media: {device}}}")
    folder.edit("power.yaml", "gbps: 100, count: 3", f"gbps: 100, count: 3, media: {link}")

    assert [item.code for item in diagnose("testcity") if item.code.startswith("LNK")] == codes
