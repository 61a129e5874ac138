"""A system's whole way with real files, from the first look to the retired source, by durable runs."""

from __future__ import annotations

from migration.city import City


def test_a_system_is_rehearsed_migrated_accepted_and_its_source_retired(city: City) -> None:
    before = {str(path.relative_to(city.source)) for path in city.source.rglob("*") if path.is_file()}
    assert city.run("rehearse")["state"] == "done"
    assert not city.target.exists()

    parked = city.run("migrate")
    assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval")
    assert city.live.resolve() == city.source.resolve()
    city.everybody_approves()
    trial = city.run()
    assert (trial["state"], trial["phase"]) == ("waiting", "WaitForTrialRun"), trial
    assert city.live.resolve() == city.target.resolve()
    assert set(city.files()) == before

    city.clock.forward(days=29)
    assert city.run()["phase"] == "WaitForTrialRun"
    city.clock.forward(days=2)
    assert city.run()["phase"] == "WaitForAcceptance"
    city.everybody_approves()
    assert city.run()["state"] == "done"

    assert city.run("retire")["phase"] == "WaitForRetirementApproval"
    assert city.source.exists()
    city.everybody_approves()
    assert city.run()["state"] == "done"
    assert not city.source.exists()
    assert set(city.files()) == before
