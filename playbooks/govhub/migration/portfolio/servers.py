"""Database servers in the reading of a source."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

from govhub.core.sections import Reading
from govhub.migration.portfolio.found import FoundDatabase, FoundServer, Session

MOST_TABLES = 2000
"""Tables without key that the script lists at most."""
_ESCAPES = {"\\t": "\t", "\\n": "\n", "\\0": "\0", "\\\\": "\\"}
_ESCAPE = re.compile(r"\\[tn0\\]")
_OWN = ("postgres",)


def servers(reading: Reading) -> tuple[tuple[FoundServer, ...] | None, tuple[str, ...]]:
    """The servers that could be asked, and the engines of those that run and could not.

    The first is None when it is not known whether any runs.
    """
    running = {name: reading.section(name) for name in ("postgresql", "mariadb")}
    if any(section.exit for section in running.values()):
        return None, ()
    found: list[FoundServer] = []
    unread: list[str] = []
    if "running" in running["postgresql"].lines:
        ports = [int(line) for line in running["postgresql"].lines if line.isdigit()]
        answered = [_postgresql(reading, port) for port in ports]
        found += [item for item in answered if item]
        if None in answered or not ports:
            unread.append("postgresql")
    if "running" in running["mariadb"].lines:
        mariadb = _mariadb(reading)
        if mariadb:
            found.append(mariadb)
        else:
            unread.append("mariadb")
    return tuple(found), tuple(unread)


def _postgresql(reading: Reading, port: int) -> FoundServer | None:
    name = f"postgresql {port}"
    settings = _values(reading, f"{name} settings")
    if not settings:
        return None
    listed = _values(reading, f"{name} databases")
    own = [item for item in listed or [] if not item["template"]]
    kept = [item for item in own if item["name"] not in _OWN or _tables(reading, port, item["name"])]
    sessions = _values(reading, f"{name} sessions")
    slots, roles = _values(reading, f"{name} slots"), _values(reading, f"{name} roles")
    return FoundServer(
        engine="postgresql",
        port=port,
        version=settings[0].get("server_version", "").split(" ")[0] or None,
        settings=settings[0],
        sessions=None
        if sessions is None
        else tuple(
            Session(
                database=item["database"],
                user=item["user"] or "",
                address=item["address"] or "",
                application=item["application"] or "",
                count=item["count"],
            )
            for item in sessions
        ),
        slots=None if slots is None else len(slots),
        accounts=None if roles is None else tuple(item["name"] for item in roles),
        log_rate=_rate(reading, name),
        databases=None if listed is None else tuple(_database(reading, port, item) for item in kept),
    )


def _tables(reading: Reading, port: int, name: str) -> bool:
    """Whether somebody put tables into the database that every server has."""
    found = _values(reading, f"postgresql {port} database {name}")
    return bool(found and found[0]["tables"])


def _database(reading: Reading, port: int, listed: dict[str, Any]) -> FoundDatabase:
    inside = (_values(reading, f"postgresql {port} database {listed['name']}") or [{}])[0]
    return FoundDatabase(
        engine="postgresql",
        port=port,
        name=listed["name"],
        size=listed["size"],
        encoding=listed["encoding"],
        collation=listed["collation"],
        tables=inside.get("tables"),
        keyless=inside.get("keyless"),
        keyless_names=tuple(inside.get("keyless_names") or ()),
        unlogged=inside.get("unlogged"),
        sequences=inside.get("sequences"),
        foreign=inside.get("foreign"),
        # No extension at all is an answer too.
        extensions=(inside["extensions"] or {}) if "extensions" in inside else None,
        large_objects=inside.get("large_objects"),
        large_bytes=inside.get("large_bytes"),
    )


def _rate(reading: Reading, name: str) -> float | None:
    first, second = _values(reading, f"{name} wal"), _values(reading, f"{name} later")
    return _grown(first[0] if first else None, second[0] if second else None)


def _grown(first: dict[str, float] | None, second: dict[str, float] | None) -> float | None:
    """Bytes a second between two looks at a log."""
    if not first or not second or second["time"] <= first["time"]:
        return None
    return round((second["position"] - first["position"]) / (second["time"] - first["time"]), 1)


def _written(reading: Reading, name: str) -> dict[str, float] | None:
    """How much MariaDB's log had, and when."""
    values = {row[0].lower(): row[1] for row in _rows(reading, name) or [] if len(row) == 2}
    try:
        return {"position": float(values["innodb_os_log_written"]), "time": float(values["time"])}
    except (KeyError, ValueError):
        return None


def _mariadb(reading: Reading) -> FoundServer | None:
    rows = _rows(reading, "mariadb settings")
    settings = {row[0]: row[1] for row in rows or [] if len(row) == 2}
    if "version" not in settings:
        return None
    words = f"{settings['version']} {settings.get('version_comment', '')}".lower()
    engine = "mariadb" if "mariadb" in words else "mysql"
    port = settings.get("port", "")
    sessions, users = _rows(reading, "mariadb sessions"), _rows(reading, "mariadb users")
    written = [_written(reading, "mariadb log"), _written(reading, "mariadb later")]
    number = int(port) if port.isdigit() else None
    return FoundServer(
        engine=engine,
        port=number,
        version=settings["version"].split("-")[0],
        settings=settings,
        sessions=None
        if sessions is None
        else tuple(
            Session(database=row[0], user=row[1], address="" if row[2] == "localhost" else row[2], count=int(row[3]))
            for row in sessions
            if len(row) == 4
        ),
        accounts=None if users is None else tuple(f"{row[0]}@{row[1]}" for row in users if len(row) == 2),
        log_rate=_grown(*written),
        databases=_schemas(reading, engine, number),
    )


def _schemas(reading: Reading, engine: str, port: int | None) -> tuple[FoundDatabase, ...] | None:
    rows = _rows(reading, "mariadb databases")
    if rows is None:
        return None
    keyless = _rows(reading, "mariadb keyless")
    storage, collations = _counts(reading, "mariadb engines"), _counts(reading, "mariadb charsets")
    truncated = keyless is not None and len(keyless) >= MOST_TABLES
    return tuple(
        FoundDatabase(
            engine=engine,
            port=port,
            name=name,
            size=int(size),
            encoding=charset,
            collation=collation,
            tables=int(tables),
            keyless=None if keyless is None or truncated else sum(row[0] == name for row in keyless),
            keyless_names=tuple(row[1] for row in keyless or () if row[0] == name)[:20],
            storage=None if storage is None else storage.get(name, {}),
            collations=None if collations is None else collations.get(name, {}),
            truncated=truncated,
        )
        for name, charset, collation, tables, size in (row for row in rows if len(row) == 5)
    )


def _counts(reading: Reading, name: str) -> dict[str, dict[str, int]] | None:
    rows = _rows(reading, name)
    if rows is None:
        return None
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        if len(row) == 3 and row[2].isdigit():
            found[row[0]][row[1]] = int(row[2])
    return dict(found)


def _values(reading: Reading, name: str) -> list[dict[str, Any]] | None:
    """One JSON value a line; None when the server did not answer, or not in full."""
    section = reading.section(name)
    if section.exit:
        return None
    try:
        found = [json.loads(line) for line in section.lines if line]
    except ValueError:
        return None
    return found if all(isinstance(item, dict) for item in found) else None


def _rows(reading: Reading, name: str) -> list[list[str]] | None:
    """The rows that a MySQL client prints; None when the server did not answer."""
    section = reading.section(name)
    if section.exit:
        return None
    return [
        [_ESCAPE.sub(lambda match: _ESCAPES[match[0]], cell) for cell in line.split("\t")]
        for line in section.lines
        if line
    ]
