"""A hub's life on the real engine and the real API server: made, changed, narrowed, refused, taken apart."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.errors import PolicyViolation
from govhub.core.exits import Exit
from govhub.core.kube import KINDS, KubeError
from govhub.core.plan import Op
from govhub.ops.requests import PlanResult, RunResult, Selection

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

SOURCE = Path(__file__).parents[1] / "hubs" / "mini"
HEALTH = {
    "tenants.yaml": """
  - name: health
    title: {zh: 卫生健康委员会, en: Health Commission}
    quota: small
""",
    "systems.yaml": """
  - name: health-cards
    title: {zh: 电子健康卡, en: Health cards}
    tenant: health
    owner: 规划信息科
    tier: 3
    protection_level: 2
    workloads:
      - {name: web, image: registry.mini.gov.internal/health/cards:1.0.0, cpu: 100m, memory: 256Mi, port: 8080}
    flows:
      - {from: zone/extranet, port: 8080}
""",
}
OPEN_DAYS = "tier: 3\n    protection_level: 2\n    workloads:\n      - {name: web, "
SOCIAL_AID = "replicas: 3,"


@pytest.fixture(scope="module")
def made(mini: LabHub) -> tuple[LabHub, PlanResult, RunResult]:
    """The hub with the engine's preview before anything was there, and the first run."""
    before = mini.plan(engine=True)
    return mini, before, mini.up()


@pytest.fixture
def hub(made: tuple[LabHub, PlanResult, RunResult]) -> Iterator[LabHub]:
    """The hub as its files were at first, and converged: what the test before did is undone."""
    found = made[0]
    restore(found)
    result = found.up(confirm=(found.name,))
    assert result.status in ("unchanged", "done"), result.problems
    # A deleted namespace takes its time.
    wait_for(lambda: not any(item.terminating for item in found.live().values()))
    yield found
    restore(found)


def restore(hub: LabHub) -> None:
    for file in SOURCE.iterdir():
        shutil.copy(file, hub.folder / file.name)
    (hub.folder / "exceptions.yaml").unlink(missing_ok=True)


def remove_entry(hub: LabHub, file: str, name: str) -> None:
    """Cut a list entry (to the next one, or the end) out of a YAML file."""
    path = hub.folder / file
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start = lines.index(f"  - name: {name}\n")
    end = next((at for at in range(start + 1, len(lines)) if lines[at].startswith("  - name:")), len(lines))
    path.write_text("".join(lines[:start] + lines[end:]), encoding="utf-8")


def changed_keys(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def addresses(result: RunResult | PlanResult) -> dict[str, str]:
    return {change.address: change.op.value for change in result.plan.changes}


def short(address: str) -> str:
    """``Kind/namespace/name`` of an address."""
    return address.split("/", 2)[2]


def test_the_first_up_makes_everything_and_waits_until_it_runs(made: tuple[LabHub, PlanResult, RunResult]) -> None:
    hub, _, first = made
    session = hub.session()
    controllers = sum(item.identity.kind in ("Deployment", "StatefulSet") for item in session.graph)
    assert (first.status, first.exit) == ("done", Exit.OK)
    assert first.plan.summary["create"] == len(session.graph) > 60
    assert first.readiness is not None
    assert (first.readiness.ready, first.readiness.total) == (controllers, controllers)
    assert hub.shards_started(first) == sorted(str(shard) for shard in session.graph.shards)
    hub.assert_converged()


def test_every_object_carries_the_owner_labels_and_our_field_manager(hub: LabHub) -> None:
    live = hub.live()
    for item in hub.session().graph:
        meta = live[item.identity].body["metadata"]
        expected = item.manifest["metadata"]["labels"]
        assert meta["labels"].items() >= expected.items(), item.address
        assert expected["govhub.io/hub"] == "mini"
        managers = {(entry["manager"], entry["operation"]) for entry in meta["managedFields"]}
        assert ("govhub", "Apply") in managers, item.address


def test_a_second_up_changes_nothing_and_starts_no_engine(hub: LabHub) -> None:
    before, state = hub.versions(), hub.documents()
    result = hub.up()
    assert (result.status, result.exit, result.plan.changes) == ("unchanged", Exit.OK, ())
    assert hub.shards_started(result) == []
    assert hub.versions() == before
    assert hub.documents() == state
    assert len(before) > 60


def test_changed_replicas_update_one_object_in_one_shard(hub: LabHub) -> None:
    before = hub.versions()
    hub.edit("systems.yaml", SOCIAL_AID, "replicas: 4,")
    result = hub.up()
    target = "Deployment/civil-affairs-prod/social-aid-web"
    assert addresses(result) == {f"main/systems/{target}": "update"}
    assert result.status == "done", result.problems
    assert hub.shards_started(result) == ["main/systems/0"]
    assert changed_keys(before, hub.versions()) == {target}
    assert hub.object(target)["spec"]["replicas"] == 4
    hub.assert_converged()


def test_a_raised_quota_with_its_exception_updates_only_the_quotas(hub: LabHub) -> None:
    before = hub.versions()
    hub.edit("tenants.yaml", "    quota: small\n", "    quota: small\n    overrides: {cpu: 6}\n")
    (hub.folder / "exceptions.yaml").write_text(
        "exceptions:\n  - {name: enrolment-season, kind: quota-raise, target: tenant/education, owner: 基础教育科,"
        " reason: enrolment in summer, until: 2099-12-31}\n",
        encoding="utf-8",
    )
    result = hub.up()
    quotas = {f"ResourceQuota/education-{environment}/quota" for environment in ("prod", "test")}
    assert {short(address): op for address, op in addresses(result).items()} == dict.fromkeys(quotas, "update")
    assert hub.shards_started(result) == ["main/tenants/0"]
    assert changed_keys(before, hub.versions()) == quotas
    assert hub.object("ResourceQuota/education-prod/quota")["spec"]["hard"]["requests.cpu"] == "4500m"


def test_a_new_tenant_touches_only_new_objects(hub: LabHub) -> None:
    before = hub.versions()
    for file, text in HEALTH.items():
        hub.append(file, text)
    result = hub.up()
    after = hub.versions()
    assert result.status == "done", result.problems
    assert set(addresses(result).values()) == {"create"}
    assert changed_keys(before, after) == {short(address) for address in addresses(result)}
    assert set(after) - set(before) == changed_keys(before, after)
    assert "Namespace/health-prod" in after
    hub.assert_converged()


def test_a_system_without_data_can_be_removed_within_the_budget(hub: LabHub) -> None:
    before = hub.versions()
    own = {
        str(identity)
        for identity, item in hub.live().items()
        if item.body["metadata"]["labels"].get("govhub.io/system") == "open-days"
    }
    remove_entry(hub, "systems.yaml", "open-days")
    result = hub.up()
    after = hub.versions()
    gone = set(before) - set(after)
    assert result.status == "done", result.problems
    assert len(own) >= 3
    assert own <= gone
    assert all("open-days" in name for name in gone)
    assert {short(address) for address, op in addresses(result).items() if op == "delete"} == gone
    assert changed_keys(before, after) == {short(address) for address in addresses(result)}
    hub.assert_converged()


def test_the_deletion_of_a_tenant_is_refused_until_it_is_named(hub: LabHub) -> None:
    before = hub.versions()
    remove_entry(hub, "tenants.yaml", "civil-affairs")
    remove_entry(hub, "systems.yaml", "social-aid")
    with pytest.raises(PolicyViolation) as refused:
        hub.up()
    assert {item.code for item in refused.value.diagnostics} == {"BUD001"}
    assert "--confirm civil-affairs" in str(refused.value.diagnostics[0].hint)
    with pytest.raises(PolicyViolation):
        hub.up(confirm=("education",))
    assert hub.versions() == before
    result = hub.up(confirm=("civil-affairs",))
    assert result.status == "done", result.problems
    deadline = time.monotonic() + 60
    while (left := civil_affairs(hub)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert left == []
    after = hub.versions()
    assert {key for key in before if "civil-affairs" not in key} == set(after)
    assert not changed_keys(before, after) & set(after)
    hub.assert_converged()


def civil_affairs(hub: LabHub) -> list[str]:
    return [str(identity) for identity in hub.live() if "civil-affairs" in str(identity)]


def test_a_change_that_the_api_server_would_refuse_replaces_the_object(hub: LabHub) -> None:
    before = hub.versions()
    sets = {f"StatefulSet/education-{environment}/school-enrolment-db" for environment in ("prod", "test")}
    uids = {name: hub.object(name)["metadata"]["uid"] for name in sets}
    hub.edit("systems.yaml", "storage: 10Gi", "storage: 20Gi")
    with pytest.raises(PolicyViolation):  # a stateful set holds data: replacing it is a deletion
        hub.up()
    assert hub.versions() == before
    result = hub.up(confirm=("school-enrolment",))
    assert {short(address): op for address, op in addresses(result).items()} == dict.fromkeys(sets, "replace")
    assert hub.shards_started(result) == ["main/systems/1"]
    assert changed_keys(before, hub.versions()) == sets
    for name, uid in uids.items():
        live = hub.object(name)
        assert live["metadata"]["uid"] != uid
        assert live["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"] == "20Gi"
    hub.assert_converged()


def test_the_engine_agrees_with_the_plan_of_a_hub_that_is_not_there(
    made: tuple[LabHub, PlanResult, RunResult],
) -> None:
    _, before, first = made
    assert before.preview is not None
    assert before.preview.differences == ()
    assert before.preview.counts == {"create": len(before.plan.changes)}
    assert addresses(before) == addresses(first)


def test_the_engine_agrees_that_there_is_nothing_to_do(hub: LabHub) -> None:
    found = hub.plan(engine=True)
    assert found.preview is not None
    assert (found.plan.changes, found.preview.differences) == ((), ())
    assert found.preview.counts == {"same": found.plan.unchanged}


def test_the_engine_agrees_with_a_plan_of_every_kind_of_change(hub: LabHub) -> None:
    before = hub.versions()
    hub.edit("systems.yaml", SOCIAL_AID, "replicas: 4,")
    hub.edit("systems.yaml", "storage: 10Gi", "storage: 20Gi")
    remove_entry(hub, "systems.yaml", "open-days")
    for file, text in HEALTH.items():
        hub.append(file, text)
    found = hub.plan(engine=True)
    assert found.preview is not None
    assert found.preview.differences == ()
    summary = {op: count for op, count in found.plan.summary.items() if count and op != "unchanged"}
    assert set(summary) == {"create", "update", "replace", "delete"}
    assert {op: count for op, count in found.preview.counts.items() if op != "same"} == summary
    assert hub.versions() == before


def test_a_run_narrowed_to_a_tenant_leaves_the_others_waiting(hub: LabHub) -> None:
    before = hub.versions()
    hub.edit("systems.yaml", SOCIAL_AID, "replicas: 4,")
    hub.edit("systems.yaml", OPEN_DAYS, OPEN_DAYS + "replicas: 3, ")
    result = hub.up(selection=Selection(tenants=("educ*",)))
    target = "Deployment/education-prod/open-days-web"
    assert result.status == "done", result.problems
    assert addresses(result) == {f"main/systems/{target}": "update"}
    # A third replica changes nothing else: the disruption budget counts the missing, not the present.
    assert changed_keys(before, hub.versions()) == {target}
    assert addresses(hub.plan()) == {"main/systems/Deployment/civil-affairs-prod/social-aid-web": "update"}


def test_a_run_narrowed_to_a_new_system_pulls_in_its_namespace_and_nothing_else(hub: LabHub) -> None:
    before = hub.versions()
    for file, text in HEALTH.items():
        hub.append(file, text)
    hub.edit("systems.yaml", SOCIAL_AID, "replicas: 4,")
    selection = Selection(systems=("health-*",))
    plan = hub.plan(selection=selection).plan
    assert "main/tenants/Namespace/health-prod" in plan.pulled_in
    assert all("health-prod" in address for address in plan.pulled_in)
    result = hub.up(selection=selection)
    assert result.status == "done", result.problems
    assert result.plan.pulled_in == plan.pulled_in
    made = {short(change.address) for change in plan.changes}
    assert {"Namespace/health-prod", "Deployment/health-prod/health-cards-web"} <= made
    assert changed_keys(before, hub.versions()) == made
    left = addresses(hub.plan())
    assert left["main/systems/Deployment/civil-affairs-prod/social-aid-web"] == "update"
    assert left["main/tenants/Namespace/health-test"] == "create"


BLOCKED = ("health-cards-web", "school-enrolment-web")


def blocking_policy() -> list[dict[str, Any]]:
    """Somebody else's admission policy, which refuses two of our deployments."""
    rule = {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"]}
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rule | {"operations": ["CREATE", "UPDATE"]}]},
        "validations": [{"expression": f"!(object.metadata.name in {list(BLOCKED)})", "message": "not on my watch"}],
    }
    api = "admissionregistration.k8s.io/v1"
    binding = {"policyName": "blocker", "validationActions": ["Deny"]}
    return [
        {"apiVersion": api, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "blocker"}, "spec": spec},
        {
            "apiVersion": api,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "blocker"},
            "spec": binding,
        },
    ]


@pytest.fixture
def blocker(hub: LabHub) -> Iterator[Callable[[], None]]:
    """Refuses until the test ends, or calls what it gets."""
    kube = hub.kube()
    for body in blocking_policy():
        kube.create(body)
    deployment = KINDS["apps", "Deployment"].path("education-prod", "school-enrolment-web")
    probe = {"metadata": {"annotations": {"probe": "1"}}}

    def refused() -> bool:
        try:
            kube.request("PATCH", deployment, probe, content_type="application/merge-patch+json", dryRun="All")
        except KubeError:
            return True
        return False

    def remove() -> None:
        for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"):
            kube.delete(KINDS["admissionregistration.k8s.io", kind], "blocker")
        wait_for(lambda: not refused())

    wait_for(refused)
    yield remove
    remove()


def wait_for(holds: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def _break_and_improve(hub: LabHub) -> None:
    for file, text in HEALTH.items():
        hub.append(file, text)
    hub.edit("systems.yaml", "school-enrolment:1.0.0", "school-enrolment:1.1.0")
    hub.edit("systems.yaml", SOCIAL_AID, "replicas: 4,")
    hub.edit("systems.yaml", OPEN_DAYS, OPEN_DAYS + "replicas: 3, ")


@pytest.mark.usefixtures("blocker")
def test_what_the_api_server_refuses_stops_nobody_else_and_is_listed(hub: LabHub) -> None:
    before = hub.versions()
    _break_and_improve(hub)
    result = hub.up(wait=0)
    refused = {
        "main/systems/Deployment/health-prod/health-cards-web",
        "main/systems/Deployment/education-prod/school-enrolment-web",
        "main/systems/Deployment/education-test/school-enrolment-web",
    }
    assert (result.status, result.exit) == ("failed", Exit.FAILED)
    assert {item.address for item in result.problems} == refused
    assert all("not on my watch" in item.summary and item.source for item in result.problems)
    assert {op for address, op in addresses(result).items() if address in refused} == {"create", "update"}
    done = {short(address) for address in addresses(result)} - {short(address) for address in refused}
    assert changed_keys(before, hub.versions()) == done
    assert hub.object("Deployment/civil-affairs-prod/social-aid-web")["spec"]["replicas"] == 4
    assert hub.object("Deployment/education-prod/open-days-web")["spec"]["replicas"] == 3
    # What is left is exactly what was refused: neither lost from the state, nor taken for done.
    assert set(addresses(hub.plan())) == refused


def test_after_the_cause_is_gone_the_next_up_does_the_rest(hub: LabHub, blocker: Callable[[], None]) -> None:
    _break_and_improve(hub)
    assert hub.up(wait=0).status == "failed"
    blocker()
    result = hub.up()
    assert result.status == "done", result.problems
    assert {Op(op) for op in addresses(result).values()} == {Op.CREATE, Op.UPDATE}
    assert len(result.plan.changes) == 3
    hub.assert_converged()
