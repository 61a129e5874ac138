"""The first copy, in one of two ways, and how the next controller goes on with it.

*Carried*: this process passes the rows on, from the snapshot at which the slot begins; indexes are built when all rows
are there, then changes follow. It is the quicker way, and the only one with a limit of bandwidth. Whoever finds it
broken off leaves what was carried whole, and lets the servers copy the rest.

*Native*: the servers copy among themselves, table by table. So it is where this machine reaches them by a tunnel only,
and for what is left of a copy that was broken off.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from govhub.core.errors import GovhubError
from govhub.migration.movers.postgresql import rows, schema
from govhub.migration.movers.postgresql import target as databases
from govhub.migration.movers.postgresql.registry import Registry
from govhub.migration.movers.postgresql.replication import Replication
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import Table, grouped, tables_of, ties_of
from govhub.migration.movers.protocol import Direction, MoveFailed
from govhub.migration.sql import statements as sql

if TYPE_CHECKING:
    from govhub.migration.movers.postgresql.mover import PostgresMover

_LOCK = "hashtext('govhub_move')"
_TRIES = 3
_FORGOTTEN = ("started", "way", "groups", "admitted", "later", "settled")


class Copying:
    """The first copy of one move; one object may carry it, others look on."""

    def __init__(self, mover: PostgresMover) -> None:
        self._mover = mover
        self._thread: threading.Thread | None = None
        self._carrier: rows.Carrier | None = None
        self.failure: GovhubError | None = None
        """Why this process stopped copying, unless the copy goes on by itself."""
        self._failed = 0

    def begin(self) -> None:
        """Have it run, or go on; from the beginning when the source dropped the log that it needs.

        Raises:
            MoveFailed: a server refuses or does not answer.
        """
        mover = self._mover
        forward = mover.replication(Direction.FORWARD)
        if any(slot.status == "lost" for slot in forward.main_slots()):
            self.again()
        if not mover.registry.get("started"):
            mover.registry.set("started", datetime.now(UTC).isoformat())
        if forward.subscriptions() or self._way(forward) != "carried":
            self._native(forward)
        elif not self.here():
            if self._failed >= _TRIES and self.failure is not None:
                self._failed = 0
                raise self.failure
            self._carry(forward)

    def here(self) -> bool:
        """Whether this process carries rows, or builds what waited for them."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Until this process has nothing to copy any more, so long at most."""
        if self._thread is not None:
            self._thread.join(seconds)

    def again(self) -> None:
        """Give up what was copied: what follows a gap in the log cannot be trusted."""
        mover = self._mover
        self.stop()
        mover.replication(Direction.FORWARD).remove()
        databases.drop_later(mover.target)
        tables = [item.identifier for item in tables_of(mover.target)]
        if tables:
            mover.target.rows(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables)))
        rows.forget(mover.target)
        for key in _FORGOTTEN:
            mover.registry.drop(key)

    def stop(self) -> None:
        """End copies of this move, those of other processes too; they can be gone on with."""
        if self._carrier is not None:
            self._carrier.stopped.set()
        carrying, building = (f"{self._mover.names.base}_{word}" for word in ("rows", "rows_build"))
        for server in (self._mover.source, self._mover.target):
            for name in (carrying, building):
                clone = server.clone(application=name)
                try:
                    rows.end_sessions(clone)
                finally:
                    clone.close()
        self.let_go(30)

    def let_go(self, seconds: float = 10) -> None:
        """Stop carrying rows in this process."""
        if self._carrier is not None:
            self._carrier.stopped.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _way(self, forward: Replication) -> str:
        mover = self._mover
        # A slot without this note was made by a version that knew the native way alone.
        tunnel = any(side.endpoint.link_host or side.endpoint.link_port for side in (mover.source, mover.target))
        native = bool(forward.main_slots()) or (tunnel and mover.options.limits.bandwidth is None)
        return str(mover.registry.keep("way", "native" if native else "carried"))

    def _native(self, forward: Replication) -> None:
        mover = self._mover
        schema.make_keys(mover.runner, mover.source, mover.target, mover.registry)
        admitted = self._admitted(forward)
        for number, tables in enumerate(self._groups()):
            forward.publish(number, [item for item in tables if admitted is None or str(item) in admitted])
            forward.subscribe(number, copy=True)

    def _carry(self, forward: Replication) -> None:
        """Begin to carry in a thread, unless another process does, or the source is busy."""
        mover = self._mover
        name = f"{mover.names.base}_rows"
        source, target = (side.clone(application=name) for side in (mover.source, mover.target))
        try:
            if not target.value(f"SELECT pg_try_advisory_lock({_LOCK})"):
                return
            rows.end_sessions(source, target)
            there = rows.carried(target)
            self._carrier = None
            if not (there and forward.main_slots()):
                if not self._may_begin():
                    return
                self._carrier = self._from_the_beginning(forward, source, target)
            # What the thread uses is its own: nobody waits for it, and a lost lock is seen.
            self._thread = threading.Thread(target=self._work, args=(source, target), daemon=True)
            self._thread.start()
            source = target = None  # type: ignore[assignment]  # the thread closes them
        finally:
            for server in (source, target):
                if server is not None:
                    server.close()

    def _from_the_beginning(self, forward: Replication, source: Server, target: Server) -> rows.Carrier:
        mover = self._mover
        forward.unpublish()
        rows.forget(target)
        databases.drop_later(target)
        tables = [item for item in tables_of(source) if item.logged]
        mover.registry.set("groups", [[str(item) for item in tables]])
        # Before the slot: changes are sent as the publication was at their time.
        forward.publish(0, tables, slot=False)
        return rows.Carrier(source, target, tables, mover.options.limits, mover.watch.active_sessions)

    def _work(self, source: Server, target: Server) -> None:
        names, carrier = self._mover.names, self._carrier
        try:
            try:
                if carrier is not None:
                    carrier.carry(names.group(Direction.FORWARD, 0))
            except GovhubError:
                # What was carried counts, and what stood in the way meets the servers too.
                pass
            if carrier is None or not carrier.stopped.is_set():
                self._settle(Replication(source, target, names, Direction.FORWARD))
            self.failure, self._failed = None, 0
        except GovhubError as failure:
            # A server that was away for a moment is none: the next turn of the loop tries again.
            self.failure, self._failed = failure, self._failed + 1
        finally:
            source.close()
            target.close()

    def _settle(self, forward: Replication) -> None:
        """What was carried follows from the slot's beginning; the servers copy what was not."""
        mover, source, target = self._mover, forward.publisher, forward.subscriber
        registry = Registry(target)
        tables = self._groups(source, registry)[0]
        there = rows.carried(target)
        whole = [item for item in tables if str(item) in there]
        if len(whole) == len(tables):
            schema.make_later(mover.runner, source, target, registry, mover.options.limits.parallel)
        else:
            schema.make_keys(mover.runner, source, target, registry)
        if not target.value(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
        ):
            raise MoveFailed.one("MOV028", "another process took the copy over", hint="look at its progress")
        if whole or not tables:
            forward.publish(0, whole)
            forward.subscribe(0, copy=False)
        else:
            # Nothing is lost with the slot, and what is not admitted yet must not be in the publication.
            forward.unpublish()
        if len(whole) < len(tables):
            self._native(forward)

    def _may_begin(self) -> bool:
        limit = self._mover.options.limits.active_sessions
        return limit is None or self._mover.watch.active_sessions() <= limit

    def _groups(self, source: Server | None = None, registry: Registry | None = None) -> list[list[Table]]:
        """As they were made, or as they are to be: as many as are needed to copy so many tables at a time."""
        mover, registry = self._mover, registry or self._mover.registry
        source = source or mover.source
        tables = {str(table): table for table in tables_of(source) if table.logged}
        known = registry.get("groups")
        if known is None:
            per = int(mover.target.value("SHOW max_sync_workers_per_subscription"))
            number = -(-mover.options.limits.parallel // max(per, 1))
            groups = grouped(list(tables.values()), ties_of(source), number)
            known = registry.keep("groups", [[str(item) for item in group] for group in groups])
        return [[tables[name] for name in group if name in tables] for group in known] or [[]]

    def _admitted(self, forward: Replication) -> set[str] | None:
        """Names of tables whose copy may have begun; None: all. Grows while the source is not busy."""
        mover = self._mover
        if mover.options.limits.active_sessions is None:
            return None
        states = forward.states()
        admitted = set(mover.registry.get("admitted") or ()) | {".".join(key) for key in states}
        running = [key for key, state in states.items() if state not in {"r", "s"}]
        waiting = [str(item) for group in self._groups() for item in group if str(item) not in admitted]
        room = mover.options.limits.parallel - len(running)
        if waiting and room > 0 and self._may_begin():
            admitted |= set(waiting[:room])
            mover.registry.set("admitted", sorted(admitted))
        return admitted
