"""A system's MariaDB database from an old server to a new one, by `migrate run`, while its application writes."""

from __future__ import annotations

import gzip
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql
import pytest

from govhub.core.diagnostics import Diagnostic
from govhub.core.errors import GovhubError
from govhub.hosts.reach import Reach
from govhub.hosts.tunnel import Tunnel
from govhub.lab.mariadb import PASSWORD, Server, binaries
from govhub.migration.movers.mariadb.reading import tables_in
from govhub.migration.movers.mariadb.server import Server as Client
from govhub.ops.migration.overssh_mariadb import MariadbOverSsh
from govhub.ops.migration.records import opened
from migration.city import SYSTEM
from migration.story import stand_in
from migration.story.offices import DATABASE, Office, consistent, missing, said

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(binaries() is None, reason="MariaDB is not installed")]


def evidence(office: Office, phase: str) -> dict[str, Any]:
    with opened("mini", clock=office.city.clock) as record:
        events = record.events(SYSTEM)
    found = [item for item in events if item.kind == "phase-finished" and item.data["phase"] == phase]
    return dict(found[-1].data["evidence"]["register"])


def test_a_database_is_moved_while_it_is_written_to_accepted_and_its_source_retired(office: Office) -> None:
    with office.writers() as writers:
        parked = office.run("migrate")
        assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval"), parked["reason"]
        office.city.everybody_approves()
        trial = office.run()
        assert (trial["state"], trial["phase"]) == ("waiting", "WaitForAcceptance"), trial
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
    assert writers.problems == []
    assert missing(office.target, writers.acknowledged) == []
    assert consistent(office.target)
    verified = evidence(office, "EnsureFinalVerification")
    assert (verified["verdict"], verified["coverage"]["rungs"]["hashes"]["tables"]) == ("pass", 3)
    assert 0 < evidence(office, "EnsureSwitched")["pause_seconds"] < 60
    backup = evidence(office, "EnsureBackup")
    assert backup["tables_with_rows"] == 3
    assert len(backup["sha256"]) == 64
    with pytest.raises(pymysql.err.MySQLError, match="locked"):
        said(office.target, "SELECT 1", "former", "former-password")

    office.city.everybody_approves()
    assert office.run()["state"] == "done"
    assert office.run("retire")["phase"] == "WaitForRetirementApproval"
    office.city.everybody_approves()
    done = office.run()
    assert done["state"] == "done", done
    assert not office.there(office.source)
    assert said(office.source, "SHOW ALL SLAVES STATUS") == []
    assert said(office.target, "SHOW DATABASES LIKE 'govhub_move'") == []
    assert tables_in(evidence(office, "EnsureArchive")["archive"]) == {b"written", b"accounts", "局".encode()}
    assert missing(office.target, writers.acknowledged) == []


@pytest.mark.slow
def test_a_rollback_keeps_what_users_wrote_to_the_target_and_the_next_try_finds_its_way(office: Office) -> None:
    with office.writers() as writers:
        office.run("migrate")
        office.city.everybody_approves()
        assert office.run()["phase"] == "WaitForAcceptance"
        time.sleep(0.5)
        there = len(said(office.target, "SELECT writer FROM office.written"))
        back = office.run("roll-back")
        assert back["state"] == "done", back["reason"]
        time.sleep(0.5)
        assert evidence(office, "EnsureReverseVerification")["verdict"] == "pass"
        assert len(said(office.source, "SELECT writer FROM office.written")) > there
        assert not office.there(office.target)
        assert office.run("migrate")["phase"] == "WaitForCutoverApproval"
        office.city.everybody_approves()
        assert office.run()["phase"] == "WaitForAcceptance"
    assert writers.problems == []
    assert missing(office.target, writers.acknowledged) == []
    assert consistent(office.target)


def test_nobody_gets_onto_the_target_before_it_is_known_from_where_changes_go_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert office.run("migrate")["phase"] == "WaitForCutoverApproval"
    office.city.everybody_approves()
    rows, answers = Client.rows, []

    def tried(self: Client, statement: str, *more: Any) -> list[dict[str, Any]]:
        found = rows(self, statement, *more)
        if statement.startswith("GRANT") and self.endpoint.port == office.target.port:
            with pytest.raises(pymysql.err.MySQLError) as caught:
                said(office.target, "SELECT 1", "app", "app-password")
            answers.append(str(caught.value))
        return found

    monkeypatch.setattr(Client, "rows", tried)
    found = office.run()
    assert found["phase"] == "WaitForAcceptance", found["reason"]
    assert answers
    assert all("locked" in answer or "denied" in answer for answer in answers)
    said(office.target, "SELECT 1", "app", "app-password")


def test_a_rehearsal_stops_nobody_and_leaves_nothing(office: Office) -> None:
    with office.writers() as writers:
        done = office.run("rehearse")
        assert done["state"] == "done", done
    assert writers.longest_gap < 5
    assert missing(office.source, writers.acknowledged) == []
    assert not office.there(office.target)
    assert said(office.target, "SHOW ALL SLAVES STATUS") == []


@pytest.mark.slow
def test_a_difference_that_is_found_while_writes_are_stopped_sends_everything_back(office: Office) -> None:
    with office.writers() as writers:
        office.run("migrate")
        said(office.target, "UPDATE office.`局` SET name = 'by somebody' WHERE id = 7")
        office.city.everybody_approves()
        failed = office.run()
        assert (failed["state"], failed["phase"]) == ("failed", "EnsureFinalVerification"), failed
        assert "局" in failed["reason"]
        assert "let in again" in failed["reason"]
        since = len(writers.acknowledged)
        time.sleep(0.5)
        assert len(writers.acknowledged) > since
        said(office.target, "UPDATE office.`局` SET name = '文7' WHERE id = 7")
        assert office.run()["phase"] == "WaitForAcceptance"
    assert missing(office.target, writers.acknowledged) == []


def test_what_stands_in_the_way_is_said_before_anything_is_touched(office: Office) -> None:
    said(office.source, "REVOKE ALL ON office.* FROM app@'%'")
    said(office.source, "REVOKE ALL PRIVILEGES ON office.* FROM former@'%'")
    found = office.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "nobody can be locked out" in found["reason"]
    said(office.source, "GRANT ALL ON office.* TO app@'%'")
    said(office.target, "CREATE DATABASE somebody")
    try:
        assert "MOV302" in office.run()["reason"]
        assert not office.there(office.target)
    finally:
        said(office.target, "DROP DATABASE somebody")


def test_what_another_move_holds_is_not_given_up_by_this_one(office: Office) -> None:
    said(office.target, "CREATE DATABASE govhub_move")
    said(office.target, "CREATE TABLE govhub_move.state (name varchar(64) PRIMARY KEY, value longtext)")
    said(office.target, "INSERT INTO govhub_move.state VALUES ('move', '\"another\"')")
    found = office.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "belongs to the move another" in found["reason"]
    assert office.run("cancel")["state"] == "done"
    assert said(office.target, "SELECT value FROM govhub_move.state WHERE name = 'move'") == [('"another"',)]


def test_an_archive_that_was_cut_off_is_none(tmp_path: Path) -> None:
    whole = b"INSERT INTO `one` VALUES (1);\n-- Dump completed on 2026-01-01\n"
    path = tmp_path / "archive.sql.gz"
    path.write_bytes(gzip.compress(whole))
    assert tables_in(str(path)) == {b"one"}
    for content in (gzip.compress(whole[:30]), gzip.compress(whole)[:-9], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"cut off|read through"):
            tables_in(str(path))


def test_an_address_of_another_engine_is_refused(office: Office) -> None:
    file = Path(os.environ["GOVHUB_HOME"]) / "hubs" / "mini" / "endpoints.yaml"
    file.write_text(file.read_text().replace("mariadb://", "postgresql://"))
    assert [item["code"] for item in office.run("migrate")["problems"]] == ["RUN019"]


@pytest.fixture
def far(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The source behind SSH, the target by its address; the folder in which units are."""
    place = tmp_path / "units"
    (place / "mysql" / "conf.d").mkdir(parents=True)
    (place / "register.service").write_text("active")
    stand_in.install(tmp_path / "bin")
    client = tmp_path / "bin" / "mariadb"
    # Root behind the usual socket is the administrator of this server; others are who they say.
    client.write_text(
        '#!/bin/sh\ncase "$*" in "--protocol=socket -N -B") ;; *) exec /usr/bin/mariadb "$@";; esac\n'
        f'MYSQL_PWD="$WORD" exec /usr/bin/mariadb --socket={office.source.socket} -u govhub "$@"\n'
    )
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("STAND_IN", str(place))
    monkeypatch.setenv("WORD", PASSWORD)
    # The target follows the source at this address, as it would at a host's.
    office.declare(
        more="      - {name: app, kind: application, source: old-server, unit: register.service}\n",
        address="127.0.0.2",
        port=f", port: {office.source.port}",
    )
    office.tell("target")
    return place


def accounts(server: Server) -> int:
    return len(said(server, "SELECT User FROM mysql.user WHERE User LIKE 'govhub_migration_%'"))


def test_a_source_behind_ssh_is_moved_and_brought_back(office: Office, far: Path) -> None:
    with office.writers() as writers:
        parked = office.run("migrate")
        assert (parked["state"], parked["phase"]) == ("waiting", "WaitForCutoverApproval"), parked["reason"]
        assert accounts(office.source) == 3
        office.city.everybody_approves()
        assert office.run()["phase"] == "WaitForAcceptance"
        back = office.run("roll-back")
        assert back["state"] == "done", back["reason"]
    assert missing(office.source, writers.acknowledged) == []
    assert (far / "log").read_text().split() == ["stop", "start", "stop", "start"]
    assert accounts(office.source) == 0
    assert list((far / "mysql" / "conf.d").iterdir()) == []


@pytest.mark.slow
def test_a_cancelled_move_takes_its_accounts_with_it(office: Office, far: Path) -> None:
    assert office.run("migrate")["phase"] == "WaitForCutoverApproval"
    assert accounts(office.source) == 3
    assert office.run("cancel")["state"] == "done"
    assert (far / "log").read_text().split() == ["start"]
    assert accounts(office.source) == 0
    assert list((far / "mysql" / "conf.d").iterdir()) == []


def test_servers_that_do_not_reach_each_other_are_found(office: Office, far: Path) -> None:
    def side(port: int, move: str = "a/b") -> MariadbOverSsh:
        tunnel = Tunnel("old-server", Reach("127.0.0.2", "govhub"), port)
        return MariadbOverSsh(hub="mini", move=move, tunnel=tunnel, database=DATABASE, port=port)

    near, other = side(office.source.port), side(1, "a/c")
    try:
        end = near.open()
        assert near.reaches(end) is None
        wrong = type(end)(host="127.0.0.1", port=1, database=DATABASE, user="nobody")
        found = near.reaches(wrong)
        assert isinstance(found, Diagnostic)
        assert found.code == "MOV116"
        with pytest.raises(GovhubError, match="takes no account") as caught:
            other.open()
        assert "has the port" in str(caught.value.diagnostics[0].detail)
        assert "removed" in near.release()
        assert accounts(office.source) == 0
    finally:
        near.close()
        other.close()


def compared(office: Office) -> dict[str, Any]:
    with opened("mini", clock=office.city.clock) as record:
        found = [item.data for item in record.events(SYSTEM) if item.kind == "target-compared"]
    return dict(found[-1]["evidence"]["register"])


def test_a_row_of_the_source_that_is_not_the_targets_is_found_while_everybody_writes(office: Office) -> None:
    with office.writers() as writers:
        assert office.run("migrate")["phase"] == "WaitForCutoverApproval"
        office.city.everybody_approves()
        assert office.run()["phase"] == "WaitForAcceptance"
        # Rows that are just being written are no difference, and rows that nobody could look at are no proof.
        assert compared(office)["verdict"] in ("pass", "could not verify")
        said(office.source, "UPDATE office.`局` SET name = 'by somebody' WHERE id IN (7, 1009)")
        office.city.clock.forward(hours=25)
        assert office.run()["phase"] == "WaitForAcceptance"
        assert (compared(office)["verdict"], compared(office)["rows"]) == ("differs", ["局 id=1009", "局 id=7"])
    assert missing(office.target, writers.acknowledged) == []


def test_a_clock_that_is_wrong_is_found_before_anything_is_touched(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setattr("govhub.migration.moving.guards.now", lambda: datetime.now(UTC) + timedelta(minutes=5))
        found = office.run("migrate")
        assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
        assert "[MOV117] the source's clock is 300 s behind" in found["reason"]
    assert not office.there(office.target)
    assert office.run()["phase"] == "WaitForCutoverApproval"
