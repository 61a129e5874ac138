"""The engine-free planner: the desired graph against what is recorded."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from govhub.core.diff import dotted
from govhub.core.keys import HubKey
from govhub.core.plan import Op
from govhub.engine.planner import FINGERPRINT, Draft, as_recorded, draft_plan
from govhub.engine.state import Checkpoint, Recorded, State, project_of, stack_of, urn_of
from govhub.inventory.loader import load
from govhub.stacks.graph import DesiredObject, Graph, Identity, Shard
from govhub.stacks.render import render

ENCRYPTED = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}
VALUE = "clear-canary-value"


def find(graph: Graph, kind: str, name: str = "") -> DesiredObject:
    return next(item for item in graph if item.identity.kind == kind and name in item.identity.name)


def plan_with(graph: Graph, item: DesiredObject, change: dict[str, Any]) -> Draft:
    """The plan when ``item`` was recorded with other values at these dotted paths (None: not there)."""
    recorded = as_recorded(graph)
    old = copy.deepcopy(item.manifest)
    for path, value in change.items():
        *parents, last = path.split(".")
        place = old
        for step in parents:
            place = place.setdefault(step, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    recorded[item.shard].objects[item.identity] = Recorded("urn", item.identity, old, item.patch)
    return draft_plan(graph, recorded)


def checkpoint(resources: list[dict[str, Any]], pending: int = 0) -> bytes:
    latest = {"resources": resources, "pending_operations": [{}] * pending}
    return json.dumps({"version": 3, "checkpoint": {"stack": "x", "latest": latest}}).encode()


def test_against_nothing_everything_is_created_with_its_source(graph: Graph) -> None:
    draft = draft_plan(graph, {})
    assert {change.op for change in draft.changes} == {Op.CREATE}
    assert [change.address for change in draft.changes] == [item.address for item in graph]
    assert (draft.unchanged, draft.total) == (0, len(graph))
    web = next(change for change in draft.changes if change.address.endswith("open-days-web") and change.source)
    assert web.source is not None
    assert (web.source.file, web.tenant, web.system) == ("mini/systems.yaml", "education", "open-days")


def test_against_itself_nothing_changes(graph: Graph) -> None:
    draft = draft_plan(graph, as_recorded(graph))
    assert draft.changes == []
    assert draft.unchanged == draft.total == len(graph)


def test_what_is_recorded_and_no_longer_declared_is_deleted(graph: Graph) -> None:
    recorded = as_recorded(graph)
    item = find(graph, "Deployment", "open-days")
    graph.shards[item.shard].remove(item)
    (change,) = draft_plan(graph, recorded).changes
    assert (change.op, change.address, change.tenant, change.system) == (
        Op.DELETE,
        item.address,
        "education",
        "open-days",
    )
    assert change.data is False


def test_a_whole_shard_that_is_no_longer_declared_is_deleted(graph: Graph) -> None:
    shard = Shard("main", "systems", 7)
    identity = Identity("", "Namespace", "", "old")
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}}
    recorded = as_recorded(graph) | {shard: Checkpoint("1", {identity: Recorded("u", identity, manifest, False)}, 0)}
    (change,) = draft_plan(graph, recorded).changes
    assert (change.op, change.shard, change.data) == (Op.DELETE, "main/systems/7", True)


def test_a_change_is_an_update_that_names_the_field(graph: Graph) -> None:
    item = find(graph, "Deployment", "open-days")
    (change,) = plan_with(graph, item, {"spec.replicas": 9}).changes
    assert change.op is Op.UPDATE
    ((path, old, new),) = [(dotted(one.path), one.old, one.new) for one in change.diff]
    assert (path, old, new) == ("spec.replicas", 9, item.manifest["spec"]["replicas"])


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", "spec.selector.matchLabels", {"app": "another"}),
        ("StatefulSet", "spec.serviceName", "another"),
        ("StatefulSet", "spec.volumeClaimTemplates", []),
        ("RoleBinding", "roleRef.name", "another"),
        ("PriorityClass", "value", 1),
        ("Secret", "type", "kubernetes.io/tls"),
    ],
)
def test_a_field_that_cannot_be_changed_forces_a_replacement(graph: Graph, kind: str, path: str, value: Any) -> None:
    (change,) = plan_with(graph, find(graph, kind), {path: value}).changes
    assert change.op is Op.REPLACE
    assert "cannot be changed" in change.reason


@pytest.mark.parametrize(("kind", "path"), [("StatefulSet", "spec.replicas"), ("Service", "spec.type")])
def test_other_fields_of_the_same_kinds_are_updated(graph: Graph, kind: str, path: str) -> None:
    (change,) = plan_with(graph, find(graph, kind), {path: 5}).changes
    assert change.op is Op.UPDATE


@pytest.mark.parametrize("kind", ["Namespace", "StatefulSet", "Secret"])
def test_deletions_that_lose_data_are_marked(graph: Graph, kind: str) -> None:
    recorded, item = as_recorded(graph), find(graph, kind)
    graph.shards[item.shard].remove(item)
    (change,) = draft_plan(graph, recorded).changes
    assert (change.op, change.data) == (Op.DELETE, True)


def with_secret(folder: Path, home: Path, value: str | None, monkeypatch: pytest.MonkeyPatch) -> Graph:
    systems = folder / "systems.yaml"
    text = systems.read_text(encoding="utf-8").replace("generate: 24", "env: MINI_DB")
    systems.write_text(text, encoding="utf-8")
    if value is None:
        monkeypatch.delenv("MINI_DB", raising=False)
    else:
        monkeypatch.setenv("MINI_DB", value)
    loaded = load(folder)
    assert loaded.hub is not None
    key = HubKey(home, folder)
    key.ensure()
    return render(loaded.hub, key)


def record(state: State, graph: Graph) -> dict[Shard, Checkpoint]:
    """Write the graph as the engine would, secrets encrypted, and read it back."""
    for shard, objects in graph.shards.items():
        resources: list[dict[str, Any]] = [{"urn": "urn:stack", "type": "pulumi:pulumi:Stack"}]
        for item in objects:
            inputs = copy.deepcopy(item.manifest)
            if item.identity.kind == "Secret":
                inputs["data"] = {"value": ENCRYPTED}
            resources.append({"urn": urn_of("mini", item), "type": item.token, "inputs": inputs})
        state.bucket.put(f".pulumi/stacks/{project_of(shard)}/{stack_of('mini', shard)}.json", checkpoint(resources))
    return {shard: state.checkpoint(shard) for shard in state.shards()}


def test_a_secret_value_never_shows_and_its_change_does(
    folder: Path, tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = with_secret(folder, tmp_path / "k", VALUE, monkeypatch)
    recorded = record(state, before)
    assert draft_plan(before, recorded).changes == []
    after = with_secret(folder, tmp_path / "k", VALUE + "-2", monkeypatch)
    draft = draft_plan(after, recorded)
    changed = [change for change in draft.changes if change.kind == "Secret"]
    assert len(changed) == len(draft.changes) == 2, "one in each environment"
    assert all(FINGERPRINT in change.diff[0].path and change.op is Op.UPDATE for change in changed)
    text = json.dumps([change.as_dict() for change in [*draft.changes, *draft_plan(after, {}).changes]])
    assert VALUE not in text
    assert FINGERPRINT in text
    assert draft.unpredicted == []


def test_a_secret_that_is_not_known_here_is_listed_as_not_predicted(
    folder: Path, tmp_path: Path, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record(state, with_secret(folder, tmp_path / "k", VALUE, monkeypatch))
    draft = draft_plan(with_secret(folder, tmp_path / "k", None, monkeypatch), recorded)
    assert draft.changes == []
    assert len(draft.unpredicted) == 2
    assert all("/Secret/" in address and "not known" in why for address, why in draft.unpredicted)


def test_a_checkpoint_gives_objects_pending_operations_and_a_serial_that_moves(graph: Graph, state: State) -> None:
    item = find(graph, "Deployment", "open-days")
    key = f".pulumi/stacks/{project_of(item.shard)}/{stack_of('mini', item.shard)}.json"
    kept = {"urn": urn_of("mini", item), "type": item.token, "inputs": item.manifest}
    dying = {**kept, "delete": True, "inputs": {**item.manifest, "spec": {}}}
    state.bucket.put(key, checkpoint([kept, dying, {"urn": "x", "type": "govhub:systems:System"}], pending=2))
    found = state.checkpoint(item.shard)
    assert list(found.objects) == [item.identity]
    assert found.objects[item.identity].inputs == item.manifest, "the copy that is to be deleted does not count"
    assert found.pending == 2
    state.bucket.put(key, checkpoint([kept]))
    assert state.checkpoint(item.shard).serial != found.serial


def test_an_empty_stack_has_no_objects(state: State) -> None:
    shard = Shard("main", "tenants", 0)
    assert state.checkpoint(shard).serial == "none"
    state.bucket.put(".pulumi/stacks/govhub-tenants/mini.main.0.json", b'{"version": 3, "checkpoint": {"stack": "x"}}')
    assert state.shards() == [shard]
    assert state.checkpoint(shard).objects == {}


def test_stacks_of_others_in_the_same_bucket_are_not_ours(state: State) -> None:
    for name in (
        "govhub-tenants/mini2.main.0",
        "govhub-tenants/mini.main",
        "other/mini.main.0",
        "govhub-tenants/a.b.c",
    ):
        state.bucket.put(f".pulumi/stacks/{name}.json", checkpoint([]))
    assert state.shards() == []
