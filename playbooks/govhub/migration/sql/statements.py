"""Statements of PostgreSQL in parts: names and values are quoted by the library, never by hand."""

from __future__ import annotations

from typing import LiteralString

from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Composable, Composed, Identifier, Literal
from psycopg.types.json import Jsonb

Text = LiteralString | SQL | Composed

__all__ = ["SQL", "Composable", "Composed", "Identifier", "Jsonb", "Literal", "Text", "make_conninfo"]
