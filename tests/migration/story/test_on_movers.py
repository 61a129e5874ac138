"""A whole migration whose tools run on a mover host: the record says where, and its archives alone stay there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from govhub.hosts.reach import Reach, Reaches
from govhub.lab.postgres import PASSWORD
from govhub.migration.movers.remote import SshRunner
from govhub.ops.migration import places, plugged
from govhub.ops.migration.status import one_system
from migration.city import SYSTEM, City
from migration.movers.shells import Pipe
from migration.movers.writers import missing
from migration.story.towns import Town

pytestmark = pytest.mark.postgres
HOST = "node5"


class Host(Pipe):
    """A mover host on this machine."""

    def __init__(self, name: str, reach: Reach) -> None:
        self.name = name


@pytest.fixture
def far(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "far"
    root.mkdir()

    def made(shell: Host, _: str, *more: Any) -> SshRunner:
        return SshRunner(shell, str(root), *more)

    monkeypatch.setattr(places, "Tunnel", Host)
    monkeypatch.setattr(places, "SshRunner", made)
    monkeypatch.setattr(plugged, "reaches", lambda hub: Reaches({HOST: Reach("127.0.0.1", "govhub")}))
    file = town.city.hub / "migration.yaml"
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
    assert "the mover host node5 cannot connect" in found["reason"]
    assert not list(far.rglob("*.dump"))
