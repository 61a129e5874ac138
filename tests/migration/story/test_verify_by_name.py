"""`migrate verify HUB SYSTEM` on real servers, and what a wave shows of a copy that is under way."""

from __future__ import annotations

from typing import Any

import pytest

from govhub.cli.views.metrics import exposition
from govhub.core.errors import PolicyViolation
from govhub.core.settings import hub_home
from govhub.migration.itinerary.phases import verdict_of
from govhub.migration.record.standing import stand
from govhub.migration.verify.result import Rung
from govhub.ops.load import valid_hub
from govhub.ops.migration.figures import figures_of
from govhub.ops.migration.records import context_of, opened
from govhub.ops.migration.verify import VerifyRequest
from govhub.ops.migration.verify_moves import verify_system
from migration.city import SYSTEM
from migration.story.towns import Town
from migration.views.test_metrics import samples

pytestmark = pytest.mark.postgres


def verify(town: Town, *, enter: bool = True, **more: Any) -> dict[str, Any]:
    return verify_system(str(town.city.hub), SYSTEM, VerifyRequest(**more), enter=enter, clock=town.city.clock)


def gate_is_open(town: Town) -> bool:
    hub, _ = valid_hub(str(town.city.hub))
    with opened("mini", clock=town.city.clock) as record:
        events = record.events(SYSTEM)
        context = context_of(hub, SYSTEM, record)
        return verdict_of(context, stand(SYSTEM, events), events, "cutover").open


def test_a_system_is_verified_before_and_after_its_switch(town: Town) -> None:
    with pytest.raises(PolicyViolation) as caught:
        verify(town)
    assert caught.value.diagnostics[0].code == "VER008"
    town.source.query("enrolment", "INSERT INTO written SELECT 1, n, 0 FROM generate_series(1, 50) n")
    town.run("migrate")
    town.city.everybody_approves()
    assert gate_is_open(town)

    looked = verify(town, enter=False)
    assert (looked["verdict"], looked["switched"], looked["event"], looked["voids"]) == ("pass", False, None, False)
    assert gate_is_open(town)
    found = verify(town)
    assert (found["verdict"], found["voids"], found["moves"][0]["move"]) == ("pass", True, "register")
    with opened("mini", clock=town.city.clock) as record:
        event = record.events(SYSTEM)[found["event"]]
    assert (event.kind, event.data["what"]) == ("evidence-added", "verification")
    assert event.data["document"]["moves"][0]["digest"] == found["moves"][0]["document"]["digest"]
    # Who approved did not know of this.
    assert not gate_is_open(town)

    got = samples(exposition(figures_of(str(town.city.hub), clock=town.city.clock)))
    assert got["govhub_migration_copied_bytes", "mini", "register", SYSTEM] > 0
    assert got["govhub_migration_replication_lag_bytes", "mini", "register", SYSTEM] >= 0

    town.city.everybody_approves()
    town.run()
    after = verify(town, enter=False)
    assert (after["verdict"], after["switched"]) == ("pass", True)
    lost = "BEGIN READ WRITE; DELETE FROM written WHERE writer = 1 AND number = 7; COMMIT"
    town.source.query("enrolment", lost)
    after = verify(town, enter=False, depth=Rung.FULL)
    assert after["verdict"] == "differs"
    table = next(item for item in after["moves"][0]["document"]["tables"] if item["verdict"] == "differs")
    assert len(table["differences"]) == 1
    assert verify(town, enter=False, tables=("nothing",))["verdict"] == "could not verify"


def test_a_server_that_is_down_could_not_be_verified(town: Town) -> None:
    town.run("migrate")
    ends = hub_home("mini") / "endpoints.yaml"
    ends.write_text(ends.read_text().replace(str(town.target.port), "1"))
    ends.chmod(0o600)
    found = verify(town)
    assert (found["verdict"], found["moves"][0]["document"]) == ("could not verify", None)
    assert found["moves"][0]["reasons"]
    # What did not answer has no lag and no bytes.
    got = samples(exposition(figures_of(str(town.city.hub), clock=town.city.clock)))
    assert not [key for key in got if "register" in key]
    assert got["govhub_migration_run_state", "mini", "migrate", "waiting", SYSTEM] == 1
