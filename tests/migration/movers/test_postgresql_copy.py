"""The first copy: every kind of value, how fast it may be, and who goes on when it was broken off."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from govhub.lab.postgres import PASSWORD
from govhub.migration.cutover.sequence import cut_over
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.postgresql.rows import carried
from govhub.migration.movers.protocol import Limits, MoveFailed, Stage
from govhub.migration.movers.runner import LocalRunner
from govhub.migration.movers.throttle import Pace
from migration.movers.pairs import Databases, Pair, Redirect, endpoint, until
from migration.movers.test_postgresql_kills import DRIVER, plan_of
from migration.movers.writers import TABLES, Writers, consistent, missing

pytestmark = pytest.mark.postgres
KINDS = (
    "CREATE TYPE mood AS ENUM ('新', 'old')",
    "CREATE TYPE pair AS (a int, b text)",
    "CREATE DOMAIN code AS text CHECK (VALUE <> '')",
    """CREATE TABLE plain (id int8 PRIMARY KEY, gone int, b bool, s int2, f float8, r float4, n numeric(30,8), t text,
       v varchar(20), c char(9), y bytea, d date, ti time, tz timetz, ts timestamp, tst timestamptz, i interval,
       u uuid, j json, jb jsonb, ip inet, net cidr, twice int8 GENERATED ALWAYS AS (id * 2) STORED)""",
    "ALTER TABLE plain DROP COLUMN gone",
    r"""INSERT INTO plain SELECT g, g % 2 = 0, g, CASE g WHEN 1 THEN 'NaN' WHEN 2 THEN '-Infinity' ELSE g / 7.0 END,
       g / 3.0, CASE g WHEN 1 THEN 'NaN'::numeric ELSE g * 1234567.00000001 END, E'a\tb\\\nc\r注\x7f' || g, 'v', 'c',
       '\x00ff5c0a'::bytea, CASE g WHEN 1 THEN 'infinity' ELSE '0044-03-15 BC'::date END, '23:59:60', '12:00+05:30',
       '2026-01-01 00:00:00.000001', '1900-01-01 00:00+08:05:43', '1 year 2 mons -3 days 04:05:06.7',
       md5(g::text)::uuid, '{"a" : 1,  "a": 2}', '{"b": [1, null, "注"]}', '10.0.0.1/24', '::/0'
       FROM generate_series(1, 500) g""",
    "INSERT INTO plain (id) VALUES (0)",
    """CREATE TABLE special (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood, p pair, c code, a int[],
       ea mood[], tx text[], w tsvector, x xml, bits bit varying, r int4range, pt point, rc regclass, o oid,
       mo money)""",
    r"""INSERT INTO special (m, p, c, a, ea, tx, w, x, bits, r, pt, rc, o, mo) SELECT '新', (g, E'q"\\,')::pair, 'x',
       ARRAY[[g, NULL], [1, 2]], ARRAY['old']::mood[], ARRAY[E'\\N', NULL, '', E'\t'], 'fat:1A cat:2', '<a>注</a>',
       B'10110', '[1,5)', '(1.1,-2)', 'plain'::regclass, 4294967295, 12.34 FROM generate_series(1, 300) g""",
    "CREATE TABLE void (); INSERT INTO void DEFAULT VALUES; INSERT INTO void DEFAULT VALUES",
    """CREATE TABLE "odd ""Näme.注" ("select" int PRIMARY KEY, "a.b" text);
       INSERT INTO "odd ""Näme.注" VALUES (1, 'x')""",
    """CREATE TABLE parted (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
       CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
       INSERT INTO parted SELECT g, '2026-02-02' FROM generate_series(1, 100) g""",
    """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
       CREATE TRIGGER refuses BEFORE INSERT ON plain FOR EACH ROW EXECUTE FUNCTION refuse();
       ALTER TABLE plain ENABLE ALWAYS TRIGGER refuses""",
)
CONTENTS = {
    "plain": "SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM plain t",
    "special": "SELECT md5(string_agg(t::text, chr(10) ORDER BY id)) FROM special t",
    "void": "SELECT count(*) FROM void",
    "odd": 'SELECT "select", "a.b" FROM "odd ""Näme.注"',
    "parted": "SELECT count(*), max(id) FROM parted_a",
}
# Each about 5 MB, whatever form it has on its way.
HALVES = tuple(
    f"CREATE TABLE h{i} (id int PRIMARY KEY, t text); INSERT INTO h{i} SELECT g, repeat(md5(g::text), 32) "
    "FROM generate_series(1, 5000) g"
    for i in range(6)
)


def limited(databases: Databases, bandwidth: int) -> PostgresMover:
    return databases.mover(Options(limits=Limits(bandwidth=bandwidth)))


def wait_for(databases: Databases, tables: int) -> set[str]:
    """Look from outside until so many tables are there."""
    mover = databases.mover()
    end = time.monotonic() + 60
    while len(found := carried(mover.target)) < tables:
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def test_every_kind_of_value_arrives_as_it_was(servers: Pair) -> None:
    databases = servers.databases(*KINDS)
    mover = databases.mover(Options(allow_full=True))
    mover.prepare()
    mover.start()
    now = until(mover)
    assert now.parts_done == now.parts_total == 5
    for name, query in CONTENTS.items():
        assert databases.on_source(query) == databases.on_target(query), name
    # Frozen rows are visible to all at once; vacuum has nothing to write again.
    assert databases.on_target("SELECT relallvisible = relpages FROM pg_class WHERE relname = 'plain'") == "t"
    assert databases.on_target("SELECT count(*) FROM plain") == "501"
    mover.cancel()


def test_an_online_copy_keeps_its_limit_of_bandwidth_over_all_its_sessions(servers: Pair) -> None:
    databases = servers.databases(*HALVES)
    mover = limited(databases, 10 << 20)
    mover.prepare()
    began = time.monotonic()
    mover.start()
    assert mover.carrying()
    looked = mover.advance()
    while not looked.bytes_done:
        assert looked.stage is Stage.COPYING
        looked = mover.advance()
    assert looked.bytes_total is not None
    assert 0 < looked.bytes_done < looked.bytes_total
    until(mover)
    # 30 MB of rows at 10 MB a second.
    assert time.monotonic() - began > 2.8
    assert not mover.carrying()
    mover.cancel()


def test_one_controller_carries_and_another_looks_on(servers: Pair) -> None:
    databases = servers.databases(*HALVES)
    first, second = limited(databases, 12 << 20), databases.mover()
    first.prepare()
    first.start()
    second.start()
    assert first.carrying()
    assert not second.carrying()
    assert second.progress().stage is Stage.COPYING
    until(second)
    assert databases.on_target("SELECT count(*) FROM h5") == "5000"
    second.cancel()


def test_what_a_killed_controller_carried_is_not_copied_again(servers: Pair, tmp_path: Path) -> None:
    databases = servers.databases(*TABLES, *HALVES)
    lead = tmp_path / "lead"
    lead.write_text(databases.source)
    with Writers(databases.source, rate=100) as writers:
        plan = plan_of(databases, lead, ["copy"]) | {"limits": {"bandwidth": 8 << 20}}
        command = [sys.executable, str(DRIVER), json.dumps(plan), "0"]
        process = subprocess.Popen(command, env={**os.environ, "DRIVER_PASSWORD": PASSWORD})
        try:
            wait_for_database(databases)
            wait_for(databases, 3)
        finally:
            process.kill()
            process.wait()
        mover = databases.mover()
        mover.start()
        until(mover)
        whole = carried(mover.target)
        assert 3 <= len(whole) < len(TABLES) + len(HALVES)
        assert cut_over(mover, Redirect(databases, writers)).done
        time.sleep(0.2)
    assert missing(databases.target, writers.acknowledged) == []
    assert consistent(databases.target)
    for number in range(6):
        assert databases.on_target(f"SELECT count(*), min(t) FROM h{number}") == databases.on_source(
            f"SELECT count(*), min(t) FROM h{number}"
        )
    # They are still as they came, frozen.
    frozen = "SELECT relname FROM pg_class WHERE relname ~ '^h[0-9]$' AND relallvisible = relpages"
    databases.on_target("ANALYZE")
    found = {f"public.{name}" for name in databases.on_target(frozen).splitlines()}
    assert {name for name in whole if name.startswith("public.h")} <= found


def wait_for_database(databases: Databases) -> None:
    end = time.monotonic() + 60
    query = f"SELECT count(*) FROM pg_database WHERE datname = '{databases.new}'"
    while databases.pair.target.query("postgres", query) != "1":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_copy_that_was_given_up_can_be_cancelled_while_it_runs(servers: Pair) -> None:
    databases = servers.databases(*HALVES)
    mover = limited(databases, 4 << 20)
    mover.prepare()
    mover.start()
    wait_for(databases, 1)
    other = databases.mover()
    other.cancel()
    end = time.monotonic() + 20
    while mover.carrying():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert databases.on_source("SELECT count(*) FROM pg_replication_slots WHERE database = current_database()") == "0"
    assert databases.on_source("SELECT count(*) FROM pg_publication") == "0"
    assert (
        servers.target.query("postgres", f"SELECT count(*) FROM pg_database WHERE datname = '{databases.new}'") == "0"
    )


def test_what_cannot_be_built_is_said_and_goes_on_when_it_is_put_right(servers: Pair) -> None:
    function = """CREATE OR REPLACE FUNCTION here(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
        $$ BEGIN IF {} THEN RAISE 'not here'; END IF; RETURN $1; END $$"""
    databases = servers.databases(
        *HALVES[:2], function.format("current_database() ~ '^new_'"), "CREATE INDEX odd ON h1 (here(id))"
    )
    mover = databases.mover()
    mover.prepare()
    mover.start()
    with pytest.raises(MoveFailed, match="indexes, constraints or triggers") as failed:
        until(mover)
    assert "not here" in failed.value.diagnostics[0].detail
    for say in (databases.on_source, databases.on_target):
        say(function.format("false"))
    until(mover)
    assert databases.on_target("SELECT count(*) FROM pg_indexes WHERE indexname = 'odd'") == "1"
    assert mover.copying.failure is None
    mover.cancel()


def test_past_a_tunnel_the_servers_copy_among_themselves(servers: Pair) -> None:
    databases = servers.databases(*HALVES[:2])
    source, target = (
        dataclasses.replace(where, link_host="127.0.0.1", link_port=where.port)
        for where in (endpoint(servers.source, databases.old), endpoint(servers.target, databases.new))
    )
    mover = PostgresMover(f"move-{databases.old}", source, target, LocalRunner(servers.folder))
    databases.movers.append(mover)
    mover.prepare()
    mover.start()
    assert not mover.carrying()
    until(mover)
    assert databases.on_target("SELECT count(*) FROM h1") == "5000"
    mover.cancel()


def test_a_pace_is_one_for_all_who_share_it() -> None:
    pace, began = Pace(1000), time.monotonic()
    for _ in range(5):
        pace.take(100)
    assert 0.35 < time.monotonic() - began < 2
    free, began = Pace(None), time.monotonic()
    free.take(1 << 40)
    assert time.monotonic() - began < 0.1
