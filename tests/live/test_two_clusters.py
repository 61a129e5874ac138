"""A hub of two clusters: made in one run, and one of them down does not stop the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from govhub.core.errors import TargetUnreachable
from govhub.core.exits import Exit
from govhub.lab.cluster import LabCluster, Ranges
from govhub.ops.requests import RunResult
from govhub.ops.status import status

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

CLUSTERS = ("main", "edge")
# etcd, API server, controller manager, scheduler, kwok.
NODE_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
TARGETS = {
    "main": "Deployment/education-prod/enrolment-web",
    "edge": "Deployment/transport-prod/permits-web",
}


@pytest.fixture(scope="module")
def first(lab_of: Callable[[str], LabHub]) -> tuple[LabHub, RunResult]:
    hub = lab_of("twin")
    return hub, hub.up()


@pytest.fixture
def twin(first: tuple[LabHub, RunResult], toolchain: dict[str, Path]) -> Iterator[LabHub]:
    """Both clusters up and converged, before and after."""
    hub = first[0]
    # Whether pods run is not looked at: kwok may take most of a minute to play their nodes again after a restart.
    assert hub.up(wait=0).status in ("done", "unchanged")
    hub.assert_converged(*CLUSTERS)
    yield hub
    for cluster in CLUSTERS:
        start(hub, cluster, toolchain)


def stop(hub: LabHub, cluster: str, tools: dict[str, Path]) -> None:
    lab = LabCluster(hub.name, cluster)
    lab.stop(tools)
    assert not lab.running()
    assert lab.pids() == {}


def start(hub: LabHub, cluster: str, tools: dict[str, Path]) -> None:
    """Start it with its data; its nodes are played again within seconds, not after their leases have run out."""
    lab = LabCluster(hub.name, cluster)
    if lab.running():
        return
    assert not lab.up(tools, Ranges()), "the cluster was made anew, its data is lost"
    assert lab.running()
    deadline = time.monotonic() + 60
    while not (leases := lab.connect().request("GET", NODE_LEASES)["items"]) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert leases, "kwok does not play the nodes"


def release(hub: LabHub, old: str, new: str) -> None:
    """A new release of both systems, one on each cluster."""
    for _ in CLUSTERS:
        hub.edit("hub.yaml", f":{old},", f":{new},")


def image(hub: LabHub, cluster: str) -> str:
    spec = hub.object(TARGETS[cluster], cluster)["spec"]["template"]["spec"]
    return str(spec["containers"][0]["image"]).rpartition(":")[2]


def test_one_run_makes_both_clusters(first: tuple[LabHub, RunResult]) -> None:
    hub, result = first
    assert (result.status, result.exit) == ("done", Exit.OK), result.problems
    assert result.readiness is not None
    assert (result.readiness.ready, result.readiness.total) == (2, 2)
    started = hub.shards_started(result)
    assert {shard.partition("/")[0] for shard in started} == set(CLUSTERS)
    hub.assert_converged(*CLUSTERS)
    # Each has its own department, and nothing of the other's.
    names = {cluster: {identity.namespace for identity in hub.live(cluster)} for cluster in CLUSTERS}
    assert "education-prod" in names["main"] - names["edge"]
    assert "transport-prod" in names["edge"] - names["main"]


def test_a_cluster_that_is_down_does_not_stop_the_other(twin: LabHub, toolchain: dict[str, Path]) -> None:
    before = twin.versions("edge")
    release(twin, "1.0.0", "1.1.0")
    stop(twin, "edge", toolchain)
    result = twin.up(wait=0)
    assert (result.status, result.exit) == ("failed", Exit.UNREACHABLE)
    assert [item.code for item in result.problems] == ["KUB003"]
    assert "edge" in result.problems[0].summary
    assert [change.address for change in result.plan.changes] == [f"main/systems/{TARGETS['main']}"]
    assert twin.shards_started(result) == ["main/systems/0"]
    assert image(twin, "main") == "1.1.0"
    drift = twin.drift()
    assert [item.code for item in drift.unreachable] == ["KUB003"]
    assert {item["name"]: item["reachable"] for item in status(str(twin.folder))["clusters"]} == {
        "main": True,
        "edge": False,
    }
    start(twin, "edge", toolchain)
    assert twin.versions("edge") == before
    result = twin.up(wait=0)
    assert (result.status, result.exit) == ("done", Exit.OK), result.problems
    assert [change.address for change in result.plan.changes] == [f"edge/systems/{TARGETS['edge']}"]
    assert image(twin, "edge") == "1.1.0"
    twin.assert_converged(*CLUSTERS)


def test_a_cluster_that_is_down_is_an_error_even_when_the_other_has_nothing_to_do(
    twin: LabHub, toolchain: dict[str, Path]
) -> None:
    stop(twin, "edge", toolchain)
    result = twin.up(wait=0)
    assert (result.exit, result.plan.changes) == (Exit.UNREACHABLE, ())
    assert twin.shards_started(result) == []


def test_with_all_clusters_down_nothing_is_written(twin: LabHub, toolchain: dict[str, Path]) -> None:
    release(twin, "1.1.0", "1.2.0")
    before = twin.documents()
    live = {cluster: twin.versions(cluster) for cluster in CLUSTERS}
    for cluster in CLUSTERS:
        stop(twin, cluster, toolchain)
    with pytest.raises(TargetUnreachable) as down:
        twin.up(wait=0)
    assert {item.code for item in down.value.diagnostics} == {"KUB003"}
    assert len(down.value.diagnostics) == 2
    with pytest.raises(TargetUnreachable):
        twin.drift()
    assert twin.documents() == before
    for cluster in CLUSTERS:
        start(twin, cluster, toolchain)
    assert {cluster: twin.versions(cluster) for cluster in CLUSTERS} == live
    assert twin.up(wait=0).status == "done"


def test_another_cluster_at_the_same_address_is_refused_before_the_first_write(
    twin: LabHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kubeconfig of one cluster under the name of the other: pinned identities do not match."""
    before = {cluster: twin.versions(cluster) for cluster in CLUSTERS}
    monkeypatch.setenv("GOVHUB_KUBECONFIG_EDGE", str(LabCluster(twin.name, "main").kubeconfig))
    with pytest.raises(TargetUnreachable) as wrong:
        twin.up(wait=0)
    assert [item.code for item in wrong.value.diagnostics] == ["TGT001"]
    monkeypatch.delenv("GOVHUB_KUBECONFIG_EDGE")
    assert {cluster: twin.versions(cluster) for cluster in CLUSTERS} == before


def test_destroy_with_a_cluster_down_keeps_that_clusters_state_and_says_so(
    twin: LabHub, toolchain: dict[str, Path]
) -> None:
    stop(twin, "edge", toolchain)
    result = twin.destroy()
    assert (result.status, result.exit) == ("failed", Exit.UNREACHABLE)
    assert any("edge" in item.summary for item in result.problems)
    assert twin.live("main") == {}
    recorded = {shard.cluster for shard, point in twin.session().recorded.items() if point.objects}
    assert recorded == {"edge"}
    start(twin, "edge", toolchain)
    assert len(twin.live("edge")) > 20
    result = twin.destroy()
    assert (result.status, result.exit, result.leftovers) == ("done", Exit.OK, ()), result.problems
    assert twin.live("edge") == {}
    assert twin.documents() == {}
    assert twin.up(wait=0).status == "done"
