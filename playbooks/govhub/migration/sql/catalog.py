"""What a database holds, in one vocabulary for all engines."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; ``type`` is the base type's name in lower case, ``full`` the type as its engine writes it."""

    name: str
    type: str
    full: str
    category: str = "base"
    """base, enum, array, composite, range, domain-free; of PostgreSQL."""
    builtin: bool = True
    """The type (and an array's element) is of the engine itself, so its binary form is the same everywhere."""
    nullable: bool = True
    default: str | None = None
    generated: str = ""
    """``identity``, ``auto_increment``, ``stored`` or empty."""
    charset: str = ""
    collation: str = ""
    length: int | None = None
    """Characters or bytes at most, where the type has a bound."""
    scale: int = 0
    """Digits after the point, of numbers and of seconds."""
    unsigned: bool = False


@dataclass(frozen=True, kw_only=True)
class Key:
    """Columns that together name a row."""

    name: str
    columns: tuple[str, ...]
    primary: bool


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, as it was when the snapshot was taken."""

    schema: str
    name: str
    kind: str = "table"
    """table, partitioned, materialized view, foreign."""
    columns: tuple[Column, ...] = ()
    keys: tuple[Key, ...] = ()
    """Primary first, then unique ones without NULLs."""
    indexes: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    engine: str = ""
    collation: str = ""
    rows: int | None = None
    """The server's estimate; None when it has none."""
    size: int = 0
    """Bytes of the table without indexes."""
    parts: tuple[tuple[str, int], ...] = ()
    """PostgreSQL: quoted names and pages of what holds the rows; several for a partitioned table."""
    incarnation: str = ""
    """Changes when the table is rewritten, truncated or made anew."""

    @property
    def qualified(self) -> str:
        """``schema.table``, or the name where the engine has no schemas."""
        return f"{self.schema}.{self.name}" if self.schema else self.name

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(item for item in self.columns if item.name == name)


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """A generator of numbers; ``next`` is what it would give, None when that may not be read."""

    name: str
    next: int | None
    increment: int = 1
    table: str = ""
    """The table whose auto-increment this is; empty for a sequence of its own."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """Everything that one database holds, and the server's own particulars."""

    version: str
    tables: tuple[Table, ...] = ()
    sequences: tuple[Sequence, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    charset: str = ""
    collation: str = ""
    size: int = 0
    large_objects: int = 0
    settings: dict[str, str] = field(default_factory=dict)
