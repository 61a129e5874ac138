"""Benchmarks of the hosts layer: real Debian hosts in the lab, ours against plain Ansible over the same roles."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from govhub.bench.engine import own_place
from govhub.bench.results import Result, timed
from govhub.bench.synthetic import write_hub
from govhub.core.settings import content
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.runner import Play
from govhub.lab.hosts.fleet import Fleet
from govhub.ops.hostcheck import look_at_hosts
from govhub.ops.hostside import hosts_side
from govhub.ops.lab import lab_down
from govhub.ops.labhosts import boot_hosts
from govhub.ops.load import valid_hub
from govhub.ops.requests import RunRequest, Selection
from govhub.ops.session import open_session
from govhub.ops.up import up

LIMITS = {20: (10.0, 120.0, 3.0)}
"""Seconds asked for 20 hosts: until SSH answers, from bare until the base role is through, unchanged."""


def grow(sizes: tuple[int, ...], runs: int) -> list[Result]:
    """Boot, first run and unchanged run at several sizes."""
    out = []
    for size in sizes:
        boot, base, same = LIMITS.get(size, (None, None, None))
        results = [
            Result(name=f"hosts-boot-{size}", unit="s", limit=boot),
            Result(name=f"hosts-to-base-{size}", unit="s", limit=base, note="part of hosts-first"),
            Result(name=f"hosts-first-{size}", unit="s", note="all roles"),
            Result(name=f"hosts-unchanged-{size}", unit="s", limit=same),
        ]
        for _ in range(runs):
            with lab_hosts(0, size) as hub:
                results[0].ours.append(timed(lambda hub=hub, size=size: _boot(hub, size)))  # type: ignore[misc]
                with _watched("base") as last:
                    begun = time.monotonic()
                    results[2].ours.append(timed(lambda hub=hub: run_up(hub)))  # type: ignore[misc]
                    results[1].ours.append(last() - begun)
                results[3].ours.append(timed(lambda hub=hub: run_up(hub)))  # type: ignore[misc]
        out += results
    return out


def verify(size: int, runs: int) -> list[Result]:
    """All roles over hosts that are as declared: our runner against plain Ansible with its defaults."""
    result = Result(name=f"hosts-verify-{size}", unit="s", limit=0.35, note="stock: ansible-playbook, 5 forks")
    with lab_hosts(size, size) as hub:
        run_up(hub)
        for _ in range(runs):
            result.ours.append(timed(lambda: _look(hub)))
            result.stock.append(timed(lambda: _plain(hub)))
    return [result]


@contextmanager
def lab_hosts(booted: int, size: int) -> Iterator[Path]:
    """The folder of a hub with ``size`` hosts, of which the first ones run in a lab of its own until the end."""
    with tempfile.TemporaryDirectory(prefix="govhub-bench-") as scratch, own_place(Path(scratch) / "home"):
        hub = write_hub(Path(scratch) / "synthetic", objects=16, hosts=max(size, 12))
        try:
            if booted:
                _boot(hub, booted)
            yield hub
        finally:
            lab_down(str(hub))


@contextmanager
def _watched(role: str) -> Iterator[Callable[[], float]]:
    """When the last of a role's tasks ended on any host, by the monotonic clock; its handlers run at the end of all."""
    moments: list[float] = []
    through: list[str] = []
    task = Play._task  # noqa: SLF001 - the runner tells of hosts, not of tasks

    def noting(play: Play, outcome: HostOutcome, kind: str, data: Mapping[str, Any]) -> None:
        if data.get("role") != role:
            through.extend([role] * bool(moments))
        elif not through:
            moments.append(time.monotonic())
        task(play, outcome, kind, data)

    with patch.object(Play, "_task", noting):
        yield lambda: max(moments)


def _boot(folder: Path, size: int) -> None:
    hub, _ = valid_hub(str(folder))
    boot_hosts(hub, size, lambda _: None)
    if len(Fleet(hub.name).machines()) != size:
        raise RuntimeError("not all hosts were made")


def run_up(folder: Path) -> None:
    """Bring its hosts to their declared state.

    Raises:
        RuntimeError: not all came there.
    """
    result = up(RunRequest(hub=str(folder), selection=Selection(layers=("hosts",)), wait=0))
    if result.status not in ("done", "unchanged"):
        raise RuntimeError(f"up {result.status}: {result.problems[:1]}")


def _look(folder: Path) -> None:
    session = open_session(str(folder))
    play = look_at_hosts(session.hub, hosts_side(session.hub, session.state))
    wrong = [item.host for item in play.outcomes.values() if item.status != "done" or item.changed]
    if wrong:
        raise RuntimeError(f"not as declared: {wrong}")


def _plain(folder: Path) -> None:
    """As an operator would type it; the inventory plugin gives the same hosts and variables."""
    environment = os.environ | {
        "ANSIBLE_CONFIG": str(folder.parent / "ansible.cfg"),
        "ANSIBLE_INVENTORY_PLUGINS": str(content("playbooks", "plugins", "inventory")),
        "ANSIBLE_INVENTORY_ENABLED": "govhub",
        "ANSIBLE_ROLES_PATH": str(content("playbooks", "roles")),
        "ANSIBLE_LOOKUP_PLUGINS": str(content("playbooks", "plugins", "lookup")),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    }
    (folder.parent / "ansible.cfg").touch()
    ansible = str(Path(sys.executable).parent / "ansible-playbook")
    command = [ansible, "-i", str(folder), "--check", str(content("playbooks", "plays", "hosts.yml"))]
    subprocess.run(command, env=environment, check=True, capture_output=True)
