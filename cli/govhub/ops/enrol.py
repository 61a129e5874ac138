"""``hosts enrol``: bare machines become hosts of the hub's files, as a change that is reviewed before it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import PolicyViolation, UsageError
from govhub.core.exits import Exit
from govhub.core.settings import today
from govhub.core.text import and_more, plural
from govhub.engine.lease import HubLock
from govhub.engine.state import State
from govhub.hosts.known import forget_key, key_is_known
from govhub.hosts.machines import Machine
from govhub.hosts.reach import reaches
from govhub.hosts.redfish import Controller
from govhub.inventory.editing.hosts import HOSTS, added, bound
from govhub.inventory.editing.trial import Trial, attempt, replace_files
from govhub.inventory.loader import Hub
from govhub.ops.controllers import Ask, act_on, authority_of, login_of, look_at
from govhub.ops.hostside import RECORDS, forget_note
from govhub.ops.load import valid_hub
from govhub.ops.matching import Match, matched
from govhub.ops.reach import state_bucket
from govhub.ops.targets import Target

BOUND = ("declared", "replaced", "moved")
"""Matches after which a host's machine is written down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """Machines to look at, and what to do about them."""

    hub: str
    targets: list[Target]
    replace: str = ""
    """The host that the one machine takes the place of."""
    network_boot: bool = False
    power: str = ""
    """``on``, ``off``, ``force-off`` or ``restart``."""
    confirm: tuple[str, ...] = ()
    """Hosts in service that may be switched off, restarted or started from the network."""
    forget_key: bool = False
    """Let go of the SSH host key of a machine that is replaced."""
    write: bool = False
    """Do it; without this, only say what would be done."""
    user: str = ""
    password_file: Path | None = None
    ask: Ask | None = None
    timeout: float = 20.0


@dataclass(slots=True, kw_only=True)
class EnrolResult:
    """What the machines are, what the hub's files would be, and what was done."""

    hub: str
    matches: list[Match]
    trial: Trial
    written: bool = False
    acted: list[str] = field(default_factory=list)
    """Controllers that took what they were asked to do."""
    wanted: list[str] = field(default_factory=list)
    """What they would be asked, as ``power on``."""
    stale_key: str = ""
    """After a replacement: the address whose SSH host key is still that of the machine before."""
    problems: list[Diagnostic] = field(default_factory=list)

    @property
    def exit(self) -> Exit:
        """INVALID when the change was refused, UNREACHABLE when a controller could not be read, else OK or FAILED."""
        codes = {item.code for item in self.problems if item.severity is Severity.ERROR}
        if self.trial.errors or any(code in ("BMC020", "BMC021", "BMC022") for code in codes):
            return Exit.INVALID
        if any(code in ("BMC010", "BMC011", "BMC012") for code in codes):
            return Exit.UNREACHABLE
        return Exit.FAILED if codes else Exit.OK

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.enrol/1",
            "hub": self.hub,
            "machines": [match.as_dict() for match in self.matches],
            "diff": self.trial.diff,
            "files": sorted(self.trial.after),
            "written": self.written,
            "actions": {"wanted": self.wanted, "done": self.acted},
            "stale_key": self.stale_key or None,
            "diagnostics": [item.as_dict() for item in self.problems],
        }


def enrol(request: EnrolRequest) -> EnrolResult:
    """Look at machines over Redfish, match them with the hub's hosts, and write what is new when that is wanted.

    A controller that does not answer, or a machine that cannot be matched, is a problem of the result; the others go
    on. Nothing is written when the hub would get an error that it has not now.

    Raises:
        UsageError: no login, or ``--replace`` with several machines.
        PolicyViolation: a machine in service would be interrupted and is not confirmed (BMC031).
        InvalidInput: the hub is not valid.
        LockHeld: a run works on the hub.
    """
    hub, _ = valid_hub(request.hub)
    if request.replace and len(request.targets) != 1:
        raise UsageError.one("USE001", "--replace takes one machine", hint="give one --bmc")
    login = login_of(hub, request.user, request.password_file, request.ask)
    problems = Diagnostics()
    with authority_of(hub) as authority:
        controllers = {
            one.bmc: Controller(one.bmc, login, authority=authority, timeout=request.timeout) for one in request.targets
        }
        seen = look_at(controllers.values())
        machines = {bmc: found for bmc, found in seen.items() if isinstance(found, Machine)}
        problems.extend(item for found in seen.values() if not isinstance(found, Machine) for item in found)
        matches = matched(hub, request.targets, machines, request.replace, problems)
        trial = _tried(hub, matches)
        result = EnrolResult(hub=hub.name, matches=matches, trial=trial)
        result.wanted = [*(["network boot once"] if request.network_boot else []), *_power(request.power)]
        problems.extend(trial.errors)
        if request.write and not trial.errors:
            _require_confirmation(request, matches)
            _write(hub, matches, trial)
            result.stale_key = _stale(hub, matches, forget=request.forget_key)
            result.written = bool(trial.after)
            ready = {match.bmc: controllers[match.bmc] for match in matches if match.status != "refused"}
            done = act_on(ready, network_boot=request.network_boot, power=request.power) if result.wanted else {}
            problems.extend(item for found in done.values() for item in found)
            result.acted = [bmc for bmc, found in done.items() if not found]
    result.problems = problems.sorted()
    return result


def _require_confirmation(request: EnrolRequest, matches: list[Match]) -> None:
    """A machine that is a host already has people's systems on it: each must be named before it is taken from them.

    Raises:
        PolicyViolation: one is not (BMC031); nothing was written or switched.
    """
    if not request.network_boot and request.power in ("", "on"):
        return
    serving = [match.name for match in matches if match.status in ("known", "moved")]
    if missing := [name for name in serving if name not in request.confirm]:
        raise PolicyViolation.one(
            "BMC031",
            f"{plural(len(missing), 'machine')} in service would be interrupted: {and_more(missing)}",
            hint=f"leave them out, or name each: --confirm {missing[0]} (--yes does not do)",
        )


def _power(action: str) -> list[str]:
    return [f"power {action}"] if action else []


def _tried(hub: Hub, matches: list[Match]) -> Trial:
    edits = bound(hub, {match.name: match.entry for match in matches if match.status in BOUND})
    edits += added(match.new for match in matches if match.new)
    return attempt(hub, {HOSTS: edits}, today())


def _write(hub: Hub, matches: list[Match], trial: Trial) -> None:
    """Write the files, and forget what was known of machines that are replaced."""
    state = State(hub.name, state_bucket(hub))
    with HubLock(state, "enrol", "hosts enrol"):
        if trial.after:
            replace_files(hub, trial.before, trial.after)
        for match in matches:
            if match.status == "replaced":
                # The next `up` finds no record, and provisions the machine from bare.
                state.remove(f"{RECORDS}{match.name}.json")
                forget_note(hub.name, match.name)


def _stale(hub: Hub, matches: list[Match], *, forget: bool) -> str:
    """The address of a replaced host whose SSH key on record is still that of the former machine; empty for none."""
    reached = reaches(hub).hosts
    found = [reach for match in matches if match.status == "replaced" and (reach := reached.get(match.name))]
    for reach in found:
        if key_is_known(reach) and not (forget and forget_key(reach)):
            return reach.address
    return ""
