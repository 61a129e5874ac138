"""PostgreSQL under the steps of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.postgresql import access
from govhub.migration.movers.postgresql import target as databases
from govhub.migration.movers.postgresql.dump import DumpMover
from govhub.migration.movers.postgresql.mover import Options, PostgresMover
from govhub.migration.movers.postgresql.room import free_bytes
from govhub.migration.movers.postgresql.samerow import same_row
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import tables_of
from govhub.migration.movers.protocol import UNLIMITED, Direction, Limits, Progress, Stage
from govhub.migration.movers.runner import Command, Runner
from govhub.migration.moving import archive
from govhub.migration.moving.ends import Ends
from govhub.migration.moving.engines.both import Both
from govhub.migration.moving.engines.port import End

# No way back after the cutover: the itinerary promises one, so this is no mere warning here.
NEEDED = "MOV108"
HOW = "pg_dump in the custom format, read through by pg_restore; it was not restored into a server"


class PostgresMove(Both[PostgresMover]):
    """See :class:`govhub.migration.moving.engines.port.DatabaseMove`."""

    suffix = ".dump"

    def __init__(
        self,
        name: str,
        ends: Ends,
        runner: Runner,
        limits: Limits = UNLIMITED,
        *,
        offline: bool = False,
        full: bool = False,
    ) -> None:
        """See :class:`Options` for ``limits`` and ``full``."""
        made = DumpMover if offline else PostgresMover
        self.offline = offline
        self.mover = made(name, ends.source, ends.target, runner, Options(limits=limits, allow_full=full))
        self._runner = runner

    def obstacles(self) -> tuple[list[Diagnostic], list[Diagnostic]]:
        """See the port."""
        found = self.mover.assess()
        blocking = [item for item in found if item.severity.value == "error" or item.code == NEEDED]
        return blocking, [item for item in found if item not in blocking]

    def carry(self) -> Progress:
        """See the port."""
        now = self.mover.advance()
        while self.mover.carrying():
            # It would end with us.
            now = self.mover.advance(now)
        if self.mover.copying.failure is not None:
            raise self.mover.copying.failure
        return self.mover.advance(now) if now.stage is Stage.BUILDING else now

    def rehearse(self, timeout: float) -> bool:
        """See the port."""
        if not isinstance(self.mover, DumpMover):
            return super().rehearse(timeout)
        self.mover.copy(timeout)
        return True

    def size(self) -> int:
        """See the port."""
        return int(self.mover.source.value("SELECT pg_database_size(current_database())"))

    def there(self, end: End) -> bool:
        """See the port."""
        server = self._server(end)
        other = server.at("postgres")
        try:
            name = server.endpoint.database
            return bool(other.value("SELECT count(*) FROM pg_database WHERE datname = %s", [name]))
        finally:
            other.close()

    def closed(self, end: End) -> bool:
        """See the port."""
        return access.is_closed(self._server(end))

    def try_writing(self, end: End) -> None:
        """See the port."""
        self._server(end).try_writing()

    def sessions(self, end: End) -> int:
        """See the port."""
        return int(
            self._server(end).value(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename <> current_user"
                " AND backend_type = 'client backend'"
            )
        )

    def clock(self, end: End) -> datetime:
        """See the port."""
        server = self._server(end)
        if end is End.TARGET:
            # The database itself may not be there yet.
            server = server.at("postgres")
        try:
            found: datetime = server.value("SELECT clock_timestamp()")
        finally:
            if end is End.TARGET:
                server.close()
        return found

    def free_bytes(self) -> int | None:
        """See the port; after the switch nothing is kept on the source."""
        return None if self.mover.moved() else free_bytes(self.mover.source)

    def held(self) -> int:
        """See the port."""
        slots = self.mover.replication(Direction.FORWARD).slots()
        return max((slot.retained for slot in slots if slot.retained is not None), default=0)

    def protect(self) -> None:
        """See the port."""
        self.mover.protect()

    def same_rows(self, table: str, keys: Sequence[Mapping[str, Any]]) -> list[bool | None]:
        """See the port."""
        found = next((item for item in tables_of(self.mover.target) if str(item) == table), None)
        return [same_row(self.mover, found, key) if found else None for key in keys]

    def uncarried(self) -> frozenset[str]:
        """See the port."""
        return frozenset(str(item) for item in tables_of(self.mover.target) if not item.logged)

    def archive(self, path: Path) -> dict[str, Any]:
        """See the port."""
        return dumped(self._runner, self.mover.source, path)

    def drop_source(self) -> None:
        """See the port."""
        databases.drop_database(self.mover.source)

    def _server(self, end: End) -> Server:
        return self.mover.source if end is End.SOURCE else self.mover.target


def dumped(runner: Runner, server: Server, path: Path) -> dict[str, Any]:
    """An archive of a database, made once for each ``path``.

    Raises:
        MoveFailed: it cannot be dumped or read through (MOV062).
    """

    def write(scratch: Path) -> dict[str, Any]:
        # Jobs would need a folder; a backup is one file that one digest speaks for.
        archive.run(runner, server.command("pg_dump", "-Fc", "-f", str(scratch)))
        tool = server.command("pg_restore").arguments[0]
        archive.run(runner, Command(arguments=(tool, "-f", "/dev/null", str(scratch))))
        listed = archive.run(runner, Command(arguments=(tool, "-l", str(scratch))))
        lines = listed.decode(errors="replace").splitlines()
        return {"tables_with_rows": sum(" TABLE DATA " in line for line in lines)}

    return archive.make(runner, path, HOW, write)
