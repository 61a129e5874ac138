"""Nodes that leave: the real API server says what still runs on them, and the next run copes with their absence."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from govhub.core.exits import Exit
from govhub.core.kube import KINDS
from govhub.ops.drained import undrained
from govhub.ops.retire import RetireRequest, RetireResult, retire

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

SPEC: dict[str, Any] = {"containers": [{"name": "main", "image": "example.org/sleeper:1"}]}


def go(hub: LabHub, *names: str) -> RetireResult:
    return retire(RetireRequest(hub=str(hub.folder), hosts=names, confirm=names))


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
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "single", "namespace": "agents"}}
        | {"spec": SPEC | {"nodeName": "node2"}}
    )
    while len(pods(mini, "node2")) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    return mini


def test_a_node_with_a_pod_of_somebodys_stays(agents: LabHub) -> None:
    before = (agents.folder / "clusters.yaml").read_bytes()
    assert len(pods(agents, "node2")) == 2, "the agent and the pod"
    result = go(agents, "node2")
    assert ([item.code for item in result.problems], result.exit) == (["RET001"], Exit.FAILED)
    assert result.problems[0].summary == "node2 still runs 1 pod: agents/single"
    assert (agents.folder / "clusters.yaml").read_bytes() == before
    assert agents.kube().get(KINDS["", "Node"], "node2")


def test_pods_that_come_with_the_node_keep_nobody(agents: LabHub) -> None:
    kube = agents.kube()
    assert len(pods(agents, "node3")) == 1
    assert undrained(kube, "node3") == []
    assert undrained(kube, "never-heard-of") == []


def test_an_empty_node_leaves_the_cluster_and_the_next_run_goes_on(agents: LabHub) -> None:
    assert agents.up().exit is Exit.OK
    agents.kube().delete(KINDS["", "Pod"], "single", "agents")
    deadline = time.monotonic() + 60
    # What `up` placed there moves elsewhere, as a drain would have it.
    kube = agents.kube()
    kube.patch(KINDS["", "Node"], "node2", "", {"spec": {"unschedulable": True}})
    while undrained(kube, "node2") and time.monotonic() < deadline:
        for pod in kube.request("GET", "/api/v1/pods", fieldSelector="spec.nodeName=node2")["items"]:
            if pod["metadata"]["namespace"] != "agents":
                kube.delete(KINDS["", "Pod"], pod["metadata"]["name"], pod["metadata"]["namespace"])
        time.sleep(0.5)
    result = go(agents, "node2")
    assert (result.exit, result.hosts[0].status, result.hosts[0].node) == (Exit.OK, "retired", False), result.problems
    assert kube.get(KINDS["", "Node"], "node2") is None
    again = agents.up()
    assert not again.problems, "\n".join(item.summary + item.detail for item in again.problems)
    assert agents.up().status == "unchanged"
    agents.assert_converged()
