"""A whole migration whose tools run on a mover host: the record says where, and its archives alone stay there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from govhub.hosts.reach import Reach, Reaches
from govhub.lab import mariadb
from govhub.lab.postgres import PASSWORD
from govhub.migration.movers.remote import SshRunner
from govhub.ops.migration import places, plugged
from govhub.ops.migration.status import one_system
from migration.city import SYSTEM, City
from migration.movers.shells import Pipe
from migration.movers.writers import missing
from migration.story import offices
from migration.story.offices import Office
from migration.story.towns import Town

pytestmark = pytest.mark.postgres
HOST = "node5"


class Host(Pipe):
    """A mover host on this machine."""

    def __init__(self, name: str, reach: Reach) -> None:
        self.name = name


@pytest.fixture
def far(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return declared(town.city, tmp_path, monkeypatch)


@pytest.fixture
def office_far(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return declared(office.city, tmp_path, monkeypatch)


def declared(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Declare the mover host; its disk."""
    root = tmp_path / "far"
    root.mkdir()

    def made(shell: Host, _: str, *more: Any) -> SshRunner:
        return SshRunner(shell, str(root), *more)

    monkeypatch.setattr(places, "Tunnel", Host)
    monkeypatch.setattr(places, "SshRunner", made)
    monkeypatch.setattr(plugged, "reaches", lambda hub: Reaches({HOST: Reach("127.0.0.1", "govhub")}))
    file = city.hub / "migration.yaml"
    file.write_text(file.read_text().replace("migration:\n", f"migration:\n  movers: [{{host: {HOST}}}]\n", 1))
    return root


def test_a_system_comes_onto_the_cloud_by_a_mover_host_and_its_archive_stays_there(
    town: Town, far: Path, city: City
) -> None:
    with town.writers() as writers:
        assert town.run("migrate")["phase"] == "WaitForCutoverApproval"
        city.everybody_approves()
        assert town.run()["phase"] == "WaitForAcceptance"
    assert missing(town.new, writers.acknowledged) == []
    status = one_system(str(city.hub), SYSTEM)
    assert status["runs"][-1]["movers"] == {"register": HOST}
    place = far / "mini" / SYSTEM / "register"
    assert [path.name.partition("-register-")[2] for path in place.glob("*.dump")] == ["backup.dump"]
    city.everybody_approves()
    assert town.run()["state"] == "done"
    assert town.run("retire")["phase"] == "WaitForRetirementApproval"
    city.everybody_approves()
    assert town.run()["state"] == "done"
    assert sorted(path.name.partition("-register-")[2] for path in place.glob("*.dump")) == [
        "archive.dump",
        "backup.dump",
    ]
    home = Path(os.environ["GOVHUB_HOME"])
    assert not list(home.rglob("*.dump")), "dumps lie on the mover host alone"
    assert not list(place.glob("work/*"))
    assert not [path for path in far.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


@pytest.mark.slow
def test_a_cancelled_move_takes_its_backup_with_it(town: Town, far: Path) -> None:
    town.run("migrate")
    assert list(far.rglob("*-backup.dump"))
    assert town.run("cancel")["state"] == "done"
    assert not list(far.rglob("*-backup.*"))
    assert not list(Path(os.environ["GOVHUB_HOME"]).rglob("*-backup.json"))


def test_a_server_that_the_mover_host_does_not_reach_is_found_before_anything_is_touched(town: Town, far: Path) -> None:
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    text = file.read_text()
    file.write_text(text.replace("{address:", "{link_host: 127.0.0.1, link_port: 1, address:", 1))
    found = town.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication"), found
    assert "the mover node5 cannot connect" in found["reason"]
    assert not list(far.rglob("*.dump"))


@pytest.mark.slow
@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_a_mariadb_database_is_copied_and_archived_by_the_mover_host(
    office: Office, office_far: Path, city: City
) -> None:
    with office.writers() as writers:
        parked = office.run("migrate")
        assert parked["phase"] == "WaitForCutoverApproval", parked["reason"]
        city.everybody_approves()
        assert office.run()["phase"] == "WaitForAcceptance"
    assert offices.missing(office.target, writers.acknowledged) == []
    assert offices.consistent(office.target)
    assert one_system(str(city.hub), SYSTEM)["runs"][-1]["movers"] == {"register": HOST}
    city.everybody_approves()
    assert office.run()["state"] == "done"
    assert office.run("retire")["phase"] == "WaitForRetirementApproval"
    city.everybody_approves()
    assert office.run()["state"] == "done"
    place = office_far / "mini" / SYSTEM / "register"
    names = sorted(path.name.partition("-register-")[2] for path in place.glob("*.gz"))
    assert names == ["archive.sql.gz", "backup.sql.gz"]
    home = Path(os.environ["GOVHUB_HOME"])
    assert not list(home.rglob("*.sql.gz")), "dumps lie on the mover host alone"
    word = mariadb.PASSWORD.encode()
    assert not [path for path in office_far.rglob("*") if path.is_file() and word in path.read_bytes()]


@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_a_mariadb_server_that_the_mover_host_does_not_reach_is_found(office: Office, office_far: Path) -> None:
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    file.write_text(file.read_text().replace("{address:", "{link_host: 127.0.0.1, link_port: 1, address:", 1))
    found = office.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication"), found
    assert "the mover node5 cannot connect" in found["reason"]
    assert not list(office_far.rglob("*.gz"))
