"""The itineraries and phase functions of this version of govhub, and how older runs are carried over to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from govhub.core.errors import GovhubError
from govhub.migration.itinerary import itineraries
from govhub.migration.itinerary.itineraries import Itinerary, Phase
from govhub.migration.itinerary.outcome import Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.standing import RunStanding

PhaseFunction = Callable[[Context], Outcome]
Registry = Mapping[str, PhaseFunction]


@dataclass(frozen=True, slots=True)
class Carried:
    """How a run of an old version goes on under a newer one."""

    to: Itinerary
    phases: dict[str, str | None]
    """New name by old name; None for a phase that is gone."""
    passed: list[str]
    """New phases whose place the run has come past; they are not done."""


@dataclass(slots=True)
class Catalogue:
    """What this version knows."""

    known: dict[tuple[str, int], Itinerary]
    mappings: dict[tuple[str, int], itineraries.Mapping] = field(default_factory=dict)

    @classmethod
    def of(cls, all_of_them: Iterable[Itinerary], mappings: Iterable[itineraries.Mapping] = ()) -> Catalogue:
        """A catalogue of these."""
        return cls(
            {(item.name, item.version): item for item in all_of_them},
            {(item.name, item.version): item for item in mappings},
        )

    @classmethod
    def shipped(cls) -> Catalogue:
        """The one that ships."""
        return cls.of(itineraries.ALL, itineraries.MAPPINGS)

    def latest(self, name: str) -> Itinerary:
        """The newest version of an itinerary."""
        return max((item for item in self.known.values() if item.name == name), key=lambda item: item.version)

    def itinerary(self, run: RunStanding) -> Itinerary | None:
        """The itinerary of a run; None when only a newer version is here."""
        return self.known.get((run.itinerary, run.version))

    def carried(self, run: RunStanding) -> Carried:
        """The way of a run from its version to one that is here.

        Raises:
            GovhubError: there is no way (RUN014); nothing is changed.
        """
        version, names = run.version, {name: name for name in [*run.finished, *run.begun]}
        gone: set[str] = set()
        catch_up: set[str] = set()
        while (run.itinerary, version) not in self.known:
            step = self.mappings.get((run.itinerary, version))
            if step is None:
                raise _unknown(run, self.known)
            for old, name in names.items():
                if name in step.removed:
                    gone.add(old)
                names[old] = step.renamed.get(name, name)
            catch_up = {step.renamed.get(name, name) for name in catch_up} | set(step.catch_up)
            version += 1
        to = self.known[run.itinerary, version]
        phases = {old: None if old in gone else name for old, name in names.items()}
        return Carried(to, phases, _passed(to, run, phases, catch_up))

    def next_phase(self, run: RunStanding, registry: Registry) -> Phase | None:
        """The first phase that is not through; None at the end.

        Raises:
            GovhubError: this version has no function for it (RUN015), or lost the itinerary (RUN014).
        """
        itinerary = self.itinerary(run)
        if itinerary is None:
            raise _unknown(run, self.known)
        for phase in itinerary.of(run.facts):
            if phase.name in run.finished:
                continue
            if phase.name not in registry:
                raise GovhubError.one(
                    "RUN015",
                    f'run {run.id} has come to the phase "{phase.name}", which this govhub cannot do',
                    hint="nothing was changed: go on with the version that knows it, or add the phase to the registry",
                )
            return phase
        return None


def _passed(to: Itinerary, run: RunStanding, phases: Mapping[str, str | None], catch_up: set[str]) -> list[str]:
    done = {name for old, name in phases.items() if name and old in run.finished}
    order = [item.name for item in to.of(run.facts)]
    last = max((order.index(name) for name in done if name in order), default=-1)
    known = {name for name in phases.values() if name}
    return [name for name in order[: last + 1] if name not in known and name not in catch_up]


def _unknown(run: RunStanding, known: Iterable[tuple[str, int]]) -> GovhubError:
    versions = ", ".join(str(version) for name, version in sorted(known) if name == run.itinerary) or "none"
    return GovhubError.one(
        "RUN014",
        f"run {run.id} follows version {run.version} of the itinerary {run.itinerary}, which this govhub does not know",
        detail=f"known here: {versions}; it was begun by govhub {run.program or 'of an unknown version'}",
        hint="nothing was changed: go on with that version of govhub, or declare a mapping of its phases",
    )
