"""What limits an upgrade: pods as a cluster told of them, and what the hub declares to stand in for each other."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.kube import Kube
from govhub.inventory.loader import Hub
from govhub.ops.load import valid_hub
from govhub.ops.nodes.census import Census
from govhub.ops.nodes.pods import workload_of
from govhub.ops.upgrading.budgets import Budget
from govhub.ops.upgrading.estate import Estate

HUBS = Path(__file__).parents[1] / "hubs"
MORE = """
  - {names: "db{1..2}", racks: "site-a/h1/r02/{03..04}", role: database, arch: amd64, cores: 16, memory: 64Gi}
  - {names: "lb{1..2}", racks: "site-a/h1/r02/{03..04}", role: network, arch: amd64, cores: 4, memory: 16Gi}
  - {names: "cp{1..3}", racks: "site-a/h1/r02/{01..03}", role: control-plane, cluster: main, pool: general,
     arch: amd64, cores: 4, memory: 16Gi}
  - {names: "st{1..2}", racks: "site-a/h1/r02/{03..04}", role: storage, arch: amd64, cores: 4, memory: 16Gi}

baseline:
  registry: {host: st1}
  upgrades: {max_unavailable: 50%, max_unavailable_nodes: 3}
databases:
  - {name: pg, engine: postgresql, hosts: [db1, db2]}
load_balancers:
  - name: edge
    hosts: [lb1, lb2]
    address: 10.20.12.250
    listeners:
      - {name: web, port: 8080, backends: [node1, node2, node3], target: 30080, zones: [extranet]}
"""


def changed(base: Path, tenants: str = "") -> Path:
    folder = base / "mini"
    shutil.copytree(HUBS / "mini", folder)
    clusters = folder / "clusters.yaml"
    clusters.write_text(clusters.read_text(encoding="utf-8").rstrip() + MORE, encoding="utf-8")
    if tenants:
        path = folder / "tenants.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("    quota: small", tenants, 1), encoding="utf-8")
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return valid_hub(str(changed(tmp_path, "    quota: small\n    max_unavailable: 1")))[0]


def pod(name: str, node: str, tenant: str = "", *, ready: bool = True) -> dict[str, Any]:
    labels = {"govhub.io/tenant": tenant} if tenant else {}
    return {
        "metadata": {"name": name, "namespace": "education-prod", "labels": labels},
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}]},
    }


def census(*pods: dict[str, Any], ready: frozenset[str] | None = None) -> Census:
    nodes = frozenset(f"node{i}" for i in range(1, 7))
    return Census("main", list(pods), nodes if ready is None else ready, nodes, {"education-prod": "education"})


class Main(Kube):
    """A cluster that nobody calls."""

    def __init__(self) -> None:
        self.name = "main"


def estate(hub: Hub, found: Census | None = None) -> Estate:
    made = Estate(hub, frozenset())
    if found:
        made.kubes, made.censuses = {"main": Main()}, {"main": found}
    return made


def test_pods_count_for_the_department_of_their_label_or_namespace(hub: Hub) -> None:
    found = census(
        pod("a", "node1"), pod("b", "node1", "civil-affairs"), pod("c", "node1", ready=False), pod("d", "node2")
    )
    made = estate(hub, found)
    assert made.load("node1").away == {("main", "education"): 1, ("main", "civil-affairs"): 1}
    budgets = made.limits(1).budgets
    assert budgets["main", "education"] == Budget(pods=3, allowed=1, gone=1), "its own, of the tenant"
    assert budgets["main", "civil-affairs"] == Budget(pods=1, allowed=1, gone=0), "half, rounded up"


def test_pairs_quorums_pools_and_backends_are_groups(hub: Hub) -> None:
    made = estate(hub, census())
    assert made.load("db1").groups == made.load("db2").groups == {"database pg"}
    assert made.load("lb1").groups == {"load balancer edge"}
    assert made.load("st1").groups == {"storage of site-a"}
    assert made.load("cp1").groups == {"control plane of main"}
    assert made.load("node1").groups == {"pool main/general", "backends of edge/web"}
    assert made.load("node4").groups == {"pool main/general"}
    assert made.load("node4").needs == {"st1"}, "images come from there"
    assert made.load("db1").needs == set()
    assert made.limits(9).groups == {"pool main/general": 3, "backends of edge/web": 2}


def test_a_pool_keeps_a_node_that_is_ready_and_nodes_in_work_were(hub: Hub) -> None:
    few = estate(hub, census(ready=frozenset({"node1", "node2"})))
    assert few.limits(9).groups["pool main/general"] == 1
    # Two more are closed because they are in work: the two that are left are not both taken.
    assert few.limits(9, busy=("node3", "node4")).groups["pool main/general"] == 3


def test_nodes_of_a_cluster_that_does_not_answer_go_one_by_one_and_ours_do_not_go(hub: Hub) -> None:
    made = estate(hub)
    assert "cluster main, which does not say who runs where" in made.load("node1").groups
    assert made.load("node1").groups & made.load("node4").groups
    answered = estate(hub, census())
    answered.censuses.clear()
    answered.problems["main"] = InvalidInput.one("KUB003", "cluster main does not answer").diagnostics[0]
    with pytest.raises(GovhubError, match="does not answer"):
        answered.load("node1")


def test_bad_shares_are_collected_with_file_and_line(tmp_path: Path) -> None:
    folder = changed(tmp_path, "    quota: small\n    max_unavailable: 120%")
    path = folder / "clusters.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_unavailable_nodes: 3", "max_unavailable_nodes: some"), encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        valid_hub(str(folder))
    found = refused.value.diagnostics
    assert [item.code for item in found] == ["INV003", "INV003"]
    assert {Path(item.source.file).name for item in found if item.source} == {"clusters.yaml", "tenants.yaml"}


def test_a_pod_alone_and_its_controller_are_told() -> None:
    part = {"app.kubernetes.io/component": "web", "app.kubernetes.io/part-of": "visits"}
    one, two = pod("one", "node1"), pod("two", "node2")
    one["metadata"]["labels"] |= part
    assert census(one, two).alone(one)
    two["metadata"]["labels"] |= part
    assert not census(one, two).alone(one)
    one["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "visits-web-5d9f", "controller": True}]
    one["metadata"]["labels"]["pod-template-hash"] = "5d9f"
    assert workload_of(one) == "Deployment/education-prod/visits-web"
    assert workload_of(two) == ""
