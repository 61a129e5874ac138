"""What a column's values mean, whatever its engine calls the type."""

from __future__ import annotations

from enum import StrEnum

from govhub.migration.sql.catalog import Column
from govhub.migration.sql.dsn import Engine


class Kind(StrEnum):
    """The meaning of a type."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    DECIMAL = "decimal"
    FLOAT = "float"
    SHORTEST = "float by its shortest text"
    """A form only: of two servers that write doubles by the same rules."""
    TEXT = "text"
    BYTES = "bytes"
    DATE = "date"
    LOCAL = "time stamp without zone"
    INSTANT = "time stamp with zone"
    TIME = "time"
    UUID = "uuid"
    JSON = "json"
    ENUM = "enum"
    BITS = "bits"
    OTHER = "other"
    """Compared with the very same type of the same engine only, by its text."""
    OPAQUE = "opaque"
    """Its values name things inside of one server; equal texts prove nothing."""


_POSTGRESQL = {
    "int2": Kind.INTEGER,
    "int4": Kind.INTEGER,
    "int8": Kind.INTEGER,
    "oid": Kind.INTEGER,
    "bool": Kind.BOOLEAN,
    "numeric": Kind.DECIMAL,
    "float4": Kind.FLOAT,
    "float8": Kind.FLOAT,
    "text": Kind.TEXT,
    "varchar": Kind.TEXT,
    "bpchar": Kind.TEXT,
    "name": Kind.TEXT,
    "char": Kind.TEXT,
    "bytea": Kind.BYTES,
    "date": Kind.DATE,
    "timestamp": Kind.LOCAL,
    "timestamptz": Kind.INSTANT,
    "time": Kind.TIME,
    "uuid": Kind.UUID,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
    "bit": Kind.BITS,
}
_OPAQUE = {"xid", "xid8", "cid", "tid", "txid_snapshot", "pg_snapshot", "aclitem", "refcursor"}
_MARIADB = {
    **dict.fromkeys(("tinyint", "smallint", "mediumint", "int", "bigint", "year"), Kind.INTEGER),
    **dict.fromkeys(("float", "double"), Kind.FLOAT),
    **dict.fromkeys(("char", "varchar", "tinytext", "text", "mediumtext", "longtext"), Kind.TEXT),
    **dict.fromkeys(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"), Kind.BYTES),
    **dict.fromkeys(("enum", "set"), Kind.ENUM),
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "datetime": Kind.LOCAL,
    "timestamp": Kind.INSTANT,
    "time": Kind.TIME,
    "uuid": Kind.UUID,
    "bit": Kind.BITS,
}


def kind_of(column: Column, engine: Engine) -> Kind:
    """The kind of a column."""
    if engine is Engine.MARIADB:
        return _MARIADB.get(column.type, Kind.OTHER)
    if column.category == "enum":
        return Kind.ENUM
    if column.category == "array":
        element = column.type.removeprefix("_")
        return Kind.OPAQUE if _opaque(element) else Kind.OTHER
    if _opaque(column.type):
        return Kind.OPAQUE
    return _POSTGRESQL.get(column.type, Kind.OTHER) if column.builtin else Kind.OTHER


def _opaque(name: str) -> bool:
    """Names of catalogue objects read as numbers elsewhere; transactions and row addresses mean nothing elsewhere."""
    return name in _OPAQUE or name.startswith("reg")
