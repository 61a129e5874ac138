"""Where the tools of a move run: declared, spread by what hosts have to do, and kept as long as the move lasts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govhub.core.errors import GovhubError, TargetUnreachable
from govhub.core.secrets import Secret
from govhub.hosts.reach import Reach, Reaches
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import MoverPlace
from govhub.lab.postgres import PASSWORD, Server, binaries, running
from govhub.migration.movers.afar import Load
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql.server import Server as PgServer
from govhub.migration.movers.remote import SshRunner
from govhub.migration.movers.runner import HERE, Command, LocalRunner
from govhub.migration.moving import archive
from govhub.migration.moving.ends import Ends
from govhub.migration.moving.engines.postgresql import dumped
from govhub.ops.load import valid_hub
from govhub.ops.migration import places
from govhub.ops.migration.places import FromMover, Place, least_busy, movers
from migration.city import SYSTEM, City
from migration.movers.shells import Pipe

MOVERS = ("node5", "node6")
GONE: set[str] = set()
REACHED = Reaches({name: Reach("127.0.0.1", "govhub") for name in MOVERS})


class Host(Pipe):
    """A mover host on this machine; a name in ``GONE`` does not answer."""

    def __init__(self, name: str, reach: Reach) -> None:
        self.name = name

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        if self.name in GONE:
            raise TargetUnreachable.one("HST040", f"{self.name} is not reached over SSH")
        return super().begin(*words)


class Access:
    """Two ends that are reached by their addresses."""

    def __init__(self, *ends: Endpoint) -> None:
        self.ends = ends or (Endpoint(host="127.0.0.1", port=1, database="d", user="u"),) * 2

    def open(self) -> Ends:
        return Ends(source=self.ends[0], target=self.ends[-1])

    def check(self) -> list[Any]:
        return []

    def release(self) -> dict[str, object]:
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Each host has a disk of its own."""
    for name in MOVERS:
        (tmp_path / "far" / name).mkdir(parents=True)

    def made(shell: Host, _: str, *more: Any) -> SshRunner:
        return SshRunner(shell, str(tmp_path / "far" / shell.name), *more)

    monkeypatch.setattr(places, "Tunnel", Host)
    monkeypatch.setattr(places, "SshRunner", made)
    monkeypatch.setattr(places, "reaches", lambda hub: REACHED)
    yield tmp_path / "far"
    GONE.clear()


def declare(city: City, text: str) -> Hub:
    city.write(rules=f"trial_days: 0\n  movers: {text}")
    return valid_hub(str(city.hub))[0]


def placed(hub: Hub, folder: Path, move: str = "register", access: Access | None = None) -> Place:
    return Place(
        hub=hub, reached=REACHED, system=SYSTEM, move=move, archives=folder / "archives", access=access or Access()
    )


BOTH = "[{host: node5, slots: 2}, {host: node6, slots: 2}]"


def test_without_movers_everything_runs_here_and_nobody_is_contacted(city: City, tmp_path: Path) -> None:
    hub = valid_hub(str(city.hub))[0]
    runner = placed(hub, tmp_path).runner()
    assert runner.where == HERE
    assert runner.run(Command(arguments=("true",))).code == 0
    assert not list((tmp_path / "archives").glob("*.mover"))


def test_moves_are_spread_and_stay_where_they_were_put(city: City, far: Path, tmp_path: Path) -> None:
    hub = declare(city, BOTH)
    found = {}
    for move in ("a", "b", "c", "d"):
        found[move] = placed(hub, tmp_path, move).runner().where
    assert found == {"a": "node5", "b": "node6", "c": "node5", "d": "node6"}
    assert {move: placed(hub, tmp_path, move).runner().where for move in found} == found
    # A worker on another machine has no note; the host has the place.
    assert placed(hub, tmp_path / "elsewhere", "b").runner().where == "node6"


class Cluster(LocalRunner):
    """Jobs of a cluster, as far as they are places."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.where, self.folder_ = "cluster/main", folder

    def look(self) -> Load:
        return Load(running=0, places=len(list(self.folder_.glob("*"))), here=False, free=None)

    def claim(self) -> None:
        (self.folder_ / str(time.monotonic())).touch()


def test_a_cluster_is_a_place_beside_hosts(
    city: City, far: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "volumes").mkdir()
    monkeypatch.setattr(places, "job_runner", lambda *_: Cluster(tmp_path / "volumes"))
    image = "registry.mini.gov.internal/lab/postgres:15"
    hub = declare(city, f"[{{host: node5, slots: 1}}, {{cluster: main, image: '{image}', slots: 2}}]")
    found = {move: placed(hub, tmp_path, move).runner().where for move in ("a", "b", "c")}
    assert found == {"a": "cluster/main", "b": "node5", "c": "cluster/main"}
    assert {move: placed(hub, tmp_path, move).runner().where for move in found} == found
    rows = {row["mover"]: (row["host"], row["cluster"], row["free_bytes"]) for row in movers(str(city.hub))["movers"]}
    assert rows["cluster/main"] == (None, "main", None), "unknown is no zero"


def test_the_least_busy_host_for_its_slots_is_taken() -> None:
    three = [MoverPlace(host=name, slots=slots) for name, slots in (("a", 1), ("b", 4), ("c", 4))]
    idle = Load(running=0, places=0, here=False, free=1)
    assert least_busy(three, {"a": idle, "b": idle, "c": idle}) == "a"
    busy = {"a": Load(1, 1, False, 1), "b": Load(2, 9, False, 1), "c": Load(3, 1, False, 1)}
    assert least_busy(three, busy) == "b"
    assert least_busy(three, {"a": Load(0, 2, False, 1), "b": Load(0, 4, False, 1)}) == "b"


def test_a_mover_that_is_for_other_systems_is_not_used(city: City, far: Path, tmp_path: Path) -> None:
    hub = declare(city, "[{host: node5, systems: [social-aid]}]")
    assert placed(hub, tmp_path).runner().where == HERE


def test_a_host_that_does_not_answer_is_passed_over_and_kept_when_it_holds_the_move(
    city: City, far: Path, tmp_path: Path
) -> None:
    hub = declare(city, BOTH)
    GONE.add("node5")
    assert placed(hub, tmp_path, "new").runner().where == "node6"
    GONE.clear()
    GONE.add("node6")
    runner = placed(hub, tmp_path, "new").runner()
    assert runner.where == "node6"
    with pytest.raises(TargetUnreachable):
        runner.run(Command(arguments=("true",)))
    GONE.add("node5")
    with pytest.raises(GovhubError) as caught:
        _ = placed(hub, tmp_path, "other").runner().where
    assert [item.code for item in caught.value.diagnostics] == ["HST040", "HST040"]


def test_archives_on_a_host_that_is_declared_no_more_are_not_forgotten(city: City, far: Path, tmp_path: Path) -> None:
    hub = declare(city, BOTH)
    place = placed(hub, tmp_path)
    assert place.runner().where == "node5"
    other = declare(city, "[{host: node6}]")
    assert placed(other, tmp_path).runner().where == "node6", "nothing lay there"
    (tmp_path / "archives" / "1-register-backup.json").write_text('{"mover": "node5"}')
    (tmp_path / "archives" / "register.mover").unlink()
    with pytest.raises(GovhubError) as caught:
        _ = placed(other, tmp_path).runner().where
    assert caught.value.diagnostics[0].code == "MOV404"
    # A run that was parked before there were movers goes on where its archives are.
    (tmp_path / "archives" / "1-register-backup.json").write_text('{"sha256": "0"}')
    assert placed(other, tmp_path).runner().where == HERE


def test_what_movers_have_to_do_is_asked_of_them(city: City, far: Path, tmp_path: Path) -> None:
    hub = declare(city, "[{host: node5, slots: 3}, {host: node6}]")
    placed(hub, tmp_path).runner().fresh(tmp_path / "archives" / "x")
    GONE.add("node6")
    first, second = movers(str(city.hub))["movers"]
    assert (first["mover"], first["slots"], first["running"], first["moves"]) == ("node5", 3, 0, 1)
    assert first["free_bytes"] > 0
    assert (second["running"], second["free_bytes"]) == (None, None), "unknown is no zero"
    assert "not reached" in second["problem"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed")
    with running() as found:
        found.database("old")
        found.query("old", "CREATE TABLE t AS SELECT g, repeat('x', 200) AS x FROM generate_series(1, 20000) g")
        yield found


def end(server: Server, **more: Any) -> Endpoint:
    known: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "database": "old", "user": "govhub"}
    return Endpoint(**(known | {"password": Secret(PASSWORD)} | more))


@pytest.mark.postgres
def test_a_mover_that_does_not_reach_a_server_is_found_before_anything_is_touched(
    city: City, far: Path, tmp_path: Path, server: Server
) -> None:
    hub = declare(city, BOTH)
    # The near end of a tunnel means nothing on the host; the link does.
    good = Access(end(server, host="/nowhere", link_host="127.0.0.1", link_port=server.port))
    place = placed(hub, tmp_path, access=good)
    assert FromMover(good, place.runner()).check() == []
    bad = Access(end(server), end(server, host="localhost", link_host="127.0.0.1", link_port=1))
    found = FromMover(bad, placed(hub, tmp_path, access=bad).runner()).check()
    assert [item.code for item in found] == ["MOV403"]
    assert PASSWORD not in str(found)


@pytest.mark.postgres
def test_a_backup_lies_on_the_host_and_its_digest_here(city: City, far: Path, tmp_path: Path, server: Server) -> None:
    access = Access(end(server))
    runner = placed(declare(city, BOTH), tmp_path, access=access).runner()
    path = tmp_path / "archives" / "r1-register-backup.dump"
    found = dumped(runner, PgServer(end(server), "test"), path)
    assert (found["mover"], found["tables_with_rows"]) == ("node5", 1)
    there = far / "node5" / "mini" / SYSTEM / "register" / path.name
    assert (there.stat().st_size, there.stat().st_mode & 0o777) == (found["bytes"], 0o600)
    assert not path.exists()
    assert archive.look(runner, path) == found
    assert dumped(runner, PgServer(end(server), "test"), path) == found, "once for each path"
    there.write_bytes(b"changed")
    with pytest.raises(GovhubError, match="is not what was written"):
        archive.look(runner, path)
    with pytest.raises(GovhubError, match="movers run on controller now"):
        archive.look(LocalRunner(), path)
    archive.remove_all(runner, path.parent, "*-register-backup")
    assert not there.exists()
    assert not list(path.parent.glob("*.json"))


@pytest.mark.postgres
def test_a_controller_killed_in_a_dump_leaves_no_process_and_nothing_that_counts_as_done(
    city: City, far: Path, tmp_path: Path, server: Server
) -> None:
    hub = declare(city, BOTH)
    access = Access(end(server))
    runner = placed(hub, tmp_path, access=access).runner()
    path = tmp_path / "archives" / "r1-register-backup.dump"
    there = far / "node5" / "mini" / SYSTEM / "register"
    with psycopg.connect(server.address("old")) as lock:
        # A dump waits for this lock as long as it is held.
        lock.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "WORD": PASSWORD}
        words = [str(far / "node5"), f"mini/{SYSTEM}/register", str(tmp_path / "archives"), str(server.port), str(path)]
        process = subprocess.Popen([sys.executable, "-m", "migration.movers.dumper", *words], env=environment)
        assert until(lambda: dumps(server) == 1, 30)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert until(lambda: processes(f"{there}/r1-register-backup.part") == [], 10)
        assert not (there / path.name).exists()
        with pytest.raises(GovhubError):
            archive.look(runner, path)
    found = dumped(runner, PgServer(end(server), "test"), path)
    assert archive.look(runner, path) == found
    assert [item.name for item in there.glob("r1*")] == [path.name]


def dumps(server: Server) -> int:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'dumper' AND wait_event_type = 'Lock'"
    return int(server.query("postgres", query))


def processes(word: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if word.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def until(found: Callable[[], bool], seconds: float) -> bool:
    limit = time.monotonic() + seconds
    while not (reached := found()) and time.monotonic() < limit:
        time.sleep(0.1)
    return reached
