"""The target's server in the hands of a move: what is taken, closed, watched, and given back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from govhub.core.diagnostics import Diagnostic
from govhub.migration.movers.mariadb import accounts, positions, room
from govhub.migration.movers.mariadb.assess import others
from govhub.migration.movers.mariadb.channel import Channel
from govhub.migration.movers.mariadb.registry import Registry
from govhub.migration.movers.mariadb.server import Server, name
from govhub.migration.movers.protocol import Direction, MoveFailed

if TYPE_CHECKING:
    from govhub.migration.movers.mariadb.mover import MariadbMover

HELD = "held-target"
"""Accounts that the target had for the database, such as a tenant's, and that were open."""
_FORM = (
    "SELECT DEFAULT_CHARACTER_SET_NAME AS c, DEFAULT_COLLATION_NAME AS o FROM information_schema.SCHEMATA "
    "WHERE SCHEMA_NAME = %s"
)


def take(source: Server, target: Server, registry: Registry, move: str) -> None:
    """Claim the target for a move; nothing of others is touched."""
    if not positions.apart(source, target):
        # The server is empty. Its own first transactions would stand in the way of the source's, of the same domain.
        target.rows("RESET MASTER")
    registry.make()
    database = target.endpoint.database
    registry.set("existed", target.rows(_FORM, [database]) or None)
    registry.keep("move", move)


def close(target: Server, registry: Registry, database: str) -> None:
    """Shut out accounts that the target has for the database: what they wrote before the switch would be in the way."""
    if registry.get(HELD) is None:
        registry.set(HELD, accounts.open_ones(target, database))
    if held := accounts.Held.read(registry.get(HELD)):
        accounts.shut(target, database, held)


def admit(source: Server, target: Server, registry: Registry, database: str) -> None:
    """Bring the source's accounts over, shut out until the target opens, as those that it had itself."""
    if registry.get("locked-target") is None:
        held = accounts.Held.read(registry.get(HELD))
        come = accounts.admit(source, target, database, accounts.Held.read(registry.get("locked-source")))
        registry.set("locked-target", [*come, *(item for item in held if item not in come)])
    accounts.shut(target, database, accounts.Held.read(registry.get("locked-target")))


def give_back(target: Server, registry: Registry, database: str) -> None:
    """The target as it was before: without the copy, and with the empty database of a tenant if there was one."""
    target.rows(f"DROP DATABASE IF EXISTS {name(database)}")
    for form in registry.get("existed") or []:
        target.rows(f"CREATE DATABASE {name(database)} CHARACTER SET {form['c']} COLLATE {form['o']}")
    accounts.reopen(target, accounts.Held.read(registry.get(HELD)))


def note_databases(channel: Channel, registry: Registry) -> None:
    """Remember what the replica has before it follows."""
    registry.set("databases", others(channel.replica, channel.database))


def note_intruders(channel: Channel, registry: Registry) -> None:
    """Note databases that came while the replica took over everything: those that both sides have now."""
    known = set(registry.get("databases") or [])
    new = {*others(channel.replica, channel.database)} - known & {*others(channel.publisher, channel.database)}
    if new:
        registry.set("intruders", {"server": str(channel.replica.endpoint), "databases": sorted(new)})


def intruders(registry: Registry) -> list[Diagnostic]:
    """Databases that came so (MOV307); until somebody removed them."""
    found = registry.get("intruders")
    if not found:
        return []
    return MoveFailed.one(
        "MOV307",
        f"{found['server']} took over other databases while it was restarted: {', '.join(found['databases'][:12])}",
        hint="remove them there, and the row `intruders` of govhub_move.state on the target; then repeat",
    ).diagnostics


def protect(mover: MariadbMover) -> None:
    """See :meth:`govhub.migration.movers.mariadb.mover.MariadbMover.protect`."""
    limit, back = mover.options.limits.retained, mover.moved()
    if limit is None:
        return
    channel = mover.channel(Direction.BACK if back else Direction.FORWARD)
    held = room.held(channel, back=back)
    if held <= limit:
        return
    if back:
        channel.fetch_no_more()
        raise MoveFailed.one(
            "MOV051",
            f"the source keeps {held} bytes of changes that it does not apply, {limit} are allowed: it fetches no more",
            hint="see why it does not apply them (SHOW ALL SLAVES STATUS there), put it right, and START SLAVE",
        )
    mover.stop(Direction.FORWARD)
    for key in ("copied", "started", "followed"):
        mover.registry.drop(key)
    raise MoveFailed.one(
        "MOV051",
        f"the source kept {held} bytes of binary logs for the move, {limit} are allowed: the copy was given up",
        hint="the source is free of it; find out why the target is slow, or allow more, and start again",
    )
