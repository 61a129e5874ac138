"""The two ends of a database's move, and who lets go of what was made for it on the servers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.sql.dsn import Engine

LONGEST = 63
"""Bytes of a database's name."""
_REHEARSAL = "_rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Where a database comes from, and where it goes."""

    source: Endpoint
    target: Endpoint
    engine: Engine = Engine.POSTGRESQL

    def of(self, *, rehearsal: bool) -> Ends:
        """With a database of its own for a rehearsal."""
        # MariaDB replicates a database under its own name alone, onto a server that has no others before the cutover.
        if not rehearsal or self.engine is Engine.MARIADB:
            return self
        name = self.target.database[: LONGEST - len(_REHEARSAL)] + _REHEARSAL
        return replace(self, target=replace(self.target, database=name))

    def swapped(self) -> Ends:
        """The other way."""
        return replace(self, source=self.target, target=self.source)


class Access(Protocol):
    """How the servers of a move are reached."""

    def open(self) -> Ends:
        """The two ends, with accounts that may do what a move does; made where they are not there.

        Raises:
            GovhubError: a server is not reached.
        """

    def check(self) -> list[Diagnostic]:
        """What keeps the two servers from each other; nothing is changed."""

    def release(self) -> dict[str, object]:
        """Remove the accounts that were made for the move; what was removed."""

    def close(self) -> None:
        """Let go of what is held on this machine."""
