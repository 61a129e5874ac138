"""The online move of a MariaDB database: dumped from one snapshot, then replicated by GTID."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb import accounts, copying
from govhub.migration.movers.mariadb.assess import SYSTEM, assess
from govhub.migration.movers.mariadb.registry import REGISTRY, Registry
from govhub.migration.movers.mariadb.server import Server, literal, name
from govhub.migration.movers.protocol import Direction, Lag, Limits, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import Runner

# The source dropped the log that the replica needs.
_GONE = 1236


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the operator decided."""

    limits: Limits = field(default_factory=Limits)
    close_enough: float = 2.0
    """Seconds of lag at which a cutover may begin."""


class MariadbMover:
    """One database, of the same name on both servers."""

    def __init__(
        self, move: str, source: Endpoint, target: Endpoint, runner: Runner, options: Options | None = None
    ) -> None:
        self.move = move
        self.channel = "govhub_" + re.sub(r"[^a-z0-9_]", "_", move.lower())[:40]
        self.source, self.target = Server(source), Server(target)
        self.registry = Registry(self.target)
        self.database = source.database
        self.runner, self.options = runner, options or Options()

    def assess(self) -> list[Diagnostic]:
        """What stands in the way of the move; nothing is changed."""
        return assess(self.source, self.target, claimed=self.begun)

    def prepare(self) -> None:
        """Take the target for this move.

        Raises:
            MoveFailed: something stands in the way, or another move took it (MOV302).
        """
        if blocking := [item for item in self.assess() if item.severity.value == "error"]:
            raise MoveFailed(blocking)
        if not self._claimed():
            # Its own first transactions would stand in the way of the source's, which have the same domain.
            self.target.rows("RESET MASTER")
            self.registry.make()
            self.registry.set("move", self.move)
        self._prepared()

    def start(self) -> None:
        """Copy from one snapshot, and replicate from there; a copy that was killed begins again.

        Raises:
            MoveFailed: the copy failed (MOV303).
        """
        self._prepared()
        if self.moved():
            return
        status = self._status(Direction.FORWARD)
        if status and int(status["Last_IO_Errno"]) == _GONE:
            self.stop(Direction.FORWARD)
            self.registry.drop("copied")
        if not self.registry.get("copied"):
            self.registry.set("started", datetime.now(UTC).isoformat())
            self.stop(Direction.FORWARD)
            copying.make_database(self.source, self.target)
            copying.copy(self.runner, self.source, self.target, self.channel, self.options.limits)
            self.registry.set("copied", self.target.value("SELECT @@GLOBAL.gtid_slave_pos"))
        # Where the target is, not where the copy was: a cutover that was given up late has ended replication.
        self._follow(Direction.FORWARD, str(self.target.value("SELECT @@GLOBAL.gtid_slave_pos")))

    def begun(self) -> bool:
        """Whether the target was taken for this move, and not for another."""
        return bool(self.registry.get("move") == self.move)

    def advance(self, before: Progress | None = None) -> Progress:
        """How far it is: nothing waits here."""
        return self.progress(before)

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; sizes are the servers' estimates."""
        at = datetime.now(UTC)
        try:
            if not self.begun():
                return Progress(at=at, stage=Stage.ABSENT)
            direction = Direction.BACK if self.moved() else Direction.FORWARD
            problems = self._problems(direction)
            stage = Stage.FOLLOWING if self.registry.get("copied") else Stage.PREPARED
            stage = Stage.COPYING if stage is Stage.PREPARED and self.registry.get("started") else stage
            stage = Stage.MOVED if self.moved() else stage
            total, done = self._size(self.source), self._size(self.target)
            lag = self.lag(direction)
        except MoveFailed as failed:
            return Progress(at=at, problems=tuple(failed.diagnostics))
        rate = None
        if before is not None and before.bytes_done is not None and done is not None:
            seconds = (at - before.at).total_seconds()
            rate = (done - before.bytes_done) / seconds if seconds > 0 and done >= before.bytes_done else None
        whole = stage in {Stage.FOLLOWING, Stage.MOVED}
        left = None if None in (total, done) else max((total or 0) - (done or 0), 0)
        return Progress(
            at=at,
            stage=Stage.BROKEN if problems else stage,
            bytes_done=total if whole else done,
            bytes_total=total,
            rate=rate,
            eta=0.0 if whole else (left / rate if rate and left is not None else None),
            lag=lag,
            problems=tuple(problems),
        )

    def caught_up(self) -> bool:
        """Whether everything is there, and changes follow closely."""
        now = self.progress()
        seconds = now.lag.seconds
        return now.stage is Stage.FOLLOWING and seconds is not None and seconds <= self.options.close_enough

    def freeze(self, direction: Direction = Direction.FORWARD) -> None:
        """Lock the accounts of the database on the side that is written to, and end their sessions."""
        if self.moved() is (direction is Direction.FORWARD):
            return
        self._prepared()
        server, side = self._side(direction)
        if self.registry.get(f"locked-{side}") is None:
            found = accounts.accounts_of(server, self.database)
            self.registry.set(f"locked-{side}", [item for item in found if not accounts.is_locked(server, *item)])
        held = [(user, host) for user, host in self.registry.get(f"locked-{side}")]
        accounts.lock(server, held, locked=True)
        while accounts.end_sessions(server, self.database, held):
            continue

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Unlock them; replication goes on.

        Raises:
            MoveFailed: the cutover was finished (MOV306).
        """
        if self.moved() is (direction is Direction.FORWARD):
            raise MoveFailed.one("MOV306", "the cutover was finished; there is nothing to take back", hint="roll back")
        self._open(direction)

    def drain(self, direction: Direction = Direction.FORWARD, timeout: float = 60) -> None:
        """Wait until the other side applied the last transaction of the frozen side.

        Raises:
            MoveFailed: it has not in time (MOV305), or the side is not frozen (MOV306).
        """
        if self.moved() is (direction is Direction.FORWARD):
            return
        server, side = self._side(direction)
        if self.registry.get(f"locked-{side}") is None:
            raise MoveFailed.one("MOV306", "the side that is left is not frozen", hint="freeze it first")
        end = str(server.value("SELECT @@GLOBAL.gtid_binlog_pos"))
        taken, _ = self._side(direction.other)
        # Minus one is a time-out, and NULL that there is nothing to wait for: neither is "everything arrived".
        if taken.value("SELECT MASTER_GTID_WAIT(%s, %s)", [end, timeout]) != 0:
            where = taken.value("SELECT @@GLOBAL.gtid_slave_pos")
            raise MoveFailed.one(
                "MOV305",
                f"the receiving side has not everything after {timeout:g} seconds",
                detail=f"frozen at {end}, applied {where}",
                hint="return to the source: nothing is lost; see why changes are not applied, then try again",
            )
        self.registry.set("drained", end)

    def finish(self, direction: Direction = Direction.FORWARD) -> None:
        """Note the point from which changes go the other way, then open the other side.

        Raises:
            MoveFailed: somebody wrote to the frozen side after it was drained (MOV306).
        """
        forward = direction is Direction.FORWARD
        (left, _), (taken, _) = self._side(direction), self._side(direction.other)
        if self.moved() is not forward:
            now = str(left.value("SELECT @@GLOBAL.gtid_binlog_pos"))
            if self._alone(left) and now != self.registry.get("drained"):
                raise MoveFailed.one(
                    "MOV306", "somebody wrote after the freeze", detail=now, hint="stop who writes, then drain again"
                )
            self.stop(direction)
            if forward:
                accounts.copy_accounts(left, taken, self.database)
                there = accounts.accounts_of(taken, self.database)
                if self.registry.get("locked-target") is None:
                    # What the source had locked before the freeze stays locked.
                    opened = {(user, host) for user, host in self.registry.get("locked-source") or []}
                    known = set(accounts.accounts_of(left, self.database))
                    self.registry.set("locked-target", [who for who in there if who in opened or who not in known])
                accounts.lock(taken, there, locked=True)
                while accounts.end_sessions(taken, self.database, there):
                    continue
            # The registry's own transactions come before it, and are of no database that is replicated.
            self.registry.set("point", str(taken.value("SELECT @@GLOBAL.gtid_binlog_pos")))
            self.registry.set("primary", "target" if forward else "source")
        self._open(direction.other)

    def reverse(self, direction: Direction = Direction.FORWARD) -> None:
        """After a cutover in ``direction``: replicate the other way, from the point where both were equal.

        Raises:
            MoveFailed: there was no cutover in this direction (MOV306).
        """
        if self.moved() is not (direction is Direction.FORWARD):
            raise MoveFailed.one("MOV306", "there was no cutover in this direction", hint="finish the cutover first")
        self.stop(direction)
        self._follow(direction.other, str(self.registry.get("point")))

    def lag(self, direction: Direction = Direction.FORWARD) -> Lag:
        """How far replication in ``direction`` is behind, as the replica says."""
        status = self._status(direction)
        if not status or status["Seconds_Behind_Master"] is None:
            return Lag()
        master = self._side(direction)[0].rows("SHOW MASTER STATUS")
        same = bool(master) and master[0]["File"] == status["Relay_Master_Log_File"]
        behind = int(master[0]["Position"]) - int(status["Exec_Master_Log_Pos"]) if same else None
        return Lag(bytes=behind, seconds=float(status["Seconds_Behind_Master"]))

    def moved(self) -> bool:
        """Whether the target is the one that is written to."""
        return bool(self.registry.get("primary") == "target")

    def stop(self, direction: Direction = Direction.FORWARD) -> None:
        """End replication in ``direction``."""
        server, _ = self._side(direction.other)
        if self._status(direction):
            server.rows(f"STOP SLAVE {literal(self.channel)}")
            server.rows(f"RESET SLAVE {literal(self.channel)} ALL")

    def cancel(self) -> None:
        """Give up: the source as it was, the target empty.

        Raises:
            MoveFailed: the target is written to already (MOV306).
        """
        if not self.begun():
            return
        if self.moved():
            raise MoveFailed.one("MOV306", "the move was cut over; writes would be lost", hint="roll back first")
        for direction in Direction:
            self.stop(direction)
        self._open(Direction.FORWARD)
        self.target.rows(f"DROP DATABASE IF EXISTS {name(self.database)}")
        self.registry.remove()

    def retire(self) -> None:
        """After acceptance: replication ends, the source stays closed, the registry goes.

        Raises:
            MoveFailed: the target is not the one that is written to (MOV306).
        """
        if not self.begun():
            return
        if not self.moved():
            raise MoveFailed.one("MOV306", "the target is not the one that is written to", hint="cut over first")
        for direction in Direction:
            self.stop(direction)
        self.registry.remove()

    def close(self) -> None:
        """Let go of the connections."""
        self.source.close()
        self.target.close()

    def _follow(self, direction: Direction, position: str) -> None:
        """Replicate from ``position``, unless it is replicated; what a killed worker set up in part is set up again."""
        replica, _ = self._side(direction.other)
        if status := self._status(direction):
            words = ("Slave_IO_Running", "Slave_SQL_Running", "Last_IO_Errno", "Last_SQL_Errno")
            if [str(status[word]) for word in words] != ["No", "No", "0", "0"]:
                return
            # The position was set before the channel was made.
            position = str(replica.value("SELECT @@GLOBAL.gtid_slave_pos"))
            self.stop(direction)
        self._replicate(direction, position)

    def _replicate(self, direction: Direction, position: str) -> None:
        publisher, (replica, _) = self._side(direction)[0].endpoint, self._side(direction.other)
        host, port = publisher.link()
        channel = literal(self.channel)
        replica.rows("SET GLOBAL gtid_slave_pos = " + literal(position))
        password = publisher.password.reveal() if publisher.password else ""
        replica.rows(
            f"CHANGE MASTER {channel} TO MASTER_HOST = {literal(host)}, MASTER_PORT = {port}, "
            "MASTER_CONNECT_RETRY = 2, "
            f"MASTER_USER = {literal(publisher.user)}, MASTER_PASSWORD = {literal(password)}, "
            "MASTER_HEARTBEAT_PERIOD = 5, MASTER_USE_GTID = slave_pos"
        )
        # Other databases of the server, and the registry, are not this move's business.
        pattern = self.database.replace("_", "\\_") + ".%"
        replica.rows(f"SET GLOBAL {name(self.channel)}.replicate_wild_do_table = {literal(pattern)}")
        replica.rows(f"START SLAVE {channel}")

    def _problems(self, direction: Direction) -> list[Diagnostic]:
        status = self._status(direction)
        if not status:
            return []
        text = status["Last_SQL_Error"] or status["Last_IO_Error"]
        running = status["Slave_SQL_Running"] == "Yes" and status["Slave_IO_Running"] in {
            "Yes",
            "Connecting",
            "Preparing",
        }
        if running and not status["Last_SQL_Error"]:
            return []
        failed = MoveFailed.one(
            "MOV304",
            "replication stopped",
            detail=str(text)[:600],
            hint="put right what it says and START SLAVE; when the source's log is gone, start the move again",
        )
        return failed.diagnostics

    def _status(self, direction: Direction) -> dict[str, Any] | None:
        server, _ = self._side(direction.other)
        rows = server.rows("SHOW ALL SLAVES STATUS")
        return next((row for row in rows if row["Connection_name"] == self.channel), None)

    def _alone(self, server: Server) -> bool:
        rows = server.rows("SELECT SCHEMA_NAME AS s FROM information_schema.SCHEMATA")
        return {row["s"] for row in rows} <= {*SYSTEM, REGISTRY, self.database} and server is self.source

    def _size(self, server: Server) -> int | None:
        found = server.value(
            "SELECT SUM(DATA_LENGTH) FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s", [self.database]
        )
        return int(found) if found is not None else None

    def _side(self, direction: Direction) -> tuple[Server, str]:
        return (self.source, "source") if direction is Direction.FORWARD else (self.target, "target")

    def _open(self, direction: Direction) -> None:
        server, side = self._side(direction)
        held = self.registry.get(f"locked-{side}")
        if held is not None:
            accounts.lock(server, [(user, host) for user, host in held], locked=False)
            self.registry.drop(f"locked-{side}")

    def _claimed(self) -> bool:
        return self.registry.get("move") is not None

    def _prepared(self) -> None:
        if (owner := self.registry.get("move")) != self.move:
            raise MoveFailed.one(
                "MOV302",
                f"the target belongs to the move {owner}" if owner else "the target is not prepared for this move",
                hint="prepare it first, or name another server",
            )
