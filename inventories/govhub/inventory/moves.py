"""What moves are called on servers, and what belongs to what: those who prepare and those who use have to agree."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address

from govhub.core.canonical import digest
from govhub.inventory.model.migration import Migration, Move


def account_of(hub: str, system: str, move: str) -> str:
    """The account of a move on its servers; several moves from one server do not share one."""
    return f"govhub_migration_{digest([hub, f'{system}/{move}'])[:10]}"


def ipv4_of(address: str) -> str | None:
    """The address itself when it is one of IPv4; None for names, which firewalls do not follow."""
    try:
        return str(IPv4Address(address))
    except AddressValueError:
        return None


def led_by(migration: Migration, application: Move) -> Move | None:
    """The database whose switch rewrites an application's settings: the one that is named, or the only one."""
    databases = [item for item in migration.moves if item.kind.is_database]
    wanted = application.settings.move if application.settings else None
    found = [item for item in databases if wanted in (None, item.name)]
    return found[0] if len(found) == 1 else None
