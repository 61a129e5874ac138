"""PostgreSQL on real hosts: TLS alone, tenants apart, a standby that follows, restores proven with data, rotation."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from govhub.core.errors import InvalidInput
from govhub.core.settings import hub_home
from govhub.ops.requests import RunRequest
from govhub.ops.rotation import RotateRequest, rotate
from hosts.conftest import begun
from hosts.pairs import DatabasePair, booted
from hosts.test_declared import ansible

DATABASES = """
databases:
  - name: pg-main
    engine: postgresql
    hosts: [db1, db2]
    generation: 1
    backup_days: 7
    tenants:
      - {tenant: education, database: school}
      - {tenant: civil-affairs, database: aid}
"""
AS, SCRATCH = "runuser -u postgres --", "/var/lib/postgresql/scratch"
ROWS = "SELECT count(*) || ' ' || md5(string_agg(id || name, ',' ORDER BY id)) FROM pupils"


class PostgresPair(DatabasePair):
    """A primary and its standby."""

    server = "pg-main"

    def connect(self, account: str, sql: str, *, database: str = "", to: str = "db1", **more: str) -> str:
        """What psql on the other host says, errors included."""
        options = {
            "host": to,
            "hostaddr": self.machine(to).address,
            "user": account,
            "dbname": database or account,
            "password": self.password(account),
            "sslmode": "verify-full",
            "sslrootcert": "/etc/ssl/govhub/ca.pem",
            "connect_timeout": "5",
        }
        words = " ".join(f"{key}={value}" for key, value in (options | more).items())
        return self.inside(self.other(to), f"psql -XAt -c {shlex.quote(sql)} {shlex.quote(words)} 2>&1 || true")

    def psql(self, host: str, sql: str, database: str = "school", options: str = "") -> str:
        """As the server's own administrator, on the host."""
        return self.inside(host, f"runuser -u postgres -- psql -XAt -d {database} {options} -c {shlex.quote(sql)}")

    def caught_up(self) -> None:
        """Wait until the standby has replayed what the primary has written."""
        written = self.psql("db1", "SELECT pg_current_wal_lsn()")
        behind = f"runuser -u postgres -- psql -XAt -c \"SELECT pg_last_wal_replay_lsn() < '{written}'\""
        wait = f"for i in $(seq 100); do [ $({behind}) = f ] && exit; sleep 0.1; done; exit 1"
        self.inside("db2", wait)


@pytest.fixture(scope="module")
def pair(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresPair]:
    """Two booted hosts with a database server declared on them."""
    with booted(PostgresPair, DATABASES, tmp_path_factory) as made:
        yield made


def test_bare_hosts_become_a_primary_and_its_standby(pair: PostgresPair) -> None:
    result = pair.up()
    assert (result.status, result.problems) == ("done", [])
    assert pair.psql("db1", "SELECT pg_is_in_recovery()") == "f"
    assert pair.psql("db2", "SELECT pg_is_in_recovery()") == "t"
    seen = "SELECT usename, state, ssl, client_dn FROM pg_stat_replication JOIN pg_stat_ssl USING (pid)"
    assert pair.psql("db1", seen) == "replication|streaming|t|/CN=db2"


def test_a_second_run_changes_nothing(pair: PostgresPair) -> None:
    assert pair.changes() == {}
    found = pair.drift()
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
    assert found.compared >= 2


def test_an_audit_finds_nothing(pair: PostgresPair) -> None:
    assert pair.failed_checks() == {name: {"unverified kernel-audit"} for name in ("db1", "db2")}


def test_the_servers_certificate_is_the_hubs_and_names_the_host(pair: PostgresPair) -> None:
    right = pair.served("db1", "postgres", 5432, "db1")
    assert "Verify return code: 0 (ok)" in right
    assert "issuer=O = mini, CN = mini hosts 1" in right
    assert "hostname mismatch" in pair.served("db1", "postgres", 5432, "db2")
    assert "root:ssl-cert 640" in pair.inside("db1", "stat -L -c '%U:%G %a' /etc/ssl/govhub/host.key")


def test_who_comes_without_tls_or_with_another_password_is_refused(pair: PostgresPair) -> None:
    mine = "SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    assert pair.connect("school", mine) == "school|t"
    assert "no encryption" in pair.connect("school", "SELECT 1", sslmode="disable")
    assert "password authentication failed" in pair.connect("school", "SELECT 1", password="x" * 32)
    assert "no pg_hba.conf entry" in pair.connect("postgres", "SELECT 1", password="x")
    # The certificate of a host is for replication, and for nothing else.
    own = {"sslcert": "/etc/ssl/govhub/host.pem", "sslkey": "/etc/ssl/govhub/host.key"}
    assert "no pg_hba.conf entry" in pair.connect("replication", "SELECT 1", database="school", password="x", **own)


def test_a_tenant_reaches_its_own_database_and_no_other(pair: PostgresPair) -> None:
    assert pair.connect("school", "CREATE TABLE pupils (id int PRIMARY KEY, name text)") == "CREATE TABLE"
    fill = "INSERT INTO pupils SELECT n, md5(n::text) FROM generate_series(1, 5000) AS n"
    assert pair.connect("school", fill) == "INSERT 0 5000"
    for database in ("aid", "postgres", "template1"):
        assert "no pg_hba.conf entry" in pair.connect("school", "SELECT 1", database=database)
        assert pair.psql("db1", f"SELECT has_database_privilege('school', '{database}', 'CONNECT')") == "f"
    assert "permission denied" in pair.connect("school", "CREATE ROLE other")


def test_the_standby_follows_and_takes_no_writes(pair: PostgresPair) -> None:
    pair.connect("school", "INSERT INTO pupils VALUES (0, 'first')")
    pair.caught_up()
    assert pair.connect("school", "SELECT name FROM pupils WHERE id = 0", to="db2") == "first"
    assert "read-only transaction" in pair.connect("school", "DELETE FROM pupils", to="db2")


@pytest.mark.parametrize("host", ["db1", pytest.param("db2", marks=pytest.mark.slow)])
def test_rows_that_were_deleted_come_back_from_the_backup_of_either_host(pair: PostgresPair, host: str) -> None:
    pair.inside(host, "systemctl start govhub-postgresql-backup.service")
    # Names of backups and moments count seconds.
    pair.inside(host, "sleep 1.1")
    assert pair.connect("school", f"INSERT INTO pupils VALUES (1{host[-1]}000, 'after the backup')") == "INSERT 0 1"
    before, moment = pair.psql("db1", ROWS), pair.psql("db1", "SELECT clock_timestamp()")
    assert pair.connect("school", "DELETE FROM pupils WHERE id < 1000").startswith("DELETE")
    assert pair.psql("db1", ROWS) != before
    # Closes the segment, so that the standby archives it too.
    pair.psql("db1", "SELECT pg_switch_wal()")
    pair.caught_up()
    said = pair.inside(host, f"cd /; {AS} /usr/local/sbin/govhub-postgresql-restore --time '{moment}' {SCRATCH} 5999")
    assert "restored from" in said
    try:
        there = f"-h {SCRATCH} -p 5999"
        assert pair.psql(host, ROWS, options=there) == before
        if host == "db1":
            # And back into the server that runs.
            rows = f"{AS} pg_dump {there} -t pupils --data-only school"
            pair.inside(host, f"cd /; (echo 'TRUNCATE pupils;'; {rows}) | {AS} psql -Xq1 -v ON_ERROR_STOP=1 school")
            assert pair.psql("db1", ROWS) == before
    finally:
        stop = f"{AS} /usr/lib/postgresql/15/bin/pg_ctl -D {SCRATCH} -s stop"
        pair.inside(host, f"cd /; {stop}; rm -rf {SCRATCH}")


@pytest.mark.slow
def test_hand_edits_are_found_and_repaired(pair: PostgresPair) -> None:
    hba = "/etc/postgresql/15/main/pg_hba.conf"
    pair.inside("db1", f"echo 'host all all 0.0.0.0/0 trust' >>{hba}; systemctl reload postgresql@15-main")
    pair.psql("db1", "ALTER SYSTEM SET ssl = off")
    pair.psql("db1", "ALTER ROLE school PASSWORD 'changed by hand' SUPERUSER")
    pair.psql("db1", "GRANT CONNECT ON DATABASE aid TO PUBLIC")
    found = pair.drift()
    assert [item.host for item in found.hosts] == ["db1"], [item.why for item in found.hosts]
    assert set(found.hosts[0].changed) >= {
        "postgresql: Settings, and who may connect",
        "postgresql: No settings beside them",
        "postgresql: What is loaded is what is written",
        "postgresql: Accounts and databases of tenants, each apart from the others",
    }
    assert "0.0.0.0/0 trust" in found.hosts[0].diffs["postgresql: Settings, and who may connect"]
    assert pair.psql("db1", "SELECT rolsuper FROM pg_roles WHERE rolname = 'school'") == "t", "drift never writes"
    result = pair.up()
    assert (result.status, [item.host for item in result.hosts]) == ("done", ["db1"]), result.problems
    assert pair.connect("school", "SELECT rolsuper FROM pg_roles WHERE rolname = 'school'") == "f"
    assert "no pg_hba.conf entry" in pair.connect("aid", "SELECT 1", sslmode="disable")
    assert pair.psql("db1", "SELECT has_database_privilege('school', 'aid', 'CONNECT')") == "f"


def test_no_secret_is_written_anywhere(pair: PostgresPair) -> None:
    accounts = ("school", "aid")
    plain = [pair.password(name) for name in accounts]
    verifiers = [pair.password(name, form="scram") for name in accounts]
    key = (hub_home("mini") / "key").read_text().strip()
    listed = ansible("ansible-inventory", "-i", str(pair.folder), "--list", home=Path(os.environ["GOVHUB_HOME"]))
    assert "govhub_secret" in listed.stdout, "the lookup is listed, not what it gives"
    texts = {"the inventory": listed.stdout}
    for path in Path(os.environ["GOVHUB_HOME"]).rglob("*"):
        inside_of_a_host = {"upper", "root", "work"} & set(path.parts)
        if path.is_file() and path.name not in ("key", "passphrase") and not inside_of_a_host:
            texts[str(path)] = path.read_text(errors="replace")
    assert any("events.ndjson" in name for name in texts)
    assert any("state" in name and name.endswith("db1.json") for name in texts)
    leaks = [name for name, text in texts.items() for value in [*plain, *verifiers, key] if value in text]
    assert leaks == []
    # The servers keep verifiers in their own tables and the passwords nowhere.
    for host in ("db1", "db2"):
        words = " ".join(f"-e {value}" for value in [*plain, key])
        assert pair.inside(host, f"grep -rlF {words} /etc /var/log /var/lib /root /tmp /home || true") == ""


def test_certificates_and_passwords_are_rotated_and_that_is_proven(pair: PostgresPair) -> None:
    before = pair.served("db1", "postgres", 5432, "db1")
    former = pair.inside("db1", "cat /etc/ssl/govhub/host.key")
    asked: list[str] = []

    def approve(diff: str) -> bool:
        asked.append(diff)
        return True

    run = RunRequest(hub=str(pair.folder))
    result = rotate(RotateRequest(certificates=True, passwords=True, run=run, approve_edit=approve))
    assert result.run
    assert (result.run.status, result.run.problems) == ("done", [])
    assert (result.proven, result.unproven) == (("db1", "db2"), {})
    assert "+    generation: 2" in asked[0]
    assert "+  certificates: {generation: 2}" in asked[0]
    assert pair.changes() == {}
    # What the proof says is seen from outside too.
    after = pair.served("db1", "postgres", 5432, "db1")
    assert "issuer=O = mini, CN = mini hosts 1" in before
    assert "issuer=O = mini, CN = mini hosts 2" in after
    assert "Verify return code: 0 (ok)" in after
    assert pair.inside("db1", "cat /etc/ssl/govhub/host.key") != former
    assert pair.inside("db1", "ls /etc/ssl/govhub/issued") == pair.inside(
        "db1", "readlink /etc/ssl/govhub/current | cut -d/ -f2"
    )
    assert "password authentication failed" in pair.connect("school", "SELECT 1")
    assert pair.connect("school", "SELECT 1", password=pair.password("school", 2)) == "1"
    # The standby still follows, and does so anew with its new certificate.
    pair.inside("db2", "systemctl restart postgresql@15-main")
    assert pair.psql("db1", "INSERT INTO pupils VALUES (-1, 'rotated') RETURNING name").startswith("rotated")
    pair.caught_up()
    assert pair.psql("db2", "SELECT name FROM pupils WHERE id = -1") == "rotated"


def test_a_declined_rotation_changes_nothing(pair: PostgresPair) -> None:
    before = (pair.folder / "databases.yaml").read_text()
    request = RotateRequest(
        databases=("pg-main",), run=RunRequest(hub=str(pair.folder)), approve_edit=lambda diff: False
    )
    assert rotate(request).run is None
    assert (pair.folder / "databases.yaml").read_text() == before


def test_a_host_that_missed_a_change_of_authority_stops_the_next(pair: PostgresPair) -> None:
    pair.edit("hub.yaml", "certificates: {generation: 2}", "certificates: {generation: 3}")
    with pytest.raises(InvalidInput, match="db1, db2"):
        rotate(RotateRequest(certificates=True, run=RunRequest(hub=str(pair.folder))))
    pair.edit("hub.yaml", "certificates: {generation: 3}", "certificates: {generation: 2}")


@pytest.mark.slow
def test_a_rotation_that_is_killed_parts_nobody_and_is_finished_by_the_next_run(pair: PostgresPair) -> None:
    process = begun("hosts", "rotate", str(pair.folder), "--certificates", "--passwords", "--yes")
    current = "readlink /etc/ssl/govhub/current"
    former, deadline = pair.inside("db1", current), time.monotonic() + 60
    while pair.inside("db1", current) == former and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=10)
    # Half-way: certificates have begun to change, passwords have not; everybody still trusts everybody.
    assert set(pair.changes()) == {"db1", "db2"}
    pair.inside("db2", "systemctl restart postgresql@15-main")
    assert "Verify return code: 0 (ok)" in pair.served("db1", "postgres", 5432, "db1")
    assert "Verify return code: 0 (ok)" in pair.served("db2", "postgres", 5432, "db2")
    known = [
        number
        for number in (2, 3)
        if pair.connect("school", "SELECT 1", password=pair.password("school", number)) == "1"
    ]
    assert len(known) == 1, "one of the two is always right"
    assert pair.psql("db1", "INSERT INTO pupils VALUES (-3, 'half-way') RETURNING id").startswith("-3")
    pair.caught_up()
    result = pair.up()
    assert (result.status, result.problems) == ("done", [])
    assert pair.events(result, "lock-taken-over")
    assert pair.connect("school", "SELECT 1", password=pair.password("school", 3)) == "1"
    assert "issuer=O = mini, CN = mini hosts 3" in pair.served("db2", "postgres", 5432, "db2")
    pair.caught_up()


@pytest.mark.slow
def test_a_promoted_standby_is_not_overwritten(pair: PostgresPair) -> None:
    """The last test: there are two primaries afterwards."""
    pair.inside("db2", "runuser -u postgres -- pg_ctlcluster 15 main promote")
    assert pair.psql("db2", "INSERT INTO pupils VALUES (-2, 'only here') RETURNING id").startswith("-2")
    pair.edit("databases.yaml", "backup_days: 7", "backup_days: 8")
    result = pair.up()
    assert (result.status, [item.address for item in result.problems]) == ("failed", ["hosts/db2"])
    assert "declared a standby of pg-main, but a primary stands there" in result.problems[0].summary
    assert pair.psql("db2", "SELECT name FROM pupils WHERE id = -2") == "only here"
    assert {item.host: item.status for item in result.hosts}["db1"] == "done", "it fails nobody else"
