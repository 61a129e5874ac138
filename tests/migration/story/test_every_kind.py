"""Databases with every kind of object and type that public sample databases have move as they are, and back."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from govhub.lab import mariadb
from govhub.lab.postgres import Server, binaries
from migration.story.offices import Office, said
from migration.story.towns import DATABASE, Town

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
TABLES = (
    "film",
    "payment",
    '"Old Books"."Mixed ""Case"" 表"',
    "parent",
    "only_unique",
    "scratch",
    "film_by_rating",
)
MEANWHILE = (
    "INSERT INTO payment (customer_id, amount, payment_date) SELECT n, n, '2022-01-05' FROM generate_series(1, 99) n",
    "UPDATE film SET rental_rate = rental_rate + 1, special_features = NULL WHERE film_id % 4 = 0",
    "UPDATE only_unique SET said = 'now'",
    "INSERT INTO scratch VALUES (99, 'late')",
)


def filled(server: Server) -> None:
    tools = binaries()
    assert tools
    script = HERE / "every_kind.postgresql.sql"
    words: list[str | Path] = [
        tools / "psql",
        "-q",
        "-o",
        "/dev/null",
        "-v",
        "ON_ERROR_STOP=1",
        "-f",
        script,
        server.address(DATABASE),
    ]
    subprocess.run(words, check=True)


def definitions(server: Server) -> set[str]:
    """Lines of a dump without rows; what the move itself keeps until it is accepted is left out."""
    tools = binaries()
    assert tools
    words: list[str | Path] = [
        tools / "pg_dump",
        "-s",
        "-N",
        "govhub_move",
        "--no-publications",
        "--no-subscriptions",
        server.address(DATABASE),
    ]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    # Lines with a backslash are the dump's own and differ each time.
    lines = (line for line in text.splitlines() if not line.startswith(("--", "\\")))
    return {line for line in lines if "REPLICA IDENTITY FULL" not in line}


def rows(server: Server, table: str) -> str:
    return server.query(DATABASE, f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t")


@pytest.mark.parametrize("method", ["", ", method: dump"], ids=["online", "dump"])
def test_everything_moves_and_what_was_written_there_comes_back(town: Town, method: str) -> None:
    filled(town.source)
    file = town.city.hub / "migration.yaml"
    options = f"database: {DATABASE}, replica_identity: full{method}}}"
    file.write_text(file.read_text().replace(f"database: {DATABASE}}}", options))
    before = definitions(town.source)
    with town.writers() as writers:
        if method:
            rehearsed = town.run("rehearse")
            assert rehearsed["state"] == "done", rehearsed
        parked = town.run("migrate")
        assert parked["phase"] == "WaitForCutoverApproval", parked
        for statement in MEANWHILE:
            town.source.query(DATABASE, statement)
        town.city.everybody_approves()
        trial = town.run()
        assert trial["phase"] == "WaitForAcceptance", trial
        assert definitions(town.target) == before
        for table in TABLES:
            assert rows(town.source, table) == rows(town.target, table), table
        assert rows(town.target, "scratch").startswith("21|")
        large = "SELECT count(*), max(length(lo_get(oid))) FROM pg_largeobject_metadata"
        assert town.target.query(DATABASE, large) == "1|3000"
        assert town.target.query(DATABASE, "SHOW statement_timeout") == "2min"
        # Both sides can tell the rows of a table without a key apart; otherwise this would be refused.
        town.target.query(DATABASE, "UPDATE only_unique SET said = 'there' WHERE code = 'c7'")
        town.target.query(DATABASE, "INSERT INTO film (title) VALUES ('written there')")
        town.target.query(DATABASE, "INSERT INTO scratch VALUES (100, 'there')")

        back = town.run("roll-back")
        assert back["state"] == "done", back
    assert writers.problems == []
    assert town.source.query(DATABASE, "SELECT said FROM only_unique WHERE code = 'c7'") == "there"
    assert town.source.query(DATABASE, "SELECT count(*) FROM film WHERE title = 'written there'") == "1"
    assert town.source.query(DATABASE, "SELECT count(*) FROM scratch") == "22"
    assert definitions(town.source) == before
    identity = "SELECT relreplident FROM pg_class WHERE relname = 'only_unique'"
    assert town.source.query(DATABASE, identity) == "d", "as it was"


OFFICE_TABLES = (
    "film",
    "film_text",
    "`Mixed Case``表`",
    "payment",
    "latin",
    "only_unique",
    "tree",
    "cycle_a",
    "cycle_b",
)


def spoken(server: mariadb.Server, tool: str, *options: str, text: str = "") -> str:
    words = [tool, "--host=127.0.0.1", f"--port={server.port}", "--user=govhub", f"--password={mariadb.PASSWORD}"]
    return subprocess.run([*words, *options, "office"], input=text, capture_output=True, text=True, check=True).stdout


def office_definitions(server: mariadb.Server) -> set[str]:
    """Lines of a dump without rows; numbers that go on by themselves are left out."""
    options = ("--no-data", "--routines", "--triggers", "--events", "--skip-comments")
    text = re.sub(r"AUTO_INCREMENT=\d+ |SETVAL\([^)]*\)", "", spoken(server, "mariadb-dump", *options))
    return set(text.splitlines())


@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_so_does_everything_of_mariadb(office: Office) -> None:
    spoken(office.source, "mariadb", text=(HERE / "every_kind.mariadb.sql").read_text(encoding="utf-8"))
    before = office_definitions(office.source)
    with office.writers() as writers:
        assert office.run("migrate")["phase"] == "WaitForCutoverApproval"
        said(office.source, "UPDATE office.film SET rate = rate + 1 WHERE film_id % 4 = 0")
        said(office.source, "INSERT INTO office.film (title) VALUES ('late')")
        said(office.source, "UPDATE office.only_unique SET said = 'now'")
        office.city.everybody_approves()
        trial = office.run()
        assert trial["phase"] == "WaitForAcceptance", trial
        assert office_definitions(office.target) == before
        for table in OFFICE_TABLES:
            (here,), (there,) = (
                said(side, f"CHECKSUM TABLE office.{table}") for side in (office.source, office.target)
            )
            assert here == there
        assert said(office.target, "SELECT nextval(office.numbers)")[0][0] > 10, "it goes on where the other one was"
        said(office.target, "INSERT INTO office.film (title) VALUES ('written there')")
        back = office.run("roll-back")
        assert back["state"] == "done", back
    assert writers.problems == []
    # Once: what replication brings must not fire the trigger again.
    assert said(office.source, "SELECT count(*) FROM office.film WHERE title = 'written there'") == [(1,)]
    assert said(office.source, "SELECT count(*) FROM office.film_text WHERE title = 'written there'") == [(1,)]
    assert office_definitions(office.source) == before


@pytest.mark.skipif(mariadb.binaries() is None, reason="MariaDB is not installed")
def test_tables_with_a_history_are_refused_before_anything_is_touched(office: Office) -> None:
    said(office.source, "CREATE TABLE office.fees (id int PRIMARY KEY, fee int) WITH SYSTEM VERSIONING")
    found = office.run("migrate")
    assert (found["state"], found["phase"]) == ("failed", "EnsureApplication")
    assert "1 tables keep their history, which no dump carries (fees)" in found["reason"]
    assert not office.there(office.target)
