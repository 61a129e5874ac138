"""The online move of a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass, field

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.postgresql import access, objects, schema
from govhub.migration.movers.postgresql import target as databases
from govhub.migration.movers.postgresql.assess import assess
from govhub.migration.movers.postgresql.copying import Copying
from govhub.migration.movers.postgresql.names import Names
from govhub.migration.movers.postgresql.registry import Registry
from govhub.migration.movers.postgresql.replication import Replication
from govhub.migration.movers.postgresql.roles import copy_owner, copy_roles, copy_settings
from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import tables_of
from govhub.migration.movers.postgresql.watch import Watch
from govhub.migration.movers.protocol import Direction, Lag, Limits, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import Runner
from govhub.migration.sql import statements as sql

_TURN = 0.5
"""Seconds that a turn of the loop may last while this process copies rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator decided."""

    limits: Limits = field(default_factory=Limits)
    allow_full: bool = False
    """Tables without a key may be given REPLICA IDENTITY FULL for the time of the move."""
    margin: int = 100
    """Values by which sequences are set ahead at a cutover."""
    close_enough: int = 8 << 20
    """Bytes of lag at which a cutover may begin."""


class PostgresMover:
    """Native logical replication: schema, parallel copy, indexes when rows are there, then changes follow."""

    def __init__(
        self, move: str, source: Endpoint, target: Endpoint, runner: Runner, options: Options = Options()
    ) -> None:
        self.names = Names(move)
        self.source, self.target = (Server(item, self.names.base) for item in (source, target))
        self.runner, self.options = runner, options
        self.registry = Registry(self.target)
        self.watch = Watch(self)
        self.copying = Copying(self)
        self._drained: Direction | None = None

    def assess(self) -> list[Diagnostic]:
        """What stands in the way of the move; nothing is changed."""
        return assess(
            self.source, self.target, self.options.limits, allow_full=self.options.allow_full, online=self.online
        )

    online = True

    def prepare(self) -> None:
        """Roles, the database, tables with their keys; the target is closed from here on.

        Raises:
            MoveFailed: something stands in the way (see :meth:`assess`), or the target does not take the schema.
        """
        if blocking := [item for item in self.assess() if item.severity.value == "error"]:
            raise MoveFailed(blocking)
        made = databases.make_database(self.source, self.target)
        databases.claim(self.target, self.registry, self.names.move, made=made)
        if self.moved():
            return
        access.close(self.target, self.registry, "target")
        copy_roles(self.source, self.target)
        if not self.registry.get("settings"):
            copy_settings(self.source, self.target)
            if self.registry.get("move")["made"]:
                copy_owner(self.source, self.target)
            self.registry.set("settings", True)
        self._allow_full()
        schema.make_structure(self.runner, self.source, self.target, self.registry)

    def start(self) -> None:
        """Have the copy run; it begins again when the source dropped the log that it needed."""
        if self.moved():
            return
        self._prepared()
        self.copying.begin()

    def advance(self, before: Progress | None = None) -> Progress:
        """One turn: protect the source, admit tables, and build what waited for the rows.

        Raises:
            MoveFailed: the source held back more log than allowed, and the copy was given up (MOV051).
        """
        self.protect()
        now = self.progress(before)
        follows = bool(
            now.stage in {Stage.COPYING, Stage.BUILDING} and self.replication(Direction.FORWARD).subscriptions()
        )
        if now.stage is Stage.COPYING and (not follows or self.options.limits.active_sessions is not None):
            self.start()
        if now.stage is Stage.BUILDING and not follows:
            # Another process may have died over it.
            self.start()
        elif now.stage is Stage.BUILDING:
            schema.make_later(self.runner, self.source, self.target, self.registry, self.options.limits.parallel)
            if not self.registry.get("settled"):
                objects.copy_large_objects(self.source, self.target)
                self._analyze()
                self.registry.set("settled", True)
            now = self.progress(now)
        return now

    def carrying(self) -> bool:
        """Whether this process copies rows: when it ends, the copy goes on only with the next turn."""
        return self.copying.here()

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; changes nothing."""
        return self.watch.progress(before)

    def caught_up(self) -> bool:
        """Whether everything is there, and changes follow closely."""
        now = self.progress()
        lag = now.lag.bytes
        calm = not [item for item in now.problems if item.severity.value == "error"]
        return now.stage is Stage.FOLLOWING and calm and lag is not None and lag <= self.options.close_enough

    def freeze(self, direction: Direction = Direction.FORWARD) -> None:
        """Close the side that is written to, and end its sessions.

        Raises:
            MoveFailed: a prepared transaction or a session stays (MOV011, MOV012).
        """
        if self.moved() is (direction is Direction.FORWARD):
            return
        self._prepared()
        self._drained = None
        server, side = self._side(direction)
        access.close(server, self.registry, side)
        access.clear(server)

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Open the side that was frozen; replication goes on."""
        if self.moved() is (direction is Direction.FORWARD):
            raise MoveFailed.one(
                "MOV044", "the cutover was finished; there is nothing to take back", hint="roll back instead"
            )
        if self.registry.get("handing-over"):
            # Both sides are equal and closed, and the old slots are still there: it goes on from where it was.
            self.replication(direction.other).remove()
            replication = self.replication(direction)
            for slot in replication.main_slots():
                replication.subscribe(int(slot.name.removeprefix(self.names.prefix(direction))), copy=False)
            self.registry.drop("handing-over")
        self._drained = None
        access.reopen(*self._named(direction))

    def drain(self, direction: Direction = Direction.FORWARD, timeout: float = 60) -> None:
        """Wait until the other side has everything.

        Raises:
            MoveFailed: it has not in time (MOV041, MOV042), or the side is not frozen (MOV045).
        """
        if self.moved() is (direction is Direction.FORWARD):
            return
        if not access.is_closed(self._side(direction)[0]):
            raise MoveFailed.one("MOV045", "the side that is left is not frozen", hint="freeze it first")
        replication = self.replication(direction)
        if self.registry.get("handing-over") != direction.value:
            replication.drain(timeout)
            objects.copy_unlogged(self._side(direction)[0], self._side(direction.other)[0])
        self._drained = direction

    def finish(self, direction: Direction = Direction.FORWARD) -> None:
        """Sequences, large objects, the point from which changes go the other way; then the other side opens.

        Raises:
            MoveFailed: the schema differs (MOV052), or the side was not drained.
        """
        forward = direction is Direction.FORWARD
        (left, _), (taken, _) = self._side(direction), self._side(direction.other)
        if self.moved() is not forward:
            # In another process than the drain's: ask again. Nobody wrote since, the side is closed.
            if self._drained is not direction:
                self.drain(direction)
            self._same_schema()
            objects.copy_sequences(left, taken, self.options.margin)
            objects.copy_large_objects(left, taken)
            if forward:
                objects.refresh_views(left, taken)
            self._identities(left, taken)
            self.registry.set("handing-over", direction.value)
            back = self.replication(direction.other)
            self.replication(direction).unsubscribe()
            if taken.value("SHOW wal_level") == "logical":
                # Nobody writes yet: the slot begins exactly where the two sides are equal.
                back.publish(0, [item for item in tables_of(taken) if item.logged])
            if not forward:
                self.registry.set("groups", [[str(item) for item in tables_of(taken) if item.logged]])
            self.registry.set("primary", "target" if forward else "source")
            self.registry.drop("handing-over")
        self._drained = None
        access.reopen(*self._named(direction.other))

    def reverse(self, direction: Direction = Direction.FORWARD) -> None:
        """After a cutover in ``direction``: replicate the other way.

        Raises:
            MoveFailed: the side written to now cannot publish (MOV046).
        """
        if self.moved() is not (direction is Direction.FORWARD):
            raise MoveFailed.one("MOV047", "there was no cutover in this direction", hint="finish the cutover first")
        self.replication(direction).remove()
        back = self.replication(direction.other)
        if not back.main_slots():
            raise MoveFailed.one(
                "MOV046",
                "the side that is written to cannot say what changed, so there is no way back that keeps writes",
                hint="wal_level must be logical there before the cutover",
            )
        back.subscribe(0, copy=False)

    def lag(self, direction: Direction = Direction.FORWARD) -> Lag:
        """How far replication in ``direction`` is behind."""
        return self.replication(direction).lag()

    def moved(self) -> bool:
        """Whether the target is the one that is written to."""
        return bool(self.registry.get("primary") == "target")

    def begun(self) -> bool:
        """Whether anything of the move is on the target: its database, with a registry."""
        return self._target_there() and self.registry.exists()

    def stop(self, direction: Direction = Direction.FORWARD) -> None:
        """End replication in ``direction`` and remove what it left on both servers."""
        if direction is Direction.FORWARD:
            self.copying.stop()
        self.replication(direction).remove()

    def cancel(self) -> None:
        """Give up: the source as it was, the target empty.

        Raises:
            MoveFailed: the target is written to already (MOV048).
        """
        if not self._target_there():
            self.copying.let_go()
            return
        if self.moved():
            raise MoveFailed.one("MOV048", "the move was cut over; writes would be lost", hint="roll back first")
        self.copying.stop()
        self._clean_source()
        if (claimed := self.registry.get("move")) is None:
            return
        if claimed["made"]:
            databases.drop_database(self.target)
            return
        access.reopen(self.target, self.registry, "target")
        databases.empty(self.target)
        self.registry.remove()

    def retire(self) -> None:
        """After acceptance: replication ends, the source stays closed, the registry goes."""
        if not self.begun():
            return
        if not self.moved():
            raise MoveFailed.one("MOV049", "the target is not the one that is written to", hint="cut over first")
        for direction in Direction:
            self.replication(direction).remove()
        for side in (self.source, self.target):
            self._restore_identities(side)
        self.registry.remove()

    def replication(self, direction: Direction) -> Replication:
        """The replication of one direction."""
        (publisher, _), (subscriber, _) = self._side(direction), self._side(direction.other)
        return Replication(publisher, subscriber, self.names, direction)

    def close(self) -> None:
        """Let go of the connections; what this process copies is broken off, and can be gone on with."""
        self.copying.let_go()
        self.source.close()
        self.target.close()

    def _side(self, direction: Direction) -> tuple[Server, str]:
        return (self.source, "source") if direction is Direction.FORWARD else (self.target, "target")

    def _named(self, direction: Direction) -> tuple[Server, Registry, str]:
        server, side = self._side(direction)
        return server, self.registry, side

    def _prepared(self) -> None:
        claimed = self.registry.get("move")
        if claimed is None or claimed["name"] != self.names.move or not self.registry.get("structure"):
            raise MoveFailed.one("MOV025", "the target is not prepared for this move", hint="prepare it first")

    def _target_there(self) -> bool:
        server = self.target.at("postgres")
        try:
            name = self.target.endpoint.database
            return bool(server.value("SELECT count(*) FROM pg_database WHERE datname = %s", [name]))
        finally:
            server.close()

    def protect(self) -> None:
        """Give the copy up when the source holds back more log for it than allowed.

        Raises:
            MoveFailed: it did, and the copy was given up (MOV051).
        """
        limit = self.options.limits.retained
        if limit is None or self.moved():
            return
        forward = self.replication(Direction.FORWARD)
        held = [slot.retained for slot in forward.slots() if slot.retained is not None]
        if held and max(held) > limit:
            most = max(held)
            self.copying.again()
            raise MoveFailed.one(
                "MOV051",
                f"the source held back {most} bytes of log for the move, {limit} are allowed: the copy was given up",
                hint="the source is free of it; find out why the target is slow, or allow more, and start again",
            )

    def _analyze(self) -> None:
        """Without statistics, the first queries after the cutover would be planned blindly.

        It may fail for a table without harm: autovacuum makes up for it.
        """
        jobs = str(self.options.limits.parallel)
        self.runner.run(self.target.command("vacuumdb", "--analyze-only", "-q", "-j", jobs))

    def _same_schema(self) -> None:
        if lines := self.watch.schema_differences():
            raise MoveFailed.one(
                "MOV052",
                "the schema of the two sides differs",
                detail="\n".join(lines[:20]),
                hint="make the same change on the target, or cancel the move and start it again",
            )

    def _allow_full(self) -> None:
        if not self.options.allow_full:
            return
        keyless = [item for item in tables_of(self.source) if item.keyless and item.logged]
        known = {str(item): item.identity for item in keyless} | (self.registry.get("identities") or {})
        # Written down first: what it was must be known whenever we are killed.
        self.registry.set("identities", known)
        for table in keyless if self.online else ():
            self.source.rows(sql.SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(table.identifier))

    def _identities(self, left: Server, taken: Server) -> None:
        """What can be told apart on one side must be on the other: changes come back that way."""
        known = self.registry.get("identities") or {}
        full = {str(item) for item in tables_of(left) if item.identity == "f"} | set(known)
        for table in tables_of(taken):
            if str(table) in full and table.identity != "f":
                taken.rows(sql.SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(table.identifier))

    def _restore_identities(self, side: Server) -> None:
        known = self.registry.get("identities") or {}
        for table in tables_of(side):
            if table.identity == "f" and str(table) in known:
                word = sql.SQL("NOTHING" if known[str(table)] == "n" else "DEFAULT")
                side.rows(sql.SQL("ALTER TABLE {} REPLICA IDENTITY {}").format(table.identifier, word))

    def _clean_source(self) -> None:
        for direction in Direction:
            self.replication(direction).remove()
        self._restore_identities(self.source)
        access.reopen(self.source, self.registry, "source")
