"""The offline move of a PostgreSQL database: dumped and restored while nobody writes, for small or old ones.

The way back is the same as that of the online move, where both servers can replicate.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from govhub.migration.movers.postgresql import access, catalog, schema
from govhub.migration.movers.postgresql.mover import PostgresMover
from govhub.migration.movers.protocol import Direction, MoveFailed, Progress, Stage
from govhub.migration.movers.runner import Command

_RATE = f"{__package__.rsplit('.', 1)[0]}.throttle"


class DumpMover(PostgresMover):
    """Copies in :meth:`drain`, between the freeze and the finish, so the pause of writes is as long as the copy."""

    online = False

    def start(self) -> None:
        """Nothing runs before the freeze; whether the move is prepared is checked.

        Raises:
            MoveFailed: it is not (MOV025).
        """
        if not self.moved():
            self._prepared()

    def advance(self, before: Progress | None = None) -> Progress:
        """How far it is: everything but the rows is there."""
        return self.progress(before)

    def progress(self, before: Progress | None = None) -> Progress:
        """How far it is; the copy itself is not followed, so its bytes stay unknown."""
        if not self._target_there() or not self.registry.get("structure"):
            return Progress(at=datetime.now(UTC), stage=Stage.ABSENT)
        if self.moved():
            return super().progress(before)
        stage = Stage.FOLLOWING if self.registry.get("restored") else Stage.PREPARED
        return Progress(at=datetime.now(UTC), stage=stage)

    def caught_up(self) -> bool:
        """An offline move can be cut over as soon as it is prepared."""
        return self.progress().stage in {Stage.PREPARED, Stage.FOLLOWING}

    def thaw(self, direction: Direction = Direction.FORWARD) -> None:
        """Open the source again; what was copied is of no use any more."""
        if direction is Direction.FORWARD:
            self.registry.drop("restored")
        super().thaw(direction)

    def drain(self, direction: Direction = Direction.FORWARD, timeout: float = 60) -> None:
        """Copy all rows, and build what waited for them.

        Raises:
            MoveFailed: the rows cannot be copied in time (MOV027), or the sides differ afterwards (MOV021).
        """
        if direction is Direction.BACK:
            super().drain(direction, timeout)
            return
        if self.moved():
            return
        if not access.is_closed(self.source):
            raise MoveFailed.one("MOV045", "the side that is left is not frozen", hint="freeze it first")
        self.copy(timeout)

    def copy(self, timeout: float) -> None:
        """Copy all rows as they are at one moment, and build what waited for them.

        Raises:
            MoveFailed: the rows cannot be copied in time (MOV027), or the sides differ afterwards (MOV021).
        """
        if self.registry.get("restored"):
            return
        self._truncate()
        self._copy(timeout)
        schema.make_later(self.runner, self.source, self.target, self.registry, self.options.limits.parallel)
        if lines := catalog.differences(self.source, self.target, catalog.Part.STRUCTURE):
            raise MoveFailed.one(
                "MOV052",
                "the schema of the two sides differs",
                detail="\n".join(lines[:20]),
                hint="cancel the move and start it again",
            )
        self._analyze()
        self.registry.set("settled", True)
        self.registry.set("restored", True)

    def _truncate(self) -> None:
        """Rows of a copy that was killed; the constraints that it may have built go with their tables' rows."""
        self.copying.again()

    def _copy(self, timeout: float) -> None:
        limits = self.options.limits
        options = ["--section=data", "--no-blobs"]
        name = f"{self.names.base}-rows"
        if limits.bandwidth is None:
            folder = self.runner.folder(name) / "rows"
            jobs = ["-j", str(limits.parallel)]
            dump = self.source.command("pg_dump", "-Fd", "-Z0", *jobs, "-f", str(folder), *options)
            restore = self.target.command("pg_restore", "-e", *jobs, "-d", self.target.endpoint.database, str(folder))
            commands = [_within(dump, timeout), _within(restore, timeout)]
        else:
            restore = self.target.command("pg_restore", "-e", "-d", self.target.endpoint.database)
            brake = Command(arguments=(sys.executable, "-m", _RATE, str(limits.bandwidth)), then=restore)
            dump = self.source.command("pg_dump", "-Fc", "-Z0", *options, then=brake)
            commands = [_within(dump, timeout)]
        try:
            self.runner.forget(name)
            if limits.bandwidth is None:
                self.runner.folder(name)
            for command in commands:
                done = self.runner.run(command)
                if done.code:
                    errors = [line for line in done.errors.splitlines() if "rror" in line][-8:]
                    summary = "rows cannot be copied in time" if done.code == 124 else "rows cannot be copied"
                    hint = "the source is as it was: thaw it, correct what is said, then repeat"
                    raise MoveFailed.one("MOV027", summary, detail="\n".join(errors), hint=hint)
        finally:
            self.runner.forget(name)


def _within(command: Command, seconds: float) -> Command:
    return Command(
        arguments=command.arguments,
        environment=command.environment,
        secrets=command.secrets,
        then=command.then,
        timeout=seconds,
    )
