"""What a hub may decide about the rules: levels, and waivers that somebody answers for."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.stacks.policies import evaluate
from policies import objects
from policies.objects import graph

TODAY = date(2026, 1, 15)
WAIVER = """\
exceptions:
  - name: web-writes
    kind: waiver
    rule: {rule}
    target: {target}
    owner: tax office
    reason: the vendor delivers a fix in June
    until: {until}
"""
WRITABLE = {"deployment": {"container securityContext readOnlyRootFilesystem": False}}
PRIVILEGED = {"deployment": {"container securityContext privileged": True}}


def waived(
    folder: Path, rule: str = "no-privileged-container", target: str = "system/tax", until: str = "2026-01-15"
) -> list[Diagnostic]:
    exceptions = WAIVER.format(rule=rule, target=target, until=until)
    return evaluate(objects.hub(folder / "testcity", exceptions=exceptions), graph(PRIVILEGED), TODAY)


def test_a_level_of_the_hub_replaces_the_rules_own(tmp_path: Path) -> None:
    hub = objects.hub(tmp_path / "a", policies={"read-only-root-filesystem": "mandatory"})
    assert [item.severity for item in evaluate(hub, graph(WRITABLE), TODAY)] == [Severity.ERROR]

    hub = objects.hub(tmp_path / "b", policies={"no-privileged-container": "advisory"})
    assert [item.severity for item in evaluate(hub, graph(PRIVILEGED), TODAY)] == [Severity.WARNING]


def test_a_disabled_rule_finds_nothing(tmp_path: Path) -> None:
    hub = objects.hub(tmp_path / "testcity", policies={"no-privileged-container": "disabled"})

    assert evaluate(hub, graph(PRIVILEGED), TODAY) == []


def test_an_unknown_rule_among_the_levels_is_an_error_at_its_line(tmp_path: Path) -> None:
    hub = objects.hub(tmp_path / "testcity", policies={"quota-presents": "advisory"})

    (found,) = evaluate(hub, graph(), TODAY)

    assert (found.code, found.severity) == ("POL001", Severity.ERROR)
    assert found.summary == 'there is no policy rule "quota-presents"'
    assert found.hint == 'did you mean "quota-present"?'
    assert found.address == "hub.policies.quota-presents"
    assert found.source is not None
    line = (tmp_path / "testcity" / "hub.yaml").read_text(encoding="utf-8").splitlines()[found.source.line - 1]
    assert line.strip() == "quota-presents: advisory"


def test_an_unknown_rule_in_a_waiver_is_an_error_at_its_line_and_waives_nothing(tmp_path: Path) -> None:
    found = waived(tmp_path, rule="no-privileged-containers")

    assert {item.code for item in found} == {"POL001", "POL-no-privileged-container"}
    assert {item.severity for item in found} == {Severity.ERROR}
    unknown = next(item for item in found if item.code == "POL001")
    assert unknown.address == "exceptions.web-writes.rule"
    assert str(unknown.source) == "testcity/exceptions.yaml:4:5"
    assert unknown.hint == 'did you mean "no-privileged-container"?'


def test_a_rule_name_like_no_other_lists_all_rules(tmp_path: Path) -> None:
    hub = objects.hub(tmp_path / "testcity", policies={"zzz": "advisory"})

    (found,) = evaluate(hub, graph(), TODAY)

    assert found.hint.startswith("the rules are: admission-policy-enforced, ")
    assert "quota-present" in found.hint


@pytest.mark.parametrize("target", ["system/tax", "tenant/finance", "hub"])
def test_a_waiver_turns_the_finding_into_a_note_up_to_and_on_its_last_day(tmp_path: Path, target: str) -> None:
    (found,) = waived(tmp_path, target=target)

    assert (found.code, found.severity) == ("POL-no-privileged-container", Severity.NOTE)
    assert found.detail == (
        'container "web": privileged: true; waived by tax office until 2026-01-15: the vendor delivers a fix in June'
    )
    assert 'exception "web-writes"' in found.hint
    assert found.address == "main/systems/Deployment/finance-prod/tax-web"


def test_an_expired_waiver_does_not_count_and_is_an_error_itself(tmp_path: Path) -> None:
    found = waived(tmp_path, until="2026-01-14")

    assert {item.code: item.severity for item in found} == {
        "POL-no-privileged-container": Severity.ERROR,
        "POL-exceptions-unexpired": Severity.ERROR,
    }
    expired = next(item for item in found if item.code == "POL-exceptions-unexpired")
    assert expired.address == "exceptions.web-writes"
    assert str(expired.source) == "testcity/exceptions.yaml:8:5"


@pytest.mark.parametrize("target", ["system/archive", "service/cache", "service/tax"])
def test_a_waiver_for_something_else_waives_nothing_and_is_pointed_out(tmp_path: Path, target: str) -> None:
    found = waived(tmp_path, target=target)

    assert {item.code: item.severity for item in found} == {
        "POL-no-privileged-container": Severity.ERROR,
        "POL002": Severity.WARNING,
    }


def test_a_waiver_of_another_rule_does_not_help(tmp_path: Path) -> None:
    assert "POL-no-privileged-container" in {
        item.code for item in waived(tmp_path, rule="run-as-non-root") if item.severity is Severity.ERROR
    }


def test_a_waiver_for_a_system_covers_the_flows_that_its_tenant_carries(tmp_path: Path) -> None:
    exceptions = WAIVER.format(rule="egress-open-needs-exception", target="system/tax", until="2099-01-01")
    hub = objects.hub(tmp_path / "testcity", exceptions=exceptions)

    found = evaluate(hub, graph({"flows": {"spec egress": [{}]}}), TODAY)

    assert [item.severity for item in found] == [Severity.NOTE]


def test_a_waiver_for_a_service_covers_its_namespace(tmp_path: Path) -> None:
    exceptions = WAIVER.format(rule="quota-present", target="service/cache", until="2099-01-01")
    hub = objects.hub(tmp_path / "testcity", exceptions=exceptions)

    found = evaluate(hub, graph({"service-quota": objects.GONE, "quota": objects.GONE}), TODAY)

    assert {item.address: item.severity for item in found} == {
        "main/tenants/Namespace/finance-prod": Severity.ERROR,
        "main/services/Namespace/svc-cache": Severity.NOTE,
    }


def test_the_end_of_exceptions_cannot_be_waived(tmp_path: Path) -> None:
    exceptions = WAIVER.format(rule="exceptions-unexpired", target="hub", until="2099-01-01")
    ended = "  - {name: old, kind: freeze, target: hub, owner: o, reason: year-end close, until: 2025-12-31}\n"
    hub = objects.hub(tmp_path / "testcity", exceptions=exceptions + ended)

    errors = [item for item in evaluate(hub, graph(), TODAY) if item.severity is Severity.ERROR]

    assert [(item.code, item.address) for item in errors] == [("POL-exceptions-unexpired", "exceptions.old")]


def test_errors_come_first(tmp_path: Path) -> None:
    hub = objects.hub(tmp_path / "testcity")
    changes = {"deployment": WRITABLE["deployment"] | PRIVILEGED["deployment"]}

    assert [item.severity for item in evaluate(hub, graph(changes), TODAY)] == [Severity.ERROR, Severity.WARNING]
