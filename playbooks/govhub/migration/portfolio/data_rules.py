"""What databases bring along that makes their move hard, or impossible while people go on writing."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.core.text import plural
from govhub.inventory.model.migration import MoveKind
from govhub.migration.portfolio.engine_rules import logging_findings, version_findings
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.found import FoundDatabase
from govhub.migration.portfolio.software import ELSEWHERE, EXTENSIONS
from govhub.migration.portfolio.subject import Part
from govhub.migration.portfolio.units import amount

PLAIN_COLLATIONS = ("C", "POSIX", "C.UTF-8", "C.utf8")


def database_findings(part: Part) -> Iterator[Finding]:
    """All rules on one database that was found (POR030 to POR039); nothing when it was not."""
    server, database = part.server, part.database
    if server is None or database is None:
        return
    yield from version_findings(part, server)
    yield from _keys(part, database)
    yield from logging_findings(part, server)
    yield from _text(part, database)
    if server.engine == "postgresql":
        yield from _postgresql(part, database)
    else:
        yield from _storage(part, database)


def _keys(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    if database.keyless is None:
        more = " (there are too many tables)" if database.truncated else ""
        text = f"whether all tables of {database.name} have a primary key is not known{more}"
        yield part.say("POR030", Weight.UNKNOWN, text, "not read", "look at the database's rights, then read it again")
    elif database.keyless:
        names = ", ".join(database.keyless_names[:5])
        yield part.say(
            "POR030",
            Weight.RISK,
            f"{plural(database.keyless, 'table has', 'tables have')} no primary key: no copying while people write",
            names,
            "let the maker add keys (or a replica identity), or plan the pause of an offline move",
        )


def _text(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    """Character sets: what they cannot say, and what sorts differently."""
    if database.engine == "postgresql":
        if database.encoding == "SQL_ASCII":
            yield part.say(
                "POR032",
                Weight.BLOCKER,
                f"the database {database.name} has no character set: any bytes may be in it",
                "encoding SQL_ASCII; the target is UTF8",
                "find out what the application writes (often GB18030), and convert a copy as a rehearsal",
            )
        elif database.encoding not in ("UTF8", None):
            yield part.say(
                "POR032",
                Weight.RISK,
                f"the texts of {database.name} change from {database.encoding} to UTF8",
                f"encoding {database.encoding}",
                "compare texts after a rehearsal; bytes of columns get longer",
            )
        if database.collation not in (*PLAIN_COLLATIONS, None):
            yield part.say(
                "POR039",
                Weight.NOTE,
                f"texts sort by {database.collation}; on another system's library the order may differ",
                f"collation {database.collation}",
                "make the target's database with the same collation; indexes are built anew there",
            )
        return
    narrow = {name: count for name, count in (database.collations or {}).items() if not name.startswith("utf8mb4")}
    if narrow:
        yield part.say(
            "POR032",
            Weight.RISK,
            f"{plural(sum(narrow.values()), 'table', 'tables')} of {database.name} not in utf8mb4",
            ", ".join(f"{name}: {count}" for name, count in sorted(narrow.items())),
            "move them as they are, and convert them afterwards; look for texts that were written in another one",
        )


def _postgresql(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    if database.extensions is None:
        text = f"the extensions of {database.name} are not known"
        yield part.say("POR031", Weight.UNKNOWN, text, "not read", "look at the database's rights, then read it again")
    missing = sorted(set(database.extensions or ()) - EXTENSIONS)
    if missing:
        yield part.say(
            "POR031",
            Weight.BLOCKER,
            f"the cloud's servers do not have the extensions that {database.name} uses",
            ", ".join(f"{name} {(database.extensions or {})[name]}" for name in missing),
            "replatform without them, or have them taken into the servers' role",
        )
    reaching = sorted(set(database.extensions or ()) & ELSEWHERE)
    if reaching or database.foreign:
        evidence = ", ".join([*reaching, *([f"{database.foreign} foreign tables"] if database.foreign else [])])
        yield part.say(
            "POR038",
            Weight.RISK,
            f"{database.name} reaches for data elsewhere",
            evidence,
            "find out where to, declare the dependency, and give it a flow",
        )
    if database.unlogged:
        text = f"{plural(database.unlogged, 'unlogged table is', 'unlogged tables are')} not replicated"
        way = "copy them at the cutover, or let the maker say that they may begin empty"
        yield part.say("POR038", Weight.RISK, text, f"{database.unlogged} of {database.tables} tables", way)
    if database.large_objects:
        objects = plural(database.large_objects, "large object is", "large objects are")
        text = f"{objects} not replicated, but copied during the pause"
        way = "let the maker keep them in a column (bytea) or as files, when they are many"
        yield part.say("POR037", Weight.NOTE, text, amount(database.large_bytes), way)


def _storage(part: Part, database: FoundDatabase) -> Iterator[Finding]:
    other = {name: count for name, count in (database.storage or {}).items() if name != "InnoDB"}
    if other and part.move.kind is MoveKind.MARIADB:
        yield part.say(
            "POR038",
            Weight.RISK,
            f"{plural(sum(other.values()), 'table', 'tables')} of {database.name} without transactions: a copy is only "
            "whole while nobody writes",
            ", ".join(f"{name}: {count}" for name, count in sorted(other.items())),
            "change them to InnoDB on the source, or plan the pause of an offline move",
        )
