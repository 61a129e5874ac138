"""Where state lives: a bucket of small documents, as a folder or as a PostgreSQL table.

The keys under ``.pulumi/`` are Pulumi's own (its DIY backend reads and writes them); those under
``.govhub/`` are ours: locks, pinned targets and intents. One bucket holds both, so that moving the state
moves everything, and a lock guards exactly the state it stands beside.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.files import private_folder, write_atomic
from govhub.core.secrets import REDACTOR, Secret

TABLE = "pulumi_state"
_RESTORE = "restore it from a backup, or remove the row: the next up adopts what is live"
_ADDRESS = "use a folder or postgres://user@host/database"


class Bucket(Protocol):
    """A key-value store with the two conditional writes that locks need."""

    url: str
    shown: str
    """The address without a password, for messages."""

    def get(self, key: str) -> bytes | None:
        """The document, or None."""

    def put(self, key: str, data: bytes) -> None:
        """Write, durably."""

    def put_new(self, key: str, data: bytes) -> bool:
        """Write only if the key is new; False when it exists."""

    def swap(self, key: str, old: bytes, new: bytes | None) -> bool:
        """Replace (or with None delete) only if the document still is ``old``."""

    def delete(self, key: str) -> None:
        """Remove; nothing happens when it is not there."""

    def keys(self, prefix: str) -> list[str]:
        """All keys that start with ``prefix``, sorted."""


class FolderBucket:
    """Documents as files of mode 600; conditional writes are serialised by a lock file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"file://{root}"
        self.shown = str(root)

    def get(self, key: str) -> bytes | None:
        """See :class:`Bucket`."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: str, data: bytes) -> None:
        """See :class:`Bucket`."""
        private_folder(self.root)
        write_atomic(self.root / key, data)

    def put_new(self, key: str, data: bytes) -> bool:
        """See :class:`Bucket`."""
        with self._exclusive():
            if (self.root / key).exists():
                return False
            self.put(key, data)
        return True

    def swap(self, key: str, old: bytes, new: bytes | None) -> bool:
        """See :class:`Bucket`."""
        with self._exclusive():
            if self.get(key) != old:
                return False
            if new is None:
                self.delete(key)
            else:
                self.put(key, new)
        return True

    def delete(self, key: str) -> None:
        """See :class:`Bucket`."""
        (self.root / key).unlink(missing_ok=True)

    def keys(self, prefix: str) -> list[str]:
        """See :class:`Bucket`; temporary files of a killed writer are left out."""
        base = (self.root / prefix) if prefix.endswith("/") else (self.root / prefix).parent
        found = []
        for folder, _, names in os.walk(base):
            for name in names:
                key = str((Path(folder) / name).relative_to(self.root))
                if key.startswith(prefix) and not name.startswith(".") and not name.endswith(".attrs"):
                    found.append(key)
        return sorted(found)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (private_folder(self.root) / ".bucket.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class PostgresBucket:
    """Documents as rows of the table that Pulumi's PostgreSQL backend uses; connects at first use.

    That backend puts the path of the address in front of each key and wraps each document as
    ``{"data": "<base64>"}``; ours are stored the same way, so that one table holds one state.
    """

    def __init__(self, url: str) -> None:
        """Nothing is connected yet.

        Raises:
            InvalidInput: the address cannot be taken apart.
        """
        self.url = url
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or _option(parts.query, "host") or "localhost", parts.port or 5432
        except ValueError as error:
            raise InvalidInput.one("STA002", "the state address cannot be read", hint=_ADDRESS) from error
        for password in {parts.password or "", unquote(parts.password or ""), _option(parts.query, "password")}:
            REDACTOR.add(Secret(password))
        self.shown = f"{parts.scheme}://{host}:{port}{parts.path}"
        folder = parts.path.lstrip("/")
        self._prefix = folder if not folder or folder.endswith("/") else f"{folder}/"
        self._connection: Any = None
        self._reconnects = 0

    def get(self, key: str) -> bytes | None:
        """See :class:`Bucket`."""
        rows = self._run(f"SELECT data->>'data' FROM {TABLE} WHERE key = %s", self._prefix + key)
        try:
            return base64.b64decode(rows[0][0] or "") if rows else None
        except binascii.Error as error:
            raise GovhubError.one("STA009", f"the document {key} in {self.shown} is damaged", hint=_RESTORE) from error

    def put(self, key: str, data: bytes) -> None:
        """See :class:`Bucket`."""
        self._run(
            f"INSERT INTO {TABLE} (key, data) VALUES (%s, %s::json)"
            " ON CONFLICT (key) DO UPDATE SET data = EXCLUDED.data, updated_at = now() RETURNING 1",
            self._prefix + key,
            _wrapped(data),
        )

    def put_new(self, key: str, data: bytes) -> bool:
        """See :class:`Bucket`."""
        statement = f"INSERT INTO {TABLE} (key, data) VALUES (%s, %s::json) ON CONFLICT (key) DO NOTHING RETURNING 1"
        return self._conditional(key, data, statement, self._prefix + key, _wrapped(data))

    def swap(self, key: str, old: bytes, new: bytes | None) -> bool:
        """See :class:`Bucket`."""
        expected = "key = %s AND coalesce(data->>'data', '') = %s"
        values = (self._prefix + key, base64.b64encode(old).decode())
        if new is None:
            return self._conditional(key, None, f"DELETE FROM {TABLE} WHERE {expected} RETURNING 1", *values)
        statement = f"UPDATE {TABLE} SET data = %s::json, updated_at = now() WHERE {expected} RETURNING 1"
        return self._conditional(key, new, statement, _wrapped(new), *values)

    def delete(self, key: str) -> None:
        """See :class:`Bucket`."""
        self._run(f"DELETE FROM {TABLE} WHERE key = %s RETURNING 1", self._prefix + key)

    def keys(self, prefix: str) -> list[str]:
        """See :class:`Bucket`."""
        rows = self._run(f"SELECT key FROM {TABLE} WHERE starts_with(key, %s)", self._prefix + prefix)
        # Sorted here: the database's order depends on its language.
        return sorted(row[0][len(self._prefix) :] for row in rows)

    def __del__(self) -> None:
        if connection := getattr(self, "_connection", None):
            connection.close()

    def _conditional(self, key: str, wanted: bytes | None, statement: str, *values: object) -> bool:
        """A conditional write; after a dropped connection only the document tells whether the first try got through."""
        before = self._reconnects
        return bool(self._run(statement, *values)) or (self._reconnects > before and self.get(key) == wanted)

    def _run(self, statement: str, *values: object) -> list[Any]:
        import psycopg

        try:
            connection = self._open()
            try:
                return list(connection.execute(statement, values).fetchall())
            except psycopg.OperationalError:
                if not connection.closed:
                    raise
                # A database that was restarted, or a firewall that forgot us while nothing was to say.
                self._reconnects += 1
                return list(self._open().execute(statement, values).fetchall())
        except psycopg.Error as error:
            # The library quotes the part of an address it cannot read, which may be the password.
            text = (REDACTOR(str(error)).splitlines() or [type(error).__name__])[0][:160]
            raise GovhubError.one(
                "STA001",
                f"the state database {self.shown} does not answer as it should: {text}",
                hint="check GOVHUB_STATE and the database",
            ) from error

    def _open(self) -> Any:
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Any:
        import psycopg

        connection = psycopg.connect(self.url, autocommit=True, connect_timeout=10)
        # The shape that Pulumi's backend makes; whoever comes first makes the table.
        # Two that come first at once can collide in PostgreSQL's catalogue in spite of IF NOT EXISTS: over the table,
        # over the row type that comes with it, or over an entry of either.
        already = (psycopg.errors.DuplicateTable, psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation)
        try:
            with contextlib.suppress(*already):
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {TABLE} (key TEXT PRIMARY KEY, data JSON NOT NULL,"
                    " updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now())"
                )
        except psycopg.Error:
            connection.close()
            raise
        return connection


def without_password(url: str) -> tuple[str, str]:
    """A database's address without its password, and the password: the engine writes addresses into its files."""
    parts = urlsplit(url)
    password = unquote(parts.password or "") or _option(parts.query, "password")
    place = f"{parts.username}@{parts.netloc.rpartition('@')[2]}" if parts.username else parts.netloc
    query = urlencode([item for item in parse_qsl(parts.query, keep_blank_values=True) if item[0] != "password"])
    return (urlunsplit(parts._replace(netloc=place, query=query)), password) if password else (url, "")


def open_bucket(address: str) -> Bucket:
    """The bucket behind an address: ``postgres://…`` or a folder.

    Raises:
        InvalidInput: the address is of another scheme.
    """
    try:
        scheme = urlsplit(address).scheme
    except ValueError as error:
        raise InvalidInput.one("STA002", "the state address cannot be read", hint=_ADDRESS) from error
    if scheme in ("postgres", "postgresql"):
        return PostgresBucket(address.replace("postgresql://", "postgres://", 1))
    if scheme in ("", "file"):
        return FolderBucket(Path(address.removeprefix("file://")).expanduser().absolute())
    raise InvalidInput.one("STA002", f'the state address starts with "{scheme}:"', hint=_ADDRESS)


def _wrapped(data: bytes) -> str:
    """A document as Pulumi's backend writes it."""
    return json.dumps({"data": base64.b64encode(data).decode()}, separators=(",", ":"))


def _option(query: str, name: str) -> str:
    """An option of an address: ``?host=/run/postgresql``."""
    return parse_qs(query).get(name, [""])[0]


def move(source: Bucket, target: Bucket, hub: str, leave: tuple[str, ...] = ()) -> int:
    """Copy everything of ``hub`` from one bucket to another, verify it, then remove it at the source.

    Args:
        source: Where it is.
        target: Where it goes; must hold nothing of this hub.
        hub: The hub's name.
        leave: Keys that stay: the lock under which this runs.

    Raises:
        GovhubError: the target holds state of this hub already, or a copy differs; the source is untouched then.
    """
    keys = [key for key in hub_keys(source, hub) if key not in leave]
    present = hub_keys(target, hub)
    if present:
        raise GovhubError.one(
            "STA003",
            f"{target.shown} already holds {len(present)} documents of {hub}",
            hint="choose an empty target; state is never merged",
        )
    for key in keys:
        data = source.get(key) or b""
        target.put(key, data)
        if target.get(key) != data:
            raise GovhubError.one("STA004", f"the copy of {key} differs from its source", hint="nothing was removed")
    for key in keys:
        source.delete(key)
    return len(keys)


def hub_keys(bucket: Bucket, hub: str) -> list[str]:
    """The keys that belong to a hub."""
    ours = [key for key in bucket.keys(".pulumi/") if f"/{hub}." in key]
    return ours + bucket.keys(f".govhub/{hub}/")
