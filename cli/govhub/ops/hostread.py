"""Reading hosts: one sweep over those that can be reached, kept privately on this machine with its time."""

from __future__ import annotations

import contextlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.files import private_folder, write_atomic
from govhub.core.sections import Reading, load_reading, parse
from govhub.core.settings import hub_home
from govhub.hosts.audit.catalogue import kernel_settings, units
from govhub.hosts.fanout import PARALLEL, SECONDS, Answer, Errand, as_root, fan_out
from govhub.hosts.fingerprint import address_of
from govhub.hosts.reach import reaches
from govhub.hosts.reading.facts import facts_of
from govhub.hosts.reading.sections import command
from govhub.hosts.variables import declared_hosts
from govhub.inventory.loader import Hub
from govhub.ops.hostside import HostsSide, check_limit, chosen
from govhub.ops.load import valid_hub
from govhub.ops.requests import Selection

FOLDER = "readings"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """Which hosts to read, and how."""

    hub: str
    limit: tuple[str, ...] = ()
    timeout: float = SECONDS
    parallel: int = PARALLEL
    saved: bool = False
    """Take what was read last; no host is contacted."""


@dataclass(slots=True)
class Sweep:
    """What was read of the selected hosts."""

    hub: Hub
    side: HostsSide
    readings: dict[str, Reading] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    """One for each host without a reading."""
    seconds: float = 0.0

    @property
    def without_address(self) -> list[str]:
        """Hosts of the hub that nobody can ask."""
        return [name for name in self.hub.topology.hosts if name not in self.side.declared]


def sweep(request: SweepRequest) -> Sweep:
    """Read the selected hosts; one that fails stops nobody else.

    Raises:
        InvalidInput: the hub is not valid, or the selection matches no host.
        ToolMissing: pyinfra is not installed.
    """
    started = time.monotonic()
    hub, _ = valid_hub(request.hub)
    result = Sweep(hub, selected(hub, request.limit))
    folder = hub_home(hub.name) / FOLDER
    names = [name for name in result.side.declared if chosen(name, Selection(hosts=request.limit))]
    if request.saved:
        _take_saved(result, folder, names)
    else:
        _read(result, request, folder, names)
    result.problems.sort(key=Diagnostic.sort_key)
    result.seconds = time.monotonic() - started
    return result


def selected(hub: Hub, limit: tuple[str, ...]) -> HostsSide:
    """The hosts that can be reached, after a look at the patterns.

    Raises:
        InvalidInput: no host can be reached, or a pattern matches none.
    """
    reached = reaches(hub)
    side = HostsSide(reached, declared_hosts(hub, reached))
    check_limit(Selection(layers=("hosts",), hosts=limit), side)
    return side


def hosts_facts(request: SweepRequest) -> dict[str, Any]:
    """``hosts facts``: the document of all hosts' facts, with the problems of those that could not be read."""
    result = sweep(request)
    now = datetime.now(UTC)
    hosts = [
        {**facts_of(reading), "age": age(reading, now)}
        for _, reading in sorted(result.readings.items(), key=lambda item: item[0])
    ]
    return {
        "schema": "govhub.hosts-facts/1",
        "hub": result.hub.name,
        "hosts": hosts,
        "problems": [item.as_dict() for item in result.problems],
        "without_address": result.without_address,
        "saved": request.saved,
        "seconds": round(result.seconds, 3),
    }


def age(reading: Reading, now: datetime) -> float:
    """Seconds since a host was read."""
    return max(0.0, round((now - datetime.fromisoformat(reading.time)).total_seconds(), 1))


def problem_of(answer: Answer) -> Diagnostic:
    """What to say of a host that did not answer."""
    code, hint = {
        "unreachable": ("HST011", "look at the host and its network; what is its key, and what is in known_hosts?"),
        "slow": ("HST032", "look at the host's load, or give it more time with --timeout"),
        "not tried": ("HST012", "correct the cause of the failures, then run it again"),
    }[answer.status]
    if "ost key" in answer.why:
        hint = "do not go on before you know why: installed anew, or somebody in between? Then mend known_hosts"
    return _problem(code, answer.host, answer.why, hint)


def _problem(code: str, host: str, why: str, hint: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, summary=f"{host}: {why}", address=address_of(host), hint=hint)


def refused(answer: Answer) -> Diagnostic | None:
    """The diagnostic of an answer that is sudo's refusal instead of the host's."""
    first = answer.output.strip().splitlines()[0] if answer.output.strip() else ""
    if (answer.exit and first.startswith(("sudo:", "sudo-rs:", "Sorry, user"))) or " is not in the sudoers" in first:
        hint = "the login account needs sudo without a password; `govhub up --layer hosts` keeps it so"
        return _problem("HST033", answer.host, f"sudo was refused: {first[:200]}", hint)
    return None


def _read(result: Sweep, request: SweepRequest, folder: Path, names: Iterable[str]) -> None:
    mark = f"@{secrets.token_hex(16)}"
    line, script = command(mark, kernel_settings(), units())
    errand = Errand(
        command=as_root(line), script=script, timeout=request.timeout, parallel=request.parallel, clock=True
    )
    private_folder(folder)
    for answer in fan_out({name: result.side.reached.hosts[name] for name in names}, errand):
        now = datetime.now(UTC).isoformat(timespec="seconds")
        sections = parse(answer.output, mark) if answer.status == "answered" else None
        if answer.status != "answered":
            result.problems.append(problem_of(answer))
        elif sections is None:
            broken = _problem("HST034", answer.host, "the answer ended half-way", "run it again; is its disk full?")
            result.problems.append(refused(answer) or broken)
        else:
            reading = Reading(
                host=answer.host, time=now, sections=sections, offset=answer.offset, uncertainty=answer.uncertainty
            )
            result.readings[answer.host] = reading
            write_atomic(folder / f"{answer.host}.json", json.dumps(reading.as_dict(), ensure_ascii=False))


def _take_saved(result: Sweep, folder: Path, names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError, ValueError):
            result.readings[name] = load_reading((folder / f"{name}.json").read_text(encoding="utf-8"))
        if name not in result.readings:
            hint = f"govhub hosts facts {result.hub.name} --limit {name}"
            result.problems.append(_problem("HST035", name, "there is no saved reading, or it is damaged", hint))
