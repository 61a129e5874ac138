"""The meters of one hub's lab: agents, snmp_exporter, Prometheus and, where it has a configuration, Alertmanager."""

from __future__ import annotations

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError, ToolMissing
from govhub.core.files import private_folder, write_atomic
from govhub.core.settings import home
from govhub.lab.meters import processes, scraping
from govhub.lab.meters.plan import FIRST, Plan
from govhub.lab.meters.processes import Process
from govhub.lab.scratch import free_port

PACKAGES = {"prometheus": "prometheus", "prometheus-snmp-exporter": "prometheus-snmp-exporter"}
"""Programs that are needed, and Debian's package of each."""
AGENTS = "agents"
EXPORTER = "snmp-exporter"
ALERTS = "prometheus-alertmanager"
ALERTS_FILE = "alertmanager.yml"
INTERVALS = (15, 30, 60, 120)
"""Seconds between two polls; beyond the last one Prometheus would take an answer for stale too easily."""
AGENT_SECONDS = 0.016
"""Processor time that one poll of an agent of 36 racks takes of all programs together, as measured."""
SHARE = 0.1
"""Of one core, at most, for polling."""
KEPT = "15d"
STATE = "state.json"


@dataclass(frozen=True, slots=True)
class State:
    """What runs, as kept in ``state.json``."""

    interval: int
    port: int
    """UDP, of all agents."""
    agents: int
    processes: tuple[Process, ...]
    serve: str = ""
    """Address of a running ``serve`` that Prometheus scrapes; empty for none."""


def interval_for(agents: int) -> int:
    """Seconds between two polls, so that polling stays within ``SHARE`` of a core where that is possible."""
    return next((step for step in INTERVALS if agents * AGENT_SECONDS <= step * SHARE), INTERVALS[-1])


def missing() -> list[str]:
    """Debian's packages that metering needs and that are not installed."""
    return sorted(package for name, package in PACKAGES.items() if processes.program(name) is None)


def need_packages() -> None:
    """Raise what is missing.

    Raises:
        ToolMissing: a program of ``PACKAGES`` is not installed.
    """
    if packages := missing():
        raise ToolMissing.one(
            "MTR002",
            f"metering needs programs that are not installed: {', '.join(packages)}",
            hint=f"Debian: apt-get install {' '.join(packages)}; or leave the meters out: --no-meters",
        )


@dataclass(frozen=True, slots=True)
class Meters:
    """The metering of one hub's lab; everything it owns is under ``folder``."""

    hub: str

    @property
    def folder(self) -> Path:
        """Configuration, logs and Prometheus' data."""
        return home() / "lab" / self.hub / "meters"

    def exists(self) -> bool:
        """Whether it was started and not taken down."""
        return (self.folder / STATE).is_file()

    def state(self) -> State | None:
        """What was started; None when nothing was, or nobody can tell any more."""
        try:
            data = json.loads((self.folder / STATE).read_text(encoding="utf-8"))
            return State(**(data | {"processes": tuple(Process(**item) for item in data["processes"])}))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def dead(self) -> list[str]:
        """Processes that should live and do not."""
        state = self.state()
        return [process.name for process in state.processes if not process.alive] if state else []

    def prometheus(self) -> str:
        """The address of the lab's Prometheus while it lives; empty otherwise."""
        state = self.state()
        found = [item.address for item in state.processes if item.name == "prometheus" and item.alive] if state else []
        return f"http://{found[0]}" if found else ""

    def up(self, plan: Plan, files: Mapping[str, str] | None = None, *, interval: int = 0, serve: str = "") -> State:
        """Start what does not run, with the meters of ``plan``; what runs with the same meters is left alone.

        Args:
            plan: The agents and the machines behind them.
            files: Further files by name: ``rules/NAME.yml`` for Prometheus, ``alertmanager.yml``, without which no
                Alertmanager is started.
            interval: Seconds between polls; chosen by the number of agents when 0.
            serve: Address of ``govhub serve``, whose halls are scraped too.

        Raises:
            ToolMissing: programs are not installed.
            GovhubError: a process did not start.
        """
        need_packages()
        text, more = plan.to_json(), dict(files or {})
        before = self.state()
        if before and not self.dead() and self._as(text, more) and serve in ("", before.serve):
            return before
        processes.end(before.processes if before else ())
        private_folder(self.folder)
        self._clean(more)
        for name, content in more.items():
            private_folder((self.folder / name).parent)
            write_atomic(self.folder / name, content)
        write_atomic(self.folder / "plan.json", text)
        if not (self.folder / "community").exists():
            write_atomic(self.folder / "community", secrets.token_urlsafe(18))
        seconds, serving = interval or interval_for(len(plan.agents)), serve or (before.serve if before else "")
        for attempts in (2, 1, 0):
            try:
                return self._start(plan, seconds, serving)
            except GovhubError as error:
                if found := self.state():
                    processes.end(found.processes)
                # Somebody else may have taken a port that was free a moment ago.
                if not attempts or "address already in use" not in error.diagnostics[0].detail.lower():
                    raise
        raise AssertionError

    def attach(self, serve: str) -> None:
        """Have Prometheus scrape ``govhub serve`` at this address; nothing happens when no Prometheus runs."""
        state = self.state()
        if state and state.serve != serve and self.prometheus():
            attached = replace(state, serve=serve)
            self._keep(attached)
            self._configure(attached)
            for process in state.processes:
                if process.name == "prometheus":
                    processes.reload(process)

    def rehearse(self, faults: Mapping[str, list[str]]) -> None:
        """Have meters misbehave: by kind of fault (``model.FAULTS``) the places; none clears them."""
        write_atomic(self.folder / "faults.json", json.dumps(dict(faults)))

    def down(self) -> None:
        """End the processes and remove everything; nothing happens when there is nothing."""
        if state := self.state():
            processes.end(state.processes)
        shutil.rmtree(self.folder, ignore_errors=True)
        for parent in (self.folder.parent, self.folder.parent.parent):
            if parent.is_dir() and not any(parent.iterdir()):
                parent.rmdir()

    def describe(self) -> dict[str, Any]:
        """How it stands, for ``lab status``."""
        state = self.state()
        if state is None:
            return {"state": "absent", "prometheus": "", "processes": [], "missing": missing()}
        dead = self.dead()
        return {
            "state": "incomplete" if dead else "running",
            "prometheus": self.prometheus(),
            "interval_seconds": state.interval,
            "agents": state.agents,
            "serve": state.serve,
            "processes": [
                {"name": item.name, "pid": item.pid, "alive": item.alive, "address": item.address}
                for item in state.processes
            ],
            "missing": [],
        }

    def _start(self, plan: Plan, interval: int, serve: str) -> State:
        folder = self.folder
        exporter = str(processes.program("prometheus-snmp-exporter"))
        write_atomic(folder / "snmp.yml", scraping.snmp_config((folder / "community").read_text("ascii"), timeout=5))
        _accepted(exporter, folder)
        port = processes.free_datagram_port(str(FIRST))
        for kind, content in scraping.targets(plan.agents, plan.hub, port).items():
            write_atomic(folder / f"targets-{kind}.json", content)
        running: list[Process] = []

        def state() -> State:
            return State(interval, port, len(plan.agents), tuple(running), serve)

        def begin(name: str, command: list[str], path: str = "/-/ready") -> None:
            address = f"127.0.0.1:{free_port()}"
            running.append(processes.start(name, [part.format(address) for part in command], folder, address))
            self._keep(state())
            processes.await_ready(running[-1], folder, partial(processes.answers, address, path))

        listen = "--web.listen-address={}"
        begin(AGENTS, [sys.executable, "-m", "govhub.lab.meters.agent", str(folder), str(port), "{}"], "/metrics")
        begin(EXPORTER, [exporter, "--config.file=snmp.yml", listen], "/")
        alerts = processes.program(ALERTS)
        if alerts and (folder / ALERTS_FILE).is_file():
            options = [f"--config.file={ALERTS_FILE}", "--storage.path=alerts", "--cluster.listen-address="]
            begin("alertmanager", [alerts, *options, listen])
        self._configure(state())
        options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--storage.tsdb.retention.time={KEPT}"]
        begin("prometheus", [str(processes.program("prometheus")), *options, listen])
        return state()

    def _configure(self, state: State) -> None:
        places = {process.name: process.address for process in state.processes}
        text = scraping.prometheus_config(
            places[EXPORTER],
            state.interval,
            hub=self.hub,
            kubelets=places[AGENTS],
            serve=state.serve,
            alertmanager=places.get("alertmanager", ""),
        )
        write_atomic(self.folder / "prometheus.yml", text)
        private_folder(self.folder / "rules")
        write_atomic(self.folder / "rules" / "meters.yml", scraping.RULES)

    def _keep(self, state: State) -> None:
        write_atomic(self.folder / STATE, json.dumps(asdict(state)))

    def _as(self, plan: str, files: Mapping[str, str]) -> bool:
        """Whether what runs was started with the same meters and files."""
        wanted = {"plan.json": plan, **files}
        return self._more() <= wanted.keys() and all(
            (self.folder / name).is_file() and (self.folder / name).read_text(encoding="utf-8") == content
            for name, content in wanted.items()
        )

    def _more(self) -> set[str]:
        """Files that a caller of ``up`` gave before."""
        rules = {f"rules/{path.name}" for path in (self.folder / "rules").glob("*.yml") if path.name != "meters.yml"}
        return rules | ({ALERTS_FILE} if (self.folder / ALERTS_FILE).is_file() else set())

    def _clean(self, files: Mapping[str, str]) -> None:
        for name in self._more() - files.keys():
            (self.folder / name).unlink()


def _accepted(exporter: str, folder: Path) -> None:
    """Have snmp_exporter look at its configuration first: later versions want another form."""
    if refused := processes.checked([exporter, "--config.file=snmp.yml", "--dry-run"], folder):
        raise GovhubError.one(
            "MTR003",
            "this prometheus-snmp-exporter does not take the configuration that govhub writes",
            detail=refused,
            hint="versions up to 0.22 do, as Debian 12 has; without meters: lab up HUB --no-meters",
        )
