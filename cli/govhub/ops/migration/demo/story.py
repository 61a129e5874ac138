"""The story, step by step: every figure is read from hosts, databases and the record as it goes."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from govhub.ops.migration import dossier
from govhub.ops.migration.assessing import AssessRequest, assess_portfolio
from govhub.ops.migration.demo.place import NEW, OLD, PEOPLE, SYSTEMS, Place, Played, unexpected
from govhub.ops.migration.records import opened

Facts = dict[str, Any]
Say = Callable[[str], None]
ACCEPTED, RETURNED = SYSTEMS
"""One comes through to the end, the other one is rolled back after its cutover."""
_PATIENCE = 90.0
"""Seconds for which a run that waits is looked at again."""
_AWHILE = 2.0
"""Seconds in which users write before somebody counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step that is through."""

    step: str
    about: str = ""
    """The system that it is done to, if it is one."""
    seconds: float
    facts: Facts = field(default_factory=dict)


class Story:
    """Tells each step to ``listener`` when it is through; what goes on in between, to ``say``."""

    def __init__(self, place: Place, papers: Path, say: Say, listener: Callable[[Told], None]) -> None:
        self._place, self._papers, self._say, self._listener = place, papers, say, listener
        self.steps: list[Told] = []
        self._switched: dict[str, float] = {}
        """When users came to write on the target, by the application's name."""

    def tell(self) -> list[Told]:
        """The whole story.

        Raises:
            GovhubError: it went otherwise (DEM001), or a step failed with a reason of its own.
        """
        everything = [played.system for played in SYSTEMS]
        for name, about, action in (
            ("boot", "", self._boot),
            ("fill", "", self._fill),
            ("up", "", self._up),
            ("assess", "", self._assess),
            ("rehearse", "", self._rehearse),
            ("copy", "", lambda: self._parked(everything, "migrate", "cutover")),
            ("approve", "", lambda: self._approve(everything)),
            ("cutover", ACCEPTED.system, lambda: self._cut_over(ACCEPTED)),
            ("cutover", RETURNED.system, lambda: self._cut_over(RETURNED)),
            ("roll-back", RETURNED.system, self._roll_back),
            ("acceptance", ACCEPTED.system, self._accept),
            ("retirement", ACCEPTED.system, self._retire),
            ("dossier", "", self._export),
        ):
            self.step(name, action, about)
        return self.steps

    def step(self, name: str, action: Callable[[], Facts], about: str = "") -> None:
        """One step, with its time."""
        begun = time.monotonic()
        facts = action()
        self.steps.append(Told(step=name, about=about, seconds=time.monotonic() - begun, facts=facts))
        self._listener(self.steps[-1])

    def _boot(self) -> Facts:
        found = self._place.boot(self._say)
        return {"hosts": ", ".join(f"{item['name']} ({item['address']})" for item in found)}

    def _fill(self) -> Facts:
        self._place.fill()
        time.sleep(_AWHILE)
        sizes = self._place.old.psql("SELECT sum(pg_database_size(datname)) FROM pg_database WHERE NOT datistemplate")
        return {"systems": ", ".join(played.system for played in SYSTEMS), "bytes": int(sizes)}

    def _up(self) -> Facts:
        result = self._place.up()
        if result.status != "done":
            raise unexpected(f"`up` of {NEW} is {result.status}", "; ".join(str(item) for item in result.problems))
        return {"wal_level": self._place.new.psql("SHOW wal_level")}

    def _assess(self) -> Facts:
        document = assess_portfolio(AssessRequest(hub=str(self._place.hub)))
        if document["summary"]["sources_read"] != 1:
            raise unexpected(f"{OLD} could not be read", str(document["findings"]))
        return {item["system"]: str(item["verdict"]) for item in document["systems"]}

    def _rehearse(self) -> Facts:
        for system, found in self._place.run(*(item.system for item in SYSTEMS), itinerary="rehearse").items():
            if found["state"] != "done":
                raise unexpected(f"the rehearsal of {system}", str(found))
        # Since the applications began: everything up to here stopped nobody.
        return {"longest_gap_seconds": max(self._gap(item, 0.0) for item in SYSTEMS)}

    def _parked(self, systems: list[str], itinerary: str, gate: str) -> Facts:
        word = gate.capitalize()
        for system, found in self._place.run(*systems, itinerary=itinerary).items():
            if (found["state"], found["phase"]) != ("waiting", f"WaitFor{word}Approval"):
                raise unexpected(f"{system} does not wait for its approval", str(found))
        return {"waiting": ", ".join(systems)}

    def _approve(self, systems: list[str]) -> Facts:
        for system in systems:
            self._place.everybody_approves(system)
        return {party.value: name for name, party in PEOPLE.items()}

    def _cut_over(self, played: Played) -> Facts:
        begun = time.time()
        self._through(played, ("waiting", "WaitForTrialRun"), ("waiting", "WaitForAcceptance"), wait=2)
        self._switched[played.name] = time.time()
        time.sleep(_AWHILE)
        written = [moment for moment in self._place.old.moments(played.name).values() if moment > begun]
        return {
            "longest_gap_seconds": self._gap(played, begun),
            "database_pause_seconds": self._evidence(played, "EnsureSwitched")["pause_seconds"],
            "verification": self._evidence(played, "EnsureFinalVerification")["verdict"],
            "writes_acknowledged": len(written),
            "writes_lost": self._lost(played, on_target=True),
        }

    def _roll_back(self) -> Facts:
        since = self._switched[RETURNED.name]
        there = self._place.new.entries("postgresql", RETURNED.name)
        written = {
            entry
            for entry, moment in self._place.old.moments(RETURNED.name).items()
            if moment > since and entry in there
        }
        begun = time.time()
        self._through(RETURNED, ("done", None), itinerary="roll-back")
        time.sleep(_AWHILE)
        return {
            "written_on_target": len(written),
            "preserved_on_source": len(written & set(self._place.old.entries("postgresql", RETURNED.name))),
            "writes_lost": self._lost(RETURNED, on_target=False),
            "longest_gap_seconds": self._gap(RETURNED, begun),
        }

    def _accept(self) -> Facts:
        # The trial run of seconds has to be over first.
        self._through(ACCEPTED, ("waiting", "WaitForAcceptance"))
        self._approve([ACCEPTED.system])
        self._through(ACCEPTED, ("done", None))
        return {"writes_lost": self._lost(ACCEPTED, on_target=True)}

    def _retire(self) -> Facts:
        self._parked([ACCEPTED.system], "retire", "retirement")
        self._approve([ACCEPTED.system])
        self._through(ACCEPTED, ("done", None))
        left = self._place.old.psql("SELECT datname FROM pg_database WHERE NOT datistemplate").splitlines()
        if ACCEPTED.name in left:
            raise unexpected("the old database is still there", ", ".join(left))
        return {
            "databases_left": ", ".join(sorted(left)),
            "writes_lost": self._lost(ACCEPTED, on_target=True),
        }

    def _export(self) -> Facts:
        out: Facts = {}
        for played in SYSTEMS:
            folder = self._papers / played.system
            written = dossier.export(str(self._place.hub), played.system, folder)
            checked = dossier.verify(folder)
            if not checked["intact"]:
                raise unexpected(f"the dossier of {played.system} is not intact", str(checked["problems"]))
            out[played.system] = f"{written['events']} events, {len(written['files'])} files, intact"
        return out | {"folder": str(self._papers)}

    def _through(self, played: Played, *wanted: tuple[str, str | None], itinerary: str = "", wait: float = 45) -> None:
        until = time.monotonic() + _PATIENCE
        while True:
            found = self._place.run(played.system, itinerary=itinerary, wait=wait)[played.system]
            if (found["state"], found["phase"]) in wanted:
                return
            # An application that is slow to come back is waited for, as `migrate run` by hand would be repeated.
            if found["state"] != "waiting" or time.monotonic() > until:
                raise unexpected(f"{played.system} did not come to {wanted[0][1] or 'its end'}", str(found))
            itinerary = ""
            time.sleep(1)

    def _lost(self, played: Played, *, on_target: bool) -> int:
        lost = self._place.lost(self._place.new if on_target else self._place.old, played)
        if lost:
            raise unexpected(f"{len(lost)} acknowledged writes of {played.system} are lost", ", ".join(lost[:5]))
        return len(lost)

    def _gap(self, played: Played, since: float) -> float:
        moments = sorted(self._place.old.moments(played.name).values())
        pairs = [(one, other) for one, other in itertools.pairwise(moments) if other > since]
        if not pairs:
            raise unexpected(f"{played.name} does not write", f"{len(moments)} writes in all")
        return round(max(other - one for one, other in pairs), 3)

    def _evidence(self, played: Played, phase: str) -> Facts:
        with opened(self._place.hub.name) as record:
            found = [
                item.data["evidence"]
                for item in record.events(played.system)
                if item.kind == "phase-finished" and item.data["phase"] == phase
            ]
        evidence: Facts = found[-1]["db"]
        return evidence
