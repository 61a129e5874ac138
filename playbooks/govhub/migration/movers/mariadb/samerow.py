"""Rows on both sides of a move that was cut over, while users write to the target."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from govhub.migration.movers.mariadb import positions
from govhub.migration.movers.mariadb.channel import Channel
from govhub.migration.movers.mariadb.server import Server, name

_TRIES = 12
_SURE = 3
"""Looks that have to find the same difference: a row may be changed, and changed back, between two of them."""
_SECONDS = 10.0
"""Until the source has what was written to the target before."""


def same_rows(channel: Channel, table: str, keys: Sequence[Mapping[str, Any]]) -> list[bool | None]:
    """Whether rows of the publisher, which is written to, are the replica's too; for each key in turn.

    It is asked while nobody wrote the row: between two equal looks at the publisher, the replica took everything that
    was committed at the first one. None: nobody can say, because it is written all the time, or the replica does not
    follow.

    Raises:
        MoveFailed: a server does not answer, or refuses.
    """
    columns = _columns(channel, table)
    return [_same_row(channel, _statement(channel, table, columns, key), list(key.values())) for key in keys]


def _same_row(channel: Channel, statement: str, values: list[Any]) -> bool | None:
    seen: list[tuple[Any, Any]] = []
    for _ in range(_TRIES):
        before = channel.publisher.rows(statement, values)
        if not _caught_up(channel.publisher, channel.replica):
            return None
        there = channel.replica.rows(statement, values)
        if before != channel.publisher.rows(statement, values):
            # Written meanwhile: look at it again.
            seen = []
            time.sleep(0.05)
            continue
        if not before and not there:
            # Deleted meanwhile, or a key whose text does not find its row: nothing was seen.
            return None
        if before == there:
            return True
        seen = [*(item for item in seen if item == (before, there)), (before, there)]
        if len(seen) == _SURE:
            return False
        time.sleep(0.05)
    return None


def _columns(channel: Channel, table: str) -> str:
    columns = channel.publisher.rows(
        "SELECT COLUMN_NAME AS c, DATA_TYPE AS t FROM information_schema.COLUMNS "
        "WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        [channel.database, table],
    )
    # As text a FLOAT has six digits; as a DOUBLE all that it has.
    found = [(name(row["c"]), row["t"]) for row in columns]
    return ", ".join(f"({column} + 0e0) AS {column}" if kind == "float" else column for column, kind in found)


def _statement(channel: Channel, table: str, columns: str, key: Iterable[str]) -> str:
    where = " AND ".join(f"{name(item)} = %s" for item in key)
    # Moments are spelled by the session's zone, and the two servers may have different ones.
    asked = f"SELECT {columns} FROM {name(channel.database)}.{name(table)} WHERE {where}"
    return f"SET STATEMENT time_zone = '+00:00' FOR {asked.replace('%', '%%').replace('= %%s', '= %s')}"


def _caught_up(publisher: Server, replica: Server) -> bool:
    """Wait until the replica has applied what the publisher's users have committed by now."""
    domain = positions.domain_of(publisher)
    end = positions.parse(positions.written(publisher)).get(domain)
    if end is None:
        return True
    return bool(replica.value("SELECT MASTER_GTID_WAIT(%s, %s)", [end, _SECONDS]) == 0)
