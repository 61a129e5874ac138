"""MariaDB on real hosts: TLS alone, tenants apart, a standby that follows, restores proven with data, rotation."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest

from govhub.ops.requests import RunRequest
from govhub.ops.rotation import RotateRequest, rotate
from hosts.pairs import DatabasePair, booted

pytestmark = pytest.mark.slow

DATABASES = """
databases:
  - name: maria-main
    engine: mariadb
    hosts: [db1, db2]
    tenants:
      - {tenant: education, database: library_books}
      - {tenant: civil-affairs, database: relief}
"""
ROWS = "SELECT CONCAT(COUNT(*), ' ', MD5(GROUP_CONCAT(id, name ORDER BY id))) FROM loans"
SCRATCH = "/var/lib/mariadb-scratch"


class MariaPair(DatabasePair):
    """A primary and its standby."""

    server = "maria-main"

    def connect(
        self, account: str, sql: str, *, database: str = "", to: str = "db1", password: str = "", options: str = ""
    ) -> str:
        """What the client on the other host says, errors included."""
        options = options or "--ssl-ca=/etc/ssl/govhub/ca.pem --ssl-verify-server-cert"
        words = f"--host={self.machine(to).address} --user={account} {options} -NB -e {shlex.quote(sql)}"
        secret = password or self.password(account)
        return self.inside(self.other(to), f"MYSQL_PWD={secret} mariadb {words} {database or account} 2>&1 || true")

    def sql(self, host: str, statement: str, options: str = "") -> str:
        """As the server's own administrator, on the host."""
        wide = "SET SESSION group_concat_max_len = 100000000; "
        return self.inside(host, f"mariadb {options} -NB -e {shlex.quote(wide + statement)} library_books")

    def caught_up(self) -> None:
        """Wait until the standby has applied what the primary has written."""
        position = self.sql("db1", "SELECT @@gtid_binlog_pos")
        assert self.sql("db2", f"SELECT MASTER_GTID_WAIT('{position}', 10)") == "0"


@pytest.fixture(scope="module")
def pair(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaPair]:
    """Two booted hosts with a database server declared on them."""
    with booted(MariaPair, DATABASES, tmp_path_factory) as made:
        yield made


def test_bare_hosts_become_a_primary_and_its_standby(pair: MariaPair) -> None:
    result = pair.up()
    assert (result.status, result.problems) == ("done", [])
    assert pair.inside("db2", "mariadb -NBe 'SELECT @@read_only'") == "1"
    state = pair.inside("db2", "mariadb -e 'SHOW SLAVE STATUS\\G'")
    for line in ("Slave_IO_Running: Yes", "Slave_SQL_Running: Yes", "Master_SSL_Allowed: Yes", "Using_Gtid: Slave_Pos"):
        assert line in state


def test_a_second_run_changes_nothing(pair: MariaPair) -> None:
    assert pair.changes() == {}
    found = pair.drift()
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
    assert found.compared >= 2


def test_who_comes_without_tls_or_with_another_password_is_refused(pair: MariaPair) -> None:
    assert "Verify return code: 0 (ok)" in pair.served("db1", "mysql", 3306, "db1")
    assert "TLS" in pair.connect("library_books", "SHOW STATUS LIKE 'Ssl_version'")
    assert "ERROR 1045" in pair.connect("library_books", "SELECT 1", options="--skip-ssl")
    assert "ERROR 1045" in pair.connect("library_books", "SELECT 1", password="x" * 32)
    assert "Access denied" in pair.connect("root", "SELECT 1", database="mysql", password="x")
    # Its certificate is what a standby proves itself with; without it the account is closed.
    assert "ERROR 1045" in pair.connect("replication", "SELECT 1", database="mysql", password="x")


def test_a_tenant_reaches_its_own_database_and_no_other(pair: MariaPair) -> None:
    made = (
        "CREATE TABLE loans (id int PRIMARY KEY, name text); INSERT INTO loans SELECT seq, MD5(seq) FROM seq_1_to_5000"
    )
    assert pair.connect("library_books", made) == ""
    assert pair.connect("library_books", "SELECT COUNT(*) FROM loans") == "5000"
    for database in ("relief", "mysql"):
        assert "ERROR 1044" in pair.connect("library_books", "SELECT 1", database=database)
    # The name holds a character that grants take for any other.
    pair.inside("db1", "mariadb -e 'CREATE DATABASE libraryxbooks'")
    assert "ERROR 1044" in pair.connect("library_books", "SELECT 1", database="libraryxbooks")
    pair.inside("db1", "mariadb -e 'DROP DATABASE libraryxbooks'")


def test_the_standby_follows_and_takes_no_writes(pair: MariaPair) -> None:
    assert pair.connect("library_books", "INSERT INTO loans VALUES (0, 'first')") == ""
    pair.caught_up()
    assert pair.connect("library_books", "SELECT name FROM loans WHERE id = 0", to="db2") == "first"
    assert "ERROR 1290" in pair.connect("library_books", "DELETE FROM loans", to="db2")


@pytest.mark.parametrize("host", ["db1", "db2"])
def test_rows_that_were_deleted_come_back_from_the_backup_of_either_host(pair: MariaPair, host: str) -> None:
    pair.inside(host, "systemctl start govhub-mariadb-backup.service; sleep 1.1")
    assert pair.connect("library_books", f"INSERT INTO loans VALUES (1{host[-1]}000, 'after the backup')") == ""
    before = pair.sql("db1", ROWS)
    # The logs count seconds.
    moment = pair.inside("db1", "sleep 1.1; date '+%F %T'; sleep 1.1")
    low, high = (1, 1000) if host == "db1" else (1000, 2000)
    assert pair.connect("library_books", f"DELETE FROM loans WHERE id BETWEEN {low} AND {high}") == ""
    assert pair.sql("db1", ROWS) != before
    pair.caught_up()
    said = pair.inside(host, f"/usr/local/sbin/govhub-mariadb-restore --time '{moment}' {SCRATCH}")
    assert "restored from" in said
    try:
        assert pair.sql(host, ROWS, options=f"--no-defaults --socket={SCRATCH}/server.sock") == before
    finally:
        pair.inside(host, f"mariadb-admin --no-defaults --socket={SCRATCH}/server.sock shutdown; rm -rf {SCRATCH}")


def test_hand_edits_are_found_and_repaired(pair: MariaPair) -> None:
    pair.inside("db1", "echo 'require_secure_transport = OFF' >>/etc/mysql/mariadb.conf.d/90-govhub.cnf")
    pair.sql("db1", "SET GLOBAL require_secure_transport = OFF")
    pair.sql("db1", "ALTER USER 'library_books'@'%' IDENTIFIED BY 'changed by hand' REQUIRE NONE")
    pair.sql("db1", "GRANT SELECT ON relief.* TO 'library_books'@'%'")
    pair.sql("db2", "STOP SLAVE")
    found = {item.host: set(item.changed) for item in pair.drift().hosts}
    assert set(found) == {"db1", "db2"}
    assert found["db1"] >= {
        "mariadb: Settings, and daily backups",
        "mariadb: What is loaded is what is written",
        "mariadb: Accounts and databases of tenants, each apart from the others",
    }
    assert "mariadb: It follows its primary" in found["db2"]
    result = pair.up()
    assert (result.status, result.problems) == ("done", [])
    assert pair.connect("library_books", "SELECT 1") == "1"
    assert "ERROR 1045" in pair.connect("library_books", "SELECT 1", options="--skip-ssl")
    assert "ERROR 1044" in pair.connect("library_books", "SELECT 1", database="relief")
    pair.caught_up()


def test_certificates_and_passwords_are_rotated_and_that_is_proven(pair: MariaPair) -> None:
    result = rotate(RotateRequest(certificates=True, passwords=True, run=RunRequest(hub=str(pair.folder))))
    assert result.run
    assert (result.run.status, result.run.problems) == ("done", [])
    assert result.proven == ("db1", "db2")
    assert "issuer=O = mini, CN = mini hosts 2" in pair.served("db1", "mysql", 3306, "db1")
    assert "ERROR 1045" in pair.connect("library_books", "SELECT 1")
    assert pair.connect("library_books", "SELECT 1", password=pair.password("library_books", 2)) == "1"
    # Anew, with the new certificate; and the standby knows the new password from its primary.
    pair.sql("db2", "STOP SLAVE; START SLAVE")
    pair.sql("db1", "INSERT INTO loans VALUES (-1, 'rotated')")
    pair.caught_up()
    new = pair.password("library_books", 2)
    assert pair.connect("library_books", "SELECT name FROM loans WHERE id = -1", to="db2", password=new) == "rotated"


def test_a_promoted_standby_is_not_overwritten(pair: MariaPair) -> None:
    """The last test: there are two primaries afterwards."""
    pair.sql("db2", "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = OFF")
    pair.sql("db2", "INSERT INTO loans VALUES (-2, 'only here')")
    pair.edit("databases.yaml", "generation: 2", "generation: 3")
    result = pair.up()
    assert (result.status, [item.address for item in result.problems]) == ("failed", ["hosts/db2"])
    assert "declared a standby of maria-main, but a primary stands there" in result.problems[0].summary
    assert pair.sql("db2", "SELECT name FROM loans WHERE id = -2") == "only here"
