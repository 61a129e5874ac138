"""``hosts upgrade``: what the operator sees and approves, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from cli.conftest import Fake
from cli.samples import matches
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.ops.upgrading.requests import Loss, Upgrade, UpgradeRequest, UpgradeResult

WHY = "health would lose 2 of 3 pods on main, and 1 may be away at once"


def found() -> list[Upgrade]:
    education = Loss(tenant="education", pods=1, of=12, allowed=3, gone=1)
    newer = ["less 590-1 → 590-2.1"]
    return [
        Upgrade(host="data1", round=1, packages=newer, reboot=True, pods=3, losses=[education]),
        Upgrade(
            host="data2",
            status="over budget",
            packages=newer,
            pods=2,
            interrupts=["health-prod/register-db"],
            losses=[Loss(tenant="health", pods=2, of=3, allowed=1, gone=0)],
            why=WHY,
            over="health",
        ),
        Upgrade(host="data3", round=2, packages=newer, losses=[education]),
        Upgrade(host="data4", only_opened=True, cordoned_by="a-killed-run"),
        Upgrade(host="lb1", round=1, packages=newer),
    ]


def serve(ops: Fake) -> list[UpgradeRequest]:
    asked: list[UpgradeRequest] = []

    def upgrade(request: UpgradeRequest) -> UpgradeResult:
        asked.append(request)
        problem = Diagnostic(
            code="UPG003",
            severity=Severity.ERROR,
            summary=f"data2: {WHY}",
            address="hosts/data2",
            hint="take it alone with --confirm health, or raise `max_unavailable` of the department",
        )
        result = UpgradeResult(hub="real", run="r", at_once=request.at_once, hosts=found(), problems=[problem])
        if request.approve and not request.approve(result.hosts):
            result.status = "declined"
        return result

    ops("upgrading.upgrade", upgrade=upgrade)
    return asked


def test_rounds_and_what_departments_lose_are_shown_before_anything_is_done(
    ops: Fake, govhub: Callable[..., tuple[int, str, str]]
) -> None:
    asked = serve(ops)
    code, out, _ = govhub("hosts", "upgrade", "real", "--dry-run", "--at-once", "4", "--confirm", "education")
    assert code == 1
    assert (asked[0].at_once, asked[0].confirmed) == (4, ("education",))
    matches("upgrade.txt", out)
    _, chinese, _ = govhub("hosts", "upgrade", "real", "--dry-run", "--lang", "zh")
    matches("upgrade.zh.txt", chinese)


def test_scripts_find_rounds_and_departments(ops: Fake, govhub: Callable[..., tuple[int, str, str]]) -> None:
    serve(ops)
    _, out, _ = govhub("hosts", "upgrade", "real", "--dry-run", "--at-once", "4", "--json")
    found = json.loads(out)
    assert (found["at_once"], found["rounds"]) == (4, [["data1", "lb1"], ["data3"]])
    assert found["hosts"][1]["departments"] == [{"tenant": "health", "pods": 2, "of": 3, "allowed": 1, "gone": 0}]


def test_no_host_at_once_is_no_number_of_hosts(ops: Fake, govhub: Callable[..., tuple[int, str, str]]) -> None:
    assert serve(ops) == []
    code, _, err = govhub("hosts", "upgrade", "real", "--at-once", "0")
    assert code == 64
    assert "--at-once" in err
