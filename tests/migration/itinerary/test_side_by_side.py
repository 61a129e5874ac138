"""Several systems in one worker: side by side, and what happens to one is nobody else's matter."""

from __future__ import annotations

import threading
from collections import Counter

from govhub.inventory.loader import Hub
from govhub.migration.itinerary.fake import FakeSteps
from govhub.migration.itinerary.outcome import Failed, Outcome
from govhub.migration.itinerary.steps import Context, Step, Steps
from govhub.migration.record.standing import stand
from govhub.ops.migration.records import opened
from govhub.ops.migration.run import RunSystems, run_systems
from migration.city import City

NAMES = ("open-days", "school-enrolment", "social-aid")


class Meeting(FakeSteps):
    """Steps that end only when all systems are at them at once."""

    barrier = threading.Barrier(len(NAMES), timeout=60)

    def ensure(self, step: Step, context: Context) -> Outcome:
        if step is Step.TARGET:
            self.barrier.wait()
        if step is Step.BACKUP and context.system == "open-days":
            return Failed("the disk is full")
        return super().ensure(step, context)


def test_systems_go_on_side_by_side_and_stop_nobody_else(city: City) -> None:
    with (city.hub / "migration.yaml").open("a") as out:
        move = "{name: db, kind: postgresql, source: old-server, database: db}"
        out.writelines(f"  - {{system: {name}, moves: [{move}]}}\n" for name in NAMES if name != "school-enrolment")

    def steps(_: Hub, __: str) -> Steps:
        return Meeting()

    request = RunSystems(
        hub=str(city.hub), systems=NAMES, itinerary="migrate", steps=steps, clock=city.clock, workers=3
    )
    document = run_systems(request)
    assert document["summary"] == {"done": 0, "waiting": 2, "failed": 1, "refused": 0}
    assert document["systems"][0]["reason"] == "the disk is full"
    with opened("mini", clock=city.clock) as record:
        for name in NAMES:
            events = record.events(name)
            phases = Counter(item.data["phase"] for item in events if item.kind == "phase-finished")
            assert set(phases.values()) == {1}
            assert stand(name, events).run is not None
