"""A source that is reached over SSH, and a unit that is stopped and started; OpenSSH itself is stood in for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from govhub.core.errors import GovhubError
from govhub.core.keys import HubKey
from govhub.hosts.reach import Reach
from govhub.hosts.tunnel import Tunnel
from govhub.lab.postgres import PASSWORD, Server, binaries, running
from govhub.ops.migration.overssh import OverSsh
from migration.city import SYSTEM, City
from migration.movers.pairs import SETTINGS
from migration.movers.writers import missing
from migration.story import stand_in
from migration.story.towns import DATABASE, Town

pytestmark = pytest.mark.postgres
ADDRESS = "127.0.0.2"


@pytest.fixture(scope="module")
def two() -> Iterator[tuple[Server, Server]]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with running(*SETTINGS, f"listen_addresses=127.0.0.1,{ADDRESS}") as source, running(*SETTINGS) as target:
        yield source, target


@pytest.fixture
def far(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source behind SSH, the target by its address; the folder in which units are."""
    place = tmp_path / "units"
    place.mkdir()
    (place / "register.service").write_text("active")
    stand_in.install(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(place))
    monkeypatch.setenv("WORD", PASSWORD)
    hub = town.city.hub / "migration.yaml"
    text = hub.read_text().replace("address: localhost", f"address: {ADDRESS}")
    text = text.replace(f"database: {DATABASE}}}", f"database: {DATABASE}, port: {town.source.port}}}")
    hub.write_text(text + "      - {name: app, kind: application, source: old-server, unit: register.service}\n")
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    file.write_text("".join(line for line in file.read_text().splitlines(keepends=True) if "source:" not in line))
    return place


def accounts(server: Server) -> str:
    return server.query("postgres", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^govhub_migration_'")


def test_a_source_behind_ssh_is_moved_and_nothing_of_the_move_stays(town: Town, far: Path, city: City) -> None:
    with town.writers() as writers:
        parked = town.run("migrate")
        assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval"), parked
        assert accounts(town.source) == "1"
        city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
    assert missing(town.new, writers.acknowledged) == []
    assert (far / "log").read_text().split() == ["stop", "start"]
    city.everybody_approves()
    assert town.run()["state"] == "done"
    assert town.run("retire")["phase"] == "WaitForRetirementApproval"
    city.everybody_approves()
    assert town.run()["state"] == "done"
    assert accounts(town.source) == "0"
    word = HubKey.of("mini").generate(f"migrations/{SYSTEM}/register/old-server", 1, 32).reveal().encode()
    home = Path(os.environ["GOVHUB_HOME"])
    assert not [path for path in home.rglob("*") if path.is_file() and word in path.read_bytes()]
    assert (home / "hubs/mini/archives" / SYSTEM).is_dir()


@pytest.mark.slow
def test_an_application_that_nobody_led_to_the_target_is_waited_for(town: Town, far: Path, city: City) -> None:
    town.run("migrate")
    city.everybody_approves()
    found = town.run(wait=4)
    assert (found["state"], found["phase"]) == ("waiting", "EnsureServiceTest"), found
    assert "has no session on" in found["reason"]
    with town.writers():
        assert town.run()["phase"] == "WaitForAcceptance"


def test_an_application_that_never_comes_to_the_target_goes_back_after_its_time(town: Town, far: Path) -> None:
    town.run("migrate")
    town.city.everybody_approves()
    assert town.run(wait=0)["phase"] == "EnsureServiceTest"
    town.city.clock.forward(minutes=31)
    back = town.run(wait=0)
    assert (back["itinerary"], back["phase"]) == ("roll-back", "EnsureServiceTest"), back
    (fired,) = town.events("return-triggered")
    assert (fired["trigger"], fired["action"]) == ("phase_overran", "return")
    with town.writers() as writers:
        assert town.run()["state"] == "done"
    assert missing(town.old, writers.acknowledged) == []
    assert (far / "log").read_text().split() == ["stop", "start", "stop", "start"]


@pytest.mark.slow
def test_a_cancelled_move_takes_its_account_with_it(town: Town, far: Path) -> None:
    town.run("migrate")
    assert town.run("cancel")["state"] == "done"
    assert accounts(town.source) == "0"
    assert (far / "register.service").read_text() == "active"


def test_a_unit_that_does_not_run_is_found_before_anything_is_touched(town: Town, far: Path) -> None:
    (far / "register.service").write_text("failed")
    found = town.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "register.service is failed" in found["reason"]
    assert accounts(town.source) == "0"


def test_servers_that_do_not_reach_each_other_are_found(town: Town, far: Path) -> None:
    tunnel = Tunnel("old-server", Reach(ADDRESS, "govhub"), town.source.port)
    side = OverSsh(hub="mini", move="a/b", tunnel=tunnel, database=DATABASE, port=town.source.port)
    try:
        end = side.open()
        assert side.reaches(end) is None
        nobody = OverSsh(hub="mini", move="a/c", tunnel=tunnel, database=DATABASE, port=town.source.port)
        nobody._make()
        wrong = type(end)(host="127.0.0.1", port=1, database=DATABASE, user="nobody")
        found = side.reaches(wrong)
        assert found is not None
        assert found.code == "MOV116"
        assert "removed" in side.release()
        nobody.release()
        assert accounts(town.source) == "0"
    finally:
        side.close()


def test_a_host_that_does_not_answer_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2\nexit 255\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(GovhubError) as caught:
        Tunnel("old", Reach("10.0.0.1", "govhub"), 5432).open()
    assert caught.value.diagnostics[0].code == "HST040"
    assert "Permission denied" in (caught.value.diagnostics[0].detail or "")
