"""Bare hosts become real Kubernetes nodes beside simulated ones, and a departmental system runs on them.

The tests build on each other: provisioned, asked, cut off, and asked again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from govhub.core.exits import Exit
from govhub.core.kube import KINDS
from hosts.conftest import NodeHub

REAL = {"data1", "data2"}


def until(found: Callable[[], bool], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return reached


def stays(found: Callable[[], bool], looks: int = 3) -> bool:
    for _ in range(looks):
        if not found():
            return False
        time.sleep(1)
    return True


def web(hub: NodeHub) -> dict[str, str]:
    """The web pods' addresses by their node."""
    pods = [pod for pod in hub.pods("web") if pod["status"].get("podIP")]
    return {pod["spec"]["nodeName"]: f"http://{pod['status']['podIP']}:8080/visits" for pod in pods}


def drifted(hub: NodeHub) -> dict[str, tuple[list[str], dict[str, str], str]]:
    return {item.host: (item.changed, item.diffs, item.why) for item in hub.drift().hosts}


def test_one_run_brings_bare_hosts_nodes_and_the_system_up(node_hub: NodeHub) -> None:
    assert REAL.isdisjoint(node_hub.nodes()), "nobody plays the nodes that real hosts will be"
    result = node_hub.everything()
    assert (result.status, result.exit, result.problems) == ("done", Exit.OK, [])
    assert {item.host: item.status for item in result.hosts} == dict.fromkeys({*REAL, "store1"}, "done")
    nodes = node_hub.nodes()
    assert {
        name: node["status"]["nodeInfo"]["kubeletVersion"] for name, node in nodes.items() if name in REAL
    } == dict.fromkeys(REAL, "v1.36.3")
    assert all(nodes[name]["metadata"]["labels"]["govhub.io/pool"] == "data" for name in REAL)
    assert all(nodes[name]["spec"]["taints"] for name in REAL)
    assert {pod["spec"]["nodeName"] for pod in [*node_hub.pods("web"), *node_hub.pods("db")]} <= REAL


def test_a_second_run_changes_nothing(node_hub: NodeHub) -> None:
    result = node_hub.everything()
    assert (result.status, result.hosts, result.plan.changes) == ("unchanged", [], ())
    assert drifted(node_hub) == {}


def test_no_token_is_left_and_none_was_written_down(node_hub: NodeHub) -> None:
    secrets = node_hub.kube.list(KINDS["", "Secret"], namespace="kube-system")
    assert [item for item in secrets if item["type"] == "bootstrap.kubernetes.io/token"] == []
    for name in REAL:
        assert node_hub.inside(name, "ls /etc/kubernetes").split() == [
            "ca.pem",
            "kube-proxy.yaml",
            "kubelet.yaml",
            "node.kubeconfig",
        ]


def test_the_system_answers_and_keeps_what_it_is_given(node_hub: NodeHub) -> None:
    node_hub.lay_routes()
    assert until(lambda: set(web(node_hub)) == REAL), "one web pod on each node"
    for node, address in web(node_hub).items():
        written = json.loads(node_hub.ask(address, "-d", f"name=guest of {node}"))
        assert written[0]["name"] == f"guest of {node}"
    read = [json.loads(node_hub.ask(address)) for address in web(node_hub).values()]
    assert read[0] == read[1]
    assert {row["name"] for row in read[0]} == {f"guest of {node}" for node in REAL}


def test_who_is_not_declared_is_refused_on_both_nodes(node_hub: NodeHub) -> None:
    for address in web(node_hub).values():
        assert node_hub.ask(address, client="10.77.0.1") in ("refused", "time-out"), "this machine is not the extranet"
    database = node_hub.pods("db")[0]["status"]["podIP"]
    assert node_hub.ask(f"http://{database}:5432") in ("refused", "time-out"), "the database is the system's own"


def test_policies_hold_on_one_node_and_across_nodes_in_both_directions(node_hub: NodeHub) -> None:
    (database,) = node_hub.pods("db")
    here, there = database["status"]["podIP"], database["spec"]["nodeName"]
    for pod in node_hub.pods("web"):
        where = "same node" if pod["spec"]["nodeName"] == there else "across nodes"
        assert node_hub.connects(pod, here, 5432) == "open", where
        assert node_hub.connects(pod, "10.77.0.13", 5000) != "open", f"egress to what is not declared, {where}"
    dns = node_hub.pods_of_names()
    for pod in dns:
        assert node_hub.connects(pod, here, 5432) != "open", "a neighbour that is not declared"
    web_pods = node_hub.pods("web")
    for pod in web_pods:
        for other in dns:
            assert node_hub.connects(pod, other["status"]["podIP"], 8181) != "open", "egress to another port than names"
            assert node_hub.connects(pod, other["status"]["podIP"], 53) == "open", "the probe itself, and names"


def test_a_power_cut_loses_nothing_that_was_answered(node_hub: NodeHub) -> None:
    before = json.loads(node_hub.ask(next(iter(web(node_hub).values()))))
    node = node_hub.pods("db")[0]["spec"]["nodeName"]
    node_hub.machine(node).power_cut()
    assert node_hub.machine(node).inits() == []
    node_hub.machine(node).start()
    assert until(node_hub.machine(node).answers, 30)

    def as_before() -> bool:
        node_hub.lay_routes()
        found = web(node_hub)
        return set(found) == REAL and {node_hub.ask(address) for address in found.values()} == {json.dumps(before)}

    # Names and the database start anew beside each other: it counts when it stays.
    assert until(lambda: stays(as_before), 240)
    assert drifted(node_hub) == {}
