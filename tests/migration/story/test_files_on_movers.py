"""File trees between two hosts by way of a mover host, which reaches both with SSH settings of its own."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NoReturn

import pytest

from govhub.core.settings import connections_file
from govhub.hosts.reach import Reach
from govhub.hosts.tunnel import Tunnel
from govhub.migration.movers.remote import SshRunner
from govhub.ops.migration import places
from govhub.ops.migration.status import one_system
from migration.city import SYSTEM
from migration.movers.shells import Pipe
from migration.story.doors import Door
from migration.story.test_between_hosts import Shelf, behind, pytestmark, shelf, tree  # noqa: F401 - fixtures

HOST = "node5"


class Host(Pipe):
    """A mover host on this machine."""

    def __init__(self, name: str, reach: Reach) -> None:
        self.name = name


@pytest.fixture
def far(shelf: Shelf, behind: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    root = tmp_path / "far"
    root.mkdir()

    def made(shell: Host, _: str, *more: Any) -> SshRunner:
        return SshRunner(shell, str(root), *more)

    def nobody(_: Tunnel) -> NoReturn:
        raise AssertionError("this machine stays out of it")

    monkeypatch.setattr(places, "Tunnel", Host)
    monkeypatch.setattr(places, "SshRunner", made)
    monkeypatch.setattr(Tunnel, "shared", nobody)
    # What the mover's login has in its own settings.
    own = f"-p {behind.port} -i {behind.folder / 'key'} -o UserKnownHostsFile={behind.folder / 'known'}"
    (tmp_path / "bin" / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh", path=os.defpath)} {own} "$@"\n')
    file = shelf.city.hub / "migration.yaml"
    entry = f"migration:\n  movers: [{{host: {HOST}, files: true}}]\n"
    file.write_text(file.read_text().replace("migration:\n", entry, 1))
    connections = json.loads(connections_file("mini").read_text())
    connections["hosts"][HOST] = {"address": "127.0.0.5", "user": "govhub"}
    connections_file("mini").write_text(json.dumps(connections))
    return root


@pytest.mark.slow
def test_a_tree_goes_by_the_mover_host_and_its_archives_stay_there(shelf: Shelf, far: Path) -> None:  # noqa: F811
    before = tree(shelf.old)
    shelf.to_acceptance()
    assert tree(shelf.new) == before
    verified = shelf.evidence("EnsureFinalVerification")
    assert (verified["verdict"], verified["coverage"]["files_with_digest"]) == ("pass", 7)
    assert one_system(str(shelf.city.hub), SYSTEM)["runs"][-1]["movers"] == {"papers": HOST}
    backup = shelf.evidence("EnsureBackup")
    assert (backup["mover"], backup["entries"]) == (HOST, len(list(shelf.old.rglob("*"))) + 1)
    place = far / "mini" / SYSTEM / "papers"
    assert [path.name.partition("-papers-")[2] for path in place.glob("*.gz")] == ["backup.tar.gz"]
    home = Path(os.environ["GOVHUB_HOME"])
    assert not list(home.rglob("*.tar.gz")), "archives lie on the mover host alone"
    assert not list(place.glob("work/*"))
    assert not list(home.rglob("*-listings"))


def test_a_host_that_the_mover_does_not_reach_is_found_before_anything_is_copied(
    shelf: Shelf,  # noqa: F811
    far: Path,
    tmp_path: Path,
) -> None:
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\necho 'Permission denied (publickey).' >&2; exit 255\n")
    found = shelf.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "MOV201" in found["reason"]
    assert not shelf.new.exists()
