"""One row on both sides of a move that was cut over, while users write to the target."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from govhub.migration.movers.postgresql.server import Server
from govhub.migration.movers.postgresql.tables import Table
from govhub.migration.movers.protocol import Direction
from govhub.migration.sql import statements as sql

if TYPE_CHECKING:
    from govhub.migration.movers.postgresql.mover import PostgresMover

_TRIES = 8
_SECONDS = 10.0
"""Until the source has what was written to the target before."""


def same_row(mover: PostgresMover, table: Table, key: Mapping[str, Any]) -> bool | None:
    """Whether a row of the target, which is written to, is the source's row too.

    It is asked while nobody wrote the row: between two equal looks at the target, the source took everything that was
    committed at the first one. None: nobody can say, because it is written all the time, or the source does not follow.

    Raises:
        MoveFailed: a server does not answer, or refuses.
    """
    statement = sql.SQL("SELECT xmin::text, md5(t::text) FROM {} t WHERE {}").format(
        table.identifier, sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in key)
    )
    values = list(key.values())
    for _ in range(_TRIES):
        before = mover.target.rows(statement, values)
        if not _caught_up(mover):
            return None
        there = [row[1] for row in mover.source.rows(statement, values)]
        if before == mover.target.rows(statement, values):
            if not before and not there:
                # Deleted meanwhile, or a key whose text does not find its row: nothing was seen.
                return None
            return there == [row[1] for row in before]
        # Written meanwhile: look at it again.
        time.sleep(0.05)
    return None


def _caught_up(mover: PostgresMover) -> bool:
    """Wait until the source has applied what the target has committed by now."""
    slots = mover.replication(Direction.BACK)
    end = _flushed(mover.target)
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        behind = mover.target.rows(
            "SELECT pg_wal_lsn_diff(%s::pg_lsn, confirmed_flush_lsn)::int8 FROM pg_replication_slots "
            "WHERE slot_name ~ %s",
            [end, slots.names.like(Direction.BACK)],
        )
        if not behind:
            return False
        if all(row[0] is not None and row[0] <= 0 for row in behind):
            return True
        # Only what is on the source's disk is confirmed; a record of ours puts it there.
        mover.source.rows("SELECT pg_logical_emit_message(true, 'govhub', 'flush')")
        time.sleep(0.02)
    return False


def _flushed(server: Server) -> str:
    # A commit that does not wait for the disk is behind this one.
    server.rows("SELECT pg_logical_emit_message(true, 'govhub', 'compare')")
    return str(server.value("SELECT pg_current_wal_flush_lsn()::text"))
