"""Rules of the checks that are about limits, exceptions to a rule, and hubs of real size."""

from __future__ import annotations

import random
import time
from datetime import date
from ipaddress import ip_network
from itertools import combinations
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter

from govhub.core.diagnostics import Diagnostic
from govhub.inventory.checks import CHECKS, check_hub
from govhub.inventory.checks.flows import is_open
from govhub.inventory.checks.network import Net, overlaps
from govhub.inventory.checks.objects import MAX_NAMESPACE, MAX_OBJECT
from govhub.inventory.checks.report import Report
from govhub.inventory.loader import load
from govhub.inventory.model.common import Name, ShortName
from inventory.hubs import BASE, TODAY, HubFolder


def codes(found: list[Diagnostic]) -> list[str]:
    return sorted(item.code for item in found)


def test_all_mistakes_are_collected_and_errors_come_first(base: HubFolder) -> None:
    base.edit("hub.yaml", "share: 0.25", "share: 0.2")
    base.edit("tenants.yaml", "2026-06-30", "2026-01-20")
    base.edit("systems.yaml", "tenant/finance", "tenant/finanz")
    base.edit("systems.yaml", "protection_level: 2", "protection_level: 5")

    found = base.check()

    assert codes(found) == ["EXC002", "HUB010", "REF001", "SEC002"]
    assert found[-1].code == "EXC002"
    assert found == base.check()


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 5, 30), []),
        (date(2026, 5, 31), ["EXC002"]),
        (date(2026, 6, 30), ["EXC002"]),
        (date(2026, 7, 1), ["EXC001", "EXC003"]),
    ],
)
def test_an_exception_holds_until_the_end_of_its_last_day(base: HubFolder, day: date, expected: list[str]) -> None:
    assert codes(base.check(day)) == expected


def test_an_object_name_of_exactly_the_limit_is_accepted(base: HubFolder) -> None:
    base.edit("systems.yaml", "name: welfare", "name: " + "w" * 40)
    image = "\n        image: registry.testcity.gov.cn/civil"
    base.edit("systems.yaml", f"- name: web{image}", f"- name: {'p' * 11}{image}")

    assert MAX_OBJECT == 40 + 1 + 11
    assert base.check() == []


def test_the_longest_names_of_the_model_fit_into_a_namespace() -> None:
    tenant = TypeAdapter(Name).json_schema()["maxLength"]
    environment = TypeAdapter(ShortName).json_schema()["maxLength"]

    assert tenant + 1 + environment <= MAX_NAMESPACE
    assert len("svc-") + tenant <= MAX_NAMESPACE


def test_same_object_name_in_different_environments_is_no_clash(base: HubFolder) -> None:
    base.edit("systems.yaml", "name: welfare", "name: tax-a")
    base.edit("systems.yaml", "tenant: civil-affairs", "tenant: finance\n    environments: [test]")
    base.edit("systems.yaml", "name: close", "name: a-web")
    base.edit("systems.yaml", "environments: [prod, test]", "environments: [prod]")

    assert base.check() == []


def test_an_exception_of_the_tenant_opens_the_flows_of_its_systems(base: HubFolder) -> None:
    base.edit("tenants.yaml", "target: system/tax", "target: tenant/finance")

    assert base.check() == []


def test_an_image_with_a_digest_needs_no_tag(base: HubFolder) -> None:
    base.edit("systems.yaml", "civil/welfare:1.4", "civil/welfare@sha256:" + "0f" * 32)

    assert base.check() == []


def test_a_registry_with_a_port_is_no_tag(base: HubFolder) -> None:
    base.edit("systems.yaml", "library/postgres:16.4", "library/postgres")

    assert codes(base.check()) == ["SEC004"]


def test_a_cluster_without_hosts_gets_no_error_about_capacity(base: HubFolder) -> None:
    text = (base.path / "places.yaml").read_text(encoding="utf-8")
    (base.path / "places.yaml").write_text(text.partition("hosts:")[0], encoding="utf-8")

    found = base.check()

    assert codes(found) == ["CAP005"]
    assert found[0].severity == "warning"


def test_a_lowered_override_needs_no_exception(base: HubFolder) -> None:
    base.edit(
        "tenants.yaml", "quota: small\n", "quota: small\n    overrides: {memory: 31Gi, pods: 40, accelerators: 0}\n"
    )

    assert base.check() == []


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("internet", True),
        ("cidr/0.0.0.0/0", True),
        ("cidr/0.0.0.0/1", True),
        ("cidr/::/0", True),
        ("cidr/10.0.0.0/8", False),
        ("cidr/fd00::/16", False),
        ("cidr/nonsense/0", False),
        ("zone/public", False),
    ],
)
def test_the_internet_is_known_by_name_and_by_range(peer: str, expected: bool) -> None:
    assert is_open(peer) is expected


def overlapping(one: Net, two: Net) -> bool:
    return one.version == two.version and bool(one.overlaps(two))


def test_overlaps_are_those_that_comparing_all_pairs_finds() -> None:
    dice = random.Random(7)
    for _ in range(60):
        nets: list[Net] = [
            ip_network((dice.getrandbits(4) << dice.choice((28, 124)), dice.randint(0, 5)), strict=False)
            for _ in range(12)
        ]
        expected = {frozenset(pair) for pair in combinations(range(12), 2) if overlapping(nets[pair[0]], nets[pair[1]])}
        found = {frozenset(pair) for pair in overlaps(nets)}
        # Of several equal networks only the first is compared further.
        assert found <= expected
        assert {i for pair in found for i in pair} == {i for pair in expected for i in pair}


def test_many_equal_prefixes_are_each_told_once(base: HubFolder) -> None:
    line = "  - {cidr: 10.99.0.0/24, zone: extranet, purpose: storage}\n"
    base.edit("network.yaml", "prefixes:\n", "prefixes:\n" + line * 3000)

    start = time.perf_counter()
    found = base.check()

    assert codes(found) == ["NET001"] * 2999
    assert time.perf_counter() - start < 2


def test_thousands_of_wrong_names_are_told_quickly(base: HubFolder) -> None:
    peers = "".join(f"      - {{to: system/absent-{i}, port: 80}}\n" for i in range(3000))
    base.edit("systems.yaml", "      - {to: zone/public, port: 443}\n", peers)

    start = time.perf_counter()
    found = base.check()

    assert codes(found) == ["REF001"] * 3000
    assert time.perf_counter() - start < 2


def _large_hub(tenants: int = 61, systems: int = 120) -> dict[str, Any]:
    """The base hub with as many racks, departments and systems as a city has."""
    hub: dict[str, Any] = {}
    for file in sorted(BASE.glob("*.yaml")):
        hub |= yaml.safe_load(file.read_text(encoding="utf-8"))
    hall = hub["sites"][0]["halls"][0]
    hall["rows"] = [{"names": "r{001..450}", "racks": "{01..24}"}]
    hall["overrides"] = []
    hub["databases"] = hub["load_balancers"] = []
    hub["hosts"] = [entry for entry in hub["hosts"] if entry.get("role") != "network"]
    for position, entry in enumerate(hub["hosts"]):
        entry["names"] = f"n{position}-{{0001..2000}}"
        entry["racks"] = "jz/h1/r{001..450}/{01..24}"
        entry["watts"] = 400
    model = {"title": {"zh": "局", "en": "Bureau"}, "quota": "large"}
    hub["tenants"] += [model | {"name": f"bureau-{i}"} for i in range(tenants - 2)]
    tax = next(system for system in hub["systems"] if system["name"] == "tax")
    flows = [{"to": "service/gateway", "port": 8443}, {"to": "system/tax", "port": 8080}]
    hub["systems"] += [
        tax | {"name": f"system-{i}", "tenant": f"bureau-{i % (tenants - 2)}", "flows": flows, "environments": ["prod"]}
        for i in range(systems - 2)
    ]
    return hub


def test_a_hub_of_10800_racks_and_120_systems_is_checked_within_the_time_of_a_keystroke(base: HubFolder) -> None:
    for file in base.path.iterdir():
        file.unlink()
    text = yaml.dump(_large_hub(), Dumper=yaml.CSafeDumper, allow_unicode=True)
    (base.path / "hub.yaml").write_text(text, encoding="utf-8")
    hub = base.hub()

    start = time.perf_counter()
    found = check_hub(hub, TODAY)
    took = time.perf_counter() - start

    assert len(hub.topology.racks) == 10_800
    assert len(hub.topology.hosts) == 8_000
    assert [item.summary for item in found] == []
    # Ten times what it takes here on a busy machine: this guards against a quadratic check, not against noise.
    assert took < 3


def test_no_check_depends_on_another_having_run(base: HubFolder) -> None:
    base.edit("tenants.yaml", "quota: large", "quota: gone")
    base.edit("systems.yaml", "tenant: civil-affairs", "tenant: gone")
    loaded = load(base.path)
    assert loaded.hub
    for check in CHECKS:
        check(Report(loaded.hub, TODAY))
