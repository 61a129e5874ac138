"""Limits of the hub's files reach the moves of runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from govhub.core.errors import InvalidInput
from govhub.inventory.loader import Hub
from govhub.migration.movers.files.rsync import Place
from govhub.migration.movers.protocol import Limits
from govhub.migration.movers.runner import LocalRunner
from govhub.migration.moving.tree import Tree
from govhub.ops.load import valid_hub
from govhub.ops.migration.limiting import limits_of, sharing
from govhub.ops.migration.plugged import steps_of
from migration.city import SYSTEM, City
from migration.story.towns import DATABASE, Town, at

MIB = 1 << 20
# About 10 MB.
PAPERS = (
    "CREATE TABLE papers (id int PRIMARY KEY, t text)",
    "INSERT INTO papers SELECT g, repeat(md5(g::text), 32) FROM generate_series(1, 10000) g",
    "GRANT ALL ON papers TO app",
)
SECOND = """  - system: open-days
    moves:
      - {name: register, kind: postgresql, source: old-server, database: days, to_database: days}
"""


def declared(city: City, rules: str, source: str, more: str = "") -> Hub:
    """The city with a database instead of its folder, and limits for all sources and for its own."""
    city.write(rules=f"limits: {{{rules}}}")
    file = city.hub / "migration.yaml"
    head, _, _ = file.read_text(encoding="utf-8").partition("    moves:")
    head = head.replace("address: localhost}", f"address: localhost, limits: {{{source}}}}}")
    move = "      - {name: register, kind: postgresql, source: old-server, database: enrolment}\n"
    unit = "      - {name: web, kind: application, source: old-server, unit: web.service}\n"
    file.write_text(f"{head}    moves:\n{move}{unit}{more}", encoding="utf-8")
    return valid_hub(str(city.hub))[0]


def limits(hub: Hub) -> Limits:
    migration = next(item for item in hub.model.migrations if item.system == SYSTEM)
    return limits_of(hub, migration.moves[0])


def test_a_source_has_its_own_limits_and_else_those_of_all(city: City) -> None:
    hub = declared(
        city, "bandwidth: 20Mi, active_sessions: 5, pressure: 30, retained: 4Gi", "active_sessions: 0, parallel: 1"
    )
    expected = Limits(parallel=1, bandwidth=20 * MIB, active_sessions=0, pressure=30, retained=4096 * MIB)
    assert limits(hub) == expected
    assert limits(declared(city, "", "")) == Limits()


def test_systems_that_move_from_one_source_share_its_bandwidth(city: City) -> None:
    hub = declared(city, "bandwidth: 20Mi", "", SECOND)
    assert (sharing(hub, "old-server"), limits(hub).bandwidth) == (2, 10 * MIB)
    hub = declared(city, "bandwidth: 20Mi", "", SECOND.replace("    moves", "    strategy: retain\n    moves"))
    assert limits(hub).bandwidth == 20 * MIB


def test_a_bandwidth_without_its_unit_is_found(city: City) -> None:
    with pytest.raises(InvalidInput) as caught:
        declared(city, "bandwidth: 20", "bandwidth: 1023")
    assert [item.code for item in caught.value.diagnostics] == ["MIG024", "MIG024"]
    with pytest.raises(InvalidInput):
        declared(city, "bandwidth: 0", "")
    with pytest.raises(InvalidInput):
        declared(city, "active_sessions: -1", "")


def test_trees_of_hosts_have_them_too(city: City, tmp_path: Path) -> None:
    hub = declared(city, "bandwidth: 20Mi, parallel: 3", "")
    file = city.hub / "migration.yaml"
    lines = file.read_text(encoding="utf-8").replace("address: localhost", "address: 10.255.0.9")
    line = "      - {name: papers, kind: files, source: old-server, path: /srv/papers, to: node1}\n"
    file.write_text(lines + line, encoding="utf-8")
    hub = valid_hub(str(city.hub))[0]
    move = hub.model.migrations[0].moves[-1]
    assert move.name == "papers"
    ends = Place(path="/srv/papers"), Place(path="/srv/papers", ours=True)
    tree = Tree("papers", "papers", lambda: ends, tmp_path, LocalRunner(tmp_path), lambda: None, limits_of(hub, move))
    for rehearsal in (False, True):
        assert tree.mover(rehearsal=rehearsal).options.limits == Limits(parallel=3, bandwidth=20 * MIB)


def test_a_run_keeps_the_bandwidth_of_the_files(town: Town) -> None:
    town.begin()
    for statement in PAPERS:
        town.source.query(DATABASE, statement)
    town.declare(trial=0, pause=60, rules="limits: {bandwidth: 4Mi}")
    times: list[float] = []

    def note() -> None:
        times.append(time.monotonic())

    assert town.run("rehearse", steps=at(EnsureDatabaseCopy=note, WaitForDatabaseCopy=note))["state"] == "done"
    begun, ended = times
    # 10 MB at 4 MB a second; without a limit it is a fraction of a second.
    assert ended - begun > 2.3


def test_a_run_pauses_its_copy_while_people_work_on_the_source(town: Town) -> None:
    town.begin()
    for statement in PAPERS:
        town.source.query(DATABASE, statement)
    town.declare(trial=0, pause=60, rules="limits: {active_sessions: 0}")
    ended = threading.Event()

    def work() -> None:
        with psycopg.connect(town.source.address("postgres"), autocommit=True) as connection:
            while not ended.is_set():
                connection.execute("SELECT pg_sleep(0.2)")

    clerk, run = threading.Thread(target=work), threading.Thread(target=lambda: town.run("rehearse"))
    clerk.start()
    try:
        run.start()
        end = time.monotonic() + 30
        while not any(item["phase"] == "EnsureDatabaseCopy" for item in town.events("phase-started")):
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(1.5)
        assert town.target.query(f"{DATABASE}_rehearsal", "SELECT count(*) FROM papers").strip() == "0"
        assert not any(item["phase"] == "EnsureDatabaseCopy" for item in town.events("phase-finished"))
    finally:
        ended.set()
        clerk.join()
    run.join(60)
    assert town.city.run()["problems"][0]["code"] == "RUN011", "it is through"
    assert any(item["phase"] == "EnsureDatabaseCopy" for item in town.events("phase-finished"))


def test_steps_of_a_system_are_made_with_them(town: Town) -> None:
    town.begin()
    town.declare(trial=0, pause=60, rules="limits: {bandwidth: 4Mi, active_sessions: 7, parallel: 5}")
    hub = valid_hub(str(town.city.hub))[0]
    steps: Any = steps_of(hub, SYSTEM)
    try:
        mover = steps.parts[0].part.data(rehearsal=False).mover
        assert mover.options.limits == Limits(bandwidth=4 * MIB, active_sessions=7, parallel=5)
    finally:
        steps.close()
