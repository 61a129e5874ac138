"""Real mover hosts: `up` gives them the tools, dumps of an old server are made there, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from govhub.core.errors import GovhubError
from govhub.core.exits import Exit
from govhub.core.settings import hub_home
from govhub.hosts.movers import FOLDER
from govhub.hosts.reach import reaches
from govhub.hosts.tunnel import Tunnel
from govhub.lab.hosts.sources import Content, OldServer
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.runner import Command
from govhub.migration.moving import archive
from govhub.migration.moving.engines.mariadb import MariadbMove
from govhub.migration.moving.engines.postgresql import dumped
from govhub.migration.sql.dsn import Engine
from govhub.ops.load import valid_hub
from govhub.ops.migration.overssh import OverSsh, Sides
from govhub.ops.migration.overssh_mariadb import MariadbOverSsh
from govhub.ops.migration.places import FromMover, Place, movers
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
      - {{name: office, kind: mariadb, source: {SOURCE}, database: office}}
"""
KILLED = """
import sys; from pathlib import Path
from hosts.test_mover_live import Moving, backup
backup(Moving(Path(sys.argv[1])).place(), Path(sys.argv[2]))
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
        access = Sides(side, side)
        if move == "office":
            tunnel = Tunnel(SOURCE, reached.sources[SOURCE], 3306)
            office = MariadbOverSsh(hub=hub.name, move=f"{SYSTEM}/{move}", tunnel=tunnel, database=move, port=3306)
            access = Sides(office, office, Engine.MARIADB)
        return Place(hub=hub, reached=reached, system=SYSTEM, move=move, archives=folder, access=access)

    def running(self, host: str) -> str:
        """What movers run on a host: their agents, and the tools that these started."""
        agents = self.inside(host, "pgrep -u govhub -a -f 'stdin.buffer.raw' || true")
        return agents + self.inside(host, "pgrep -a -x 'pg_dump|sleep' || true")


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    with lab_copy("mini", tmp_path_factory) as folder:
        (folder / "migrations.yaml").write_text(MIGRATIONS, encoding="utf-8")
        made = Moving(folder)
        made.boot(2)
        made.server.install()
        made.server.postgresql("enrol", Content(rows=20_000), logical=True)
        made.server.mariadb("office", Content(rows=500), binlog=True)
        yield made


def until(found: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return reached


def backup(place: Place, path: Path) -> dict[str, Any]:
    assert place.access
    reached = FromMover(place.access, place.runner())
    try:
        return dumped(reached.runner, Server(reached.open().source, "backup"), path)
    finally:
        reached.close()


def test_up_gives_mover_hosts_the_tools_and_a_private_folder(hub: Moving) -> None:
    result = hub.up()
    assert (result.status, result.exit, result.problems) == ("done", Exit.OK, [])
    for name in MOVERS:
        said = hub.inside(
            name,
            f"stat -c '%U %a' {FOLDER}; pg_dump --version; mariadb-dump --version; rsync --version; myloader --version",
        )
        assert said.splitlines()[0] == "govhub 700"
        assert "pg_dump (PostgreSQL) 15" in said
    assert hub.up().status == "unchanged"
    assert {item.host: item.changed for item in hub.drift().hosts} == {}


def test_commands_go_past_the_hardened_ssh_server_and_moves_are_spread(hub: Moving) -> None:
    runner = hub.place().runner()
    try:
        assert runner.where == "node5"
        done = runner.run(Command(arguments=("sh", "-c", "uname -n; id -un; cat; exit 3"), input=b"given"))
        assert (done.code, done.output) == (3, b"node5\ngovhub\ngiven")
        other = hub.place("office").runner()
        assert other.where == "node6", "the one that has no move yet"
        other.close()
        rows = {row["mover"]: row for row in movers(str(hub.folder))["movers"]}
        found = {name: (row["running"], row["moves"], row["problem"]) for name, row in rows.items()}
        assert found == dict.fromkeys(MOVERS, (0, 1, None))
    finally:
        runner.close()


def test_a_backup_of_the_old_server_is_made_and_kept_there(hub: Moving) -> None:
    place = hub.place()
    runner, access = place.runner(), place.access
    assert access
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


def test_a_mariadb_backup_is_made_there_too(hub: Moving) -> None:
    place = hub.place("office")
    runner, access = place.runner(), place.access
    assert access
    reached = FromMover(access, runner)
    try:
        assert reached.check() == []
        ends = access.open()
        path = place.archives / "r1-office-backup.sql.gz"
        found = MariadbMove("office", ends, runner).archive(path)
        assert (found["mover"], found["tables_with_rows"] > 2) == ("node6", True)
        there = f"{FOLDER}/mini/{SYSTEM}/office"
        assert hub.inside("node6", f"sha256sum {there}/{path.name}").split()[0] == found["sha256"]
        assert not path.exists()
        word = ends.source.password
        assert word is not None
        assert hub.inside("node6", f"grep -rl {word.reveal()} {there} || true") == ""
    finally:
        reached.close()


def test_a_controller_killed_in_a_dump_leaves_nothing_running_and_nothing_done(hub: Moving) -> None:
    lock = "LOCK TABLE people; SELECT pg_sleep(120)"
    hub.server.run(f"cd /; setsid runuser -u postgres -- psql -X -d enrol -c '{lock}' >/dev/null 2>&1 </dev/null &")
    path = hub.place().archives / "r2-db-backup.dump"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(hub.folder), str(path)], env=environment)
    try:
        assert until(lambda: "pg_dump" in hub.running("node5"), 60), process.poll()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert until(lambda: hub.running("node5") == "", 10), hub.running("node5")
    there = f"{FOLDER}/mini/{SYSTEM}/db"
    assert hub.inside("node5", f"ls {there}").split() == ["r1-db-backup.dump", "r2-db-backup.part"]
    place = hub.place()
    runner = place.runner()
    with pytest.raises(GovhubError):
        archive.look(runner, path)
    runner.close()
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE people%'"
    assert hub.server.psql(ended) == "t"
    found = backup(place, path)
    assert (found["mover"], found["tables_with_rows"] > 2) == ("node5", True)
    assert hub.inside("node5", f"ls {there}").split() == ["r1-db-backup.dump", "r2-db-backup.dump"]


def test_a_cut_network_ends_the_command_and_is_no_result(hub: Moving) -> None:
    runner = hub.place().runner()
    runner.run(Command(arguments=("true",)))
    errors: list[GovhubError] = []

    def run() -> None:
        try:
            runner.run(Command(arguments=("sleep", "417")))
        except GovhubError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert until(lambda: "sleep 417" in hub.running("node5"))
    for line in (
        "add table inet cut",
        "add chain inet cut incoming '{ type filter hook input priority -300; }'",
        "add rule inet cut incoming tcp dport 22 drop",
    ):
        hub.inside("node5", f"nft {line}")
    try:
        assert until(lambda: hub.running("node5") == "", 45), "the lease ran out"
        thread.join(60)
    finally:
        hub.inside("node5", "nft delete table inet cut")
    assert [error.diagnostics[0].code for error in errors] == ["MOV401"]
    again = runner.run(Command(arguments=("echo", "back")))
    assert (again.code, again.output) == (0, b"back\n")
    runner.close()
