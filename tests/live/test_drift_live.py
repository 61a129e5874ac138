"""Hand edits on the live cluster: found, named, never written by `drift`, and put right by the next `up`."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.errors import PolicyViolation
from govhub.core.exits import Exit
from govhub.core.kube import KINDS
from govhub.core.plan import Op, Plan
from govhub.engine.drift import DriftKind
from govhub.ops.requests import DriftResult, RunResult, Selection

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

CANARY = "hunter2-is-no-password"
MANAGER = "kubectl-edit"


@pytest.fixture(scope="module")
def made(mini: LabHub) -> LabHub:
    assert mini.up().status == "done"
    return mini


@pytest.fixture
def hub(made: LabHub) -> Iterator[LabHub]:
    """The hub, converged before and after."""
    settle(made)
    made.assert_converged()
    yield made
    settle(made)


def settle(hub: LabHub) -> None:
    hub.up(confirm=(hub.name,))
    deadline = time.monotonic() + 60
    while any(item.terminating for item in hub.live().values()) and time.monotonic() < deadline:
        time.sleep(0.3)


def edit(hub: LabHub, address: str, change: dict[str, Any]) -> None:
    """A merge patch under another field manager, as kubectl would do it."""
    kind, *rest = address.split("/")
    table = next(item for (_, name), item in KINDS.items() if name == kind)
    path = table.path(rest[0] if len(rest) == 2 else "", rest[-1])
    hub.kube().request("PATCH", path, change, content_type="application/merge-patch+json", fieldManager=MANAGER)


def delete(hub: LabHub, address: str) -> None:
    kind, *rest = address.split("/")
    table = next(item for (_, name), item in KINDS.items() if name == kind)
    assert hub.kube().delete(table, rest[-1], rest[0] if len(rest) == 2 else "")


def add_peer(hub: LabHub, address: str) -> None:
    spec = hub.object(address)["spec"]
    assert spec["ingress"][0]["from"]
    spec["ingress"][0]["from"].append({"ipBlock": {"cidr": "203.0.113.0/24"}})
    edit(hub, address, {"spec": {"ingress": spec["ingress"]}})


def ingress_policy(hub: LabHub) -> str:
    """A policy that lets somebody in."""
    return next(
        str(identity)
        for identity, item in hub.live().items()
        if identity.kind == "NetworkPolicy" and any(rule.get("from") for rule in item.body["spec"].get("ingress", []))
    )


def orphan(name: str = "left-behind") -> dict[str, Any]:
    """What a killed run, or somebody's copy, may leave: our labels, and no record anywhere."""
    labels = {
        "app.kubernetes.io/managed-by": "govhub",
        "govhub.io/hub": "mini",
        "govhub.io/stack": "systems",
        "govhub.io/shard": "0",
        "govhub.io/tenant": "civil-affairs",
    }
    meta = {"name": name, "namespace": "civil-affairs-prod", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"key": "value"}}


ORPHAN = "main/systems/ConfigMap/civil-affairs-prod/left-behind"

MOVED = "replicas: 3, cpu: 250m, memory: 512Mi, port: 8081}"


def found(result: DriftResult | RunResult | Plan) -> dict[str, str]:
    if isinstance(result, DriftResult):
        return {item.address: item.kind.value for item in result.drifted}
    plan = result.plan if isinstance(result, RunResult) else result
    return {change.address: change.op.value for change in plan.changes}


def make_edits(hub: LabHub) -> dict[str, str]:
    """Seven kinds of meddling; returns what drift must say, exactly."""
    policy = ingress_policy(hub)
    edit(hub, "ResourceQuota/education-prod/quota", {"spec": {"hard": {"pods": "99"}}})
    delete(hub, "NetworkPolicy/education-prod/default-deny")
    edit(hub, "RoleBinding/education-prod/govhub-viewer", {"metadata": {"labels": {"added-by": "hand"}}})
    edit(hub, "Deployment/civil-affairs-prod/social-aid-web", {"spec": {"replicas": 1}})
    secret = base64.b64encode(CANARY.encode()).decode()
    edit(hub, "Secret/education-prod/school-enrolment-db-password", {"data": {"value": secret}})
    add_peer(hub, policy)
    hub.kube().create(orphan())
    return {
        "main/tenants/ResourceQuota/education-prod/quota": "edited",
        "main/tenants/NetworkPolicy/education-prod/default-deny": "deleted",
        "main/tenants/RoleBinding/education-prod/govhub-viewer": "edited",
        "main/systems/Deployment/civil-affairs-prod/social-aid-web": "edited",
        "main/systems/Secret/education-prod/school-enrolment-db-password": "edited",
        f"main/{hub.live()[next(item for item in hub.live() if str(item) == policy)].shard.stack}/{policy}": "edited",
        ORPHAN: "unknown",
    }


def test_drift_names_exactly_what_was_meddled_with_and_writes_nothing(hub: LabHub) -> None:
    expected = make_edits(hub)
    before, state = hub.versions(), hub.documents()
    result = hub.drift()
    assert found(result) == expected
    assert result.compared == len(hub.session().graph)
    assert hub.versions() == before
    assert hub.documents() == state


def test_drift_says_what_was_changed_from_what_to_what(hub: LabHub) -> None:
    edit(hub, "ResourceQuota/education-prod/quota", {"spec": {"hard": {"pods": "99"}}})
    edit(hub, "RoleBinding/education-prod/govhub-viewer", {"metadata": {"labels": {"added-by": "hand"}}})
    diffs = {item["address"]: item["diff"] for item in hub.drift().as_dict()["drifted"]}
    assert diffs["main/tenants/ResourceQuota/education-prod/quota"] == [
        {"op": "change", "path": "spec.hard.pods", "old": "15", "new": "99"}
    ]
    assert diffs["main/tenants/RoleBinding/education-prod/govhub-viewer"] == [
        {"op": "add", "path": "metadata.labels.added-by", "new": "hand"}
    ]


def test_the_next_up_repairs_everything_that_drift_named(hub: LabHub) -> None:
    secret = hub.object("Secret/education-prod/school-enrolment-db-password")["data"]["value"]
    expected = make_edits(hub)
    result = hub.up()
    assert (result.status, result.exit) == ("done", Exit.OK), result.problems
    assert found(result) == {
        address: "delete" if kind == DriftKind.UNKNOWN else "repair" for address, kind in expected.items()
    }
    hub.assert_converged()
    assert hub.object("ResourceQuota/education-prod/quota")["spec"]["hard"]["pods"] == "15"
    assert hub.object("Deployment/civil-affairs-prod/social-aid-web")["spec"]["replicas"] == 3
    assert "added-by" not in hub.object("RoleBinding/education-prod/govhub-viewer")["metadata"]["labels"]
    assert hub.object("Secret/education-prod/school-enrolment-db-password")["data"]["value"] == secret
    policy = hub.object(ingress_policy(hub))
    assert "203.0.113.0/24" not in json.dumps(policy["spec"])
    assert hub.up().status == "unchanged"


def test_neither_the_old_nor_the_new_value_of_an_edited_secret_is_shown_or_stored(hub: LabHub) -> None:
    address = "Secret/education-prod/school-enrolment-db-password"
    old = hub.object(address)["data"]["value"]
    new = base64.b64encode(CANARY.encode()).decode()
    edit(hub, address, {"data": {"value": new}})
    drift = hub.drift()
    assert found(drift) == {f"main/systems/{address}": "edited"}
    result = hub.up()
    assert result.status == "done"
    forms = [new, CANARY, old, base64.b64decode(old).decode()]
    shown = json.dumps([drift.as_dict(), result.as_dict(), result.plan.as_dict()]) + repr(drift) + repr(result.plan)
    kept = b"".join(path.read_bytes() for path in files(hub.home / "hubs"))
    assert len(kept) > 10_000
    for form in forms:
        assert form not in shown
        assert form.encode() not in kept


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_namespace_deleted_by_hand_comes_back_with_everything_in_it(hub: LabHub) -> None:
    inside = {str(item) for item in hub.live() if item.namespace == "civil-affairs-prod"}
    assert len(inside) > 8
    delete(hub, "Namespace/civil-affairs-prod")
    lost = {address.split("/", 2)[2]: kind for address, kind in found(hub.drift()).items()}
    assert lost == dict.fromkeys({*inside, "Namespace/civil-affairs-prod"}, "deleted")
    result = hub.up()
    assert result.status == "done", result.problems
    assert {change.op for change in result.plan.changes} == {Op.REPAIR}
    assert {address.split("/", 2)[2] for address in found(result)} == set(lost)
    hub.assert_converged()


def test_an_orphan_goes_only_with_a_plan_that_showed_it(hub: LabHub, tmp_path: Path) -> None:
    hub.kube().create(orphan())
    shown: list[Plan] = []

    def decline(plan: Plan) -> bool:
        shown.append(plan)
        return False

    assert hub.up(approve=decline).status == "declined"
    assert found(shown[0]) == {ORPHAN: "delete"}
    assert "neither the hub nor the state knows it" in shown[0].changes[0].reason
    assert hub.object("ConfigMap/civil-affairs-prod/left-behind")
    # A run narrowed to others does not show it, and so leaves it alone.
    assert hub.up(selection=Selection(tenants=("education",))).plan.changes == ()
    assert hub.object("ConfigMap/civil-affairs-prod/left-behind")
    result = hub.up(approve=lambda plan: found(plan) == {ORPHAN: "delete"})
    assert (result.status, found(result)) == ("done", {ORPHAN: "delete"})
    assert hub.shards_started(result) == []
    hub.assert_converged()


def test_a_saved_plan_does_nothing_that_it_does_not_show(hub: LabHub, tmp_path: Path) -> None:
    original = (hub.folder / "systems.yaml").read_text(encoding="utf-8")
    try:
        hub.edit("systems.yaml", "replicas: 3,", "replicas: 4,")
        saved = hub.plan().plan
        file = tmp_path / "plan.json"
        file.write_text(json.dumps(saved.as_dict()), encoding="utf-8")
        hub.kube().create(orphan())
        delete(hub, "NetworkPolicy/education-prod/default-deny")
        result = hub.up(plan_file=file)
        assert result.status == "done", result.problems
        assert found(result) == found(saved) == {"main/systems/Deployment/civil-affairs-prod/social-aid-web": "update"}
        assert hub.object("ConfigMap/civil-affairs-prod/left-behind")
        assert set(found(hub.drift()).values()) == {"unknown", "deleted"}
    finally:
        (hub.folder / "systems.yaml").write_text(original, encoding="utf-8")


def test_a_saved_plan_of_most_of_a_shard_repairs_nothing_else_in_it(hub: LabHub, tmp_path: Path) -> None:
    original = (hub.folder / "systems.yaml").read_text(encoding="utf-8")
    try:
        # Another port is another deployment and another service: most of what this department's shard holds.
        hub.edit("systems.yaml", "replicas: 3, cpu: 250m, memory: 512Mi, port: 8080}", MOVED)
        saved = hub.plan().plan
        file = tmp_path / "plan.json"
        file.write_text(json.dumps(saved.as_dict()), encoding="utf-8")
        delete(hub, "PodDisruptionBudget/civil-affairs-prod/social-aid-web")
        shard = next(change.shard for change in saved.changes if "systems" in change.shard)
        changed = sum(change.shard == shard for change in saved.changes)
        assert changed * 2 > sum(str(item.shard) == shard for item in hub.session().graph)
        result = hub.up(plan_file=file)
        assert result.status == "done", result.problems
        assert found(result) == found(saved)
        assert found(hub.drift()) == {"main/systems/PodDisruptionBudget/civil-affairs-prod/social-aid-web": "deleted"}
    finally:
        (hub.folder / "systems.yaml").write_text(original, encoding="utf-8")
    assert hub.up().status == "done"
    hub.assert_converged()


def test_an_orphan_that_holds_data_is_not_deleted_without_being_named(hub: LabHub) -> None:
    body = orphan("left-secret") | {"kind": "Secret", "type": "Opaque", "data": {}}
    hub.kube().create(body)
    with pytest.raises(PolicyViolation) as refused:
        hub.up()
    assert refused.value.diagnostics[0].code == "BUD001"
    assert hub.object("Secret/civil-affairs-prod/left-secret")
    assert hub.up(confirm=("left-secret",)).status == "done"
    hub.assert_converged()
