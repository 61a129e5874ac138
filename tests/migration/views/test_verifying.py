"""``migrate verify HUB SYSTEM`` of folders: both sides by the record, and evidence where a run is open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from govhub.cli.main import main
from govhub.core.errors import PolicyViolation
from govhub.ops.migration.records import opened
from govhub.ops.migration.verify import VerifyRequest
from govhub.ops.migration.verify_moves import verify_system
from migration.city import SYSTEM, City


def verify(city: City, *, enter: bool = True, **more: Any) -> dict[str, Any]:
    return verify_system(str(city.hub), SYSTEM, VerifyRequest(**more), enter=enter, clock=city.clock)


def events(city: City) -> int:
    with opened("mini", clock=city.clock) as record:
        return len(record.events(SYSTEM))


def test_before_anything_was_copied_there_is_nothing_to_compare(city: City) -> None:
    for _ in range(2):
        with pytest.raises(PolicyViolation) as caught:
            verify(city)
        assert caught.value.diagnostics[0].code == "VER008"
        # A rehearsal takes its copy away.
        assert city.run("rehearse")["state"] == "done"


def test_what_differs_is_named_and_voids_approvals(city: City) -> None:
    city.run("migrate")
    city.everybody_approves()
    count = events(city)
    assert verify(city, enter=False)["verdict"] == "pass"
    assert events(city) == count
    (city.target / "index.txt").write_text("6 forms\n")
    (city.source / "new.txt").write_text("x")
    (city.target / "odd.txt").write_text("x")
    found = verify(city)
    document = found["moves"][0]["document"]
    assert (found["verdict"], found["voids"], document["found"]) == (
        "differs",
        True,
        {"changed": 1, "missing": 1, "extra": 1},
    )
    assert {item["path"]: item["kind"] for item in document["differences"]} == {
        "index.txt": "changed",
        "new.txt": "missing",
        "odd.txt": "extra",
    }
    with opened("mini", clock=city.clock) as record:
        event = record.events(SYSTEM)[found["event"]]
    assert event.data["document"]["verdict"] == "differs"
    assert "index.txt" not in json.dumps(event.data)
    assert "missing" in city.run()["reason"]


def test_after_the_switch_the_target_is_held_against_the_frozen_source(city: City) -> None:
    city.run("migrate")
    city.everybody_approves()
    city.run()
    found = verify(city)
    assert (found["verdict"], found["switched"]) == ("pass", True)
    (city.target / "index.txt").write_text("7 forms\n")
    assert verify(city, named=1)["verdict"] == "differs"


def test_a_side_that_is_gone_could_not_be_verified(city: City) -> None:
    city.run("migrate")
    city.target.rename(city.target.with_name("elsewhere"))
    found = verify(city)
    assert found["verdict"] == "could not verify"
    assert "is not there" in found["moves"][0]["document"]["reasons"][0]


def test_the_command_takes_a_system_or_two_addresses(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    city.run("migrate")
    assert main(["migrate", "verify", str(city.hub), SYSTEM, "--no-record", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["event"]) == ("govhub.migrate-verify/1", None)
    assert main(["migrate", "verify", str(city.hub), SYSTEM, "--lang", "zh"]) == 0
    assert "已写入记录" in capsys.readouterr().out
    for words in (["mini"], [], ["mini", SYSTEM, "--source", "listing:a"], ["--source", "listing:a"]):
        assert main(["migrate", "verify", *words]) == 64
        assert "VER007" in capsys.readouterr().err
    assert main(["migrate", "verify", str(city.hub), "nothing"]) == 3
    assert "RUN013" in capsys.readouterr().err
