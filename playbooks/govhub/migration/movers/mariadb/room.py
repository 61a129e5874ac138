"""Log that a MariaDB source keeps for a move, and the room that its disk has for it."""

from __future__ import annotations

from govhub.migration.movers.mariadb.channel import Channel
from govhub.migration.movers.mariadb.server import Server

_DISKS = (
    "SELECT Available * 1024 AS free FROM information_schema.DISKS "
    "WHERE %s LIKE CONCAT(TRIM(TRAILING '/' FROM Path), '/%%') ORDER BY LENGTH(Path) DESC LIMIT 1"
)
_KNOWS = "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'DISKS' AND PLUGIN_STATUS = 'ACTIVE'"


def free_bytes(source: Server) -> int | None:
    """Bytes that are free where its logs are; None when neither the server nor its host can be asked.

    Raises:
        MoveFailed: the server does not answer.
    """
    path = str(source.value("SELECT COALESCE(@@log_bin_basename, @@datadir)"))
    if source.endpoint.machine:
        return source.endpoint.machine.free_bytes(path.rsplit("/", 1)[0] or "/")
    # A plugin that some servers have; installing it would change the source.
    found = source.value(_DISKS, [path]) if source.rows(_KNOWS) else None
    return int(found) if found is not None else None


def held(channel: Channel, *, back: bool) -> int:
    """Bytes that the move alone has the source keep.

    Before the switch those are binary logs that a replica still reads: no server removes them, while the last one, and
    what nobody reads, are the server's own matter. After it, changes that came from the target and were not applied.
    """
    status = channel.status()
    if status is None:
        return 0
    if back:
        return int(status["Relay_Log_Space"] or 0)
    if status["Slave_IO_Running"] != "Yes":
        return 0
    logs = {str(row["Log_name"]): int(row["File_size"]) for row in channel.publisher.rows("SHOW BINARY LOGS")}
    *closed, _ = sorted(logs, key=_number) or [""]
    reading = _number(str(status["Master_Log_File"]))
    return sum(logs[item] for item in closed if _number(item) >= reading)


def endless(source: Server) -> bool:
    """Whether the server never removes binary logs by itself."""
    return float(source.value("SELECT @@expire_logs_days") or 0) == 0


def _number(log: str) -> int:
    last = log.rsplit(".", 1)[-1]
    return int(last) if last.isdigit() else 0
