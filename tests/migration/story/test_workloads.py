"""An application that goes to a workload: its unit stays stopped and disabled, and comes back with a roll-back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import GovhubError
from govhub.core.kube import Kind
from govhub.migration.itinerary.outcome import Done, Failed, NotYet
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.moving.workload import Standing, WorkloadSteps
from govhub.ops.load import valid_hub
from govhub.ops.migration import workloads
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.workloads import ClusterWorkload
from govhub.ops.session import declared
from migration.city import SYSTEM, City


@dataclass
class FakeUnit:
    name: str = "register.service"
    running: str = "active"
    boot: str = "enabled"
    said: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.said.append("stop")
        self.running = "inactive"

    def start(self) -> None:
        self.said.append("start")
        self.running = "active"

    def state(self) -> str:
        return self.running

    def enabled(self) -> str:
        return self.boot

    def enable(self) -> None:
        self.said.append("enable")
        self.boot = "enabled"

    def disable(self) -> None:
        self.said.append("disable")
        self.boot = "disabled"

    def close(self) -> None: ...


@dataclass
class FakeWorkload:
    now: Standing = field(default_factory=lambda: Standing(where="main/x/Deployment/y", there=False))
    woken: int = 0

    def standing(self) -> Standing:
        return self.now

    def wake(self) -> int:
        self.woken += 1
        return 2


def context(city: City, itinerary: str) -> Context:
    hub = valid_hub(str(city.hub))[0]
    with opened("mini", clock=city.clock) as record:
        found = context_of(hub, SYSTEM, record)
    return replace(found, itinerary=itinerary)


def test_a_unit_gives_way_to_a_workload_and_comes_back(city: City) -> None:
    unit, work = FakeUnit(), FakeWorkload()
    steps = WorkloadSteps("app", unit, work)
    migrate, back = context(city, "migrate"), context(city, "roll-back")
    assert isinstance(steps.ensure(Step.APPLICATION, migrate), Done)
    missing = steps.ensure(Step.DEPLOYMENT, migrate)
    assert isinstance(missing, NotYet)
    assert "govhub up" in missing.reason
    work.now = Standing(where="main/x", there=True, differs=("its image is a, declared is b",), wanted=2)
    other = steps.look(Step.DEPLOYMENT, migrate)
    assert isinstance(other, NotYet)
    assert "declared is b" in other.reason
    work.now = Standing(where="main/x", there=True, wanted=2, why="no node fits")
    assert isinstance(steps.ensure(Step.DEPLOYMENT, migrate), Done)
    for step in (Step.WRITES_STOPPED, Step.SWITCHED):
        assert isinstance(steps.ensure(step, migrate), Done)
        assert isinstance(steps.look(step, migrate), Done)
    assert unit.said == ["stop", "stop", "disable"]
    assert work.woken == 1
    waiting = steps.ensure(Step.SERVICE_TEST, migrate)
    assert isinstance(waiting, NotYet)
    assert "0 of 2 pods" in waiting.reason
    assert "no node fits" in waiting.reason
    work.now = Standing(where="main/x", there=True, ready=2, wanted=2)
    assert isinstance(steps.look(Step.SERVICE_TEST, migrate), Done)
    # Somebody starts it by hand on the old server.
    unit.running = "active"
    assert isinstance(steps.look(Step.SWITCHED, migrate), Failed)
    unit.running = "inactive"
    assert isinstance(steps.ensure(Step.TARGET_WRITES_STOPPED, back), Done)
    assert isinstance(steps.ensure(Step.WRITES_ALLOWED, back), Done)
    assert (unit.running, unit.boot) == ("active", "enabled")
    assert isinstance(steps.look(Step.WRITES_ALLOWED, back), Done)
    done = steps.ensure(Step.SERVICE_TEST, back)
    assert isinstance(done, Done)
    assert "still on the cluster" in done.evidence["app"]["note"]


def test_a_rehearsal_touches_nothing(city: City) -> None:
    unit, work = FakeUnit(), FakeWorkload()
    steps, rehearse = WorkloadSteps("app", unit, work), context(city, "rehearse")
    for step in Step:
        assert isinstance(steps.ensure(step, rehearse), Done), step
        assert isinstance(steps.look(step, rehearse), Done), step
    assert (unit.said, work.woken) == ([], 0)


@pytest.mark.parametrize(("running", "boot"), [("failed", "enabled"), ("active", "disabled"), ("active", "static")])
def test_a_unit_that_could_not_come_back_is_found_before_anything_is_touched(
    city: City, running: str, boot: str
) -> None:
    found = WorkloadSteps("app", FakeUnit(running=running, boot=boot), FakeWorkload()).ensure(
        Step.APPLICATION, context(city, "migrate")
    )
    assert isinstance(found, Failed)


@dataclass
class FakeKube:
    """Answers as an API server does."""

    live: dict[str, Any] | None
    pods: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    def get(self, kind: Kind, name: str, namespace: str) -> dict[str, Any] | None:
        assert (kind.kind, namespace, name) == ("Deployment", "education-prod", "school-enrolment-web")
        return self.live

    def list(self, kind: Kind, *, selector: str, namespace: str) -> list[dict[str, Any]]:
        assert kind.kind == "Pod"
        assert f"system={SYSTEM}" in selector
        return self.pods

    def delete(self, kind: Kind, name: str, namespace: str, uid: str) -> bool:
        self.deleted.append(f"{name}/{uid}")
        return True


def pod(name: str, ready: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {
        "metadata": {"name": name, "namespace": "education-prod", "uid": f"uid-{name}"},
        "status": {"conditions": conditions},
    }


def test_a_workload_is_held_against_the_rendering_of_the_hub(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    kube = FakeKube(None, [pod("good", "True"), pod("failing", "False")])

    class Session:
        graph = declared(str(city.hub)).graph

        def connect(self, names: tuple[str, ...]) -> dict[str, Any]:
            return {name: type("Connection", (), {"kube": kube, "problem": None}) for name in names}

    monkeypatch.setattr(workloads, "open_session", lambda _: Session())
    hub = valid_hub(str(city.hub))[0]
    work = ClusterWorkload(hub, SYSTEM, "web")
    assert not work.standing().there
    wanted, _ = work._reached()
    kube.live = {
        "metadata": {"generation": 2},
        "spec": wanted["spec"],
        "status": {"observedGeneration": 2, "readyReplicas": 9, "updatedReplicas": 9},
    }
    now = work.standing()
    assert (now.there, now.differs, now.ready >= now.wanted > 0) == (True, (), True)
    kube.live["metadata"]["generation"] = 3
    assert work.standing().ready == 0
    kube.live["spec"] = {**wanted["spec"], "replicas": 77}
    assert "77 replicas" in work.standing().differs[0]
    assert work.wake() == 1
    assert kube.deleted == ["failing/uid-failing"]
    with pytest.raises(GovhubError) as caught:
        ClusterWorkload(hub, SYSTEM, "nobody").standing()
    assert caught.value.diagnostics[0].code == "RUN024"
    assert Path(hub.folder) == city.hub
