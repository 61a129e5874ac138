"""``migrate verify``: two databases, or the listings of two file trees; the result is a value with a digest."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.errors import TargetUnreachable, UsageError
from govhub.core.settings import Env
from govhub.migration.governor import Limits
from govhub.migration.sql.dsn import Dsn, parse, read_password
from govhub.migration.sql.opening import open_database
from govhub.migration.sql.port import SqlFailed
from govhub.migration.verify.ladder import Ladder, Options
from govhub.migration.verify.result import Rung
from govhub.migration.verify.trees import compare_listings

LISTING = "listing:"


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """What to compare, how deep, and how gently."""

    source: str = ""
    target: str = ""
    source_password_file: Path | None = None
    target_password_file: Path | None = None
    depth: Rung = Rung.HASHES
    budget: float | None = None
    """Seconds."""
    tables: tuple[str, ...] = ()
    named: int = 100
    values: bool = False
    source_statements: int = 2
    target_statements: int = 2
    source_active: int | None = None
    """Pause while more sessions of others than that run a statement on the source."""
    portable: bool = False
    times: bool = False
    """Files: compare times of modification too."""


def verify(request: VerifyRequest, progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """The document ``govhub.verification/1``.

    Raises:
        UsageError: an address holds a password or cannot be read, or the two sides are of different natures.
        TargetUnreachable: a database does not answer before anything could be compared.
    """
    listed = [text.startswith(LISTING) for text in (request.source, request.target)]
    if all(listed):
        paths = [Path(text.removeprefix(LISTING)) for text in (request.source, request.target)]
        return compare_listings(paths[0], paths[1], times=request.times, named=request.named)
    if any(listed):
        hint = "give two listings, or the addresses of two databases"
        raise UsageError.one("VER004", "a file tree cannot be compared with a database", hint=hint)
    source = _dsn(request.source, Env.SOURCE_PASSWORD, request.source_password_file)
    target = _dsn(request.target, Env.TARGET_PASSWORD, request.target_password_file)
    try:
        return Ladder(open_database(source), open_database(target), options_of(request), progress).run()
    except SqlFailed as failed:
        hint = "check the address, the account and its password; nothing was compared"
        raise TargetUnreachable.one("VER005", f"a database cannot be read: {failed.text}", hint=hint) from failed


def options_of(request: VerifyRequest) -> Options:
    """The request as the ladder takes it."""
    return Options(
        depth=request.depth,
        budget=request.budget,
        source=Limits(request.source_statements, request.source_active),
        target=Limits(request.target_statements),
        tables=request.tables,
        named=request.named,
        values=request.values,
        portable=request.portable,
    )


def _dsn(text: str, variable: str, file: Path | None) -> Dsn:
    return parse(text, read_password(os.environ.get(variable, ""), file))
