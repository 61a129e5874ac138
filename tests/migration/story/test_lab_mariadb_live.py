"""MariaDB and files between real hosts: one system moves to hosts that our roles brought up, another one returns.

The new server has another tenant's database, and a standby. Real hosts, sshd, TLS,
MariaDB, systemd units and web applications that write; nothing is stood in for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from govhub.inventory.moves import account_of
from govhub.lab.hosts.sources import Content, OldServer
from govhub.ops.drift import drift
from govhub.ops.migration.demo.place import HUB, OLD, Place, place
from hosts.conftest import root

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
__all__ = ["root"]
PRIMARY, STANDBY, STORE = "db1", "db2", "store1"
TREE = "/srv/scans"
BOOKS, VISITS = "library-books", "visits"
HOSTS = """hosts:
  - {names: "db{1..2}", racks: "site-a/h1/r01/{01..02}", role: database, arch: amd64, cores: 16, memory: 64Gi,
     storage: 2Ti, lab: true}
  - {names: store1, racks: site-a/h1/r01/01, role: storage, arch: amd64, cores: 16, memory: 64Gi, lab: true}

  - {names: "node{1..2}", """
DATABASES = """databases:
  - name: maria-main
    engine: mariadb
    hosts: [db1, db2]
    tenants:
      - {tenant: education, database: books}
      - {tenant: education, database: other_office}
"""
WINDOW = "window: {days: [mon, tue, wed, thu, fri, sat, sun], start: '00:00', minutes: 1440}"
MOVES = f"""sources:
  - {{name: old-edu-1, tenant: education, lab: true}}
migrations:
  - system: school-enrolment
    {WINDOW}
    moves:
      - {{name: db, kind: mariadb, source: old-edu-1, database: books, to: maria-main}}
      - {{name: app, kind: application, source: old-edu-1, unit: books.service,
         settings: {{file: /etc/books.env, host: DB_HOST, port: DB_PORT}}}}
"""
SYSTEM = """  - {name: yearbooks, title: {zh: 校史图集, en: Yearbooks}, tenant: education, owner: 基础教育科,
     tier: 3, protection_level: 2, workloads: [
       {name: web, image: registry.demo.gov.internal/education/yearbooks:1.0.0, cpu: 100m, memory: 128Mi, port: 8080}]}
"""
LATER = f"""  - system: yearbooks
    {WINDOW}
    moves:
      - {{name: scans, kind: files, source: old-edu-1, path: {TREE}, to: store1}}
  - system: open-days
    {WINDOW}
    moves:
      - {{name: db, kind: mariadb, source: old-edu-1, database: days, to: maria-main}}
      - {{name: app, kind: application, source: old-edu-1, unit: days.service,
         settings: {{file: /etc/days.env, host: DB_HOST, port: DB_PORT}}}}
"""
SYSTEMS = {"school-enrolment": "books", "open-days": "days"}
APPROVAL, ACCEPTANCE = "WaitForCutoverApproval", "WaitForAcceptance"


@pytest.fixture(scope="module")
def there(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Booted, filled, written to; the hosts of the hub are in their declared state."""
    with place(tmp_path_factory.mktemp("story") / "place", trial_seconds=0) as made:
        sites = made.hub / "sites.yaml"
        text = sites.read_text(encoding="utf-8")
        before, _, after = text.partition("hosts:\n")
        _, _, nodes = after.partition('  - {names: "node{1..2}", ')
        nodes, _, _ = nodes.partition("databases:")
        people = (made.hub / "people.yaml").read_text(encoding="utf-8")
        sites.write_text(before + HOSTS + nodes + DATABASES, encoding="utf-8")
        (made.hub / "people.yaml").write_text(
            people.replace("migration:\n", "migration:\n  movers: [{host: store1}]\n"), encoding="utf-8"
        )
        with (made.hub / "systems.yaml").open("a", encoding="utf-8") as more:
            more.write(SYSTEM)
        (made.hub / "migrations.yaml").write_text(MOVES + LATER, encoding="utf-8")
        made.boot(print)
        made.old.install(packages=("mariadb-server", "python3-pymysql", "rsync"))
        for port, name in enumerate(SYSTEMS.values(), 8080):
            made.old.mariadb(name, Content(rows=300), binlog=True)
            made.old.application(name, "mariadb", name, port=port, per_second=20)
        made.old.files(TREE, count=300)
        result = made.up()
        assert result.status == "done", [item.summary for item in result.problems]
        yield made


def host(there: Place, name: str) -> OldServer:
    return OldServer(there.fleet.machines()[name])


def come_to(there: Place, system: str, phase: str | None, itinerary: str = "", wait: float = 60) -> dict[str, Any]:
    found = there.run(system, itinerary=itinerary, wait=wait)[system]
    assert (found["state"], found["phase"]) == ("waiting" if phase else "done", phase), found["reason"]
    return found


def lost(there: Place, server: OldServer, name: str) -> list[str]:
    acknowledged, entries = there.old.acknowledged(name), server.entries("mariadb", name)
    return sorted(entry for entry, number in acknowledged.items() if entries.get(entry) != number)


def writes(there: Place, name: str) -> bool:
    before = len(there.old.acknowledged(name))
    time.sleep(1)
    return len(there.old.acknowledged(name)) > before


def accounts(there: Place, system: str) -> str:
    statement = f"SELECT COUNT(*) FROM mysql.global_priv WHERE User = '{account_of(HUB, system, 'db')}'"
    return "".join(item.sql(statement) for item in (there.old, host(there, PRIMARY), host(there, STANDBY)))


def standby_follows(there: Place, table: str) -> None:
    new, follows = host(there, PRIMARY), host(there, STANDBY)
    position = new.sql("SELECT @@gtid_binlog_pos")
    assert follows.sql(f"SELECT MASTER_GTID_WAIT('{position}', 20)") == "0", follows.sql("SHOW SLAVE STATUS")
    assert follows.sql(f"SELECT COUNT(*) > 0 FROM {table}") == "1"


def tree(server: OldServer) -> str:
    return server.run(f"cd {TREE} && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum")


def test_a_database_moves_beside_others_data_and_is_accepted(there: Place) -> None:
    system, new = "school-enrolment", host(there, PRIMARY)
    new.sql("CREATE TABLE other_office.kept (id int AUTO_INCREMENT PRIMARY KEY)")
    new.sql("INSERT INTO other_office.kept VALUES (1), (2)")
    log = new.sql("SHOW BINARY LOGS").split()[0]
    come_to(there, system, APPROVAL, "migrate", wait=90)
    assert accounts(there, system)[2] == "0"
    assert host(there, PRIMARY).run("systemctl restart mariadb; ls /etc/mysql/mariadb.conf.d").count("99-govhub_") == 1
    there.everybody_approves(system)
    come_to(there, system, ACCEPTANCE, wait=90)
    assert writes(there, "books")
    assert lost(there, new, "books") == []
    # Over TLS, beside data that nobody touched, and the standby has both.
    seen = new.sql("SELECT DISTINCT USER FROM information_schema.PROCESSLIST WHERE DB = 'books'")
    assert seen == "app"
    assert new.sql("SHOW BINARY LOGS").split()[0] == log
    assert new.sql("SELECT COUNT(*) FROM other_office.kept") == "2"
    assert there.old.sql("SHOW DATABASES LIKE 'other_office'") == ""
    standby_follows(there, "books.entries")

    there.everybody_approves(system)
    come_to(there, system, None)
    come_to(there, system, "WaitForRetirementApproval", "retire")
    there.everybody_approves(system)
    come_to(there, system, None)
    assert there.old.sql("SHOW DATABASES LIKE 'books'") == ""
    assert accounts(there, system) == "000"
    assert new.run("ls /etc/mysql/mariadb.conf.d").count("99-govhub_") == 0
    assert writes(there, "books")
    assert lost(there, new, "books") == []
    standby_follows(there, "books.entries")


def test_a_database_that_is_rolled_back_keeps_what_users_wrote_on_the_target(there: Place) -> None:
    system, new = "open-days", host(there, PRIMARY)
    come_to(there, system, APPROVAL, "migrate", wait=90)
    there.everybody_approves(system)
    come_to(there, system, ACCEPTANCE, wait=90)
    switched = time.time()
    time.sleep(2)
    written = {entry for entry, moment in there.old.moments("days").items() if moment > switched}
    assert len(written) > 5
    assert written <= set(new.entries("mariadb", "days"))
    come_to(there, system, None, "roll-back", wait=90)
    assert writes(there, "days")
    assert written <= set(there.old.entries("mariadb", "days"))
    assert lost(there, there.old, "days") == []
    assert there.old.sql("SHOW ALL SLAVES STATUS") == ""
    assert new.sql("SHOW DATABASES LIKE 'days'") == ""
    assert new.sql("SELECT COUNT(*) FROM other_office.kept") == "2"
    standby_follows(there, "other_office.kept")
    assert (OLD, accounts(there, system)) == (OLD, "000")


def test_a_tree_moves_and_is_the_same_on_the_host_of_the_hub(there: Place) -> None:
    system = "yearbooks"
    before = tree(there.old)
    come_to(there, system, APPROVAL, "migrate")
    there.old.run(f"echo later >{TREE}/later.txt")
    there.everybody_approves(system)
    come_to(there, system, ACCEPTANCE)
    assert tree(there.old) == tree(host(there, STORE)) != before
    host(there, STORE).run(f"echo new >{TREE}/new.txt")
    come_to(there, system, None, "roll-back")
    assert there.old.run(f"cat {TREE}/new.txt") == "new"


def test_what_has_moved_is_no_drift_of_the_hosts(there: Place) -> None:
    found = drift(str(there.hub))
    assert [(item.host, item.changed, item.why) for item in found.hosts] == []
