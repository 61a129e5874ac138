"""MariaDB under the steps of a database."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.migration.movers.mariadb import accounts, room
from govhub.migration.movers.mariadb.mover import MariadbMover, Options
from govhub.migration.movers.mariadb.samerow import same_rows
from govhub.migration.movers.mariadb.server import Server, name
from govhub.migration.movers.protocol import UNLIMITED, Direction, Limits, MoveFailed, Progress
from govhub.migration.movers.runner import Command, Runner
from govhub.migration.moving import archive
from govhub.migration.moving.ends import Ends
from govhub.migration.moving.engines.both import Both
from govhub.migration.moving.engines.port import End

HOW = "mariadb-dump from one snapshot, compressed and read through to its end; it was not loaded into a server"
_DUMP = (
    "--single-transaction",
    "--quick",
    "--hex-blob",
    "--routines",
    "--events",
    "--triggers",
    "--default-character-set=utf8mb4",
)
_READ = "govhub.migration.movers.mariadb.reading"
PROBE = "govhub_probe"


class MariadbMove(Both[MariadbMover]):
    """See :class:`govhub.migration.moving.engines.port.DatabaseMove`."""

    suffix = ".sql.gz"

    def __init__(self, name: str, ends: Ends, runner: Runner, limits: Limits = UNLIMITED) -> None:
        self.mover = MariadbMover(name, ends.source, ends.target, runner, Options(limits=limits))
        self._runner = runner
        self._database = ends.source.database

    def obstacles(self) -> tuple[list[Diagnostic], list[Diagnostic]]:
        """See the port; a run has to close the source, so it needs accounts that can be locked."""
        found = Diagnostics()
        found.extend(self.mover.assess())
        if not found.errors and not accounts.accounts_of(self.mover.source, self._database):
            found.error(
                "MOV301",
                f"no account has rights on the database {self._database} alone, so nobody can be locked out of it",
                address=self.name(End.SOURCE),
                hint="give the application an account of its own with rights on this database, and lead it there",
            )
        return found.errors, [item for item in found.sorted() if item not in found.errors]

    def carry(self) -> Progress:
        """See the port; the copy was carried when it was started."""
        return self.mover.advance()

    def size(self) -> int:
        """See the port; as the server estimates it."""
        statement = "SELECT SUM(DATA_LENGTH + INDEX_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
        return int(self.mover.source.value(statement, [self._database]) or 0)

    def there(self, end: End) -> bool:
        """See the port."""
        statement = "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = %s"
        return bool(self._server(end).rows(statement, [self._database]))

    def closed(self, end: End) -> bool:
        """See the port; accounts with rights on everything cannot be closed out, and are named before the move."""
        server = self._server(end)
        # Who lost his rights is not among them any more.
        return all(accounts.is_locked(server, *who) for who in accounts.accounts_of(server, self._database))

    def try_writing(self, end: End) -> None:
        """See the port; nothing of it is in the binary log, so nothing of it is replicated."""
        server, table = self._server(end), f"{name(self._database)}.{PROBE}"
        if str(server.value("SELECT @@read_only")) != "0":
            raise MoveFailed.one("MOV306", f"{server.endpoint} is read-only", hint="SET GLOBAL read_only = 0 there")
        server.rows("SET SESSION sql_log_bin = 0")
        try:
            server.rows(f"CREATE OR REPLACE TABLE {table} (word int) ENGINE=InnoDB")
            server.rows(f"INSERT INTO {table} VALUES (1)")  # noqa: S608 - a quoted name
            server.rows(f"DROP TABLE {table}")
        finally:
            server.close()

    def sessions(self, end: End) -> int:
        """See the port."""
        server = self._server(end)
        statement = (
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = %s AND ID <> CONNECTION_ID()"
            " AND USER NOT IN %s"
        )
        return int(server.value(statement, [self._database, (server.endpoint.user, "system user")]))

    def clock(self, end: End) -> datetime:
        """See the port."""
        found: datetime = self._server(end).value("SELECT UTC_TIMESTAMP(6)")
        return found.replace(tzinfo=UTC)

    def free_bytes(self) -> int | None:
        """See the port."""
        return room.free_bytes(self.mover.source)

    def held(self) -> int:
        """See the port."""
        back = self.mover.moved()
        return room.held(self.mover.channel(Direction.BACK if back else Direction.FORWARD), back=back)

    def protect(self) -> None:
        """See the port; what a restart left is set right as well, since this is called whenever a run is looked at."""
        self.mover.mend()
        self.mover.protect()

    def same_rows(self, table: str, keys: Sequence[Mapping[str, Any]]) -> list[bool | None]:
        """See the port."""
        return same_rows(self.mover.channel(Direction.BACK), table, keys)

    def archive(self, path: Path) -> dict[str, Any]:
        """See the port."""
        return archive.make(self._runner, path, HOW, self._dump)

    def drop_source(self) -> None:
        """See the port."""
        self.mover.source.rows(f"DROP DATABASE {name(self._database)}")

    def _server(self, end: End) -> Server:
        return self.mover.source if end is End.SOURCE else self.mover.target

    def _dump(self, path: Path) -> dict[str, Any]:
        place = f"{self.mover.name}-archive"
        pack = Command(arguments=("sh", "-c", 'exec gzip -1 > "$1"', "sh", str(path)))
        try:
            folder = self._runner.folder(place)
            archive.run(
                self._runner, self.mover.source.command("mariadb-dump", folder, *_DUMP, self._database, then=pack)
            )
        finally:
            self._runner.forget(place)
        read = Command(arguments=(sys.executable, "-m", _READ, str(path)))
        return {"tables_with_rows": int(archive.run(self._runner, read))}
