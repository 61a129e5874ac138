"""Publications, slots and subscriptions of one direction.

Each is made when it is missing and removed when it is there, one by one: ``CREATE SUBSCRIPTION`` making its own slot,
or ``DROP SUBSCRIPTION`` dropping it, would leave halves behind that the next call could not tell from others' work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from govhub.migration.movers.postgresql import link
from govhub.migration.movers.postgresql.names import Names
from govhub.migration.movers.postgresql.server import Refused, Server
from govhub.migration.movers.postgresql.tables import Table
from govhub.migration.movers.protocol import Direction, Lag, MoveFailed
from govhub.migration.sql import statements as sql

_SYNC_SLOTS = r"""slot_name ~ ('^pg_[0-9]+_sync_[0-9]+_' || %s || '$') AND database = current_database()"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as the publishing server sees it."""

    name: str
    active: bool
    retained: int | None
    behind: int | None
    status: str | None
    """``reserved``, ``extended``, ``unreserved`` or ``lost``; None before PostgreSQL 13."""


class Replication:
    """Everything of one direction of a move."""

    def __init__(self, publisher: Server, subscriber: Server, names: Names, direction: Direction) -> None:
        self.publisher, self.subscriber = publisher, subscriber
        self.names, self.direction = names, direction

    def publish(self, number: int, tables: list[Table], *, slot: bool = True) -> None:
        """Have the publication of a group with exactly these tables, and its slot unless that is made elsewhere."""
        name = self.names.group(self.direction, number)
        listed = sql.SQL(", ").join(table.identifier for table in tables)
        if not self.publisher.rows("SELECT 1 FROM pg_publication WHERE pubname = %s", [name]):
            statement = sql.SQL("CREATE PUBLICATION {}").format(sql.Identifier(name))
            self.publisher.rows(statement + (sql.SQL(" FOR TABLE ") + listed if tables else sql.SQL("")))
        else:
            query = "SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = %s"
            if tables and set(self.publisher.rows(query, [name])) != {(item.schema, item.name) for item in tables}:
                self.publisher.rows(sql.SQL("ALTER PUBLICATION {} SET TABLE ").format(sql.Identifier(name)) + listed)
        if slot and not self.publisher.rows("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [name]):
            self.publisher.rows("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])

    def subscribe(self, number: int, *, copy: bool) -> None:
        """Have the subscription to a group; a subscription that is there learns of new tables."""
        name = self.names.group(self.direction, number)
        if self.subscriber.rows(*self._found(name)):
            wanted = self.publisher.value("SELECT count(*) FROM pg_publication_tables WHERE pubname = %s", [name])
            have = self.subscriber.value(
                "SELECT count(*) FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid "
                "WHERE s.subname = %s",
                [name],
            )
            if wanted != have:
                self._refresh(name, copy=copy)
            return
        text = link.connection_string(self.subscriber, self.publisher.endpoint, self.names.passfile, name)
        self.subscriber.rows(
            sql.SQL(
                "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} "
                "WITH (create_slot = false, slot_name = {}, copy_data = {}, enabled = true)"
            ).format(
                sql.Identifier(name), sql.Literal(text), sql.Identifier(name), sql.Literal(name), sql.Literal(copy)
            )
        )

    def _refresh(self, name: str, *, copy: bool) -> None:
        statement = sql.SQL("ALTER SUBSCRIPTION {} REFRESH PUBLICATION WITH (copy_data = {})")
        self.subscriber.rows(statement.format(sql.Identifier(name), sql.Literal(copy)))

    def _found(self, name: str) -> tuple[Any, list[str]]:
        return (
            """SELECT 1 FROM pg_subscription WHERE subname = %s
               AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())""",
            [name],
        )

    def subscriptions(self) -> list[str]:
        """Names of those that are there."""
        return [
            row[0]
            for row in self.subscriber.rows(
                "SELECT subname FROM pg_subscription WHERE subname ~ %s "
                "AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1",
                [self.names.like(self.direction)],
            )
        ]

    def slots(self) -> list[Slot]:
        """The slots that are there, those of copies under way included."""
        found = self.publisher.rows(
            """SELECT slot_name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8,
                 pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::int8, wal_status
               FROM pg_replication_slots WHERE slot_name ~ %s OR """
            + _SYNC_SLOTS
            + " ORDER BY 1",
            [self.names.like(self.direction), self._identifier()],
        )
        return [Slot(*row) for row in found]

    def main_slots(self) -> list[Slot]:
        """Without those of copies under way."""
        return [slot for slot in self.slots() if slot.name.startswith(self.names.base)]

    def _identifier(self) -> str:
        return str(self.subscriber.value("SELECT system_identifier FROM pg_control_system()"))

    def states(self) -> dict[tuple[str, str], str]:
        """Schema and table to the state of its copy: i, d, f, s or r (ready)."""
        return {
            (row[0], row[1]): row[2]
            for row in self.subscriber.rows(
                """SELECT n.nspname, c.relname, r.srsubstate::text FROM pg_subscription_rel r
                   JOIN pg_subscription s ON s.oid = r.srsubid JOIN pg_class c ON c.oid = r.srrelid
                   JOIN pg_namespace n ON n.oid = c.relnamespace WHERE s.subname ~ %s""",
                [self.names.like(self.direction)],
            )
        }

    def errors(self) -> tuple[int, int]:
        """How often applying changes failed, and how often copying did, since the subscriptions were made."""
        try:
            found = self.subscriber.rows(
                """SELECT coalesce(sum(apply_error_count), 0)::int8, coalesce(sum(sync_error_count), 0)::int8
                   FROM pg_stat_subscription_stats WHERE subname ~ %s""",
                [self.names.like(self.direction)],
            )
        except Refused as refusal:
            # Before PostgreSQL 15 nobody counts them.
            if refusal.state != "42P01":
                raise
            return 0, 0
        return found[0][0], found[0][1]

    def lag(self) -> Lag:
        """How far the slowest group is behind."""
        behind = [slot.behind for slot in self.main_slots()]
        if not behind or any(item is None for item in behind):
            return Lag()
        most = max(item for item in behind if item is not None)
        if most == 0:
            return Lag(bytes=0, seconds=0.0)
        seconds = self.publisher.value(
            "SELECT extract(epoch FROM max(replay_lag))::float8 FROM pg_stat_replication WHERE application_name ~ %s",
            [self.names.like(self.direction)],
        )
        return Lag(bytes=most, seconds=seconds)

    def drain(self, timeout: float) -> None:
        """Wait until every group has confirmed all that the publisher wrote until now.

        Raises:
            MoveFailed: it has not within ``timeout`` seconds (MOV041), or there is nothing that could (MOV042).
        """
        # Its commit is flushed, and so is everything before it, that of asynchronous commits included.
        self.publisher.rows("SELECT pg_logical_emit_message(true, 'govhub', 'drain')")
        end = self.publisher.value("SELECT pg_current_wal_flush_lsn()::text")
        until = time.monotonic() + timeout
        while True:
            behind = self.publisher.rows(
                "SELECT slot_name, pg_wal_lsn_diff(%s::pg_lsn, confirmed_flush_lsn)::int8 "
                "FROM pg_replication_slots WHERE slot_name ~ %s",
                [end, self.names.like(self.direction)],
            )
            names = self.subscriptions()
            if not behind or {row[0] for row in behind} != set(names):
                raise MoveFailed.one(
                    "MOV042",
                    "replication is not there as it should be, so nobody can say whether everything arrived",
                    hint="see the move's status; return to the source",
                )
            if all(row[1] is not None and row[1] <= 0 for row in behind) and set(self.states().values()) <= {"r"}:
                return
            if time.monotonic() > until:
                left = ", ".join(f"{row[0]}: {row[1]} bytes" for row in behind)
                raise MoveFailed.one(
                    "MOV041",
                    f"the receiving side has not everything after {timeout:g} seconds",
                    detail=left,
                    hint="return to the source: nothing is lost; see why changes are not applied, then try again",
                )
            # What was applied is confirmed when it is on disk; this puts it there without waiting for the timer.
            self.subscriber.rows("SELECT pg_logical_emit_message(true, 'govhub', 'flush')")
            time.sleep(0.02)

    def unsubscribe(self) -> None:
        """End the subscriptions without touching the publisher."""
        for name in self.subscriptions():
            identifier = sql.Identifier(name)
            self.subscriber.rows(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(identifier))
            self.subscriber.rows(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(identifier))
            self.subscriber.rows(sql.SQL("DROP SUBSCRIPTION {}").format(identifier))

    def unpublish(self, timeout: float = 20) -> None:
        """Remove slots and publications.

        Raises:
            MoveFailed: a slot stays in use (MOV043).
        """
        until = time.monotonic() + timeout
        for slot in self.slots():
            while True:
                self.publisher.rows(
                    "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                    "WHERE slot_name = %s AND active_pid IS NOT NULL",
                    [slot.name],
                )
                try:
                    self.publisher.rows("SELECT pg_drop_replication_slot(%s)", [slot.name])
                    break
                except Refused as refusal:
                    if refusal.state == "42704":
                        break
                    if refusal.state != "55006":
                        raise
                    if time.monotonic() > until:
                        raise MoveFailed.one(
                            "MOV043", f"the replication slot {slot.name} stays in use", hint="repeat the command"
                        ) from None
                    time.sleep(0.05)
        for (name,) in self.publisher.rows(
            "SELECT pubname FROM pg_publication WHERE pubname ~ %s", [self.names.like(self.direction)]
        ):
            self.publisher.rows(sql.SQL("DROP PUBLICATION {}").format(sql.Identifier(name)))

    def remove(self) -> None:
        """Everything of this direction, on both sides, with the file for the password."""
        there = bool(self.subscriptions())
        self.unsubscribe()
        self.unpublish()
        if there and self.publisher.endpoint.password is not None:
            link.remove(self.subscriber, self.names.passfile)
