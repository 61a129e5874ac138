"""A parked run outlives the version of govhub that began it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.core.errors import GovhubError
from govhub.migration.itinerary.catalogue import Catalogue
from govhub.migration.itinerary.driver import Plain
from govhub.migration.itinerary.engine import Engine, Progress, Subject
from govhub.migration.itinerary.fake import FakeSteps
from govhub.migration.itinerary.itineraries import Itinerary, Mapping, Phase
from govhub.migration.itinerary.outcome import Done, NotYet, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.standing import stand
from govhub.migration.record.store import Record
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import context_of, opened
from migration.city import SYSTEM, City

OLD = ("EnsureTarget", "EnsureCopy", "WaitForCopy", "EnsureSwitched", "WaitForSwitched")
NEW = ("EnsureTarget", "EnsureChecks", "EnsureData", "EnsureLimits", "EnsureSwitched", "WaitForSwitched")
ONE = Itinerary("migrate", 1, tuple(Phase(name=name) for name in OLD))
TWO = Itinerary("migrate", 2, tuple(Phase(name=name) for name in NEW))
# EnsureCopy is called EnsureData now, WaitForCopy is gone, and EnsureChecks and EnsureLimits are new.
STEP = Mapping(
    name="migrate",
    version=1,
    renamed={"EnsureCopy": "EnsureData"},
    removed=frozenset({"WaitForCopy"}),
    catch_up=frozenset({"EnsureLimits"}),
)


class World:
    """Phase functions that note what was done; some of them have to wait."""

    def __init__(self, *waits: str) -> None:
        self.done: list[str] = []
        self.waits = set(waits)

    def __getitem__(self, name: str) -> object:
        return self._do

    def __contains__(self, name: object) -> bool:
        return True

    def _do(self, context: Context) -> Outcome:
        if context.phase in self.waits:
            return NotYet("later", 60)
        self.done.append(context.phase)
        return Done({"did": context.phase})


@pytest.fixture
def record(city: City) -> Iterator[Record]:
    with opened("mini", clock=city.clock) as found:
        yield found


def go(
    city: City, record: Record, world: object, *itineraries: Itinerary, mappings: tuple[Mapping, ...] = ()
) -> Progress:
    engine = Engine(
        record,
        Plain(),
        "worker",
        catalogue=Catalogue.of(itineraries, mappings),
        functions=lambda _: world,  # type: ignore[arg-type, return-value]
    )
    hub, _ = valid_hub(str(city.hub))
    return engine.advance(Subject(context=context_of(hub, SYSTEM, record), steps=FakeSteps(), program="9"), "migrate")


def test_a_run_parked_under_version_1_is_finished_by_version_2(city: City, record: Record) -> None:
    world = World("EnsureSwitched")
    assert go(city, record, world, ONE).phase == "EnsureSwitched"
    assert world.done == ["EnsureTarget", "EnsureCopy", "WaitForCopy"]
    world.waits.clear()
    assert go(city, record, world, TWO, mappings=(STEP,)).state == "done"
    # What was renamed is not done again, what is gone is not missed, and what is new is done where it still can be.
    assert world.done[3:] == ["EnsureLimits", "EnsureSwitched", "WaitForSwitched"]
    mapped = [item for item in record.events(SYSTEM) if item.kind == "migration-run-mapped"]
    assert [item.data["passed"] for item in mapped] == [["EnsureChecks"]]
    assert mapped[0].data["phases"]["WaitForCopy"] is None


def test_a_run_parked_in_a_phase_that_is_gone_goes_on_with_the_next(city: City, record: Record) -> None:
    world = World("WaitForCopy")
    go(city, record, world, ONE)
    world.waits.clear()
    assert go(city, record, world, TWO, mappings=(STEP,)).state == "done"
    assert world.done == ["EnsureTarget", "EnsureCopy", "EnsureLimits", "EnsureSwitched", "WaitForSwitched"]


def test_an_old_version_that_is_still_here_is_followed_to_its_end(city: City, record: Record) -> None:
    world = World("WaitForSwitched")
    go(city, record, world, ONE)
    world.waits.clear()
    assert go(city, record, world, ONE, TWO, mappings=(STEP,)).state == "done"
    assert world.done == list(OLD)


def test_a_version_that_nobody_here_knows_is_told_with_a_way_out_and_nothing_is_lost(
    city: City, record: Record
) -> None:
    world = World("WaitForSwitched")
    seven = Itinerary("migrate", 7, ONE.phases)
    go(city, record, world, seven)
    before = record.events(SYSTEM)
    with pytest.raises(GovhubError) as caught:
        go(city, record, world, ONE, TWO, mappings=(STEP,))
    (found,) = caught.value.diagnostics
    assert (found.code, "version 7" in found.summary) == ("RUN014", True)
    assert "begun by govhub 9" in found.detail
    assert "go on with that version" in found.hint
    assert record.events(SYSTEM) == before
    world.waits.clear()
    assert go(city, record, world, seven).state == "done"


def test_an_unknown_phase_is_told_with_a_way_out_and_nothing_is_lost(city: City, record: Record) -> None:
    with pytest.raises(GovhubError) as caught:
        go(city, record, {"EnsureTarget": lambda _: Done()}, ONE)
    (found,) = caught.value.diagnostics
    assert found.code == "RUN015"
    assert '"EnsureCopy"' in found.summary
    run = stand(SYSTEM, record.events(SYSTEM)).run
    assert run is not None
    assert list(run.finished) == ["EnsureTarget"]
    assert go(city, record, World(), ONE).state == "done"


def test_every_shipped_phase_has_a_function() -> None:
    from govhub.migration.itinerary import itineraries
    from govhub.migration.itinerary.phases import registry

    known = registry(FakeSteps(), lambda _: pytest.fail("not asked"))
    names = {phase.name for item in itineraries.ALL for phase in item.phases}
    assert names <= set(known)
    # A version that is left behind needs a way forward.
    shipped = Catalogue.shipped()
    for item in itineraries.ALL:
        for version in range(1, item.version):
            assert (item.name, version) in shipped.known or (item.name, version) in shipped.mappings
