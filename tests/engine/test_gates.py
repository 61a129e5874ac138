"""What stands between a plan and its run: budgets, freezes, moves, secrets without a value; and what it takes."""

from __future__ import annotations

import copy
import dataclasses
from datetime import date
from typing import Any

import pytest

from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.plan import Amounts, Basis, Op, Plan, PlannedChange
from govhub.engine.planner import as_recorded, draft_plan
from govhub.engine.state import Checkpoint, Recorded
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import ExceptionEntry
from govhub.ops.amounts import capacity_deltas
from govhub.ops.gates import frozen, moved, over_budget, require_budget, require_values
from govhub.stacks.graph import Graph, Shard

TODAY = date(2026, 3, 2)


def change(
    op: Op, kind: str, name: str = "x", *, tenant: str = "education", system: str = "", **more: Any
) -> PlannedChange:
    data = kind in ("Namespace", "StatefulSet", "Secret")
    where = "" if kind in ("Namespace", "Node") else "education-prod/"
    address = f"main/systems/{kind}/{where}{name}"
    fields: dict[str, Any] = {"shard": "main/systems/0", "data": data} | more
    return PlannedChange(op=op, address=address, reason="x", kind=kind, tenant=tenant, system=system, **fields)


def plan(*changes: PlannedChange) -> Plan:
    return Plan(hub="mini", basis=Basis(inputs=""), changes=changes, unchanged=0)


@pytest.mark.parametrize(
    ("kind", "group"), [("Namespace", "namespaces"), ("StatefulSet", "volumes"), ("Secret", "secrets")]
)
def test_one_deletion_of_data_is_one_too_many(mini_hub: Hub, kind: str, group: str) -> None:
    (found,) = over_budget(mini_hub, plan(change(Op.DELETE, kind)), ())
    assert found.code == "BUD001"
    assert f"1 deletions of {group}, the budget is 0" in found.summary
    assert "--confirm education" in found.hint


@pytest.mark.parametrize(
    ("op", "kind", "refused"),
    [
        (Op.REPLACE, "StatefulSet", True),
        (Op.REPLACE, "Deployment", False),
        (Op.UPDATE, "StatefulSet", False),
        (Op.REPAIR, "Secret", False),
        (Op.CREATE, "Namespace", False),
        (Op.DELETE, "Deployment", False),
    ],
)
def test_only_what_loses_something_counts(mini_hub: Hub, op: Op, kind: str, refused: bool) -> None:
    assert bool(over_budget(mini_hub, plan(change(op, kind)), ())) is refused


def test_the_budget_of_other_things_is_counted_together_and_inclusive(mini_hub: Hub) -> None:
    budget = mini_hub.model.hub.budgets.others
    kinds = ("Deployment", "Service", "ConfigMap")
    many = [change(Op.DELETE, kinds[number % 3], f"n{number}") for number in range(budget + 1)]
    assert over_budget(mini_hub, plan(*many[:budget]), ()) == []
    (found,) = over_budget(mini_hub, plan(*many), ())
    assert f"{budget + 1} deletions of others" in found.summary


@pytest.mark.parametrize(
    ("confirmed", "left"),
    [
        ((), {"volumes", "namespaces"}),
        (("another",), {"volumes", "namespaces"}),
        (("",), {"volumes", "namespaces"}),
        (("educ",), {"volumes", "namespaces"}),
        (("main",), {"volumes", "namespaces"}),
        (("Namespace",), {"volumes", "namespaces"}),
        (("enrolment",), {"namespaces"}),
        (("db",), {"namespaces"}),
        (("education-prod",), {"namespaces"}),
        (("education-test",), {"volumes"}),
        (("education",), set()),
        (("enrolment", "education-test"), set()),
        (("mini",), set()),
    ],
)
def test_confirmation_names_exactly_what_is_meant(mini_hub: Hub, confirmed: tuple[str, ...], left: set[str]) -> None:
    both = plan(
        change(Op.DELETE, "StatefulSet", "db", system="enrolment"), change(Op.DELETE, "Namespace", "education-test")
    )
    found = over_budget(mini_hub, both, confirmed)
    assert {group for group in ("volumes", "namespaces") for one in found if group in one.summary} == left
    if left:
        with pytest.raises(PolicyViolation) as caught:
            require_budget(mini_hub, both, confirmed)
        assert len(caught.value.diagnostics) == len(left)
        assert int(caught.value.exit) == 4
    else:
        require_budget(mini_hub, both, confirmed)


def with_freeze(hub: Hub, target: str, until: date = TODAY) -> Hub:
    entry = ExceptionEntry.model_validate(
        {
            "name": "f",
            "kind": "freeze",
            "target": target,
            "owner": "数据局",
            "reason": "高考报名期间不得变更",
            "until": until,
        }
    )
    return dataclasses.replace(hub, model=hub.model.model_copy(update={"exceptions": [entry]}))


@pytest.mark.parametrize(
    ("target", "hit"),
    [
        ("hub", True),
        ("tenant/education", True),
        ("tenant/civil-affairs", False),
        ("system/enrolment", True),
        ("system/open-days", False),
        ("service/education-prod", False),
    ],
)
def test_a_freeze_protects_what_it_names(mini_hub: Hub, target: str, hit: bool) -> None:
    hub = with_freeze(mini_hub, target)
    found = frozen(hub, [change(Op.UPDATE, "Deployment", system="enrolment")], TODAY)
    assert [one.code for one in found] == (["FRZ001"] if hit else [])


@pytest.mark.parametrize(("op", "hit"), [(op, op in (Op.UPDATE, Op.REPLACE, Op.DELETE)) for op in Op])
def test_a_freeze_allows_first_creation_and_repair(mini_hub: Hub, op: Op, hit: bool) -> None:
    assert bool(frozen(with_freeze(mini_hub, "hub"), [change(op, "Deployment")], TODAY)) is hit


def test_a_freeze_holds_through_its_last_day_and_not_longer(mini_hub: Hub) -> None:
    changes = [change(Op.UPDATE, "Deployment")]
    assert len(frozen(with_freeze(mini_hub, "hub", TODAY), changes, TODAY)) == 1
    assert frozen(with_freeze(mini_hub, "hub", date(2026, 3, 1)), changes, TODAY) == []


def test_a_freeze_of_a_service_covers_its_namespace(mini_hub: Hub) -> None:
    item = PlannedChange(
        op=Op.UPDATE,
        address="main/services/Deployment/svc-data-sharing/api",
        reason="x",
        kind="Deployment",
        shard="main/services/0",
    )
    assert len(frozen(with_freeze(mini_hub, "service/data-sharing"), [item], TODAY)) == 1
    assert frozen(with_freeze(mini_hub, "service/data"), [item], TODAY) == []


def test_an_object_that_would_move_between_shards_is_refused() -> None:
    old = change(Op.DELETE, "Deployment")
    new = change(Op.CREATE, "Deployment", shard="main/systems/1")
    assert [one.code for one in moved([old, new])] == ["STK002"]
    assert [one.code for one in moved([new, old])] == ["STK002"]
    assert moved([old, change(Op.CREATE, "Deployment")]) == [], "the same shard deletes and makes it in order"
    assert moved([old, change(Op.CREATE, "Deployment", "y", shard="main/systems/1")]) == []
    elsewhere = dataclasses.replace(new, address=new.address.replace("main/", "edge/"), shard="edge/systems/1")
    assert moved([old, elsewhere]) == [], "another cluster holds another object"


def test_changed_sharding_of_a_hub_is_refused_as_a_move(mini_hub: Hub, graph: Graph) -> None:
    recorded: dict[Shard, Checkpoint] = {}
    for shard, checkpoint in as_recorded(graph).items():
        target = shard._replace(group=shard.group + 1) if shard.stack == "systems" else shard
        recorded[target] = checkpoint
    found = moved(draft_plan(graph, recorded).changes)
    assert found
    assert {one.code for one in found} == {"STK002"}


@pytest.mark.parametrize(
    ("op", "refused"),
    [(Op.CREATE, True), (Op.REPLACE, True), (Op.REPAIR, True), (Op.UPDATE, False), (Op.DELETE, False)],
)
def test_a_secret_is_never_written_without_its_value(graph: Graph, op: Op, refused: bool) -> None:
    item = next(item for item in graph if item.identity.kind == "Secret")
    assert item.manifest["data"] == {"value": None}, "rendered without a key"
    made = plan(PlannedChange(op=op, address=item.address, reason="x", shard=str(item.shard), kind="Secret"))
    if not refused:
        require_values(graph, made)
        return
    with pytest.raises(InvalidInput) as caught:
        require_values(graph, made)
    assert caught.value.diagnostics[0].code == "SEC014"
    assert caught.value.diagnostics[0].source is not None


def test_the_first_creation_takes_what_all_workloads_request(mini_hub: Hub, graph: Graph) -> None:
    (delta,) = capacity_deltas(mini_hub, graph, {}, {item.address for item in graph})
    # data-sharing 3 x 500m/1Gi; enrolment web (2, once in test) and db in both; open-days; social-aid 3 x 250m/512Mi
    pods = sum(
        item.manifest["spec"].get("replicas", 1)
        for item in graph
        if item.identity.kind in ("Deployment", "StatefulSet")
    )
    assert delta.before == Amounts()
    assert delta.after.pods == pods
    assert delta.after.racks == 6
    assert delta.available is not None
    assert (delta.available.cores > delta.after.cores > 3.0, delta.available.racks) == (True, 6)
    assert delta.as_dict()["delta"]["pods"] == pods


def test_a_change_moves_the_amounts_by_exactly_what_it_adds(mini_hub: Hub, graph: Graph) -> None:
    item = next(one for one in graph if one.identity.kind == "Deployment" and one.system == "open-days")
    replicas = item.manifest["spec"]["replicas"]
    recorded, old = as_recorded(graph), copy.deepcopy(item.manifest)
    old["spec"]["replicas"] = replicas + 4
    recorded[item.shard].objects[item.identity] = Recorded("u", item.identity, old, False)
    (delta,) = capacity_deltas(mini_hub, graph, recorded, {item.address})
    assert delta.after.minus(delta.before) == Amounts(-0.4, -1.0, -4, 0)
    (outside,) = capacity_deltas(mini_hub, graph, recorded, set())
    assert outside.after == outside.before == delta.before, "what is not selected stays as it is"


def test_a_cluster_without_declared_hosts_has_unknown_capacity_not_zero(mini_hub: Hub, graph: Graph) -> None:
    cluster = mini_hub.model.clusters[0].model_copy(update={"name": "main"})
    empty = mini_hub.model.model_copy(update={"hosts": [], "clusters": [cluster]})
    hub = dataclasses.replace(mini_hub, model=empty, _topology=None)
    (delta,) = capacity_deltas(hub, graph, {}, set())
    assert delta.available is None
    assert delta.as_dict()["available"] is None
