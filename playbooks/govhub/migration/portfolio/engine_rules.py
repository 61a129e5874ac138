"""Database engines: whether a source's server can hand on changes to the cloud's, and what it lacks for that."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import FoundServer
from govhub.migration.portfolio.software import GTID_SINCE, LOGICAL_SINCE, MARIADB, POSTGRESQL, version_of
from govhub.migration.portfolio.subject import Part


def keeps_online(part: Part) -> bool | None:
    """Whether changes can be copied while writes go on; None when what that needs was not read."""
    if not part.move.kind.is_database:
        return True
    if part.move.method == "dump":
        return False
    server, database = part.server, part.database
    if server is None or database is None:
        return None
    full = part.move.replica_identity == "full"
    if not new_enough(server) or (database.keyless and not full):
        return False
    return None if database.keyless is None and not full else True


def new_enough(server: FoundServer) -> bool:
    """Whether the server can replicate to the cloud's."""
    version = version_of(server.version) or (0,)
    if server.engine == "postgresql":
        return LOGICAL_SINCE <= version[0] <= POSTGRESQL
    return server.engine == "mariadb" and GTID_SINCE <= version[:2] <= MARIADB


def version_findings(part: Part, server: FoundServer) -> Iterator[Finding]:
    """Another engine, one that is newer than the cloud's, or too old to replicate (POR033, POR034)."""
    version = version_of(server.version)
    evidence = f"{server.engine} {server.version} on port {server.port}"
    if server.engine == "mysql":
        yield part.say(
            "POR034",
            Weight.RISK,
            "the server is MySQL; the cloud runs MariaDB, so the engine changes",
            evidence,
            "replatform: copy it while nobody writes, and let the system's maker test it on MariaDB",
        )
        return
    mine = (POSTGRESQL,) if server.engine == "postgresql" else MARIADB
    oldest = (LOGICAL_SINCE,) if server.engine == "postgresql" else GTID_SINCE
    shown = ".".join(map(str, mine))
    if version is None:
        yield part.say("POR033", Weight.UNKNOWN, "the server's version is not known", evidence, "read it again")
    elif version[: len(mine)] > mine:
        yield part.say(
            "POR033",
            Weight.BLOCKER,
            f"the server is newer than the cloud's {server.engine} {shown}",
            evidence,
            "wait for a server of that version on the cloud, or let the maker test a copy on the older one",
        )
    elif version[: len(oldest)] < oldest:
        yield part.say(
            "POR033",
            Weight.RISK,
            f"{server.engine} {server.version} cannot replicate to {shown}: it moves while nobody writes",
            evidence,
            "upgrade the source first, or plan the longer pause",
        )


def logging_findings(part: Part, server: FoundServer) -> Iterator[Finding]:
    """What the source's log must hold so that changes can be taken from it (POR035)."""
    if not new_enough(server):
        return
    if server.settings is None:
        yield part.say("POR035", Weight.UNKNOWN, "the server's settings are not known", "not read", "read it again")
        return
    wanted = _POSTGRESQL_LOG if server.engine == "postgresql" else _MARIADB_LOG
    wrong = [
        f"{name}={server.settings.get(name, '?')}" for name, good in wanted if server.settings.get(name) not in good
    ]
    if server.engine == "postgresql":
        counts = ("max_replication_slots", "max_wal_senders")
        wrong += [f"{name}={server.settings.get(name, '?')}" for name in counts if not _some(server.settings.get(name))]
    if wrong:
        need = ", ".join(f"{name}={good[0]}" for name, good in wanted)
        yield part.say(
            "POR035",
            Weight.RISK,
            "the server does not log what an online move needs; changing that restarts it",
            ", ".join(wrong),
            f"set {need} and restart it in a quiet hour, or plan the pause of an offline move",
        )


_POSTGRESQL_LOG = (("wal_level", ("logical",)),)
_MARIADB_LOG = (("log_bin", ("ON", "1")), ("binlog_format", ("ROW",)), ("binlog_row_image", ("FULL",)))


def _some(value: str | None) -> bool:
    return bool(value and value.isdigit() and int(value))
