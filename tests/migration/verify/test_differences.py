"""Injected differences are found and named, equal data passes, and what cannot be told is never a pass."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from govhub.lab import postgres
from govhub.migration.governor import Limits
from govhub.migration.sql.opening import open_database
from govhub.migration.verify.ladder import Ladder, Options
from govhub.migration.verify.result import Rung, intact
from migration.verify.conftest import Place, Verify, differences, in_postgres, table

CITIZENS = (
    "CREATE TABLE t (id bigint PRIMARY KEY, name varchar(60), amount numeric(14,2), rate double precision,"
    " note text, changed {instant})"
)


def fill(places: tuple[Place, Place], *statements: str) -> None:
    for place in places:
        place.run(*statements)


def citizens(places: tuple[Place, Place], rows: int = 3000) -> None:
    """The same rows on both sides, whatever the engines."""
    for place in places:
        maria = place.engine == "mariadb"
        place.run(CITIZENS.format(instant="timestamp NULL" if maria else "timestamptz"))
        series = f"(SELECT seq AS i FROM seq_1_to_{rows}) s" if maria else f"generate_series(1, {rows}) i"
        moment = (
            "'2026-01-01 00:00:00' + INTERVAL i SECOND"
            if maria
            else "'2026-01-01 00:00:00+00'::timestamptz + i * '1 s'::interval"
        )
        text = "concat('市民 ', i)"
        rate = "i * 1e0 / 8" if maria else "i::float8 / 8"
        statement = f"INSERT INTO t SELECT i, {text}, i * 0.25, {rate}, concat('note ', i % 7), {moment} FROM {series}"
        place.run("SET time_zone = '+00:00'", statement) if maria else place.run(statement)


@pytest.fixture(params=["pg", "maria", "across"])
def places(request: pytest.FixtureRequest) -> tuple[Place, Place]:
    found: tuple[Place, Place] = request.getfixturevalue(request.param)
    return found


def test_equal_data_passes_and_the_result_is_sealed(places: tuple[Place, Place], verify: Verify) -> None:
    citizens(places)
    for depth in Rung:
        document = verify(*places, depth=depth)
        assert document["verdict"] == "pass", (depth, document["tables"])
        assert intact(document)
        assert not intact({**document, "verdict": "differs"})
    assert document["coverage"]["rungs"]["hashes"] == {"tables": 1, "rows": 3000, "columns": 6}


def test_missing_extra_changed_and_swapped_rows_are_named(places: tuple[Place, Place], verify: Verify) -> None:
    citizens(places)
    places[1].run(
        "UPDATE t SET amount = amount + 0.01 WHERE id = 77",
        "DELETE FROM t WHERE id = 1500",
        "INSERT INTO t (id, name) VALUES (9001, 'nobody')",
        # Values that change places leave every sum of a column as it was.
        "UPDATE t SET note = CASE id WHEN 200 THEN 'note 5' ELSE 'note 4' END WHERE id IN (200, 201)",
    )
    for depth in (Rung.HASHES, Rung.FULL):
        document = verify(*places, depth=depth)
        assert document["verdict"] == "differs"
        found = {kind: sorted(keys) for kind, keys in differences(document).items()}
        assert found == {"changed": ["200", "201", "77"], "extra": ["9001"], "missing": ["1500"]}
        changed = {item["key"]["id"]: item.get("columns", []) for item in table(document)["differences"]}
        assert [cell["column"] for cell in changed["77"]] == ["amount"]
        assert changed["77"][0]["source"] == "[masked, 5 characters]"
        assert "nobody" not in str(document)
        assert table(document)["complete"] is True


def test_values_are_shown_when_asked_for(places: tuple[Place, Place], verify: Verify) -> None:
    citizens(places, 50)
    places[1].run("UPDATE t SET amount = 5 WHERE id = 7")
    cell = table(verify(*places, values=True))["differences"][0]["columns"][0]
    assert {name: float(cell[name]) for name in ("source", "target")} == {"source": 1.75, "target": 5.0}


NASTY = {
    "trailing blank": ("note", "'a'", "'a '"),
    "NULL and empty": ("note", "NULL", "''"),
    "case": ("note", "'a'", "'A'"),
    "normal form": ("note", "'\u00e9'", "'e\u0301'"),
    "no-break blank": ("note", "'a b'", "'a\u00a0b'"),
    "one microsecond": ("at", "'2026-03-04 05:06:07.000001'", "'2026-03-04 05:06:07.000002'"),
    "last digit of a double": ("rate", "0.1", "0.10000000000000002"),
    "subnormal": ("rate", "5e-324", "1e-323"),
    "bar": ("note", "'a|b'", "'a|c'"),
    "huge": ("note", "repeat('x', 3000000)", "concat(repeat('x', 2999999), 'y')"),
    "length and text": ("name", "'1:N'", "'2:N'"),
    "fraction": ("amount", "1e0", "1.000000001"),
}


def test_every_nasty_difference_is_found_and_its_column_named(places: tuple[Place, Place], verify: Verify) -> None:
    for place, side in zip(places, (1, 2), strict=True):
        maria = place.engine == "mariadb"
        names = ("longtext", "datetime(6)", "double") if maria else ("text", "timestamp", "double precision")
        place.run(
            f"CREATE TABLE t (id int PRIMARY KEY, name varchar(20), note {names[0]}, at {names[1]}, rate {names[2]},"
            " amount decimal(30, 9))"
        )
        for number, case in enumerate(NASTY.values()):
            # Odd rows differ, even ones are the same on both sides.
            place.run(f"INSERT INTO t (id, {case[0]}) VALUES ({2 * number}, {case[1]})")
            place.run(f"INSERT INTO t (id, {case[0]}) VALUES ({2 * number + 1}, {case[side]})")
    expected = {str(2 * number + 1): [case[0]] for number, case in enumerate(NASTY.values())}
    for depth in (Rung.HASHES, Rung.FULL):
        found = table(verify(*places, depth=depth))["differences"]
        assert {item["kind"] for item in found} == {"changed"}
        assert {item["key"]["id"]: [cell["column"] for cell in item["columns"]] for item in found} == expected


POSTGRES_ONLY = {
    "minus zero": ("double precision", "'0'", "'-0'"),
    "NaN": ("double precision", "'NaN'", "'Infinity'"),
    "infinities": ("real", "'Infinity'", "'-Infinity'"),
    "NaN of numerics": ("numeric", "'NaN'", "0"),
    "scale": ("numeric", "1.0", "1.00"),
    "32 bits": ("bigint", "1", "4294967296"),
    "infinity": ("timestamptz", "'infinity'", "'2026-01-01'"),
    "before Christ": ("date", "'0044-03-15 BC'", "'0044-03-15'"),
    "interval": ("interval", "'1 day'", "'24 hours'"),
    "array": ("int[]", "'{1,NULL}'", "'{1}'"),
    "dimensions": ("int[]", "'{{1,2}}'", "'{1,2}'"),
    "jsonb": ("jsonb", "'{\"a\": 1}'", "'{\"a\": 1.0}'"),
    "json": ("json", "'{\"a\":1}'", "'{\"a\": 1}'"),
    "padded": ("varchar(9)", "'a'", "'a  '"),
    "enum": ("mood", "'glad'", "'sad'"),
    "domain": ("code", "'A1'", "'A2'"),
    "range": ("int4range", "'[1,5)'", "'[1,6)'"),
    "composite": ("pair", "'(1,a)'", "'(1,b)'"),
    "offset": ("timetz", "'12:00+00'", "'13:00+01'"),
}


@pytest.mark.parametrize("portable", [False, True])
def test_every_difference_only_postgresql_knows_is_found(
    pg: tuple[Place, Place], verify: Verify, portable: bool
) -> None:
    # Different numbers of user types on the two servers must not matter.
    pg[1].run("CREATE TYPE other AS ENUM ('x')")
    for place, side in zip(pg, (1, 2), strict=True):
        place.run("CREATE TYPE mood AS ENUM ('glad', 'sad')", "CREATE DOMAIN code AS varchar(5)")
        place.run("CREATE TYPE pair AS (a int, b text)")
        for what, case in POSTGRES_ONLY.items():
            place.run(f'CREATE TABLE "{what}" (id int PRIMARY KEY, v {case[0]})')
            place.run(f'INSERT INTO "{what}" VALUES (1, {case[1]}), (2, {case[side]})')
    document = verify(*pg, portable=portable)
    found = {what: differences(document, what) for what in POSTGRES_ONLY}
    assert found == {what: {"changed": ["2"]} for what in POSTGRES_ONLY}
    assert verify(pg[0], pg[0], portable=portable)["verdict"] == "pass"


def test_rows_without_a_key_are_compared_as_often_as_they_come(places: tuple[Place, Place], verify: Verify) -> None:
    fill(places, "CREATE TABLE t (a int, b varchar(20))")
    fill(places, "INSERT INTO t VALUES (1, 'x'), (1, 'x'), (2, NULL), (3, 'y')")
    assert table(verify(*places))["verdict"] == "pass"
    places[1].run("DELETE FROM t WHERE a = 3", "INSERT INTO t VALUES (1, 'x'), (4, 'z')")
    document = verify(*places, values=True)
    by_kind = {item["kind"]: item for item in table(document)["differences"]}
    assert sorted(by_kind) == ["extra", "missing", "repeated"]
    assert by_kind["repeated"]["counts"] == {"source": 2, "target": 3}
    assert [cell.get("target") for cell in by_kind["extra"]["columns"]] == ["4", "z"]
    assert verify(*places, depth=Rung.FULL)["verdict"] == "differs"
    # The digest names the row by its content, so it is the same tomorrow.
    assert differences(document) == differences(verify(*places))


def test_composite_and_text_keys_are_named(places: tuple[Place, Place], verify: Verify) -> None:
    fill(places, "CREATE TABLE t (dept varchar(20), nr int, v int, PRIMARY KEY (dept, nr))")
    fill(places, "INSERT INTO t VALUES ('财政局', 1, 1), ('财政局', 2, 1), ('a|b', 1, 1), ('%s', 1, 1)")
    assert verify(*places)["verdict"] == "pass"
    places[1].run("UPDATE t SET v = 2 WHERE dept = '财政局' AND nr = 2", "DELETE FROM t WHERE dept = '%s'")
    for depth in (Rung.HASHES, Rung.FULL):
        assert differences(verify(*places, depth=depth)) == {"changed": [("财政局", "2")], "missing": [("%s", "1")]}


def test_large_chunks_are_cut_down_and_naming_has_a_limit(pg: tuple[Place, Place], verify: Verify) -> None:
    # One key far away makes all others fall into one chunk.
    fill(pg, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
    fill(
        pg, "INSERT INTO t SELECT i, 1 FROM generate_series(-20000, 20000) i", "INSERT INTO t VALUES (4000000000000, 1)"
    )
    pg[1].run("UPDATE t SET v = 2 WHERE id IN (-20000, -1, 0, 1, 20000, 4000000000000)")
    document = verify(*pg)
    assert sorted(map(int, differences(document)["changed"])) == [-20000, -1, 0, 1, 20000, 4000000000000]
    pg[1].run("UPDATE t SET v = 3")
    found = table(verify(*pg, named=5))
    assert len(found["differences"]) == 5
    assert found["found"]["changed"] == 40002 if found["complete"] else found["found"]["changed"] >= 5


def test_tables_in_many_pieces_are_read_once_and_whole(
    places: tuple[Place, Place], verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("govhub.migration.verify.statements.SEGMENT_PAGES", 3)
    monkeypatch.setattr("govhub.migration.verify.statements.SEGMENT_ROWS", 200)
    citizens(places)
    for place in places:
        place.run("ANALYZE TABLE t" if place.engine == "mariadb" else "ANALYZE t")
        place.run("INSERT INTO t (id) VALUES (-5), (123456789)")
    document = verify(*places)
    assert document["verdict"] == "pass"
    assert table(document)["rows"] == {"source": 3002, "target": 3002}
    places[1].run("DELETE FROM t WHERE id = -5", "UPDATE t SET name = 'x' WHERE id = 2999")
    assert differences(verify(*places)) == {"changed": ["2999"], "missing": ["-5"]}


def test_partitioned_tables_are_compared_as_one(pg: tuple[Place, Place], verify: Verify) -> None:
    for place, bound in zip(pg, (100, 150), strict=True):
        place.run("CREATE TABLE t (id int PRIMARY KEY, v int) PARTITION BY RANGE (id)")
        place.run(f"CREATE TABLE low PARTITION OF t FOR VALUES FROM (MINVALUE) TO ({bound})")
        place.run(f"CREATE TABLE high PARTITION OF t FOR VALUES FROM ({bound}) TO (MAXVALUE)")
        place.run("INSERT INTO t SELECT i, i FROM generate_series(1, 300) i")
    document = verify(*pg)
    assert [item["table"] for item in document["tables"]] == ["public.t"]
    assert document["verdict"] == "pass"
    pg[1].run("UPDATE t SET v = 0 WHERE id = 120")
    assert differences(verify(*pg)) == {"changed": ["120"]}


def test_what_has_no_canonical_form_is_not_verified(
    pg: tuple[Place, Place], across: tuple[Place, Place], verify: Verify
) -> None:
    fill(pg, "CREATE TABLE t (id int PRIMARY KEY, v xid)", "INSERT INTO t VALUES (1, '5')")
    document = verify(*pg)
    assert document["verdict"] == "could not verify"
    assert list(table(document)["unverifiable"]) == ["v"]
    assert table(document)["columns"] == {"all": 2, "verified": 1}
    across[0].run(
        "CREATE TABLE t (id int PRIMARY KEY, at datetime, j json)",
        'INSERT INTO t VALUES (1, NULL, \'{"b":1.0,"a":[1]}\')',
    )
    across[1].run(
        "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, j jsonb)",
        'INSERT INTO t VALUES (1, NULL, \'{"a":[1.0],"b":1}\')',
    )
    document = verify(*across)
    assert document["verdict"] == "could not verify"
    assert sorted(table(document)["unverifiable"]) == ["at", "j"]
    document = verify(*across, depth=Rung.FULL)
    assert sorted(table(document)["unverifiable"]) == ["at"], "a full compare takes JSON apart"
    assert table(document)["rungs"]["full"]["verdict"] == "pass"
    across[1].run('UPDATE t SET j = \'{"a": ["1"], "b": 1}\'')
    assert differences(verify(*across, depth=Rung.FULL)) == {"changed": ["1"]}


def test_a_difference_in_a_definition_is_named(
    pg: tuple[Place, Place], maria: tuple[Place, Place], verify: Verify
) -> None:
    pg[0].run(
        'CREATE TABLE t (id int PRIMARY KEY, v varchar(10) COLLATE "C" NOT NULL, w int DEFAULT 1)',
        "CREATE INDEX a ON t (v)",
    )
    pg[1].run('CREATE TABLE t (id int PRIMARY KEY, v varchar(20) COLLATE "POSIX", w int DEFAULT 2, x int)')
    step = table(verify(*pg))["rungs"]["schema"]
    text = "\n".join(step["reasons"])
    for what in (
        "type",
        "collation",
        "default",
        "NULL allowed",
        "column x is on the target only",
        "index is not on the target",
    ):
        assert what in text
    maria[0].run("CREATE TABLE t (id int PRIMARY KEY, v varchar(9) COLLATE utf8mb4_bin)")
    maria[1].run("CREATE TABLE t (id int PRIMARY KEY, v varchar(9) COLLATE utf8mb4_general_ci)")
    assert "collation utf8mb4_bin on the source" in str(table(verify(*maria))["rungs"]["schema"]["reasons"])


@pytest.mark.parametrize("portable", [False, True])
def test_texts_are_compared_by_their_characters_whatever_the_encoding(
    postgres_server: postgres.Server, across: tuple[Place, Place], verify: Verify, portable: bool
) -> None:
    latin = in_postgres(postgres_server, "ENCODING 'LATIN1'")
    wide = in_postgres(postgres_server)
    fill((latin, wide), "CREATE TABLE t (name text PRIMARY KEY, v text)", "INSERT INTO t VALUES ('é', 'ü'), ('e', 'u')")
    across[0].run(
        "CREATE TABLE t (name varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v text)",
        "INSERT INTO t VALUES ('é', 'ü'), ('e', 'u')",
    )
    for pair in ((latin, wide), (across[0], latin)):
        assert verify(*pair, portable=portable)["verdict"] == "pass"
    wide.run("UPDATE t SET v = 'ÃŒ' WHERE name = 'é'")
    assert differences(verify(latin, wide, portable=portable)) == {"changed": ["é"]}
    collated = in_postgres(postgres_server, "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
    collated.run("CREATE TABLE t (name text PRIMARY KEY, v text)", "INSERT INTO t VALUES ('é', 'ü'), ('e', 'u')")
    document = verify(latin, collated, portable=portable)
    assert [item["kind"] for item in document["objects"] if item["verdict"] == "differs"] == ["collation"]


def test_a_missing_table_a_sequence_behind_and_nothing_at_all(places: tuple[Place, Place], verify: Verify) -> None:
    assert verify(*places)["verdict"] == "could not verify", "nothing was there to verify"
    for place in places:
        serial = "int AUTO_INCREMENT PRIMARY KEY" if place.engine == "mariadb" else "serial PRIMARY KEY"
        place.run(f"CREATE TABLE t (id {serial}, v int)")
    places[0].run("INSERT INTO t (v) VALUES (1), (2), (3)")
    places[1].run("INSERT INTO t (id, v) VALUES (1, 1), (2, 2), (3, 3)")
    if places[1].engine == "postgresql":
        document = verify(*places)
        assert [item["verdict"] for item in document["objects"] if item["kind"] == "sequence"] == ["differs"]
        places[1].run("SELECT setval('t_id_seq', 3)")
    assert verify(*places)["verdict"] == "pass"
    places[0].run("CREATE TABLE gone (id int PRIMARY KEY)")
    assert table(verify(*places), "gone")["rungs"]["schema"]["reasons"] == ["the table is not on the target"]


def test_large_objects_are_compared_by_content(pg: tuple[Place, Place], verify: Verify) -> None:
    fill(pg, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    fill(pg, "SELECT lo_from_bytea(70001, 'abc')", "SELECT lo_from_bytea(70002, 'def')")
    assert verify(*pg)["verdict"] == "pass"
    pg[1].run("SELECT lo_put(70002, 1, 'x')")
    found = next(item for item in verify(*pg)["objects"] if item["kind"] == "large objects")
    assert (found["verdict"], found["reason"]) == ("differs", "1 differ: 70002")


def test_a_spent_budget_leaves_rungs_unverified(pg: tuple[Place, Place], verify: Verify) -> None:
    citizens(pg, 300)
    document = verify(*pg, budget=0.001)
    assert document["verdict"] == "could not verify"
    rungs = table(document)["rungs"]
    assert rungs["schema"]["verdict"] == "pass"
    assert {rungs[name]["verdict"] for name in ("counts", "ranges", "hashes")} == {"could not verify"}
    assert "budget" in rungs["hashes"]["reasons"][0]
    assert document["coverage"]["rungs"]["hashes"]["tables"] == 0


def test_quick_rungs_go_first_when_time_is_short(
    places: tuple[Place, Place], verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizens(places, 300)
    assert table(verify(*places, budget=60))["rungs"]["ranges"]["how"] == "implied"
    monkeypatch.setattr("govhub.migration.verify.ladder.RATE", 0.001)
    document = verify(*places, budget=60)
    assert document["verdict"] == "pass"
    assert table(document)["rungs"]["ranges"]["how"] == "measured"
    places[1].run("UPDATE t SET note = NULL, amount = 1e6, name = 'x' WHERE id = 3")
    step = table(verify(*places, depth=Rung.RANGES))["rungs"]["ranges"]
    assert step["verdict"] == "differs"
    for what in (
        "note: 0 NULLs on the source, 1 on the target",
        "amount: the highest value",
        "name: the lowest length",
    ):
        assert f"column {what}" in str(step["reasons"])
    assert "1000000" not in str(step), "values may be personal"


def test_a_row_longer_than_packets_is_not_passed_over(maria: tuple[Place, Place], verify: Verify) -> None:
    names, full = [f"v{number}" for number in range(30)], ", REPEAT('中', 255)"
    fill(maria, f"CREATE TABLE t (id int PRIMARY KEY, {', '.join(f'{name} varchar(255)' for name in names)})")
    fill(maria, "INSERT INTO t (id) VALUES (1)", f"INSERT INTO t VALUES (2{full * 30})")
    maria[0].run("SET GLOBAL max_allowed_packet = 16384")
    try:
        document = verify(*maria)
    finally:
        maria[0].run("SET GLOBAL max_allowed_packet = 16777216")
    assert document["verdict"] == "could not verify"
    assert "2 rows are longer" in str(table(document)["rungs"]["hashes"]["reasons"])
    assert verify(*maria)["verdict"] == "pass"


class Meanwhile(Ladder):
    """Does something between the catalog and the digests."""

    def __init__(self, places: tuple[Place, Place], action: Any, **options: Any) -> None:
        super().__init__(open_database(places[0].dsn), open_database(places[1].dsn), Options(**options))
        self._action = action

    def _pairs(self) -> Any:
        action, self._action = self._action, lambda: None
        action()
        return super()._pairs()


@pytest.mark.parametrize(
    "change", ["ALTER TABLE t ADD COLUMN fresh int", "TRUNCATE t", "ALTER TABLE t DROP COLUMN note"]
)
def test_ddl_in_between_is_never_a_pass(places: tuple[Place, Place], change: str) -> None:
    citizens(places, 200)
    document = Meanwhile(places, lambda: places[1].run(change)).run()
    assert table(document)["verdict"] != "pass"
    assert "definition" in str(table(document)["reasons"]) + str(table(document)["rungs"])


def test_rows_written_meanwhile_are_not_seen(places: tuple[Place, Place]) -> None:
    citizens(places, 200)
    document = Meanwhile(
        places, lambda: places[0].run("UPDATE t SET note = 'new'", "DELETE FROM t WHERE id < 50")
    ).run()
    assert document["verdict"] == "pass"


def test_a_server_that_dies_leaves_its_tables_unverified(pg: tuple[Place, Place]) -> None:
    citizens(pg, 200)
    with postgres.running() as server:
        dying = in_postgres(server)
        citizens((dying, dying)[:1], 200)  # type: ignore[arg-type]

        def kill() -> None:
            with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'govhub-verify'"
                )
                connection.execute("ALTER SYSTEM SET max_connections = 1")

        document = Meanwhile((pg[0], dying), kill).run()
    assert document["verdict"] == "could not verify"
    assert "lost" in str(table(document)["rungs"]["hashes"]["reasons"])


def test_the_governor_pauses_while_others_work_and_keeps_to_its_limit(pg: tuple[Place, Place], verify: Verify) -> None:
    citizens(pg, 200)
    busy = threading.Thread(target=lambda: pg[0].run("SELECT pg_sleep(2)"))
    busy.start()
    time.sleep(0.5)
    started = time.monotonic()
    document = verify(*pg, source=Limits(statements=3, others=0))
    busy.join()
    governor = document["source"]["governor"]
    assert time.monotonic() - started > 1
    assert governor["pauses"] >= 1
    assert governor["paused_seconds"] > 0.5
    assert governor["statements_seen"] <= 3
    assert document["verdict"] == "pass"
