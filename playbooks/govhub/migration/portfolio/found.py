"""What was found on a source. Everything may be None: it could not be read, which is never the same as none of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = "govhub.source-facts/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDatabase:
    """A database on a source; sizes in bytes."""

    engine: str
    """``postgresql``, ``mariadb`` or ``mysql``."""
    port: int | None
    name: str
    size: int | None = None
    encoding: str | None = None
    collation: str | None = None
    tables: int | None = None
    keyless: int | None = None
    """Tables without a primary key, and without another replica identity."""
    keyless_names: tuple[str, ...] = ()
    """Some of them."""
    unlogged: int | None = None
    sequences: int | None = None
    foreign: int | None = None
    """Foreign tables: their data is on another server."""
    extensions: dict[str, str] | None = None
    """Versions by name; for PostgreSQL."""
    large_objects: int | None = None
    large_bytes: int | None = None
    storage: dict[str, int] | None = None
    """Tables by storage engine; for MariaDB and MySQL."""
    collations: dict[str, int] | None = None
    """Tables by collation; for MariaDB and MySQL."""
    truncated: bool = False
    """There are more tables than were listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who is connected to a database server."""

    database: str
    user: str
    address: str
    """Empty for the server itself."""
    application: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """A database server on a source."""

    engine: str
    port: int | None
    version: str | None = None
    settings: dict[str, str] | None = None
    sessions: tuple[Session, ...] | None = None
    slots: int | None = None
    """Replication slots; for PostgreSQL."""
    accounts: tuple[str, ...] | None = None
    log_rate: float | None = None
    """Bytes of write-ahead log a second, while it was read."""
    databases: tuple[FoundDatabase, ...] | None = None
    """Without templates and the server's own."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Connection:
    """A partner that a source talks with."""

    address: str
    port: int
    """The port that is served: on the source when ``incoming``, else on the partner."""
    incoming: bool
    process: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A systemd unit that was asked for."""

    exists: bool
    active: str
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that was asked for; bytes and files are None when counting took too long."""

    exists: bool
    size: int | None = None
    files: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """A mounted file system, in bytes."""

    mount: str
    size: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """One source at one time."""

    source: str
    time: str
    """When it was read, in UTC."""
    host_key: str | None = None
    """The fingerprint that the source proved itself with."""
    os: str | None = None
    release: str | None = None
    """Distribution and version, such as ``debian 12``."""
    kernel: str | None = None
    virtual: str | None = None
    installed: str | None = None
    """The day on which it was installed."""
    cores: int | None = None
    memory: int | None = None
    memory_available: int | None = None
    file_systems: tuple[FileSystem, ...] | None = None
    addresses: tuple[str, ...] | None = None
    services: tuple[str, ...] | None = None
    listening: tuple[tuple[int, str, str], ...] | None = None
    """Port, address and process of each listening TCP socket that others can reach."""
    connections: tuple[Connection, ...] | None = None
    users: tuple[str, ...] | None = None
    """Accounts that can log in."""
    jobs: tuple[tuple[str, str, str], ...] | None = None
    """Who runs which program when; arguments are not read."""
    timers: tuple[str, ...] | None = None
    servers: tuple[FoundServer, ...] | None = None
    """None when it could not be told which database servers run."""
    unread: tuple[str, ...] = ()
    """Engines of which a server runs, and could not be asked."""
    units: dict[str, Unit] = field(default_factory=dict)
    folders: dict[str, Folder] = field(default_factory=dict)

    @property
    def databases(self) -> tuple[FoundDatabase, ...] | None:
        """All databases of all servers; None when one of the servers could not be asked."""
        if self.servers is None or self.unread or any(server.databases is None for server in self.servers):
            return None
        return tuple(item for server in self.servers for item in server.databases or ())

    def room_at(self, path: str) -> FileSystem | None:
        """The file system that holds a path."""
        holding = [
            item for item in self.file_systems or () if item.mount in ("/", path) or path.startswith(f"{item.mount}/")
        ]
        return max(holding, key=lambda item: len(item.mount), default=None)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"schema": SCHEMA, **asdict(self)}
