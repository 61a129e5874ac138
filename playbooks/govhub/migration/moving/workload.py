"""The steps of an application that goes to a workload of a cluster: its unit stops, and the workload takes over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from govhub.migration.itinerary.outcome import Done, Failed, NotYet, Outcome
from govhub.migration.itinerary.steps import Context, Step
from govhub.migration.moving.application import Unit

_SOON, _LATER = 2.0, 30.0
_ROLL_BACK = "roll-back"


class BootUnit(Unit, Protocol):
    """A unit that starts with its host, or does not."""

    def enabled(self) -> str:
        """``enabled``, ``disabled``, or what else systemd says."""

    def enable(self) -> None:
        """Have it start with its host."""

    def disable(self) -> None:
        """Have it not start with its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A workload as its cluster has it."""

    where: str
    """Cluster, namespace, kind and name."""
    there: bool
    differs: tuple[str, ...] = ()
    """What is other than declared, in words."""
    ready: int = 0
    wanted: int = 0
    why: str = ""
    """What the scheduler says about pods that wait."""

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return {"workload": self.where, "ready": self.ready, "wanted": self.wanted}


class Workload(Protocol):
    """A workload of a system; errors are :class:`govhub.core.errors.GovhubError`."""

    def standing(self) -> Standing:
        """How it stands."""

    def wake(self) -> int:
        """Have pods that are not ready begin anew, without the delay after many failures; how many there were."""


class WorkloadSteps:
    """See :class:`govhub.migration.itinerary.steps.Steps`.

    The workload is there before the cutover, but its database is closed to it: it cannot write until the switch.
    """

    def __init__(self, move: str, unit: BootUnit, workload: Workload) -> None:
        self._move, self._unit, self._workload = move, unit, workload

    def ensure(self, step: Step, context: Context) -> Outcome:
        """Do the step."""
        if context.rehearsal or step not in (Step.WRITES_STOPPED, Step.SWITCHED, Step.WRITES_ALLOWED):
            return self.look(step, context)
        more: dict[str, Any] = {}
        if step is Step.WRITES_ALLOWED:
            if self._unit.enabled() == "disabled":
                self._unit.enable()
            self._unit.start()
        else:
            self._unit.stop()
        if step is Step.SWITCHED:
            # A reboot of the old server must not bring a second writer.
            self._unit.disable()
            more = {"pods_woken": self._workload.wake()}
        return self._seen(more)

    def look(self, step: Step, context: Context) -> Outcome:
        """Whether it is so."""
        if step is Step.DEPLOYMENT:
            return self._deployed(context)
        if context.rehearsal:
            return Done()
        if step in (Step.SERVICE_TEST, Step.APPLICATION):
            return self._serves(context) if step is Step.SERVICE_TEST else self._can_begin()
        if step not in (Step.WRITES_STOPPED, Step.SWITCHED, Step.WRITES_ALLOWED):
            return Done()
        runs, boots = self._unit.state() in ("active", "activating", "reloading"), self._unit.enabled() == "enabled"
        wanted = step is Step.WRITES_ALLOWED
        if runs is not wanted or (boots is not wanted and step is not Step.WRITES_STOPPED):
            return Failed(f"{self._move}: {self._unit.name} is {self._unit.state()} and {self._unit.enabled()}")
        return self._seen()

    def close(self) -> None:
        """Let go of the host."""
        self._unit.close()

    def _can_begin(self) -> Outcome:
        state, boots = self._unit.state(), self._unit.enabled()
        if state != "active":
            return Failed(f"{self._move}: {self._unit.name} is {state} before anything was touched")
        if boots != "enabled":
            hint = "it must be enabled, so that it can be disabled at the switch and enabled by a roll-back"
            return Failed(f"{self._move}: {self._unit.name} is {boots}: {hint}; name the unit that starts at boot")
        return self._seen()

    def _deployed(self, context: Context) -> Outcome:
        now = self._workload.standing()
        if context.rehearsal:
            return Done({self._move: now.as_dict() | {"there": now.there, "note": "not touched by a rehearsal"}})
        if not now.there:
            return NotYet(f"{self._move}: {now.where} is not there: bring it up with `govhub up`", _LATER)
        if now.differs:
            words = "; ".join(now.differs)
            return NotYet(f"{self._move}: {now.where} is not as declared ({words}): `govhub up` makes it so", _LATER)
        return Done({self._move: now.as_dict()})

    def _serves(self, context: Context) -> Outcome:
        if context.itinerary == _ROLL_BACK:
            if (state := self._unit.state()) != "active":
                return Failed(f"{self._move}: {self._unit.name} is {state}: see `systemctl status` on its server")
            note = "the workload is still on the cluster: take it out of the hub's files when it is not tried again"
            return self._seen({"note": note})
        now = self._workload.standing()
        if not now.there or now.ready < now.wanted:
            why = f": {now.why}" if now.why else ""
            return NotYet(f"{self._move}: {now.ready} of {now.wanted} pods of {now.where} are ready{why}", _SOON)
        return Done({self._move: now.as_dict()})

    def _seen(self, more: dict[str, Any] | None = None) -> Done:
        found = {"unit": self._unit.name, "state": self._unit.state(), "at_boot": self._unit.enabled()}
        return Done({self._move: found | (more or {})})
