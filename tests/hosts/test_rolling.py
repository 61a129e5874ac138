"""Hosts in work side by side: what starts, what waits, and what is left when something goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

import pytest

from govhub.core.errors import TargetUnreachable
from govhub.core.kube import Kube
from govhub.ops.upgrading import rolling
from govhub.ops.upgrading.budgets import Budget, Limits, Load
from govhub.ops.upgrading.healthgate import HealthGate
from govhub.ops.upgrading.requests import Upgrade
from govhub.ops.upgrading.rolling import Rolling

EDUCATION = ("main", "education")


@dataclass
class Surroundings:
    """Loads by host; ``looks`` change them, one at each look."""

    loads: dict[str, Load]
    within: Limits = field(default_factory=Limits)
    looks: list[Callable[[Surroundings], None]] = field(default_factory=list)

    def refresh(self) -> None:
        if self.looks:
            self.looks.pop(0)(self)

    def load(self, host: str) -> Load:
        if host not in self.loads:
            raise TargetUnreachable.one("KUB003", "cluster main does not answer")
        return self.loads[host]

    def limits(self, at_once: int, confirmed: Collection[str] = (), busy: Collection[str] = ()) -> Limits:
        return replace(self.within, at_once=at_once)


class Site:
    """Does hosts when they are let go, and remembers which were in work together."""

    def __init__(self, *loads: Load, within: Limits | None = None) -> None:
        self.around = Surroundings({load.host: load for load in loads}, within or Limits())
        self.items = [Upgrade(host=load.host) for load in loads]
        self.together: list[set[str]] = []
        self.failing: set[str] = set()
        self.slots: list[int] = []
        self.paused = threading.Event()
        self.cancelled = threading.Event()
        self.expected = 1
        self._busy: set[str] = set()
        self._changed = threading.Condition()

    def work(self, item: Upgrade, slot: int) -> None:
        with self._changed:
            self._busy.add(item.host)
            self.slots.append(slot)
            self.together.append(set(self._busy))
            self._changed.notify_all()
            # Ends when as many as can be are in work, so that the test sees them together.
            assert self._changed.wait_for(lambda: len(self.together) >= self.expected, 10)
            self._busy.discard(item.host)
        item.status = "failed" if item.host in self.failing else "done"

    def run(self, at_once: int, work: Callable[[Upgrade, int], None] | None = None, **more: object) -> str:
        made = Rolling(
            surroundings=self.around,
            work=work or self.work,
            cancel=self.cancelled.set,
            started=lambda _item, _beside: None,
            paused=self.paused,
            at_once=at_once,
            patience=0.2,
        )
        return replace(made, **more).run(self.items)  # type: ignore[arg-type]

    def states(self) -> dict[str, str]:
        return {item.host: item.status for item in self.items}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "PAUSE", 0.01)


def test_as_many_as_asked_for_are_in_work_and_each_has_a_slot_of_its_own() -> None:
    site = Site(*(Load(host=f"h{i}") for i in range(5)))
    site.expected = 3
    assert site.run(3) == "done"
    assert set(site.states().values()) == {"done"}
    assert max(map(len, site.together)) == 3
    assert set(site.slots) == {0, 1, 2}


def test_a_pair_is_never_in_work_together_and_the_others_do_not_wait_for_it() -> None:
    pair = frozenset({"database pg"})
    site = Site(Load(host="db1", groups=pair), Load(host="db2", groups=pair), Load(host="web"))
    site.expected = 2
    assert site.run(3) == "done"
    assert {"db1", "web"} in site.together
    assert not any({"db1", "db2"} <= busy for busy in site.together)


def test_a_failure_starts_nothing_more_and_what_is_in_work_is_finished() -> None:
    site = Site(*(Load(host=f"h{i}") for i in range(4)))
    site.expected, site.failing = 2, {"h0", "h1"}
    assert site.run(2) == "failed"
    assert site.states() == {"h0": "failed", "h1": "failed", "h2": "not tried", "h3": "not tried"}


def test_a_pause_after_some_hosts_counts_those_that_were_started() -> None:
    site = Site(*(Load(host=f"h{i}") for i in range(4)))
    site.expected = 2
    assert site.run(3, pause_after=2) == "paused"
    assert site.states() == {"h0": "done", "h1": "done", "h2": "not tried", "h3": "not tried"}


def test_a_pause_that_is_asked_for_meanwhile_finishes_the_hosts_in_work() -> None:
    site = Site(*(Load(host=f"h{i}") for i in range(3)))
    site.expected = 2

    def work(item: Upgrade, slot: int) -> None:
        if item.host == "h1":
            site.paused.set()
        site.work(item, slot)

    assert site.run(2, work) == "paused"
    assert site.states() == {"h0": "done", "h1": "done", "h2": "not tried"}


def test_pods_are_counted_anew_before_each_start() -> None:
    """The first host's pods have come to the second, which would take all of them now."""
    loads = [Load(host=name, away={EDUCATION: 1}) for name in ("a", "b")]
    site = Site(*loads, within=Limits(budgets={EDUCATION: Budget(pods=2, allowed=1)}))
    site.around.looks = [
        lambda _: None,
        lambda around: around.loads.update(b=Load(host="b", away={EDUCATION: 2})),
    ]
    assert site.run(2) == "done"
    assert site.states() == {"a": "done", "b": "over budget"}
    assert (site.items[1].over, len(site.together)) == ("education", 1)


def test_pods_that_get_ready_are_waited_for_and_those_that_do_not_keep_the_host_back() -> None:
    load = Load(host="a", away={EDUCATION: 1})
    gone = Limits(budgets={EDUCATION: Budget(pods=4, allowed=1, gone=1)})
    site = Site(load, within=gone)
    assert site.run(1) == "done"
    assert site.states() == {"a": "over budget"}
    assert "1 not ready" in site.items[0].why
    site = Site(load, within=gone)
    site.around.looks = [lambda _: None, lambda around: setattr(around, "within", gone.settled())]
    assert site.run(1, patience=60.0) == "done"
    assert site.states() == {"a": "done"}


def test_a_host_of_which_nobody_can_say_who_runs_on_it_is_not_started() -> None:
    site = Site(Load(host="a"), Load(host="b"))
    del site.around.loads["a"]
    assert site.run(1) == "failed"
    assert site.states() == {"a": "failed", "b": "not tried"}
    assert site.items[0].why == "cluster main does not answer"


def test_a_fault_of_ours_leaves_nothing_behind_in_the_background() -> None:
    site = Site(Load(host="a"), Load(host="b"))

    def work(item: Upgrade, slot: int) -> None:
        if item.host == "a":
            raise ZeroDivisionError
        assert site.cancelled.wait(10)

    with pytest.raises(ZeroDivisionError):
        site.run(2, work)


class Gate(HealthGate):
    """With workloads that are said to be unready."""

    unready: frozenset[str] = frozenset({"main/Deployment/a/was-unready"})

    def _unready(self, kube: Kube) -> set[str]:
        return set(self.unready)


class Main(Kube):
    """A cluster that nobody calls."""

    def __init__(self) -> None:
        self.name = "main"


def test_each_host_waits_for_what_it_took_and_the_last_of_several_for_what_they_share() -> None:
    kube = Main()
    gate = Gate([kube], "mini")
    gate.enter("a", kube, {"Deployment/a/shared", "StatefulSet/a/own"})
    gate.enter("b", kube, {"Deployment/a/shared"})
    gate.unready = frozenset({"main/Deployment/a/shared", "main/StatefulSet/a/own", "main/Deployment/a/was-unready"})
    assert gate.worse("a", kube) == {"main/StatefulSet/a/own"}
    assert gate.worse("b", kube) == set()
    gate.unready = frozenset({"main/Deployment/a/shared"})
    assert gate.worse("a", kube) == set()
    gate.leave("a")
    assert gate.worse("b", kube) == {"main/Deployment/a/shared"}, "nobody else is left to bring it back"
    gate.unready = frozenset({"main/Deployment/a/was-unready"})
    assert gate.worse("b", kube) == {"main/Deployment/a/was-unready"}, "it ran meanwhile"
