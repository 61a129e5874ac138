"""Real mover hosts: `up` gives them the tools, and a backup of an old server is made and kept there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from govhub.core.exits import Exit
from govhub.core.settings import hub_home
from govhub.hosts.movers import FOLDER
from govhub.hosts.reach import reaches
from govhub.hosts.tunnel import Tunnel
from govhub.lab.hosts.sources import Content, OldServer
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.moving.engines.postgresql import dumped
from govhub.ops.load import valid_hub
from govhub.ops.migration.overssh import OverSsh, Sides
from govhub.ops.migration.places import FromMover, Place
from hosts.conftest import HostHub, lab_copy

pytestmark = pytest.mark.slow
SOURCE, SYSTEM = "old-edu-1", "school-enrolment"
MOVERS = {"node5", "node6"}
MIGRATIONS = f"""
migration:
  movers: [{{host: node5}}, {{host: node6}}]
sources:
  - {{name: {SOURCE}, tenant: education, lab: true}}
migrations:
  - system: {SYSTEM}
    moves:
      - {{name: db, kind: postgresql, source: {SOURCE}, database: enrol}}
"""


class Moving(HostHub):
    """Two mover hosts and an old server."""

    @property
    def server(self) -> OldServer:
        return OldServer(self.machine(SOURCE))

    def place(self, move: str = "db") -> Place:
        hub, _ = valid_hub(str(self.folder))
        reached = reaches(hub)
        tunnel = Tunnel(SOURCE, reached.sources[SOURCE], 5432)
        side = OverSsh(hub=hub.name, move=f"{SYSTEM}/db", tunnel=tunnel, database="enrol", port=5432)
        folder = hub_home(hub.name) / "archives" / SYSTEM
        return Place(hub=hub, reached=reached, system=SYSTEM, move=move, archives=folder, access=Sides(side, side))


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    with lab_copy("mini", tmp_path_factory) as folder:
        (folder / "migrations.yaml").write_text(MIGRATIONS, encoding="utf-8")
        made = Moving(folder)
        made.boot(2)
        made.server.install()
        made.server.postgresql("enrol", Content(rows=20_000), logical=True)
        yield made


def test_up_gives_mover_hosts_the_tools_and_a_private_folder(hub: Moving) -> None:
    result = hub.up()
    assert (result.status, result.exit, result.problems) == ("done", Exit.OK, [])
    for name in MOVERS:
        said = hub.inside(name, f"stat -c '%U %a' {FOLDER}; pg_dump --version; mariadb-dump --version; rsync --version")
        assert said.splitlines()[0] == "govhub 700"
        assert "pg_dump (PostgreSQL) 15" in said
    assert hub.up().status == "unchanged"
    assert {item.host: item.changed for item in hub.drift().hosts} == {}


def test_a_backup_of_the_old_server_is_made_and_kept_there(hub: Moving) -> None:
    place = hub.place()
    runner, access = place.runner(), place.access
    reached = FromMover(access, runner)
    try:
        assert reached.check() == []
        end = access.open().source
        assert end.host.startswith("/"), "this machine goes through a tunnel, the mover does not"
        path = place.archives / "r1-db-backup.dump"
        found = dumped(runner, Server(end, "backup"), path)
        there = f"{FOLDER}/mini/{SYSTEM}/db/r1-db-backup.dump"
        assert hub.inside("node5", f"stat -c '%U %a %s' {there}") == f"govhub 600 {found['bytes']}"
        assert hub.inside("node5", f"sha256sum {there}").split()[0] == found["sha256"]
        assert not path.exists()
        word = end.password
        assert word is not None
        assert hub.inside("node5", f"grep -rl {word.reveal()} {FOLDER} || true") == ""
    finally:
        reached.close()
