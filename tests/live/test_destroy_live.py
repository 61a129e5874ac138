"""``destroy`` leaves nothing behind and proves it; it needs the hub's name, and can be finished when interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.events import Event
from govhub.core.exits import Exit
from govhub.core.kube import KINDS
from govhub.engine.lease import current_holder
from govhub.ops.requests import RunResult, Selection

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine


@pytest.fixture
def hub(mini: LabHub) -> LabHub:
    """The whole hub, live."""
    assert mini.up(wait=0).status in ("done", "unchanged")
    assert len(mini.live()) == len(mini.session().graph)
    return mini


def nodes(hub: LabHub) -> set[str]:
    return {item["metadata"]["name"] for item in hub.kube().list(KINDS["", "Node"])}


def assert_nothing_left(hub: LabHub, result: RunResult) -> None:
    assert (result.status, result.exit, result.leftovers) == ("done", Exit.OK, ()), result.problems
    assert hub.live() == {}
    assert hub.documents() == {}
    names = {item["metadata"]["name"] for item in hub.kube().list(KINDS["", "Namespace"])}
    assert names == {"default", "kube-system", "kube-public", "kube-node-lease"}
    assert list(hub.kube().list(KINDS["", "Pod"])) == []
    for node in hub.kube().list(KINDS["", "Node"]):
        assert not [key for key in node["metadata"]["labels"] if key.startswith("govhub.io/")]
    assert current_holder(hub.session().state) is None


@pytest.mark.parametrize("confirm", [(), ("mini-but-not-quite",), ("education",)])
def test_without_the_hubs_name_nothing_is_deleted(hub: LabHub, confirm: tuple[str, ...]) -> None:
    before, state = hub.versions(), hub.documents()
    with pytest.raises(PolicyViolation) as refused:
        hub.destroy(confirm=confirm)
    assert {item.code for item in refused.value.diagnostics} == {"BUD001"}
    assert hub.versions() == before
    assert hub.documents() == state


def test_a_destroy_that_is_declined_deletes_nothing(hub: LabHub) -> None:
    before = hub.versions()
    result = hub.destroy(approve=lambda plan: False)
    assert result.status == "declined"
    assert len(result.plan.changes) == len(hub.session().graph)
    assert hub.versions() == before


def test_hosts_are_left_alone_and_plan_refusal_and_result_say_so(hub: LabHub) -> None:
    former = "lab: true}"
    hub.edit("clusters.yaml", former, "addresses: '10.20.0.{11..12}'}")
    with pytest.raises(PolicyViolation) as refused:
        hub.destroy(confirm=())
    told = [item for item in refused.value.diagnostics if item.code == "DST003"]
    declined = hub.destroy(approve=lambda plan: False)
    hub.edit("clusters.yaml", "addresses: '10.20.0.{11..12}'}", former)
    assert told == list(declined.plan.findings)
    (note,) = told
    assert (note.severity.value, "hosts retire" in note.hint) == ("note", True)
    assert "2 hosts and all that is on them: node5, node6" in note.summary
    assert declined.as_dict()["untouched_hosts"] == ["node5", "node6"]
    assert hub.destroy(approve=lambda plan: False).untouched == (), "a hub without hosts that can be reached has none"


def test_destroy_leaves_nothing_on_the_cluster_and_nothing_in_the_state(hub: LabHub) -> None:
    before = nodes(hub)
    assert len(before) == 6
    # Something that only its labels lead to goes along.
    labels = {"govhub.io/hub": "mini", "govhub.io/stack": "systems", "govhub.io/shard": "0"}
    meta = {"name": "left-behind", "namespace": "default", "labels": labels}
    hub.kube().create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
    result = hub.destroy()
    assert_nothing_left(hub, result)
    assert nodes(hub) == before, "the nodes are the cluster's"
    assert hub.kube().get(KINDS["", "ConfigMap"], "left-behind", "default") is None
    assert len(hub.events(result, "proof")) == 1


def test_destroying_what_is_gone_is_not_an_error(mini: LabHub) -> None:
    assert mini.destroy().status in ("done", "unchanged")
    assert_nothing_left(mini, mini.destroy())


def test_an_interrupted_destroy_can_be_finished(hub: LabHub) -> None:
    interrupt: list[Callable[[], None]] = []

    def listen(event: Event) -> None:
        if event.kind == "shard-finished":
            interrupt[0]()

    result = hub.destroy(on_start=interrupt.append, listener=listen)
    assert (result.status, result.exit) == ("interrupted", Exit.INTERRUPTED)
    assert hub.live() != {}, "it was to be interrupted half-way"
    assert hub.documents() != {}
    assert_nothing_left(hub, hub.destroy())


def test_a_killed_destroy_can_be_finished(hub: LabHub) -> None:
    worker = hub.worker("destroy", hub.name)
    assert worker.stdout
    deleted = 0
    for line in worker.stdout:
        event = json.loads(line)
        deleted += event.get("event") == "step" and event["op"] == "delete"
        if deleted >= 10:
            break
    assert deleted >= 10
    worker.kill()
    worker.wait()
    worker.stdout.close()
    assert hub.no_engines_within(8) == []
    assert hub.live() != {}
    assert_nothing_left(hub, hub.destroy())


def test_after_a_killed_destroy_up_can_bring_everything_back(hub: LabHub) -> None:
    worker = hub.worker("destroy", hub.name)
    assert worker.stdout
    for line in worker.stdout:
        if json.loads(line).get("op") == "delete":
            break
    worker.kill()
    worker.wait()
    worker.stdout.close()
    result = hub.up()
    assert result.status == "done", result.problems
    hub.assert_converged()


def test_destroy_takes_the_whole_hub_or_nothing(mini: LabHub) -> None:
    with pytest.raises(InvalidInput) as refused:
        mini.destroy(selection=Selection(tenants=("education",)))
    assert refused.value.diagnostics[0].code == "DST001"
