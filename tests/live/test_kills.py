"""``kill -9`` at random moments: the next ``up`` converges, with no orphan, no duplicate and no lost state.

Six kills by default; ``--slow`` or ``GOVHUB_KILLS=N`` for more. ``GOVHUB_KILL_SEED`` repeats a run's choices.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from govhub.engine.ledger import Ledger

if TYPE_CHECKING:
    from live.conftest import LabHub

pytestmark = pytest.mark.engine

SOURCE = Path(__file__).parents[1] / "hubs" / "mini"
SEED = int(os.environ.get("GOVHUB_KILL_SEED") or time.time_ns() % 1_000_000)
KILLS = int(os.environ.get("GOVHUB_KILLS") or 6)
MANY = 30
VICTIMS = ("worker", "engine", "everything")


def system(number: int, tenant: str) -> str:
    """Another system with a secret; numbered ones come and go."""
    return f"""
  - name: extra-{number}
    title: {{zh: 附加系统, en: Extra system}}
    tenant: {tenant}
    owner: 测试科
    tier: 3
    protection_level: 2
    workloads:
      - {{name: web, image: registry.mini.gov.internal/extra/extra:1.0.{number}, replicas: 1,
         cpu: 50m, memory: 128Mi, port: 8080}}
    secrets: [{{name: token, generate: 24}}]
    flows:
      - {{from: zone/extranet, port: 8080}}
"""


def tenant(name: str) -> str:
    return f"""
  - name: {name}
    title: {{zh: 附加部门, en: Extra department}}
    quota: small
"""


def as_shipped(hub: LabHub) -> None:
    for file in SOURCE.iterdir():
        shutil.copy(file, hub.folder / file.name)


def more_systems(hub: LabHub) -> None:
    for number in range(6):
        hub.append("systems.yaml", system(number, ("education", "civil-affairs")[number % 2]))


def other_systems(hub: LabHub) -> None:
    for number in range(4, 9):
        hub.append("systems.yaml", system(number, ("education", "civil-affairs")[number % 2]))


def new_releases(hub: LabHub) -> None:
    path = hub.folder / "systems.yaml"
    text = path.read_text(encoding="utf-8").replace(":1.0.0", ":1.1.0").replace("replicas: 3", "replicas: 2")
    path.write_text(text, encoding="utf-8")


def another_tenant(hub: LabHub) -> None:
    hub.append("tenants.yaml", tenant("health"))
    for number in (20, 21):
        hub.append("systems.yaml", system(number, "health"))


VARIANTS = {
    "as shipped": (as_shipped,),
    "more systems": (as_shipped, more_systems),
    "other systems, new releases": (as_shipped, new_releases, other_systems),
    "another tenant": (as_shipped, another_tenant),
    "another tenant, new releases": (as_shipped, new_releases, another_tenant),
}


@dataclass
class Campaign:
    """Kills against one hub; all choices come from one seeded generator."""

    hub: LabHub
    choose: random.Random
    variant: str = "as shipped"
    kills: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    in_flight: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    def next_variant(self) -> None:
        self.variant = self.choose.choice([name for name in VARIANTS if name != self.variant])
        for step in VARIANTS[self.variant]:
            step(self.hub)

    def round(self) -> None:
        """Change what is wanted, start, kill, perhaps change again, and converge."""
        self.next_variant()
        victim = self.choose.choice(VICTIMS)
        operations, killed = self.run_and_kill(victim)
        self.in_flight += operations
        if self.choose.random() < 0.5:
            self.next_variant()
        self.unfinished += bool(Ledger(self.hub.session().state).unfinished())
        self.log.append(f"{victim}: {killed}, then {self.variant}")
        self.converge()
        self.kills[victim] += killed

    def run_and_kill(self, victim: str) -> tuple[Counter[str], bool]:
        """Start a run and kill it at a random moment; whether it was alive then, and what it had done."""
        worker = self.hub.worker("up", self.hub.name)
        lines: list[str] = []
        busy = threading.Event()

        def read() -> None:
            for line in worker.stdout or ():
                lines.append(line)
                if '"shard-started"' in line:
                    busy.set()

        reader = threading.Thread(target=read)
        reader.start()
        if self.choose.random() < 0.85:
            busy.wait(30)
            time.sleep(self.choose.uniform(0, 4.0))
        else:  # while it loads, plans and takes the lock
            time.sleep(self.choose.uniform(0.3, 1.5))
        killed = self.kill(worker, victim)
        worker.wait(180)  # the provider tries for a minute to write into a namespace that was not made
        reader.join(10)
        assert worker.stdout
        worker.stdout.close()
        events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}\n")]
        return Counter(event["op"] for event in events if event.get("event") == "step"), killed

    def kill(self, worker: subprocess.Popen[str], victim: str) -> bool:
        if worker.poll() is not None:
            return False
        engines = self.hub.engines()
        self.seen |= {name for _, name in engines}
        if victim == "engine":
            return sum(end(pid) for pid, name in engines if name == "pulumi") > 0
        ended = end(worker.pid, group=True)
        if victim == "everything":
            for pid, _ in engines:
                end(pid)
        return ended

    def converge(self) -> None:
        left = self.hub.no_engines_within(8)
        assert left == [], "engine processes outlived their run"
        result = self.hub.up(confirm=(self.hub.name,), wait=0)
        assert result.status in ("done", "unchanged"), (result.problems, self.log)
        deadline = time.monotonic() + 60
        while any(item.terminating for item in self.hub.live().values()) and time.monotonic() < deadline:
            time.sleep(0.3)
        self.hub.assert_converged()


def end(pid: int, *, group: bool = False) -> bool:
    """``kill -9``; False when it had ended by itself."""
    try:
        (os.killpg if group else os.kill)(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def campaign(hub: LabHub, kills: int) -> Campaign:
    sys.stdout.write(f"GOVHUB_KILL_SEED={SEED}\n")
    assert hub.up(wait=0, confirm=(hub.name,)).status in ("done", "unchanged")
    found = Campaign(hub, random.Random(SEED))
    rounds = 0
    while found.kills.total() < kills:
        rounds += 1
        assert rounds <= 3 * kills + 10, "most runs ended before they could be killed"
        found.round()
    summary = f"{dict(found.kills)}, {found.unfinished} unfinished, {dict(found.in_flight)} in flight"
    sys.stdout.write("\n  ".join([summary, *found.log]) + "\n")
    # Without having seen both, "no process is left" would mean nothing.
    assert found.seen >= {"pulumi", "pulumi-resource"}
    return found


def test_a_hub_killed_at_random_moments_converges_with_the_next_up(mini: LabHub) -> None:
    found = campaign(mini, KILLS)
    assert found.kills.total() >= KILLS
    # Kills between runs would prove nothing: most of them must have left an intent behind.
    assert found.unfinished >= KILLS // 3


@pytest.mark.slow
def test_a_hub_killed_thirty_times_converges_every_time(mini: LabHub) -> None:
    found = campaign(mini, max(MANY, KILLS))
    assert found.kills.total() >= MANY
    assert set(found.kills) == set(VICTIMS)
    assert found.unfinished >= MANY // 3
    assert {"create", "update", "delete"} <= set(found.in_flight)


def test_a_first_run_that_was_killed_leaves_nothing_that_destroy_does_not_find(mini: LabHub) -> None:
    """The state of a first run is empty until it ends: only labels lead to what it made."""
    as_shipped(mini)
    assert mini.destroy().status == "done"
    worker = mini.worker("up")
    assert worker.stdout
    made = 0
    for line in worker.stdout:
        event = json.loads(line)
        made += event.get("event") == "step" and event["op"] == "create" and "kubernetes:" in event["urn"]
        if made >= 30:
            break
    assert end(worker.pid, group=True)
    worker.wait()
    worker.stdout.close()
    assert mini.no_engines_within(8) == []
    assert len(mini.live()) >= 10
    nodes = sorted(item["metadata"]["name"] for item in mini.kube().request("GET", "/api/v1/nodes")["items"])
    result = mini.destroy()
    assert (result.status, result.leftovers) == ("done", ()), result.problems
    assert mini.live() == {}
    still = sorted(item["metadata"]["name"] for item in mini.kube().request("GET", "/api/v1/nodes")["items"])
    assert still == nodes, "the nodes are not ours to delete"
