"""The Ansible adapter: one playbook over some hosts, with an outcome for each.

The only module that imports ``ansible_runner``. Mitogen makes runs several times faster (docs/benchmarks.md);
where it cannot be used, plain Ansible gives the same result.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.errors import ToolMissing
from govhub.core.files import private_folder, write_atomic
from govhub.core.secrets import REDACTOR
from govhub.core.settings import content
from govhub.hosts import leash
from govhub.hosts.content import FINISHED, playbook
from govhub.hosts.expressions import rendered
from govhub.hosts.outcome import HostOutcome
from govhub.hosts.variables import Declared

FORKS = 20
_DIFF_LINES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayRequest:
    """One run of the playbook."""

    hosts: tuple[Declared, ...]
    play: str = "hosts.yml"
    """One of `playbooks/plays`, with the task that hosts come to in the end."""
    report: str = ""
    """The task whose output is wanted as ``HostOutcome.report``, as ``role: task``."""
    folder: Path
    """A private folder for the inventory and Ansible's own files."""
    check: bool = False
    forks: int = FORKS
    serial: str = "100%"
    max_fail: int = 100
    """Stop when more than this part of the hosts has failed, in percent."""
    timeout: float = 3600.0
    fast: bool = True
    """Use Mitogen when it is there."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the play's roles that are not the hub's to declare."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that roles read; they are written nowhere."""


OnEvent = Callable[[HostOutcome], None]


class Play:
    """A run of a shipped playbook; ``cancel`` may be called from another thread."""

    def __init__(self, request: PlayRequest, on_event: OnEvent | None = None) -> None:
        self._request, self._on_event = request, on_event
        self._cancelled = threading.Event()
        self.outcomes = {host.name: HostOutcome(host.name) for host in request.hosts}
        self.message = ""
        """Why the run as a whole failed, if it did."""
        self._said = ""

    def cancel(self) -> None:
        """End the run; hosts keep what was done."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancelled.is_set()

    def run(self) -> dict[str, HostOutcome]:
        """Run to the end; returns the outcome of every host.

        Raises:
            ToolMissing: Ansible is not installed.
        """
        ansible = shutil.which("ansible-playbook", path=_path())
        if not ansible:
            raise ToolMissing.one("HST002", "ansible-playbook is not there", hint="pip install ansible-core")
        folder = private_folder(self._request.folder)
        # Empty, so that nobody's own settings count: a run is the same wherever it is started.
        write_atomic(folder / "ansible.cfg", "")
        # It ends with us: a play that outlives a killed run would go on behind the back of the next one.
        start = private_folder(folder / "bin") / "ansible-playbook"
        leashed = shlex.join([sys.executable, "-I", leash.__file__, str(os.getpid()), ansible])
        write_atomic(start, f'#!/bin/sh\nexec {leashed} "$@"\n', mode=0o700)
        hosts = self._request.hosts
        try:
            while hosts:
                self._pass(folder, hosts)
                hosts = self._left_alone(hosts)
        finally:
            for name in ("artifacts", "env", "cp", "tmp"):
                shutil.rmtree(folder / name, ignore_errors=True)
        for item in self.outcomes.values():
            if item.status != "done":
                item.why = item.why or self.message
        return self.outcomes

    def _pass(self, folder: Path, hosts: tuple[Declared, ...]) -> None:
        """Run the playbook once over some hosts."""
        import ansible_runner

        inventory = folder / "hosts.json"
        write_atomic(inventory, json.dumps(_inventory(hosts), indent=1))
        result = ansible_runner.run(
            private_data_dir=str(folder),
            project_dir=str(content("playbooks")),
            playbook=str(playbook(self._request.play)),
            inventory=str(inventory),
            envvars=_environment(folder, fast=self._request.fast) | dict(self._request.secrets),
            extravars={
                "govhub_serial": self._request.serial,
                "govhub_max_fail": self._request.max_fail,
                **self._request.options,
            },
            cmdline=" ".join(["--check --diff"] if self._request.check else ["--diff"]),
            forks=self._request.forks,
            timeout=int(self._request.timeout),
            quiet=True,
            event_handler=self._event,
            cancel_callback=self._cancelled.is_set,
            suppress_env_files=True,
        )
        nowhere = all(self.outcomes[host.name].status == "not reached" for host in hosts)
        if nowhere or result.status not in ("successful", "failed"):
            said = f", its last words: {self._said}" if self._said else ""
            self.message = self.message or f"ansible-playbook: {result.status} ({result.rc}){said}"

    def _left_alone(self, hosts: tuple[Declared, ...]) -> tuple[Declared, ...]:
        """Hosts that Ansible left half-way because all hosts of another play had failed: they fail nobody else."""
        left = tuple(host for host in hosts if self.outcomes[host.name].status == "not reached")
        bad = len(self.outcomes) - len(left) - sum(item.status == "done" for item in self.outcomes.values())
        too_many = bad * 100 > self._request.max_fail * len(self.outcomes)
        return () if too_many or self.message or self.cancelled or len(left) == len(hosts) else left

    def _event(self, event: dict[str, Any]) -> bool:
        """Take in one event; False keeps ansible-runner from writing it to disk, where it would not be scrubbed."""
        kind, data = event.get("event", ""), event.get("event_data") or {}
        outcome = self.outcomes.get(data.get("host", ""))
        if kind == "runner_on_ok" and data.get("task") == FINISHED:
            self._finished((data.get("res") or {})["ansible_play_hosts"])
        elif outcome and kind.startswith("runner_on_"):
            self._task(outcome, kind.removeprefix("runner_on_"), data)
        elif kind in ("error", "verbose") and (text := " ".join(str(event.get("stdout", "")).split())):
            self._said = REDACTOR(text[:400])
            if "ERROR" in text:
                self.message = self.message or self._said
        return False

    def _finished(self, names: Iterable[str]) -> None:
        """The last task runs once, for all that came to it: a task that runs on each host costs a process on each."""
        for name in names:
            self.outcomes[name].status = "done"
            if self._on_event:
                self._on_event(self.outcomes[name])

    def _task(self, outcome: HostOutcome, kind: str, data: Mapping[str, Any]) -> None:
        name = f"{data['role']}: {data['task']}" if data.get("role") else str(data.get("task", ""))
        result = data.get("res") or {}
        if kind == "ok":
            outcome.tasks += 1
            if name == self._request.report:
                outcome.report = str(result.get("stdout", ""))
            if result.get("changed"):
                outcome.changed.append(name)
                if text := _diff(result):
                    outcome.diffs[name] = text
        elif kind == "skipped" and self._request.check and "check mode" in str(result.get("msg", "")):
            outcome.unpredicted.append(name)
        elif kind in ("failed", "unreachable") and not data.get("ignore_errors"):
            outcome.status = kind
            outcome.why = REDACTOR(f"{name}: {_message(result)}")
        if self._on_event:
            self._on_event(outcome)


def _items(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results of a loop's items, or the one result of a task without a loop."""
    found = result.get("results")
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) and found else [result]


def _message(result: Mapping[str, Any]) -> str:
    bad = [item for item in _items(result) if item.get("failed") or item.get("unreachable")] or [result]
    said = {key: str(bad[0].get(key) or "").strip() for key in ("msg", "stderr", "module_stderr")}
    if said["msg"] == "non-zero return code":
        # What the command itself said tells more.
        said["msg"] = ""
    text = next(filter(None, said.values()), "failed without a word")
    return " ".join(str(text).split())[:400]


def _diff(result: Mapping[str, Any]) -> str:
    """The lines that change, a few of them; empty where the module does not say or a secret is involved."""
    if result.get("_ansible_no_log") or "censored" in result:
        return ""
    lines: list[str] = []
    for item in _items(result):
        found = item.get("diff") or []
        for part in found if isinstance(found, list) else [found]:
            before, after = str(part.get("before", "")).splitlines(), str(part.get("after", "")).splitlines()
            lines += [f"-{line}" for line in before if line not in after]
            lines += [f"+{line}" for line in after if line not in before]
        if not found and "cmd" in item:
            # A command that looked, and printed what it found.
            lines += [*str(item.get("stdout", "")).splitlines(), *str(item.get("stderr", "")).splitlines()]
    more = [f"… {len(lines) - _DIFF_LINES} more"] if len(lines) > _DIFF_LINES else []
    return REDACTOR("\n".join([*lines[:_DIFF_LINES], *more]))


def _inventory(hosts: Iterable[Declared]) -> dict[str, Any]:
    """A static inventory of exactly these hosts; the plugin of plain Ansible runs gives the same variables."""
    hosts = list(hosts)
    groups: dict[str, Any] = {}
    for host in hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = {}
    variables = {host.name: rendered({**host.variables, **host.connection}) for host in hosts}
    return {"all": {"hosts": variables, "children": groups}}


def _environment(folder: Path, *, fast: bool) -> dict[str, str]:
    out = {
        "PATH": os.pathsep.join([str(folder / "bin"), _path()]),
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_HOST_KEY_CHECKING": "true",
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s -o ConnectTimeout=10",
        "ANSIBLE_ROLES_PATH": str(content("playbooks", "roles")),
        "ANSIBLE_LOOKUP_PLUGINS": str(content("playbooks", "plugins", "lookup")),
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
    }
    if fast and (strategies := mitogen()):
        out |= {"ANSIBLE_STRATEGY": "mitogen_linear", "ANSIBLE_STRATEGY_PLUGINS": str(strategies)}
    return out


def mitogen() -> Path | None:
    """The folder of Mitogen's strategy plugins, if it is installed."""
    found = importlib.util.find_spec("ansible_mitogen")
    if not found or not found.origin:
        return None
    folder = Path(found.origin).parent / "plugins" / "strategy"
    return folder if folder.is_dir() else None


def _path() -> str:
    """Tools of our own environment come first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
