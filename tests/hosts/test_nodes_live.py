"""Bare hosts become real Kubernetes nodes beside simulated ones, and a departmental system runs on them.

The tests build on each other: provisioned, asked, cut off, and asked again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from govhub.core.errors import InvalidInput
from govhub.core.exits import Exit
from govhub.core.kube import KINDS
from govhub.ops.nodes.drain import CORDONED_BY, cordon
from govhub.ops.upgrading.requests import Loss, UpgradeRequest, UpgradeResult
from govhub.ops.upgrading.upgrade import upgrade
from hosts.conftest import OUTDATED, NodeHub

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


def web_addresses(hub: NodeHub) -> list[str]:
    return [f"http://{pod['status']['podIP']}:8080/entries" for pod in hub.pods("web") if pod["status"].get("podIP")]


def web(hub: NodeHub) -> dict[str, str]:
    """The web pods' addresses by their node."""
    pods = [pod for pod in hub.pods("web") if pod["status"].get("podIP")]
    return {pod["spec"]["nodeName"]: f"http://{pod['status']['podIP']}:8080/entries" for pod in pods}


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


def test_an_audit_finds_nothing(node_hub: NodeHub) -> None:
    assert node_hub.failed_checks() == {name: {"unverified kernel-audit"} for name in (*REAL, "store1")}


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


def upgraded(hub: NodeHub, **more: Any) -> UpgradeResult:
    return upgrade(UpgradeRequest(hub=str(hub.folder), **more))


def education_pods(hub: NodeHub, node: str) -> list[dict[str, Any]]:
    return [pod for part in ("web", "db") for pod in hub.pods(part) if pod["spec"]["nodeName"] == node]


def vars_of(loss: Loss) -> tuple[str, int, int, int]:
    return loss.tenant, loss.pods, loss.of, loss.allowed


def closed(hub: NodeHub) -> set[str]:
    return {name for name, node in hub.nodes().items() if node["spec"].get("unschedulable")}


def test_what_waits_is_shown_and_nothing_is_touched_without_consent(node_hub: NodeHub) -> None:
    for name in (*REAL, "store1"):
        node_hub.inside(name, OUTDATED)
    node_hub.inside("data1", "touch /run/reboot-required")
    result = upgraded(node_hub, approve=lambda _: False)
    assert result.status == "declined"
    found = {item.host: item for item in result.hosts}
    assert {name: item.status for name, item in found.items()} == dict.fromkeys({*REAL, "store1"}, "planned")
    assert all(any(package.startswith("less 590-1 → ") for package in item.packages) for item in found.values())
    assert [name for name, item in found.items() if item.reboot] == ["data1"]
    database = node_hub.pods("db")[0]["spec"]["nodeName"]
    assert [name for name, item in found.items() if "education-prod/visits-db" in item.interrupts] == [database]
    assert {name: [vars_of(loss) for loss in item.losses] for name, item in found.items()} == {
        name: [("education", len(education_pods(node_hub, name)), 3, 3)] if name in REAL else [] for name in found
    }
    assert closed(node_hub) == set()


def test_a_department_that_would_lose_too_much_keeps_its_host_unless_it_is_named(node_hub: NodeHub) -> None:
    database = node_hub.pods("db")[0]["spec"]["nodeName"]
    node_hub.edit("tenants.yaml", "max_unavailable: 100%", "max_unavailable: 1")
    try:
        result = upgraded(node_hub, at_once=3, approve=lambda _: False)
        named = upgraded(node_hub, at_once=3, confirmed=("education",), approve=lambda _: False)
        with pytest.raises(InvalidInput, match="names no department"):
            upgraded(node_hub, confirmed=("eductaion",))
    finally:
        node_hub.edit("tenants.yaml", "max_unavailable: 1", "max_unavailable: 100%")
    assert {item.host for item in result.hosts if item.status == "over budget"} == {database}
    (problem,) = result.problems
    assert (problem.code, problem.address) == ("UPG003", f"hosts/{database}")
    assert "education would lose 2 of 3 pods on main, and 1 may be away at once" in problem.summary
    assert "--confirm education" in problem.hint
    assert result.exit is Exit.FAILED
    # The registry is not away while nodes are, and the pool keeps a node.
    assert (named.problems, named.as_dict()["rounds"]) == ([], [["data1"], ["data2"], ["store1"]])


def test_a_budget_that_allows_nobody_to_go_stops_the_upgrade_and_opens_the_node_again(node_hub: NodeHub) -> None:
    labels = {"app.kubernetes.io/component": "web", "govhub.io/system": "visits"}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "all-of-them", "namespace": "education-prod"},
        "spec": {"minAvailable": 2, "selector": {"matchLabels": labels}},
    }
    usual = node_hub.kube.get(KINDS["policy", "PodDisruptionBudget"], "visits-web", "education-prod")
    assert usual
    # One pod may have one budget.
    node_hub.kube.delete(KINDS["policy", "PodDisruptionBudget"], "visits-web", "education-prod")
    node_hub.kube.create(budget)
    try:
        node = node_hub.pods("web")[0]["spec"]["nodeName"]
        result = upgraded(node_hub, limit=(node,), drain_seconds=4)
        assert (result.status, result.exit) == ("failed", Exit.FAILED)
        assert "budget allows none to go" in result.problems[0].summary
        assert closed(node_hub) == set()
        assert "590-1" in node_hub.inside(node, "dpkg-query -W less"), "its packages were not touched"
    finally:
        node_hub.kube.delete(KINDS["policy", "PodDisruptionBudget"], "all-of-them", "education-prod")
        assert node_hub.everything().status == "done"


def test_a_frozen_department_keeps_its_hosts(node_hub: NodeHub) -> None:
    path = node_hub.folder / "exceptions.yaml"
    freeze = (
        "{name: exams, kind: freeze, target: tenant/education, owner: 教育局, reason: examinations, until: 2099-01-01}"
    )
    path.write_text(f"exceptions:\n  - {freeze}\n", encoding="utf-8")
    try:
        result = upgraded(node_hub, limit=("data*",))
    finally:
        path.unlink()
    assert {item.status for item in result.hosts} == {"frozen"}
    assert [item.code for item in result.problems] == ["UPG002"] * len(REAL)
    assert closed(node_hub) == set()


def test_an_upgrade_empties_one_node_after_the_other_and_is_paused_and_resumed(node_hub: NodeHub) -> None:
    with Watch(node_hub) as watch:
        first = upgraded(node_hub, limit=("data*",), pause_after=1)
        assert (first.status, first.problems) == ("paused", [])
        assert [item.status for item in first.hosts] == ["done", "not tried"]
        booted = node_hub.machine("data1").inits()
        # As a run of two hosts at once leaves them that is killed after one node's upgrade and before the other's.
        for name in REAL:
            cordon(node_hub.kube, name, "killed-run")
        second = upgraded(node_hub, at_once=3)
        assert (second.status, second.problems) == ("done", [])
        assert {item.host: item.status for item in second.hosts} == dict.fromkeys({*REAL, "store1"}, "done")
    assert closed(node_hub) == set()
    assert {item["host"] for item in node_hub.events(second, "upgrade-reopened")} == REAL
    assert [(item["host"], item["beside"]) for item in node_hub.events(second, "upgrade-started")] == [
        ("data2", []),
        ("store1", []),
    ]
    assert not any(CORDONED_BY in node["metadata"]["annotations"] for node in node_hub.nodes().values())
    assert node_hub.machine("data1").inits() == booted, "the second run only opened it"
    assert all("590-1" not in node_hub.inside(name, "dpkg-query -W less") for name in (*REAL, "store1"))
    assert not node_hub.inside("data1", "ls /run/reboot-required || true").startswith("/run")
    # To ask a pod that has just gone takes five seconds by itself.
    assert watch.longest < 15, "somebody always answers for the web application"
    assert upgraded(node_hub).status == "current"


class Watch(threading.Thread):
    """Asks all web pods again and again; ``longest`` is the longest time in seconds in which none answered."""

    def __init__(self, hub: NodeHub) -> None:
        super().__init__(daemon=True)
        self.hub, self.longest, self._over = hub, 0.0, threading.Event()

    def run(self) -> None:
        last = time.monotonic()
        while not self._over.wait(0.5):
            with suppress(AssertionError, ValueError):  # a host that is being started anew has no first process
                self.hub.lay_routes()
            if any(self.hub.ask(address) not in ("refused", "time-out") for address in web_addresses(self.hub)):
                last = time.monotonic()
            self.longest = max(self.longest, time.monotonic() - last)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
