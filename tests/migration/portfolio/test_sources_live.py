"""A department's old server in the lab: really booted, really filled, read over SSH, and left as it was."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from govhub.core.settings import hub_home
from govhub.hosts.reach import reaches
from govhub.lab.hosts.sources import Content, OldServer
from govhub.ops.hostread import SweepRequest, hosts_facts
from govhub.ops.load import valid_hub
from govhub.ops.migration.assessing import AssessRequest, assess_portfolio
from hosts.conftest import HostHub, lab_copy, root

__all__ = ["root"]
SOURCE, PARTNER, HOST = "old-edu-1", "old-aid-1", "node5"
MIGRATIONS = """
sources:
  - {name: old-edu-1, tenant: education, lab: true}
  - {name: old-aid-1, tenant: civil-affairs, lab: true}
migrations:
  - system: school-enrolment
    moves:
      - {name: db, kind: postgresql, source: old-edu-1, database: enrol, size: 1Gi}
      - {name: scans, kind: files, source: old-edu-1, path: /srv/scans}
      - {name: app, kind: application, source: old-edu-1, unit: register.service, to: web}
  - system: social-aid
    moves:
      - {name: app, kind: application, source: old-aid-1, unit: aid.service, to: web}
"""
# Another server that talks with the database, as an application there would.
CALLER = """
import os, socket, sys, time
kept = [socket.create_connection((sys.argv[1], 5432), 5) for _ in range(3)]
if os.fork():
    os._exit(0)
os.setsid()
for number in (0, 1, 2):
    os.close(number)
time.sleep(50)
"""


class Old(HostHub):
    """A small hub with one host and two sources."""

    @property
    def server(self) -> OldServer:
        return OldServer(self.machine(SOURCE))

    @property
    def partner(self) -> OldServer:
        return OldServer(self.machine(PARTNER))

    def assess(self, *systems: str, offline: bool = False) -> dict[str, Any]:
        return assess_portfolio(AssessRequest(hub=str(self.folder), systems=systems, offline=offline, timeout=60))


@pytest.fixture(scope="module")
def old(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    with lab_copy("mini", tmp_path_factory) as folder:
        (folder / "migrations.yaml").write_text(MIGRATIONS, encoding="utf-8")
        made = Old(folder)
        made.boot(1)
        made.server.install()
        made.server.postgresql("enrol", Content(rows=300, large=3, keyless=True))
        made.server.mariadb("forgotten", Content(rows=50))
        made.server.psql('CREATE DATABASE "odd name; --"')
        made.server.psql(ODD, "odd name; --")
        made.server.run("cat >/etc/cron.d/backup", CRON)
        made.server.files("/srv/scans", count=40)
        made.server.application("register", "postgresql", "enrol", per_second=50)
        yield made


ODD = """
CREATE UNLOGGED TABLE quick (id int PRIMARY KEY);
CREATE TABLE indexed (id int NOT NULL);
CREATE UNIQUE INDEX by_id ON indexed (id);
ALTER TABLE indexed REPLICA IDENTITY USING INDEX by_id;
CREATE TABLE "Weird ""table" (id int)
"""
CRON = "# A comment\nMAILTO=root\n0 3 * * * root PGPASSWORD=geheim /usr/bin/pg_dump --password=geheim enrol\n"


def findings(document: dict[str, Any], system: str = "school-enrolment") -> list[dict[str, Any]]:
    item = next(item for item in document["systems"] if item["system"] == system)
    return sorted(item["findings"], key=lambda one: str(one["summary"]))


def found(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{one['code']} {one.get('move', '')}".strip(): one for one in findings(document)}


@pytest.fixture(scope="module")
def document(old: Old) -> dict[str, Any]:
    """What one look at the source brought."""
    return old.assess("school-enrolment")


def test_sources_are_booted_beside_hosts_and_are_none(old: Old) -> None:
    assert set(old.fleet.machines()) == {HOST, SOURCE, PARTNER}
    hub, _ = valid_hub(str(old.folder))
    reached = reaches(hub)
    assert (set(reached.hosts), set(reached.sources)) == ({HOST}, {SOURCE, PARTNER})
    assert set(old.standing()) == {HOST}
    assert set(old.changes()) == {HOST}
    assert {item["host"] for item in hosts_facts(SweepRequest(hub=str(old.folder)))["hosts"]} == {HOST}


def test_a_source_is_read_as_it_is(old: Old, document: dict[str, Any]) -> None:
    (source,) = document["sources"]
    assert source["release"] == "debian 12"
    postgresql, mariadb = source["servers"]
    database, odd = sorted(postgresql["databases"], key=lambda item: str(item["name"]))
    assert abs(database["size"] - int(old.server.psql("SELECT pg_database_size('enrol')"))) < 4 * 2**20
    tables = (
        "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    assert database["tables"] == int(old.server.psql(tables, "enrol"))
    assert (database["keyless"], database["keyless_names"]) == (1, ("audit_log",))
    assert (database["large_objects"], database["extensions"]) == (3, {"pg_trgm": "1.6"})
    # A unique index that replication goes by is as good as a key.
    assert (odd["name"], odd["tables"], odd["unlogged"]) == ("odd name; --", 3, 1)
    assert odd["keyless_names"] == ('"Weird ""table"',)
    assert postgresql["settings"]["wal_level"] == "replica"
    assert postgresql["log_rate"] > 0, "the application writes"
    assert [item["name"] for item in mariadb["databases"]] == ["forgotten"]
    assert mariadb["databases"][0]["tables"] == 6
    folder = source["folders"]["/srv/scans"]
    assert folder["files"] == int(old.server.run("find /srv/scans -type f -printf . | wc -c"))
    assert source["units"]["register.service"]["active"] == "active"
    told = old.server.run("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
    assert source["host_key"] == told
    # What was found, against what was declared.
    problems = found(document)
    assert {"POR015 db", "POR016", "POR030 db", "POR035 db", "POR037 db"} <= set(problems)
    undeclared = [item["summary"] for item in findings(document) if item["code"] == "POR016"]
    assert undeclared == [
        "the mariadb database forgotten is not declared",
        "the postgresql database odd name; -- is not declared",
    ]


def test_arguments_of_jobs_never_leave_the_source(document: dict[str, Any]) -> None:
    (source,) = document["sources"]
    assert ("root", "0 3 * * *", "/usr/bin/pg_dump") in source["jobs"]
    kept = (hub_home("mini") / "sources" / f"{SOURCE}.json").read_text(encoding="utf-8")
    assert "pg_dump" in kept
    assert "geheim" not in kept


def test_reading_leaves_the_source_as_it_was(old: Old) -> None:
    old.server.run("systemctl stop register")
    # What the server does by itself is none of ours.
    old.server.psql("ALTER SYSTEM SET autovacuum = off;\nSELECT pg_reload_conf()")
    time.sleep(2)
    following = "SELECT pg_snapshot_xmax(pg_current_snapshot())"
    transaction = old.server.psql(following)
    written = old.server.sql("SHOW GLOBAL STATUS LIKE 'Innodb_rows_inserted'")
    old.server.run("touch /root/.before; sleep 1.1")
    try:
        assert found(old.assess("school-enrolment"))
        changed = old.server.run(
            "find / -xdev -newer /root/.before -type f ! -path '/proc/*' ! -path '/sys/*' ! -path '/run/*'"
        ).splitlines()
        logs = ("/var/log/", "/var/lib/postgresql/15/main/", "/var/lib/mysql/", "/var/lib/systemd/", "/var/lib/sudo/")
        assert [path for path in changed if not path.startswith(logs)] == []
        # Only a transaction that writes takes a number.
        assert old.server.psql(following) == transaction
        assert old.server.sql("SHOW GLOBAL STATUS LIKE 'Innodb_rows_inserted'") == written
        assert old.server.psql("SELECT count(*) FROM pg_replication_slots") == "0"
    finally:
        old.server.psql("ALTER SYSTEM RESET autovacuum;\nSELECT pg_reload_conf()")
        old.server.run("systemctl start register")


def test_who_talks_with_it_becomes_a_candidate_for_a_dependency(old: Old) -> None:
    # Without a login: the server waits a minute for it.
    old.partner.run(f"timeout 20 python3 - {old.server.machine.address}", CALLER)
    candidate = found(old.assess())["POR017"]
    assert f"port 5432 of {SOURCE}, which is {PARTNER} with social-aid" in candidate["summary"]
    assert "connections of postgres" in candidate["evidence"]
    assert old.server.password not in str(old.assess(offline=True)), "secrets are not read"


@pytest.mark.slow
def test_what_was_acknowledged_is_there_after_the_database_was_killed(old: Old) -> None:
    before = old.server.acknowledged("register")
    old.server.run("pkill -9 postgres; sleep 1; systemctl restart postgresql@15-main")
    deadline = time.monotonic() + 20
    while len(acknowledged := old.server.acknowledged("register")) <= len(before) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert len(acknowledged) > len(before) > 0, "it goes on"
    entries = old.server.entries("postgresql", "enrol")
    assert {name: entries.get(name) for name in acknowledged} == acknowledged


@pytest.mark.slow
def test_the_register_writes_to_mariadb_as_well(old: Old) -> None:
    old.server.application("other", "mariadb", "forgotten", port=8081)
    deadline = time.monotonic() + 20
    while not (acknowledged := old.server.acknowledged("other")) and time.monotonic() < deadline:
        time.sleep(0.5)
    old.server.run("systemctl stop other")
    acknowledged = old.server.acknowledged("other")
    assert acknowledged
    assert acknowledged == old.server.entries("mariadb", "forgotten")


def test_an_account_that_may_not_read_is_told_and_the_last_reading_stands_in(old: Old) -> None:
    assert "POR001" not in found(old.assess("school-enrolment"))
    old.server.run("mv /etc/sudoers.d/govhub /root/")
    try:
        document = old.assess("school-enrolment")
        assert "sudo was refused" in found(document)["POR001"]["evidence"]
        assert document["sources"][0]["servers"]
    finally:
        old.server.run("mv /root/govhub /etc/sudoers.d/")


@pytest.mark.slow
def test_offline_works_when_the_source_is_gone(old: Old) -> None:
    known = old.assess("school-enrolment")
    old.machine(SOURCE).power_cut()
    document = old.assess("school-enrolment", offline=True)
    assert found(document).keys() == found(known).keys()
    assert document["sources"][0]["time"] == known["sources"][0]["time"]
    files: list[Path] = list((hub_home("mini") / "sources").iterdir())
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
