"""Real mover hosts: `up` gives them the tools, a backup of an old server is made there, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

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
from govhub.ops.load import valid_hub
from govhub.ops.migration.overssh import OverSsh, Sides
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

    def tools(self, host: str) -> str:
        """The commands of movers that run on a host."""
        return self.inside(host, "pgrep -a 'pg_dump|python3' | grep -v unattended || true")


@pytest.fixture(scope="module")
def hub(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moving]:
    with lab_copy("mini", tmp_path_factory) as folder:
        (folder / "migrations.yaml").write_text(MIGRATIONS, encoding="utf-8")
        made = Moving(folder)
        made.boot(2)
        made.server.install()
        made.server.postgresql("enrol", Content(rows=20_000), logical=True)
        yield made


def until(found: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < deadline:
        time.sleep(0.3)
    return reached


def test_up_gives_mover_hosts_the_tools_and_a_private_folder(hub: Moving) -> None:
    result = hub.up()
    assert (result.status, result.exit, result.problems) == ("done", Exit.OK, [])
    for name in MOVERS:
        said = hub.inside(name, f"stat -c '%U %a' {FOLDER}; pg_dump --version; mariadb-dump --version; rsync --version")
        assert said.splitlines()[0] == "govhub 700"
        assert "pg_dump (PostgreSQL) 15" in said
    assert hub.up().status == "unchanged"
    assert {item.host: item.changed for item in hub.drift().hosts} == {}


def test_commands_run_there_past_the_hardened_ssh_server(hub: Moving) -> None:
    runner = hub.place().runner()
    assert runner.where == "node5"
    assert runner.run(Command(arguments=("cat", "/etc/hostname"))).output.strip() == b"node5"
    assert runner.run(Command(arguments=("id", "-un"))).output.strip() == b"govhub"
    assert hub.place("other").runner().where == "node6", "the one that holds nothing yet"
    rows = {row["host"]: row for row in movers(str(hub.folder))["movers"]}
    assert {name: (row["running"], row["problem"]) for name, row in rows.items()} == dict.fromkeys(MOVERS, (0, None))


def test_a_backup_of_the_old_server_is_made_and_kept_there(hub: Moving) -> None:
    place = hub.place()
    runner, access = place.runner(), place.access
    reached = FromMover(access, runner)
    try:
        assert reached.check() == []
        end = access.open().source
        assert end.host.startswith("/"), "this machine goes through a tunnel, the mover does not"
        path = place.archives / "r1-db-backup.dump"
        found = archive.make(runner, Server(end, "backup"), path)
        there = f"{FOLDER}/mini/{SYSTEM}/db/r1-db-backup.dump"
        assert hub.inside("node5", f"stat -c '%U %a %s' {there}") == f"govhub 600 {found['bytes']}"
        assert hub.inside("node5", f"sha256sum {there}").split()[0] == found["sha256"]
        assert not path.exists()
        word = end.password
        assert word is not None
        assert hub.inside("node5", f"grep -rl {word.reveal()} {FOLDER} || true") == ""
    finally:
        reached.close()


def test_a_controller_killed_in_a_dump_leaves_nothing_running_and_nothing_done(hub: Moving) -> None:
    lock = "BEGIN; SELECT 'LOCK TABLE ' || oid::regclass || ' IN ACCESS EXCLUSIVE MODE' FROM pg_class "
    lock += "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LIMIT 1 \\gexec\nSELECT pg_sleep(60);"
    hub.inside(SOURCE, f"printf '%s' \"{lock}\" >/tmp/lock.sql; chmod 644 /tmp/lock.sql")
    hub.inside(SOURCE, "nohup su postgres -c 'psql -X -d enrol -f /tmp/lock.sql' >/dev/null 2>&1 &")
    path = hub.place().archives / "r2-db-backup.dump"
    program = (
        "import sys; from pathlib import Path; from hosts.test_mover_live import Moving\n"
        "from govhub.migration.movers.postgresql.server import Server; from govhub.migration.moving import archive\n"
        "place = Moving(Path(sys.argv[1])).place()\n"
        "archive.make(place.runner(), Server(place.access.open().source, 'killed'), Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", program, str(hub.folder), str(path)], env=environment)
    try:
        assert until(lambda: "pg_dump" in hub.tools("node5")), hub.tools("node5")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert until(lambda: hub.tools("node5") == "", 10), hub.tools("node5")
    assert hub.inside("node5", f"ls {FOLDER}/mini/{SYSTEM}/db").split() == ["r1-db-backup.dump", "r2-db-backup.part"]
    place = hub.place()
    with pytest.raises(GovhubError):
        archive.look(place.runner(), path)
    hub.inside(
        SOURCE,
        'pkill -f lock.sql || true; su postgres -c "psql -Xc \\"SELECT pg_terminate_backend(pid) FROM '
        "pg_stat_activity WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()\\\"\"",
    )
    found = archive.make(place.runner(), Server(place.access.open().source, "again"), path)
    assert found["mover"] == "node5"
    place.access.close()


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
    assert until(lambda: hub.inside("node5", "pgrep -f '[s]leep 417' || true") != "")
    hub.inside(
        "node5", "nft add table inet cut; nft add chain inet cut all '{ type filter hook input priority -300; }'"
    )
    hub.inside("node5", "nft add rule inet cut all tcp dport 22 drop")
    try:
        assert until(lambda: hub.inside("node5", "pgrep -f '[s]leep 417' || true") == "", 45), "the lease ran out"
        thread.join(60)
    finally:
        hub.inside("node5", "nft delete table inet cut")
    assert [error.diagnostics[0].code for error in errors] == ["MOV401"]
    runner.close()
