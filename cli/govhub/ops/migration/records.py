"""The record of a hub, opened from its settings, and its systems as subjects of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from govhub.core.canonical import digest
from govhub.core.errors import InvalidInput
from govhub.core.settings import Env, actor, hub_home, value_of
from govhub.core.text import did_you_mean
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Migration, MoveKind
from govhub.migration.itinerary.steps import Context
from govhub.migration.record.standing import RunStanding
from govhub.migration.record.store import Clock, Database, Record, now


@contextmanager
def opened(hub: str, *, clock: Clock = now) -> Iterator[Record]:
    """The record of a hub: ``GOVHUB_DATABASE`` when it is set, else a file in the hub's home.

    Raises:
        InvalidInput: the address cannot be read (REC001).
        GovhubError: the database does not answer (REC002).
    """
    database = Database(value_of(Env.DATABASE) or str(hub_home(hub) / "record.db"))
    try:
        yield Record(database, hub, clock=clock)
    finally:
        database.close()


def durable_address(record: Record) -> str:
    """Where the driver of durable phases keeps its own tables: the same server, or a file beside the record."""
    database = record.database
    if database.is_file:
        return f"sqlite:///{hub_home(record.hub) / 'phases.db'}"
    return database.url.render_as_string(hide_password=False)


def migration_of(hub: Hub, system: str) -> Migration:
    """How a system is declared to move.

    Raises:
        InvalidInput: it is not (RUN013).
    """
    declared = {item.system: item for item in hub.model.migrations}
    if system not in declared:
        hint = did_you_mean(system, declared) or "declare it under `migrations`"
        raise InvalidInput.one("RUN013", f'{hub.name} declares no migration of "{system}"', hint=hint)
    return declared[system]


def plan_hash(migration: Migration) -> str:
    """What approvals are bound to: how the system is declared to move, without where that stands in which file."""
    return digest(migration.model_dump(mode="json"))


def facts_of(migration: Migration) -> dict[str, Any]:
    """What the predicates of itineraries see."""
    kinds = {move.kind for move in migration.moves}
    databases = any(kind.is_database for kind in kinds)
    return {
        "databases": databases,
        "files": MoveKind.FILES in kinds,
        "application": MoveKind.APPLICATION in kinds,
        "online": databases,
        "reverse": databases,
    }


def context_of(hub: Hub, system: str, record: Record, run: RunStanding | None = None) -> Context:
    """The context of a system's phases as the hub's files have it now."""
    migration = migration_of(hub, system)
    tenants = {item.name: item.tenant for item in hub.model.systems}
    return Context(
        hub=hub.name,
        system=system,
        tenant=tenants[system],
        run=run.id if run else "",
        itinerary=run.itinerary if run else "",
        phase="",
        key="",
        plan_hash=plan_hash(migration),
        facts=facts_of(migration),
        migration=migration,
        rules=hub.model.migration,
        timezone=hub.model.baseline.timezone,
        now=record.clock(),
        actor=actor(),
    )
