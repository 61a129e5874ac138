"""What databases bring along that makes their move hard, or impossible while people go on writing."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.core.text import plural
from govhub.inventory.model.migration import MoveKind
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import FoundDatabase, FoundServer
from govhub.migration.portfolio.software import (
    ELSEWHERE,
    EXTENSIONS,
    GTID_SINCE,
    LOGICAL_SINCE,
    MARIADB,
    POSTGRESQL,
    version_of,
)
from govhub.migration.portfolio.subject import Part
from govhub.migration.portfolio.units import amount

PLAIN_COLLATIONS = ("C", "POSIX", "C.UTF-8", "C.utf8")


def keeps_online(part: Part) -> bool | None:
    """Whether changes can be copied while writes go on; None when what that needs was not read."""
    if not part.move.kind.is_database:
        return True
    server, database = part.server, part.database
    if server is None or database is None:
        return None
    if not _new_enough(server) or database.keyless:
        return False
    return None if database.keyless is None else True


def database_findings(part: Part) -> Iterator[Finding]:
    """All rules on one database that was found (POR030 to POR039); nothing when it was not."""
    server, database = part.server, part.database
    if server is None or database is None:
        return
    yield from _version(part, server)
    yield from _keys(part, database)
    yield from _logging(part, server)
    yield from _text(part, database)
    if server.engine == "postgresql":
        yield from _postgresql(part, database)
    else:
        yield from _storage(part, database)


def say(part: Part, code: str, weight: Weight, summary: str, evidence: str, way_out: str) -> Finding:
    """A finding about one move."""
    return Finding(
        code=code,
        weight=weight,
        summary=summary,
        evidence=evidence,
        way_out=way_out,
        system=part.migration.system,
        source=part.move.source,
        move=part.move.name,
    )


def _new_enough(server: FoundServer) -> bool:
    version = version_of(server.version) or (0,)
    if server.engine == "postgresql":
        return LOGICAL_SINCE <= version[0] <= POSTGRESQL
    return server.engine == "mariadb" and GTID_SINCE <= version[:2] <= MARIADB


def _version(part: Part, server: FoundServer) -> Iterator[Finding]:
    version = version_of(server.version)
    evidence = f"{server.engine} {server.version} on port {server.port}"
    if server.engine == "mysql":
        yield say(
            part,
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
        yield say(part, "POR033", Weight.UNKNOWN, "the server's version is not known", evidence, "read it again")
    elif version[: len(mine)] > mine:
        yield say(
            part,
            "POR033",
            Weight.BLOCKER,
            f"the server is newer than the cloud's {server.engine} {shown}",
            evidence,
            "wait for a server of that version on the cloud, or let the maker test a copy on the older one",
        )
    elif version[: len(oldest)] < oldest:
        yield say(
            part,
            "POR033",
            Weight.RISK,
            f"{server.engine} {server.version} cannot replicate to {shown}: it moves while nobody writes",
            evidence,
            "upgrade the source first, or plan the longer pause",
        )


def _keys(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    if database.keyless is None:
        more = " (there are too many tables)" if database.truncated else ""
        text = f"whether all tables of {database.name} have a primary key is not known{more}"
        yield say(part, "POR030", Weight.UNKNOWN, text, "not read", "look at the database's rights, then read it again")
    elif database.keyless:
        names = ", ".join(database.keyless_names[:5])
        yield say(
            part,
            "POR030",
            Weight.RISK,
            f"{plural(database.keyless, 'table has', 'tables have')} no primary key: no copying while people write",
            names,
            "let the maker add keys (or a replica identity), or plan the pause of an offline move",
        )


def _logging(part: Part, server: FoundServer) -> Iterator[Finding]:
    """What the source's log must hold so that changes can be taken from it."""
    if not _new_enough(server):
        return
    if server.settings is None:
        yield say(part, "POR035", Weight.UNKNOWN, "the server's settings are not known", "not read", "read it again")
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
        yield say(
            part,
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


def _text(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    """Character sets: what they cannot say, and what sorts differently."""
    if database.engine == "postgresql":
        if database.encoding == "SQL_ASCII":
            yield say(
                part,
                "POR032",
                Weight.BLOCKER,
                f"the database {database.name} has no character set: any bytes may be in it",
                "encoding SQL_ASCII; the target is UTF8",
                "find out what the application writes (often GB18030), and convert a copy as a rehearsal",
            )
        elif database.encoding not in ("UTF8", None):
            yield say(
                part,
                "POR032",
                Weight.RISK,
                f"the texts of {database.name} change from {database.encoding} to UTF8",
                f"encoding {database.encoding}",
                "compare texts after a rehearsal; bytes of columns get longer",
            )
        if database.collation not in (*PLAIN_COLLATIONS, None):
            yield say(
                part,
                "POR039",
                Weight.NOTE,
                f"texts sort by {database.collation}; on another system's library the order may differ",
                f"collation {database.collation}",
                "make the target's database with the same collation; indexes are built anew there",
            )
        return
    narrow = {name: count for name, count in (database.collations or {}).items() if not name.startswith("utf8mb4")}
    if narrow:
        yield say(
            part,
            "POR032",
            Weight.RISK,
            f"{plural(sum(narrow.values()), 'table', 'tables')} of {database.name} not in utf8mb4",
            ", ".join(f"{name}: {count}" for name, count in sorted(narrow.items())),
            "move them as they are, and convert them afterwards; look for texts that were written in another one",
        )


def _postgresql(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    if database.extensions is None:
        text = f"the extensions of {database.name} are not known"
        yield say(part, "POR031", Weight.UNKNOWN, text, "not read", "look at the database's rights, then read it again")
    missing = sorted(set(database.extensions or ()) - EXTENSIONS)
    if missing:
        yield say(
            part,
            "POR031",
            Weight.BLOCKER,
            f"the cloud's servers do not have the extensions that {database.name} uses",
            ", ".join(f"{name} {(database.extensions or {})[name]}" for name in missing),
            "replatform without them, or have them taken into the servers' role",
        )
    reaching = sorted(set(database.extensions or ()) & ELSEWHERE)
    if reaching or database.foreign:
        evidence = ", ".join([*reaching, *([f"{database.foreign} foreign tables"] if database.foreign else [])])
        yield say(
            part,
            "POR038",
            Weight.RISK,
            f"{database.name} reaches for data elsewhere",
            evidence,
            "find out where to, declare the dependency, and give it a flow",
        )
    if database.unlogged:
        text = f"{plural(database.unlogged, 'unlogged table is', 'unlogged tables are')} not replicated"
        way = "copy them at the cutover, or let the maker say that they may begin empty"
        yield say(part, "POR038", Weight.RISK, text, f"{database.unlogged} of {database.tables} tables", way)
    if database.large_objects:
        objects = plural(database.large_objects, "large object is", "large objects are")
        text = f"{objects} not replicated, but copied during the pause"
        way = "let the maker keep them in a column (bytea) or as files, when they are many"
        yield say(part, "POR037", Weight.NOTE, text, amount(database.large_bytes), way)


def _storage(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    other = {name: count for name, count in (database.storage or {}).items() if name != "InnoDB"}
    if other and part.move.kind is MoveKind.MARIADB:
        yield say(
            part,
            "POR038",
            Weight.RISK,
            f"{plural(sum(other.values()), 'table', 'tables')} of {database.name} without transactions: a copy is only "
            "whole while nobody writes",
            ", ".join(f"{name}: {count}" for name, count in sorted(other.items())),
            "change them to InnoDB on the source, or plan the pause of an offline move",
        )
