"""Addresses of databases: without a password, which comes from a variable or a file and never from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from govhub.core.errors import UsageError
from govhub.core.secrets import REDACTOR, Secret

_FORM = "write postgresql://USER@HOST:PORT/DATABASE or mariadb://USER@HOST:PORT/DATABASE"
_WAY_OUT = (
    "leave it out, and set GOVHUB_SOURCE_PASSWORD or GOVHUB_TARGET_PASSWORD, or name a file with --…-password-file"
)
# What may follow the question mark: nothing that could carry a secret.
OPTIONS = ("host", "socket", "sslmode", "sslrootcert", "sslcert", "sslkey")


class Engine(StrEnum):
    """A database server's make."""

    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"


_SCHEMES = {
    "postgres": Engine.POSTGRESQL,
    "postgresql": Engine.POSTGRESQL,
    "mariadb": Engine.MARIADB,
    "mysql": Engine.MARIADB,
}
_PORTS = {Engine.POSTGRESQL: 5432, Engine.MARIADB: 3306}


@dataclass(frozen=True, kw_only=True)
class Dsn:
    """Where a database is and who reads it; ``str`` and ``repr`` never hold the password."""

    engine: Engine
    host: str
    port: int
    database: str
    user: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    password: Secret = field(default_factory=lambda: Secret(""), repr=False, compare=False)

    def __str__(self) -> str:
        place = self.options.get("socket") or f"{self.host}:{self.port}"
        who = f"{self.user}@" if self.user else ""
        return f"{self.engine}://{who}{place}/{self.database}"


def parse(text: str, password: str = "") -> Dsn:
    """An address and the password that belongs to it.

    Raises:
        UsageError: it holds a password, is of no engine that is known, or names no database.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError.one("VER002", "the address of a database cannot be read", hint=_FORM) from error
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    given = {parts.password or "", unquote(parts.password or ""), *(query.get(name, "") for name in _secrets(query))}
    if parts.password is not None or _secrets(query):
        for value in given - {""}:
            REDACTOR.add(Secret(value))
        summary = "an address holds a password, which everybody on this machine can read in the process list"
        raise UsageError.one("VER001", summary, hint=_WAY_OUT)
    engine = _SCHEMES.get(parts.scheme)
    if engine is None:
        raise UsageError.one("VER002", f'no database is known behind "{parts.scheme}:"', hint=_FORM)
    if unknown := sorted(set(query) - set(OPTIONS)):
        hint = f"known: {', '.join(OPTIONS)}"
        raise UsageError.one("VER002", f'the address has an unknown option "{unknown[0]}"', hint=hint)
    database = unquote(parts.path.lstrip("/"))
    if not database or "/" in database:
        raise UsageError.one("VER002", "the address names no database", hint=_FORM)
    return Dsn(
        engine=engine,
        host=host or query.get("host", "") or "localhost",
        port=port or _PORTS[engine],
        database=database,
        user=unquote(parts.username or ""),
        options={name: value for name, value in query.items() if name != "host"},
        password=REDACTOR.add(Secret(password)),
    )


def read_password(variable: str, file: Path | None) -> str:
    """The password: the first line of the file, else the variable's value; empty when there is neither.

    Raises:
        UsageError: the file cannot be read, or others can read it too.
    """
    if file is None:
        return variable
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        hint = "name a readable file of one line"
        raise UsageError.one("VER003", f"the password file {file} cannot be read", hint=hint) from error
    if mode & 0o077:
        raise UsageError.one("VER003", f"the password file {file} can be read by others", hint=f"chmod 600 {file}")
    return text.splitlines()[0] if text else ""


def _secrets(query: Mapping[str, str]) -> list[str]:
    return [name for name in query if "password" in name.lower() or name.lower() in ("passwd", "pwd", "passfile")]
