"""Transaction numbers of MariaDB (GTIDs): from where a server replicates, beside what else it replicates and writes.

A number is domain, server and sequence. A domain is counted by whoever writes in it, so a source whose domain is not
the target's can be followed by a server that others write to: its numbers, backups and standbys go on as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from govhub.migration.movers.mariadb.server import Refused, Server, literal, name

_CONFLICTS = {1947, 1948}
"""The position lacks what the server itself wrote; only a server that is strict about order refuses that."""
_LOCK = "govhub_gtid_slave_pos"
_AHEAD = 1000


class Flag(Protocol):
    """Notes that outlive this process."""

    def set(self, key: str, value: object) -> None:
        """Set one."""

    def drop(self, key: str) -> None:
        """Forget it."""


def parse(text: str | None) -> dict[int, str]:
    """Numbers by domain; of a text such as ``0-1-50,7-2-30``."""
    return {int(item.split("-")[0]): item.strip() for item in (text or "").split(",") if item.strip()}


def spell(numbers: Mapping[int, str]) -> str:
    """As servers take it."""
    return ",".join(numbers[domain] for domain in sorted(numbers))


def domain_of(server: Server) -> int:
    """The domain in which a server counts what its users write."""
    return int(server.value("SELECT @@GLOBAL.gtid_domain_id"))


def written(server: Server) -> str:
    """What is in the server's binary log, as a position."""
    return str(server.value("SELECT @@GLOBAL.gtid_binlog_pos") or "")


def apart(source: Server, target: Server) -> bool:
    """Whether the two count in domains of their own, so that one can follow the other whatever else it holds."""
    return domain_of(source) != domain_of(target)


def place(replica: Server, publisher: Server, position: str, notes: Flag) -> None:
    """Set from where a server replicates next; other channels are halted for this moment, and go on where they were.

    Raises:
        MoveFailed: the server does not take the position.
    """
    known = parse(publisher.value("SELECT @@GLOBAL.gtid_binlog_pos"))
    wanted = parse(replica.value("SELECT @@GLOBAL.gtid_slave_pos"))
    # What the server wrote itself stands in the position too: strict ones ask for it, and others send it nowhere.
    wanted |= {domain: text for domain, text in parse(written(replica)).items() if domain not in known}
    wanted |= parse(position)
    with _halted(replica):
        try:
            _set(replica, wanted)
        except Refused as refusal:
            if refusal.number not in _CONFLICTS:
                raise
            notes.set("lenient", str(replica.endpoint))
            try:
                replica.rows("SET GLOBAL gtid_strict_mode = OFF")
                _set(replica, wanted)
            finally:
                replica.rows("SET GLOBAL gtid_strict_mode = ON")
            notes.drop("lenient")


def lift(source: Server, target: Server, database: str) -> None:
    """Have the source count on from above what the target has of the source's domain, such as from an earlier move.

    Numbers may leave gaps, and go on upwards for the source's own replicas.
    """
    domain = domain_of(source)
    state = str(target.value("SELECT @@GLOBAL.gtid_binlog_state") or "")
    there = [item for item in state.split(",") if item.strip().split("-")[0] == str(domain)]
    highest = max((sequence(item) for item in there), default=0)
    if there and sequence(parse(written(source)).get(domain, "")) <= highest:
        source.rows(f"SET SESSION gtid_seq_no = {highest + _AHEAD}")
        # It changes nothing, and is written all the same.
        source.rows(f"DROP TABLE IF EXISTS {name(database)}.govhub_count")


def sequence(number: str) -> int:
    """The last part of a number; 0 of none."""
    return int(number.rsplit("-", 1)[1]) if number else 0


def _set(replica: Server, wanted: Mapping[int, str]) -> None:
    replica.rows("SET GLOBAL gtid_slave_pos = " + literal(spell(wanted)))


@contextmanager
def _halted(replica: Server) -> Iterator[None]:
    """No channel of the server runs; a server takes no position otherwise. What is killed here, others' turns start."""
    replica.rows("SELECT GET_LOCK(%s, 60)", [_LOCK])
    running = [
        str(row["Connection_name"])
        for row in replica.rows("SHOW ALL SLAVES STATUS")
        if (row["Slave_IO_Running"], row["Slave_SQL_Running"]) != ("No", "No")
    ]
    try:
        for channel in running:
            replica.rows(f"STOP SLAVE {literal(channel)}")
        yield
    finally:
        for channel in running:
            replica.rows(f"START SLAVE {literal(channel)}")
        replica.rows("SELECT RELEASE_LOCK(%s)", [_LOCK])
