"""Roles, and what each may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to the hub."""

    OPERATOR = "operator"
    """Sees everything."""
    DEPARTMENT = "department"
    """Sees the rows of its own department."""
    SCRAPER = "scraper"
    """A Prometheus: metrics alone."""


class Audience(StrEnum):
    """Whom an endpoint is for; every endpoint says it, there is no default."""

    PUBLIC = "public"
    READERS = "readers"
    """Operators, and departments with what they get narrowed to their own rows."""
    OPERATORS = "operators"
    SCRAPERS = "scrapers"

    def admits(self, role: Role) -> bool:
        """Whether ``role`` is part of it."""
        return role in _ADMITTED[self]


_ADMITTED = {
    Audience.PUBLIC: frozenset(Role),
    Audience.READERS: frozenset({Role.OPERATOR, Role.DEPARTMENT}),
    Audience.OPERATORS: frozenset({Role.OPERATOR}),
    Audience.SCRAPERS: frozenset({Role.OPERATOR, Role.SCRAPER}),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks."""

    name: str
    role: Role
    tenant: str = ""
    """The department whose rows a ``DEPARTMENT`` sees."""

    def __post_init__(self) -> None:
        if (self.role is Role.DEPARTMENT) != bool(self.tenant):
            raise ValueError("a department has a tenant, and nobody else has one")


LOCAL = Visitor("local", Role.OPERATOR)
"""Whoever can reach a loopback address, when no login is set up."""
