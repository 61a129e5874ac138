"""A lab source as what it stands for: a department's old server, with databases, files and an application that writes.

>>> server = OldServer(Fleet("mini").machines()["old-edu-1"])
>>> server.install()
>>> server.postgresql("enrol", Content(rows=2000), logical=True)
>>> server.files("/srv/scans", count=500, size=4096)
>>> server.application("register", "postgresql", "enrol", per_second=50)
>>> server.acknowledged("register")
{'w-6f0c…': 1, …}

Everything is done from this machine inside of the host, without SSH: what govhub itself does with a source over SSH
must not be needed to set it up. Calls may be repeated.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from govhub.core.errors import GovhubError
from govhub.core.settings import content
from govhub.lab.hosts import mirror
from govhub.lab.hosts.base import archive_of
from govhub.lab.hosts.machine import Machine
from govhub.lab.hosts.network import PREFIX

PACKAGES = (
    "cron",
    "mariadb-server",
    "postgresql-15",
    "postgresql-client-15",
    "python3-psycopg2",
    "python3-pymysql",
    "rsync",
)
"""What the mirror must have for old servers."""
Engine = Literal["postgresql", "mariadb"]
ACCOUNT = "app"
"""The account of applications on the databases; it owns what they use."""
_PORTS = {"postgresql": 5432, "mariadb": 3306}
_PASSWORD = "/etc/register.password"  # noqa: S105  # the name of a file
_UNIT = """[Unit]
Description=Register {name}
After=postgresql.service mariadb.service

[Service]
User=register
EnvironmentFile=/etc/{name}.env
ExecStart=/usr/bin/python3 /opt/register/app.py
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """How much a database holds, and what makes its move hard; 1000 people are about 2 MB on PostgreSQL."""

    rows: int = 500
    """People; each with two cases and six payments (MariaDB: one case, three payments)."""
    large: int = 5
    """Large objects of PostgreSQL."""
    large_bytes: int = 65536
    """Bytes of each of them."""
    keyless: bool = False
    """The log has no primary key."""


@dataclass(frozen=True, slots=True)
class OldServer:
    """A booted lab source."""

    machine: Machine

    def run(self, script: str, text: str = "") -> str:
        """Run a shell script as root; returns what it printed, without the last end of line.

        Raises:
            GovhubError: it failed (LAB012), with its last lines.
        """
        return self.machine.inside(script, text)

    def install(self, *more: str, packages: Iterable[str] = PACKAGES) -> None:
        """Install what old servers have, or some of it, and ``more`` packages of the lab's mirror."""
        stock = mirror.served(self.machine.folder.parent)
        line = f"deb [signed-by=/etc/apt/keyrings/lab.asc] {mirror.url()} {archive_of()[1]} main"
        names = " ".join(shlex.quote(name) for name in (*packages, *more))
        self._write("/etc/apt/keyrings/lab.asc", stock.key)
        self._write("/etc/apt/sources.list.d/lab.list", f"{line}\n")
        # Without a language PostgreSQL would be set up for ASCII.
        self.run(
            "export DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8; apt-get update -qq; "
            f"apt-get install -y -qq --no-install-recommends {names} >/tmp/install.log 2>&1 "
            "|| { tail -5 /tmp/install.log; false; }"
        )
        self.run(f"[ -s {_PASSWORD} ] || (umask 077; cat >{_PASSWORD})", f"{secrets.token_urlsafe(18)}\n")
        self.run("id register >/dev/null 2>&1 || useradd --system --home /var/lib/register --create-home register")

    @property
    def password(self) -> str:
        """The password of :data:`ACCOUNT` on both database servers."""
        return self.run(f"cat {_PASSWORD}")

    def address(self, engine: Engine, database: str) -> str:
        """The database as an address with its password, for who may connect over the lab's network."""
        return f"{engine}://{ACCOUNT}:{self.password}@{self.machine.address}:{_PORTS[engine]}/{database}"

    def postgresql(self, database: str, holds: Content | None = None, *, logical: bool = False) -> None:
        """Make a database on PostgreSQL 15 and fill it.

        Args:
            database: Its name; nothing is done when the server has it.
            holds: What it holds.
            logical: Let the server write what logical replication needs; a server that nobody prepared does not.
        """
        settings = {"listen_addresses": "*", "shared_buffers": "64MB", "wal_level": "logical" if logical else "replica"}
        self.psql(";\n".join(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()))
        rule = f"host all all {PREFIX}.0/24 scram-sha-256"
        hba = "/etc/postgresql/15/main/pg_hba.conf"
        self.run(f"grep -qxF {shlex.quote(rule)} {hba} || echo {shlex.quote(rule)} >>{hba}")
        self.run("systemctl restart postgresql@15-main")
        if ACCOUNT not in self.psql("SELECT rolname FROM pg_roles").splitlines():
            # Through standard input: arguments of processes are read by others.
            self.psql(f"CREATE ROLE {ACCOUNT} LOGIN REPLICATION PASSWORD '{self.password}'")
        if database in self.psql("SELECT datname FROM pg_database").splitlines():
            return
        self.psql(f'CREATE DATABASE "{database}" OWNER {ACCOUNT}')
        holds = holds or Content()
        values = {"rows": holds.rows, "large": holds.large, "large_bytes": holds.large_bytes}
        words = " ".join(f"-v {name}={value}" for name, value in (values | {"keyless": int(holds.keyless)}).items())
        script = f"cd /; runuser -u postgres -- psql -X -q -d {shlex.quote(database)} {words} >/dev/null"
        own = f"SET ROLE {ACCOUNT};\n"
        self.psql(f"GRANT CREATE ON SCHEMA public TO {ACCOUNT}", database)
        try:
            self.run(script, own + _text("postgresql.sql"))
        except GovhubError:
            # A half one would be taken for the whole at the next call.
            self.psql(f'DROP DATABASE "{database}"')
            raise

    def psql(self, statement: str, database: str = "postgres") -> str:
        """What a statement answers as the server's administrator: unaligned, without headings."""
        words = f"cd /; runuser -u postgres -- psql -X -q -A -t -v ON_ERROR_STOP=1 -d {shlex.quote(database)}"
        return self.run(words, f"{statement};\n")

    def mariadb(self, database: str, holds: Content | None = None, *, binlog: bool = False) -> None:
        """Make a database on MariaDB 10.11 and fill it.

        Args:
            database: Its name; nothing is done when the server has it.
            holds: What it holds.
            binlog: Let the server write the binary log in rows; a server that nobody prepared does not.
        """
        lines = ["[mariadbd]", "bind-address = 0.0.0.0", "innodb_buffer_pool_size = 64M"]
        if binlog:
            lines += ["log_bin = binlog", "binlog_format = ROW", "server_id = 101", "gtid_strict_mode = 1"]
        self._write("/etc/mysql/mariadb.conf.d/90-lab.cnf", "\n".join([*lines, ""]))
        self.run("systemctl restart mariadb")
        if self.sql(f"SHOW DATABASES LIKE '{database}'"):
            return
        self.sql(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4")
        self.sql(f"CREATE USER IF NOT EXISTS {ACCOUNT}@'%' IDENTIFIED BY '{self.password}'")
        self.sql(f"GRANT ALL ON `{database}`.* TO {ACCOUNT}@'%'")
        self.sql(f"GRANT REPLICATION SLAVE, REPLICATION CLIENT, BINLOG MONITOR ON *.* TO {ACCOUNT}@'%'")
        holds = holds or Content()
        key = "" if holds.keyless else "id bigint AUTO_INCREMENT PRIMARY KEY,"
        try:
            self.sql(_text("mariadb.sql").replace("@ROWS@", str(holds.rows)).replace("@KEY@", key), database)
        except GovhubError:
            self.sql(f"DROP DATABASE `{database}`")
            raise

    def sql(self, statement: str, database: str = "mysql") -> str:
        """What a statement answers as the server's administrator: tabs between values, without headings."""
        words = f"mariadb --default-character-set=utf8mb4 -N -B {shlex.quote(database)}"
        return self.run(words, f"{statement};\n")

    def files(self, path: str, *, count: int = 200, size: int = 2048) -> None:
        """A file tree of ``count`` files with ``size`` bytes each, and among them names that break careless scripts."""
        words = f"python3 - {shlex.quote(path)} {count} {size}"
        self.run(words, _text("tree.py"))
        self.run(f"chown -R register:register {shlex.quote(path)}")

    def application(
        self, name: str, engine: Engine, database: str, *, port: int = 8080, writers: int = 2, per_second: float = 20
    ) -> None:
        """The register as the systemd unit ``NAME.service``, writing by itself ``per_second`` times a second.

        It listens on ``port``, keeps its entries in the table ``entries`` of the database, and appends each to
        ``/var/lib/register/NAME.log`` after its commit. Its settings are in ``/etc/NAME.env``: who changes
        ``DB_HOST`` there and restarts the unit has moved it.
        """
        settings = {
            "DB_ENGINE": engine,
            "DB_HOST": "127.0.0.1",
            "DB_PORT": _PORTS[engine],
            "DB_NAME": database,
            "DB_USER": ACCOUNT,
            "DB_value": self.password,
            "PORT": port,
            "ACK_LOG": f"/var/lib/register/{name}.log",
            "WRITERS": writers,
            "WRITES_PER_SECOND": per_second,
        }
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        self.run(f"umask 077; cat >/etc/{name}.env", text)
        app = content("lab", "images", "register", "app.py").read_text(encoding="utf-8")
        self._write("/opt/register/app.py", app)
        self._write(f"/etc/systemd/system/{name}.service", _UNIT.format(name=name))
        self.run(f"systemctl daemon-reload; systemctl enable -q {name}; systemctl restart {name}")

    def acknowledged(self, name: str) -> dict[str, int]:
        """What the application has acknowledged so far: its number by the entry's name."""
        return {entry: int(number) for number, entry, _ in self._log(name)}

    def moments(self, name: str) -> dict[str, float]:
        """When it acknowledged each of them, by the entry's name: seconds since the epoch, by the server's clock."""
        return {entry: float(moment) for _, entry, moment in self._log(name)}

    def _log(self, name: str) -> list[list[str]]:
        lines = self.run(f"cat /var/lib/register/{name}.log 2>/dev/null || true").splitlines()
        return [line.split("\t") for line in lines if line.count("\t") == 2]

    def entries(self, engine: Engine, database: str) -> dict[str, int]:
        """What the database has: the number by the entry's name."""
        statement = "SELECT id, name FROM entries"
        text = self.psql(statement, database) if engine == "postgresql" else self.sql(statement, database)
        pairs = (line.replace("|", "\t", 1).split("\t", 1) for line in text.splitlines())
        return {entry: int(number) for number, entry in pairs}

    def _write(self, path: str, text: str) -> None:
        self.run(f"mkdir -p {shlex.quote(str(Path(path).parent))}; cat >{shlex.quote(path)}", text)


def _text(name: str) -> str:
    return content("lab", "sources", name).read_text(encoding="utf-8")
