"""Real lab hosts of a small hub: booting them takes seconds, bringing them up most of a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from govhub.core.events import read_events
from govhub.core.settings import connections_file
from govhub.lab.hosts.fleet import Fleet
from govhub.lab.hosts.machine import Machine
from govhub.ops.drift import drift
from govhub.ops.hosts import list_hosts
from govhub.ops.lab import lab_down
from govhub.ops.labhosts import boot_hosts
from govhub.ops.load import valid_hub
from govhub.ops.plan import make_plan
from govhub.ops.requests import DriftResult, PlanRequest, RunRequest, RunResult, Selection
from govhub.ops.up import up

HUBS = Path(__file__).parents[1] / "hubs"
HOSTS_ONLY = Selection(layers=("hosts",))


@dataclass
class HostHub:
    """A copy of a small hub whose lab has real hosts and no clusters."""

    folder: Path

    @property
    def fleet(self) -> Fleet:
        return Fleet(self.folder.name)

    def machine(self, name: str) -> Machine:
        return self.fleet.machines()[name]

    def boot(self, count: int) -> None:
        hub, _ = valid_hub(str(self.folder))
        boot_hosts(hub, count, print)

    def up(self, **more: Any) -> RunResult:
        return up(replace(RunRequest(hub=str(self.folder), selection=HOSTS_ONLY, wait=0), **more))

    def changes(self) -> dict[str, str]:
        plan = make_plan(PlanRequest(hub=str(self.folder), selection=HOSTS_ONLY)).plan
        return {change.address.partition("/")[2]: change.op.value for change in plan.changes}

    def drift(self) -> DriftResult:
        return drift(str(self.folder))

    def standing(self) -> dict[str, str]:
        rows = list_hosts(str(self.folder))["hosts"]
        return {row["name"]: row["state"] for row in rows if row["address"]}

    def events(self, result: RunResult, kind: str) -> list[dict[str, Any]]:
        assert result.folder
        return [item["data"] for item in read_events(result.folder / "events.ndjson") if item["kind"] == kind]

    def inside(self, name: str, script: str) -> str:
        """Run a script in a host as root, without SSH."""
        (init,) = self.machine(name).inits()
        words = ["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "/bin/sh", "-c", script]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def logins(self) -> dict[str, int]:
        """How often each host's SSH server has let somebody in."""
        script = "journalctl -q --no-pager -u ssh | grep -c 'Accepted publickey' || true"
        return {name: int(self.inside(name, script)) for name in self.fleet.machines()}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture(scope="session")
def root() -> None:
    if os.geteuid():
        pytest.skip("lab hosts need root")


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostHub]:
    """Three booted hosts that nothing was done to yet."""
    patch = pytest.MonkeyPatch()
    base = tmp_path_factory.mktemp("hosts")
    patch.setenv("GOVHUB_HOME", str(base / "home"))
    patch.delenv("GOVHUB_STATE", raising=False)
    folder = base / "inventories" / "mini"
    shutil.copytree(HUBS / "mini", folder)
    made = HostHub(folder)
    made.boot(3)
    try:
        yield made
    finally:
        lab_down(str(folder))
        assert not connections_file("mini").exists()
        patch.undo()
        shutil.rmtree(base, ignore_errors=True)
