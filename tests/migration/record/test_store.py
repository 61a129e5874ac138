"""The record: appended once, in order, by whoever comes first; damage is found and named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from govhub.core.errors import GovhubError, InvalidInput
from govhub.lab.postgres import PASSWORD, Server, binaries, running
from govhub.migration.record.store import Database, Record
from migration.city import Clock

Open = Callable[[], Record]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with running() as found:
        yield found


@pytest.fixture(params=["file", pytest.param("postgresql", marks=pytest.mark.postgres)])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same record anew, as another process would."""
    address = str(tmp_path / "record.db")
    if request.param == "postgresql":
        address = request.getfixturevalue("server").database("chains")
    made: list[Record] = []

    def again() -> Record:
        made.append(Record(Database(address), "mini"))
        return made[-1]

    yield again
    for record in made:
        record.database.close()


def test_events_are_chained_and_read_back_by_another_process(opened: Open) -> None:
    record = opened()
    for number in range(5):
        record.append("phase-started", "portal", {"n": number, "文": "字"}, key=f"k{number}", decisive=number == 3)
    record.append("phase-started", "other", {}, key="k0")
    found = opened().events("portal")
    assert [item.data["n"] for item in found] == [0, 1, 2, 3, 4]
    assert [item.seq for item in found] == [0, 1, 2, 3, 4]
    assert opened().chains() == ["other", "portal"]


def test_a_repeated_step_is_recorded_once(opened: Open) -> None:
    record = opened()
    first = record.append("phase-finished", "portal", {"evidence": 1}, key="run/phase")
    record.append("phase-started", "portal", {}, key="next")
    again = opened().append("phase-finished", "portal", {"evidence": 2}, key="run/phase")
    assert again == first
    assert len(record.events("portal")) == 2


def test_many_writers_at_once_lose_nothing(opened: Open) -> None:
    records = [opened() for _ in range(4)]

    def write(number: int) -> None:
        for count in range(25):
            records[number].append("phase-started", "portal", {"by": number}, key=f"{number}/{count}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = opened().events("portal")
    assert len(found) == 100
    assert {item.data["by"] for item in found} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ("UPDATE govhub_events SET data = replace(data, 'two', 'six') WHERE seq = 2", 2),
        ("UPDATE govhub_events SET data = '{torn' WHERE seq = 2", 2),
        ("UPDATE govhub_events SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 1", 1),
        ("UPDATE govhub_events SET kind = 'phase-failed' WHERE seq = 0", 0),
        ("DELETE FROM govhub_events WHERE seq = 3", 3),
        ("UPDATE govhub_events SET hash = previous WHERE seq = 4", 4),
    ],
)
def test_damage_is_found_and_named(opened: Open, damage: str, place: int) -> None:
    record = opened()
    for number, word in enumerate(("zero", "one", "two", "three", "four", "five")):
        record.append("phase-started", "portal", {"word": word}, key=str(number))
    with record.database.transaction() as link:
        link.execute(sa.text(damage))
    with pytest.raises(GovhubError) as caught:
        opened().events("portal")
    (found,) = caught.value.diagnostics
    assert (found.code, found.summary) == ("REC004", f"the record of portal is broken at event {place}")


def test_a_clock_behind_the_record_is_refused(tmp_path: Path) -> None:
    clock = Clock()
    database = Database(str(tmp_path / "record.db"))
    record = Record(database, "mini", clock=clock)
    record.append("phase-started", "portal", {}, key="1")
    clock.time -= timedelta(seconds=30)
    record.append("phase-started", "portal", {}, key="2")
    clock.time -= timedelta(hours=1)
    with pytest.raises(GovhubError) as caught:
        record.append("phase-started", "portal", {}, key="3")
    assert caught.value.diagnostics[0].code == "REC006"
    database.close()


def test_what_was_appended_survives_the_death_of_its_process(tmp_path: Path) -> None:
    address = str(tmp_path / "record.db")
    script = (
        "import os, signal, sys\n"
        "from govhub.migration.record.store import Database, Record\n"
        "record = Record(Database(sys.argv[1]), 'mini')\n"
        "for number in range(200):\n"
        "    record.append('phase-started', 'portal', {'n': number}, key=str(number))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = os.environ | {"PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script, address], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    database = Database(address)
    assert len(Record(database, "mini").events("portal")) == 200
    database.close()


def test_decisive_events_ask_the_disk_and_others_do_not(tmp_path: Path) -> None:
    database = Database(str(tmp_path / "record.db"))
    for durable, level in ((True, 2), (False, 1)):
        with database.transaction(durable=durable) as link:
            assert link.exec_driver_sql("PRAGMA synchronous").scalar() == level
            assert link.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.close()


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("mysql://u:hidden-word@h/d", "REC001"),
        ("postgresql://u:hidden-word@h:port/d", "REC001"),
        ("postgresql://u:hidden-word@127.0.0.1:1/d", "REC002"),
        ("postgresql://u@127.0.0.1:1/d?password=hidden-word", "REC002"),
    ],
)
def test_a_wrong_address_never_shows_its_password(address: str, code: str) -> None:
    with pytest.raises((GovhubError, InvalidInput)) as caught:
        Database(address)
    assert caught.value.diagnostics[0].code == code
    assert "hidden-word" not in str(caught.value.diagnostics)


@pytest.mark.postgres
def test_the_shown_address_has_no_password(server: Server) -> None:
    database = Database(server.database("shown"))
    assert PASSWORD not in database.shown
    database.close()
