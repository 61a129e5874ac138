"""Towns, and servers that are as empty after them as before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from govhub.lab.postgres import Server
from migration.city import City
from migration.story.towns import Town


@contextmanager
def town_of(city: City, two: tuple[Server, Server]) -> Iterator[Town]:
    """A town whose servers are as empty afterwards as before."""
    found = Town(city, *two)
    found.begin()
    try:
        yield found
    finally:
        _clear(two)


def _clear(two: tuple[Server, Server]) -> None:
    made = [(server, name) for server in two for name in databases(server)]
    # Workers on one server hold the slots of the other one.
    for act in (_without_subscriptions, _without_slots):
        for server, name in made:
            act(server, name)
    for server in two:
        accounts = "SELECT rolname FROM pg_roles WHERE rolname ~ '^govhub_migration_'"
        for name in server.query("postgres", accounts).splitlines():
            server.query("postgres", f'DROP ROLE "{name}"')


def databases(server: Server) -> list[str]:
    names = "SELECT datname FROM pg_database WHERE datname NOT IN ('template0', 'template1', 'postgres')"
    return server.query("postgres", names).splitlines()


def _without_subscriptions(server: Server, name: str) -> None:
    # The source of a move that came through is closed.
    server.query("postgres", f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    for subscription in server.query(name, "SELECT subname FROM pg_subscription").splitlines():
        server.query(name, f'ALTER SUBSCRIPTION "{subscription}" DISABLE')
        server.query(name, f'ALTER SUBSCRIPTION "{subscription}" SET (slot_name = NONE)')
        server.query(name, f'DROP SUBSCRIPTION "{subscription}"')


def _without_slots(server: Server, name: str) -> None:
    slots = "pg_replication_slots WHERE database = current_database()"
    server.query(name, f"SELECT pg_terminate_backend(active_pid, 5000) FROM {slots} AND active_pid IS NOT NULL")
    server.query(name, f"SELECT pg_drop_replication_slot(slot_name) FROM {slots}")
    server.query("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
