"""Database servers on hosts of their own, for what does not go into pods."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Name, Part, Port


class DatabaseEngine(StrEnum):
    """The database servers that govhub sets up."""

    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"

    @property
    def port(self) -> int:
        """Its usual port."""
        return 5432 if self is DatabaseEngine.POSTGRESQL else 3306


class TenantDatabase(Part):
    """A tenant's database, with an account of the same name that owns it and reaches no other."""

    tenant: Name
    database: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
    """Its name on the server, and that of its account."""


class Database(Assumable):
    """A database server on one host, or on a primary and its standbys."""

    name: Name
    engine: DatabaseEngine
    hosts: list[Name] = Field(min_length=1, max_length=4)
    """Hosts of `role: database`; the first is the primary, the others follow it."""
    port: Port | None = None
    """The TCP port; the engine's usual one when not given."""
    generation: int = Field(default=1, ge=1, le=1_000_000)
    """Raised to renew the accounts' passwords: `govhub hosts rotate HUB --passwords`."""
    backup_at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "02:30"
    """When the daily backup begins, in the hosts' time zone."""
    backup_days: int = Field(default=7, ge=1, le=365)
    """Days that backups are kept; one can go back to any moment within them."""
    tenants: list[TenantDatabase] = []
