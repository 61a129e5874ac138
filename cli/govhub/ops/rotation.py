"""``hosts rotate``: raise generations in the hub's files, run the hosts concerned, and prove what they serve.

Any kill is recovered by the next `up`: the raised number is in the file, and a host that was not brought there yet
differs from it. Trust overlaps by a generation, and replication uses certificates, so no pair is ever locked out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput, UsageError
from govhub.core.settings import today
from govhub.core.text import and_more, did_you_mean
from govhub.engine.lease import HubLock
from govhub.hosts.runner import Play, PlayRequest
from govhub.inventory.editing.generations import raised
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.loader import Hub
from govhub.ops.hosts import problems_of
from govhub.ops.requests import RunRequest, RunResult, Selection
from govhub.ops.session import Session, open_session
from govhub.ops.up import up

PROOF = "prove.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateRequest:
    """What to renew: certificates and authority, passwords of all databases, or of some."""

    certificates: bool = False
    passwords: bool = False
    databases: tuple[str, ...] = ()
    """Names of databases; naming some means their passwords alone."""
    run: RunRequest
    """How to run; its selection is made here."""
    approve_edit: Callable[[str], bool] | None = None
    """Asked once, with the diff of the hub's files; None approves."""


@dataclass(slots=True, kw_only=True)
class RotateResult:
    """What was raised, what the run did, and for which hosts it is proven."""

    diff: str
    run: RunResult | None = None
    """None when the edit was declined."""
    proven: tuple[str, ...] = ()
    unproven: dict[str, str] = field(default_factory=dict)
    """Hosts for which it is not proven, with the reason."""

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.rotation/1",
            "diff": self.diff,
            "run": self.run.as_dict() if self.run else None,
            "proven": list(self.proven),
            "unproven": self.unproven,
        }


def rotate(request: RotateRequest) -> RotateResult:
    """Raise, run and prove.

    Raises:
        UsageError: nothing to renew was named.
        InvalidInput: the hub is not valid, a name is unknown, or no host concerned can be reached.
        LockHeld: a run works on the hub; nothing was written.
    """
    session = open_session(request.run.hub, with_key=True)
    names = _databases(session.hub, request)
    hosts = _concerned(session, request, names)
    if request.certificates:
        _require_reached(session)
    trial = _tried(session.hub, request, names)
    result = RotateResult(diff=trial.diff)
    if request.approve_edit and not request.approve_edit(result.diff):
        return result
    with HubLock(session.state, "rotate", "hosts rotate"):
        replace_files(session.hub, trial.before, trial.after)
    result.run = up(replace(request.run, selection=Selection(layers=("hosts",), hosts=hosts), approve=None, wait=0))
    if result.run.status != "interrupted":
        _prove(request.run.hub, hosts, result)
    return result


def _tried(hub: Hub, request: RotateRequest, names: tuple[str, ...]) -> Trial:
    trial = attempt(hub, raised(hub, certificates=request.certificates, databases=names), today())
    if trial.errors:
        raise InvalidInput(trial.errors)
    return trial


def _databases(hub: Hub, request: RotateRequest) -> tuple[str, ...]:
    declared = [database.name for database in hub.model.databases]
    for name in request.databases:
        if name not in declared:
            hint = did_you_mean(name, declared) or f"known: {', '.join(declared) or 'none'}"
            raise InvalidInput.one("HST042", f'there is no database "{name[:60]}"', hint=hint)
    wanted = tuple(dict.fromkeys(request.databases)) or tuple(declared if request.passwords else ())
    if not wanted and request.passwords:
        raise InvalidInput.one("HST042", f"{hub.name} declares no database", hint="leave out --passwords")
    if not wanted and not request.certificates:
        hint = "add --certificates, --passwords or --database NAME"
        raise UsageError.one("USE008", "nothing to renew was named", hint=hint)
    return wanted


def _concerned(session: Session, request: RotateRequest, names: tuple[str, ...]) -> tuple[str, ...]:
    """Hosts that a raised number changes, as far as they can be reached."""
    known = session.hosts.declared
    of_databases = {host for item in session.hub.model.databases if item.name in names for host in item.hosts}
    hosts = tuple(name for name in known if request.certificates or name in of_databases)
    if not hosts:
        hint = "give hosts their `addresses`, or boot some: govhub lab up HUB --hosts"
        raise InvalidInput.one("HST003", "no host of this hub can be reached", hint=hint)
    return hosts


def _require_reached(session: Session) -> None:
    """Trust overlaps by one generation: a host that missed the last change must not miss the next.

    Raises:
        InvalidInput: some recorded host has an older generation.
    """
    current = session.hub.model.baseline.certificates.generation
    behind = []
    for name, record in session.hosts.recorded.items():
        role = record["roles"].get("certificates")
        if role and role["options"].get("certificates_generation") != current:
            behind.append(name)
    if behind:
        text = f"not all hosts have certificates of generation {current} yet: {and_more(sorted(behind), 5)}"
        hint = "run `up` until they have, or retire them: a host that is two generations behind is trusted by nobody"
        raise InvalidInput.one("HST044", text, hint=hint)


def _prove(hub: str, hosts: tuple[str, ...], result: RotateResult) -> None:
    """Ask the servers themselves."""
    declared = open_session(hub).hosts.declared
    with tempfile.TemporaryDirectory(prefix="govhub-prove-") as folder:
        request = PlayRequest(hosts=tuple(declared[name] for name in hosts), folder=Path(folder), play=PROOF)
        play = Play(request)
        play.run()
    outcomes = play.outcomes.values()
    result.proven = tuple(item.host for item in outcomes if item.status == "done")
    result.unproven = {item.host: item.why or item.status for item in outcomes if item.status != "done"}
    if result.unproven and result.run:
        result.run.problems += problems_of(play, "hosts rotate")
        result.run.status = "failed"
