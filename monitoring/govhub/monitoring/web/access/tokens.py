"""A file of tokens: hashes alone, a role each, and an end."""

from __future__ import annotations

import hashlib
import secrets
import stat
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from govhub.core.errors import InvalidInput
from govhub.core.files import write_atomic
from govhub.core.settings import today
from govhub.monitoring.web.access.roles import Role, Visitor

PREFIX = "govhub_"
MAX_BYTES = 1_000_000


class Entry(BaseModel):
    """One token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=80)
    role: Role
    tenant: str = Field(default="", max_length=63, pattern=r"^([a-z0-9][-a-z0-9]*)?$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    until: date
    """The last day."""

    @model_validator(mode="after")
    def _of_a_department(self) -> Entry:
        if (self.role is Role.DEPARTMENT) != bool(self.tenant):
            raise ValueError("`tenant` goes with the role department, and that role needs it")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: list[Entry] = Field(default=[], max_length=10_000)


@dataclass(slots=True)
class Tokens:
    """The file, read anew when it changes: a token that is taken out stops working at once."""

    path: Path
    _seen: tuple[int, int, int] | None = None
    _entries: dict[str, Entry] | None = None

    def entry(self, digest: str) -> Entry | None:
        """The entry of a hash that has not ended.

        Raises:
            InvalidInput: the file is damaged, or others may read or write it.
        """
        found = self.entries().get(digest)
        return found if found and found.until >= today() else None

    def entries(self) -> dict[str, Entry]:
        """All entries by hash.

        Raises:
            InvalidInput: as ``entry``.
        """
        try:
            status = self.path.stat()
        except OSError as error:
            raise InvalidInput.one(
                "WEB002", f"the token file {self.path} cannot be read: {error.strerror}", hint=_HINT
            ) from error
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._entries is None or seen != self._seen:
            self._entries = _read(self.path, status.st_mode, status.st_size)
            self._seen = seen
        return self._entries

    def visitor(self, token: str) -> Visitor | None:
        """Who holds a token; None for one that is not known or has ended."""
        found = self.entry(digest_of(token))
        return visitor_of(found) if found else None


def visitor_of(entry: Entry) -> Visitor:
    """The visitor that an entry stands for."""
    return Visitor(entry.name, entry.role, entry.tenant)


def digest_of(token: str) -> str:
    """What the file keeps of a token.

    A plain hash is enough: tokens are 256 bits of randomness, which nobody guesses, and the look-up by the hash of
    what was given tells an attacker nothing about others.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def add_token(path: Path, *, name: str, role: Role, tenant: str, until: date) -> str:
    """Make a token, keep its hash in the file (made when it is not there), and give it out, once.

    Raises:
        InvalidInput: the file is damaged or open to others, or the entry makes no sense.
    """
    known = list(Tokens(path).entries().values()) if path.exists() else []
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"name": name, "role": role, "tenant": tenant, "sha256": digest_of(token), "until": until}
    try:
        entry = Entry.model_validate(values)
    except ValidationError as error:
        raise InvalidInput.one("WEB003", _told(error)) from error
    write_atomic(path, "".join(_written(item) for item in [*known, entry]))
    return token


_HINT = "make it with `govhub capacity token FILE --name NAME`"


def _read(path: Path, mode: int, size: int) -> dict[str, Entry]:
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = f"the token file {path} is open to others"
        raise InvalidInput.one("WEB002", text, hint=f"chmod 600 {path}")
    if size > MAX_BYTES:
        raise InvalidInput.one("WEB002", f"the token file {path} has more than {MAX_BYTES:,} bytes", hint=_HINT)
    try:
        entries = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).token
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput.one("WEB002", f"the token file {path} cannot be read: {error}", hint=_HINT) from error
    except ValidationError as error:
        raise InvalidInput.one("WEB002", f"the token file {path}: {_told(error)}", hint=_HINT) from error
    return {entry.sha256: entry for entry in entries}


def _told(error: ValidationError) -> str:
    """What is wrong, without the values: one of them might be a token that somebody put into the wrong place."""
    first: Any = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'entry'}: {first['msg']}"


def _written(entry: Entry) -> str:
    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'

    lines = [f"name = {quoted(entry.name)}", f'role = "{entry.role.value}"']
    lines += [f'tenant = "{entry.tenant}"'] if entry.tenant else []
    return "\n".join(["[[token]]", *lines, f'sha256 = "{entry.sha256}"', f"until = {entry.until.isoformat()}", "", ""])
