"""The online move of a MariaDB database: dumped from one snapshot, then replicated by GTID."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.movers.mariadb import accounts, copying, positions, taking
from govhub.migration.movers.mariadb.assess import SYSTEM, assess
from govhub.migration.movers.mariadb.channel import GONE, Channel
from govhub.migration.movers.mariadb.registry import REGISTRY, Registry
from govhub.migration.movers.mariadb.server import Server
from govhub.migration.movers.protocol import Direction, Lag, Limits, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import Runner


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
        self.name = "govhub_" + re.sub(r"[^a-z0-9_]", "_", move.lower())[:40]
        self.source, self.target = Server(source), Server(target)
        self.registry = Registry(self.target)
        self.database = source.database
        self.runner, self.options = runner, options or Options()

    def assess(self) -> list[Diagnostic]:
        """What stands in the way of the move; nothing is changed."""
        return assess(self.source, self.target, self.move)

    def prepare(self) -> None:
        """Take the target for this move.

        Raises:
            MoveFailed: something stands in the way, or another move took it (MOV302).
        """
        if blocking := [item for item in self.assess() if item.severity.value == "error"]:
            raise MoveFailed(blocking)
        if self.registry.get("move") is None:
            taking.take(self.source, self.target, self.registry, self.move)
        self._prepared()
        for direction in Direction:
            # Now, since it must not turn out after the switch that it cannot be.
            self.channel(direction).persist()

    def start(self) -> None:
        """Copy from one snapshot, and replicate from there; a copy that was killed begins again.

        Raises:
            MoveFailed: the copy failed (MOV303).
        """
        self._prepared()
        if self.moved():
            return
        taking.close(self.target, self.registry, self.database)
        status = self.channel(Direction.FORWARD).status()
        if status and int(status["Last_IO_Errno"]) == GONE:
            self.stop(Direction.FORWARD)
            self.registry.drop("copied")
        if not self.registry.get("copied"):
            self.registry.set("started", datetime.now(UTC).isoformat())
            self.stop(Direction.FORWARD)
            self.registry.drop("followed")
            logged = positions.apart(self.source, self.target)
            if logged:
                positions.lift(self.source, self.target, self.database)
            copying.make_database(self.source, self.target)
            self.registry.set(
                "copied",
                copying.copy(self.runner, self.source, self.target, self.name, self.options.limits, logged=logged),
            )
        # Where the target is, not where the copy was: a cutover that was given up late has ended replication.
        here = self.target.value("SELECT @@GLOBAL.gtid_slave_pos") if self.registry.get("followed") else None
        self._follow(Direction.FORWARD, str(here or self.registry.get("copied")))
        self.registry.set("followed", True)

    def begun(self) -> bool:
        """Whether the target was taken for this move, and not for another."""
        return bool(self.registry.get("move") == self.move)

    def advance(self, before: Progress | None = None) -> Progress:
        """Narrow again what a restart has opened, and say how far it is: nothing waits here."""
        self.mend()
        return self.progress(before)

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; sizes are the servers' estimates."""
        at = datetime.now(UTC)
        try:
            if not self.begun():
                return Progress(at=at, stage=Stage.ABSENT)
            direction = Direction.BACK if self.moved() else Direction.FORWARD
            problems = [*self.channel(direction).problems(), *taking.intruders(self.registry)]
            stage = Stage.FOLLOWING if self.registry.get("copied") else Stage.PREPARED
            stage = Stage.COPYING if stage is Stage.PREPARED and self.registry.get("started") else stage
            stage = Stage.MOVED if self.moved() else stage
            total, done = self._size(self.source), self._size(self.target)
            lag = self.channel(direction).lag()
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
        """Shut the accounts of the database out on the side that is written to, and end their sessions."""
        if self.moved() is (direction is Direction.FORWARD):
            return
        self._prepared()
        server, side = self._side(direction)
        if self.registry.get(f"locked-{side}") is None:
            self.registry.set(f"locked-{side}", accounts.open_ones(server, self.database))
        accounts.shut(server, self.database, accounts.Held.read(self.registry.get(f"locked-{side}")))

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Let them in again; replication goes on.

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
        self.mend()
        end = positions.written(server)
        taken, _ = self._side(direction.other)
        # What the other side wrote itself comes to it from nowhere.
        there = positions.domain_of(taken) if positions.apart(self.source, self.target) else None
        awaited = positions.spell({key: text for key, text in positions.parse(end).items() if key != there})
        # Minus one is a time-out, and NULL that there is nothing to wait for: neither is "everything arrived".
        if taken.value("SELECT MASTER_GTID_WAIT(%s, %s)", [awaited, timeout]) != 0:
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
            now = positions.written(left)
            if self._alone(left) and now != self.registry.get("drained"):
                raise MoveFailed.one(
                    "MOV306", "somebody wrote after the freeze", detail=now, hint="stop who writes, then drain again"
                )
            self.stop(direction)
            if forward:
                taking.admit(left, taken, self.registry, self.database)
            # The registry's own transactions come before it, and are of no database that is replicated.
            self.registry.set("point", positions.written(taken))
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
        return self.channel(direction).lag()

    def channel(self, direction: Direction) -> Channel:
        """Replication in ``direction``."""
        (publisher, _), (replica, _) = self._side(direction), self._side(direction.other)
        return Channel(self.name, self.database, publisher, replica)

    def mend(self) -> None:
        """Set right what restarts of the servers, and killed workers, have left; called whenever the move is looked at.

        Raises:
            MoveFailed: a server does not answer, or refuses.
        """
        if not self.begun():
            return
        if lenient := self.registry.get("lenient"):
            side = next(item for item in (self.source, self.target) if str(item.endpoint) == lenient)
            side.rows("SET GLOBAL gtid_strict_mode = ON")
            self.registry.drop("lenient")
        direction = Direction.BACK if self.moved() else Direction.FORWARD
        self._mend(self.channel(direction))

    def protect(self) -> None:
        """Give up what makes the source keep more log than allowed.

        Raises:
            MoveFailed: it did (MOV051).
        """
        taking.protect(self)

    def moved(self) -> bool:
        """Whether the target is the one that is written to."""
        return bool(self.registry.get("primary") == "target")

    def stop(self, direction: Direction = Direction.FORWARD) -> None:
        """End replication in ``direction``."""
        self.channel(direction).stop()

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
            self.channel(direction).forget()
        self._open(Direction.FORWARD)
        taking.give_back(self.target, self.registry, self.database)
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
            self.channel(direction).forget()
        self.registry.remove()

    def close(self) -> None:
        """Let go of the connections."""
        self.source.close()
        self.target.close()

    def _follow(self, direction: Direction, position: str) -> None:
        """Replicate from ``position``, unless it is replicated; what a killed worker set up in part is set up again."""
        channel = self.channel(direction)
        if channel.status():
            # Its position was set before it was made.
            self._mend(channel)
            return
        taking.note_databases(channel, self.registry)
        channel.begin(position, self.registry)

    def _mend(self, channel: Channel) -> None:
        if channel.mend():
            taking.note_intruders(channel, self.registry)

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
            accounts.reopen(server, accounts.Held.read(held))
            self.registry.drop(f"locked-{side}")

    def _prepared(self) -> None:
        if (owner := self.registry.get("move")) != self.move:
            raise MoveFailed.one(
                "MOV302",
                f"the target belongs to the move {owner}" if owner else "the target is not prepared for this move",
                hint="prepare it first, or name another server",
            )
