"""Nodes that leave: the real API server says what still runs on them, and the next run copes with their absence."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.events import read_events
from govhub.core.exits import Exit
from govhub.core.settings import today
from govhub.ops.nodes.drain import NODE, cordon, cordoned_by
from govhub.ops.nodes.occupants import Occupants
from govhub.ops.nodes.pods import pods_on
from govhub.ops.retire import RetireRequest, RetireResult, retire
from govhub.stacks.context import DOMAIN

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

BUDGETS = "/apis/policy/v1/namespaces/agents/poddisruptionbudgets"
UNTIL = today() + timedelta(days=10)
SPEC: dict[str, Any] = {"containers": [{"name": "main", "image": "example.org/sleeper:1"}]}


def go(hub: LabHub, *names: str, seconds: float = 60) -> RetireResult:
    return retire(RetireRequest(hub=str(hub.folder), hosts=names, confirm=names, drain_seconds=seconds))


def shown(hub: LabHub, *names: str) -> RetireResult:
    return retire(RetireRequest(hub=str(hub.folder), hosts=names))


def spec(hub: LabHub, node: str) -> tuple[bool, str]:
    """Whether the node is closed, and by which run of ours."""
    found = hub.kube().get(NODE, node)
    assert found
    return bool(found["spec"].get("unschedulable")), cordoned_by(hub.kube(), node)


def pods(hub: LabHub, node: str) -> list[str]:
    found = hub.kube().request("GET", "/api/v1/pods", fieldSelector=f"spec.nodeName={node}")["items"]
    return sorted(item["metadata"]["name"] for item in found if item["metadata"]["namespace"] == "agents")


def _accounts(hub: LabHub) -> list[Any]:
    found: list[Any] = hub.kube().request("GET", "/api/v1/namespaces/agents/serviceaccounts")["items"]
    return found


@pytest.fixture(scope="module")
def agents(mini: LabHub) -> LabHub:
    """A namespace of nobody's, an agent on every node, and a pod on node2."""
    kube = mini.kube()
    kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "agents"}})
    labels = {"app": "agent"}
    template = {"metadata": {"labels": labels}, "spec": SPEC | {"tolerations": [{"operator": "Exists"}]}}
    body = {"metadata": {"name": "agent"}, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    kube.request("POST", "/apis/apps/v1/namespaces/agents/daemonsets", body)
    deadline = time.monotonic() + 30
    # Pods need the account that a controller makes in every namespace.
    while not _accounts(mini) and time.monotonic() < deadline:
        time.sleep(0.1)
    kube.create(
        {"apiVersion": "v1", "kind": "Pod"}
        | {"metadata": {"name": "single", "namespace": "agents", "labels": {"app": "single"}}}
        | {"spec": SPEC | {"nodeName": "node2"}}
    )
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "single"}}}
    kube.request("POST", BUDGETS, {"metadata": {"name": "single"}, "spec": budget})
    while len(pods(mini, "node2")) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    return mini


def test_the_pods_that_have_to_go_are_listed_and_none_is_touched(agents: LabHub) -> None:
    assert len(pods(agents, "node2")) == 2, "the agent and the pod"
    result = shown(agents, "node2", "node3")
    found = {item.host.name: item.occupants for item in result.hosts}
    assert found["node2"] == Occupants(pods=("agents/single",), interrupts=("agents/single",))
    assert found["node3"] == Occupants()
    assert (len(pods(agents, "node2")), spec(agents, "node2"), result.exit) == (2, (False, ""), Exit.OK)


def test_a_node_whose_pods_cannot_go_stays_and_is_open_again(agents: LabHub) -> None:
    before = (agents.folder / "clusters.yaml").read_bytes()
    result = go(agents, "node2", seconds=3)
    assert ([item.code for item in result.problems], result.exit) == (["RET001"], Exit.FAILED)
    assert "agents/single (its disruption budget allows none to go now)" in result.problems[0].summary
    assert [item.status for item in result.hosts] == ["stays"]
    assert (agents.folder / "clusters.yaml").read_bytes() == before
    assert len(pods(agents, "node2")) == 2
    assert spec(agents, "node2") == (False, "")


def test_a_node_that_somebody_else_closed_is_not_opened(agents: LabHub) -> None:
    agents.kube().patch(NODE, "node2", "", {"spec": {"unschedulable": True}})
    assert go(agents, "node2", seconds=1).exit is Exit.FAILED
    assert spec(agents, "node2") == (True, "")
    agents.kube().patch(NODE, "node2", "", {"spec": {"unschedulable": None}})


def test_a_killed_run_is_continued(agents: LabHub) -> None:
    """It left the node closed; the next one knows it as ours, and opens it when the host stays after all."""
    cordon(agents.kube(), "node2", "20260101T000000-dead")
    assert go(agents, "node2", seconds=1).exit is Exit.FAILED
    assert spec(agents, "node2") == (False, "")


def test_pods_that_come_with_the_node_keep_nobody(agents: LabHub) -> None:
    kube = agents.kube()
    assert len(pods(agents, "node3")) == 1
    assert pods_on(kube, "node3") == []
    assert pods_on(kube, "never-heard-of") == []


def test_pods_of_a_frozen_department_are_not_moved(agents: LabHub) -> None:
    assert agents.up().exit is Exit.OK
    owned = {
        pod["spec"]["nodeName"]: pod["metadata"]["labels"][f"{DOMAIN}/tenant"]
        for pod in agents.kube().request("GET", "/api/v1/pods")["items"]
        if f"{DOMAIN}/tenant" in (pod["metadata"].get("labels") or {}) and pod["spec"].get("nodeName")
    }
    node, tenant = next(iter(sorted(owned.items())))
    path = agents.folder / "exceptions.yaml"
    former = path.read_text() if path.exists() else None
    freeze = f"{{name: audit, kind: freeze, target: tenant/{tenant}, reason: yearly audit, owner: x, until: {UNTIL}}}"
    path.write_text(f"{(former or 'exceptions:').rstrip()}\n  - {freeze}\n")
    count = len(pods_on(agents.kube(), node))
    try:
        result = go(agents, node, seconds=1)
    finally:
        if former is None:
            path.unlink()
        else:
            path.write_text(former)
    assert [item.code for item in result.problems] == ["RET008"]
    assert (len(pods_on(agents.kube(), node)), spec(agents, node)) == (count, (False, ""))


def test_a_node_is_emptied_leaves_the_cluster_and_the_next_run_goes_on(agents: LabHub) -> None:
    kube = agents.kube()
    kube.request("DELETE", f"{BUDGETS}/single")
    result = go(agents, "node2")
    assert (result.exit, result.hosts[0].status, result.hosts[0].node) == (Exit.OK, "retired", False), result.problems
    assert kube.get(NODE, "node2") is None
    assert result.record
    events = {item["kind"]: item["data"] for item in read_events(result.record)}
    assert events["drain-started"]["pods"] >= 1
    assert events["drain-finished"]["left"] == []
    again = agents.up()
    assert not again.problems, "\n".join(item.summary + item.detail for item in again.problems)
    assert agents.up().status == "unchanged"
    agents.assert_converged()
