"""The catalogue follows the roles, every check can fail, and nothing passes that was not seen."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from govhub.core.settings import content
from govhub.hosts.audit import settings, surroundings
from govhub.hosts.audit.catalogue import checks, controls, kernel_settings, units, without_check
from govhub.hosts.audit.judge import FUNCTIONS, judge, subject_of
from govhub.hosts.audit.model import Result, Subject, Unverified
from govhub.hosts.content import roles_of
from govhub.hosts.reach import Reach, Reaches
from govhub.hosts.variables import declared_hosts
from govhub.inventory.loader import load
from hosts.readings import SECTIONS, certificate, reading, without

ROOT = Path(__file__).parents[2]
LAB = {"mirror_url": "http://mirror/debian", "mirror_suite": "s", "mirror_key": "k"}
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
RULES: surroundings.Rules = [
    {"name": "administration", "protocol": "tcp", "ports": [22], "sources": ["10.20.12.0/24", "169.254.77.1/32"]}
]
TABLE = json.loads(Path(__file__).with_name("firewall.json").read_text(encoding="utf-8"))


def subject(**sections: str) -> Subject:
    return Subject(reading(**sections), {}, ("base", "ssh", "chrony"), "govhub", NOW)


def declared_subject(found: Any) -> Subject:
    hub = load(ROOT / "tests/hubs/mini").hub
    assert hub
    host = declared_hosts(hub, Reaches({"node5": Reach("10.77.0.11", "govhub")}, LAB, {"nodes": ["10.77.0.0/24"]}))
    return subject_of(host["node5"], found, NOW)


def tasks_of(role: str) -> set[str]:
    names: set[str] = set()

    def collect(items: list[dict[str, Any]]) -> None:
        for item in items:
            names.add(str(item.get("name")))
            for part in ("block", "rescue", "always"):
                collect(item.get(part, []))

    for path in content("playbooks", "roles", role, "tasks").glob("*.yml"):
        collect(yaml.safe_load(path.read_text(encoding="utf-8")))
    return names


def test_every_check_names_a_control_a_function_and_a_task_that_is_there() -> None:
    for check in checks().values():
        assert set(check.controls) <= set(controls()), check.id
        assert check.function in FUNCTIONS, check.id
        if check.role:
            assert check.task in tasks_of(check.role), f"{check.id}: {check.role} has no task {check.task!r}"


def test_every_function_is_used_and_every_title_comes_in_both_languages() -> None:
    assert {check.function for check in checks().values()} == set(FUNCTIONS)
    for title in [*(item.title for item in checks().values()), *(item.title for item in controls().values())]:
        assert title.en
        assert re.search(r"[\u4e00-\u9fff]", title.zh), title.en


def test_the_controls_are_those_of_the_standard() -> None:
    groups = {number.split(" ")[0] for number in controls()}
    assert groups == {f"8.1.4.{part}" for part in range(1, 12)}
    wanted = {"8.1.4.1": 4, "8.1.4.2": 7, "8.1.4.3": 4, "8.1.4.4": 6}
    assert {group: sum(number.startswith(f"{group} ") for number in controls()) for group in wanted} == wanted


def test_controls_without_a_check_are_named_and_not_counted() -> None:
    left = {control.id for control in without_check()}
    assert {"8.1.4.1 d", "8.1.4.6"} <= left
    assert left.isdisjoint({number for check in checks().values() for number in check.controls})


def test_what_checks_ask_for_is_read() -> None:
    probe = (ROOT / "playbooks/govhub/hosts/reading/probe.sh").read_text(encoding="utf-8")
    read = set(re.findall(r"^    (?:section|asking|script) (\w+) ", probe, re.MULTILINE))
    named = {check.arguments["section"] for check in checks().values() if "section" in check.arguments}
    assert named <= read
    assert set(SECTIONS) <= read
    assert "ssh.service" in units()
    assert "net.ipv4.tcp_syncookies" in kernel_settings()


def test_every_variable_of_the_catalogue_is_declared_or_a_default() -> None:
    host = declared_subject(reading())
    for check in checks().values():
        settings.as_values(dict(check.arguments), host.variables)
    with pytest.raises(Unverified, match="nothing is not declared"):
        settings.as_values({"days": "$nothing"}, host.variables)


def test_a_host_that_answered_nothing_passes_nothing() -> None:
    verdicts = judge(declared_subject(without(reading(), *SECTIONS)))
    assert {item.result for item in verdicts} == {Result.UNVERIFIED}
    assert all(item.found for item in verdicts)
    assert len(verdicts) == len(checks())


def test_an_answer_that_makes_no_sense_passes_nothing() -> None:
    nonsense = dict.fromkeys(SECTIONS, "%% : =")
    found = replace(reading(**nonsense), offset=None)
    passed = {item.check for item in judge(declared_subject(found)) if item.result is Result.PASSED}
    assert passed == set()


def test_checks_apply_where_their_role_runs() -> None:
    host = declared_subject(reading())
    assert "base" in roles_of(())
    fewer = replace(host, roles=("base",))
    assert {checks()[item.check].role for item in judge(fewer)} == {"base", ""}


CASES = yaml.safe_load(Path(__file__).with_name("deviations.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: f"{case['check']} {case.get('finds', '')}"[:50])
def test_each_deviation_is_a_finding_that_says_what_it_is_and_nothing_else_is_one(case: dict[str, Any]) -> None:
    host = subject(**{**CASES["usual"], **case.get("sections", {})})
    found = FUNCTIONS[case["check"]](host, **case.get("with", {}))
    if "finds" in case:
        assert any(case["finds"] in item for item in found), found
    else:
        assert found == []


def test_every_check_has_a_case_that_it_passes_and_one_that_it_finds() -> None:
    elsewhere = {"firewall", "certificates"}
    for expected in (True, False):
        there = {case["check"] for case in CASES["cases"] if ("finds" in case) is expected}
        assert set(FUNCTIONS) - there <= elsewhere | ({"services"} if not expected else set())


def test_certificates_are_judged_by_the_day_of_the_audit() -> None:
    host = subject(certificates=f"file /a.crt\n{certificate(5)}")
    soon = replace(host, now=datetime.now(UTC))
    assert "/a.crt expires on" in surroundings.certificates(soon, 14)[0]
    assert surroundings.certificates(soon, 1) == []
    assert "/a.crt expired on" in surroundings.certificates(replace(host, now=soon.now + timedelta(days=30)), 1)[0]


def test_a_clock_that_is_off_is_found_beyond_what_could_be_measured() -> None:
    host = subject()
    late = replace(host, reading=replace(host.reading, offset=-3.0, uncertainty=0.5))
    assert surroundings.clock(late, "Asia/Shanghai", 1.0) == ["the clock differs from ours by -3.0 s"]
    vague = replace(host, reading=replace(host.reading, offset=-3.0, uncertainty=2.5))
    assert surroundings.clock(vague, "Asia/Shanghai", 1.0) == []


def edited(edit: Callable[[list[dict[str, Any]]], object]) -> str:
    table = json.loads(json.dumps(TABLE))
    edit(table["nftables"])
    return json.dumps(table)


def rule(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"rule": {"family": "inet", "table": "govhub", "chain": "input", "expr": [*parts, {"accept": None}]}}


PORT = {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 4444}}


def open_policy(items: list[dict[str, Any]]) -> None:
    next(item["chain"] for item in items if "chain" in item)["policy"] = "accept"


@pytest.mark.parametrize(
    ("nft", "text"),
    [
        (edited(lambda items: items.append(rule(PORT))), "lets in what is not declared"),
        (edited(lambda items: items.append(rule())), "lets in what is not declared"),
        (
            edited(lambda items: items.append({"rule": {"expr": [{"jump": {"target": "x"}}]}})),
            "lets in what is not declared",
        ),
        (edited(open_policy), "what no rule is for is let in"),
        (edited(lambda items: items.pop(-2)), "does not let in what is declared: tcp 22"),
    ],
)
def test_a_firewall_that_differs_is_found(nft: str, text: str) -> None:
    found = surroundings.firewall(subject(nft=nft), RULES)
    assert any(text in item for item in found), found


def test_a_firewall_that_is_gone_is_a_finding_and_one_that_cannot_be_read_is_not_verified() -> None:
    host = subject(nft="")
    sections = dict(host.reading.sections)
    for code, verdict in ((1, "there is no firewall"), (127, "there is no firewall"), (124, None)):
        changed = {**sections, "nft": replace(sections["nft"], exit=code)}
        at = replace(host, reading=replace(host.reading, sections=changed))
        if verdict:
            assert verdict in surroundings.firewall(at, RULES)[0]
        else:
            with pytest.raises(Unverified):
                surroundings.firewall(at, RULES)


def test_the_kernels_audit_of_a_container_is_not_verified() -> None:
    with pytest.raises(Unverified, match="belongs to the machine"):
        settings.kernel_audit(subject(virtual="systemd-nspawn"), ["time"])
