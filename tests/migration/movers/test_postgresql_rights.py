"""Who may come into a database that has moved, and whose it is, on a server that lets nobody in unnamed."""

from __future__ import annotations

from typing import Any

import pytest

from govhub.migration.movers.postgresql.server import Server
from migration.movers.pairs import Databases, Pair

pytestmark = pytest.mark.postgres
OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
# As the role `postgresql` does with every database at each `up`.
TAKEN_BACK = 'REVOKE ALL ON DATABASE "{}" FROM PUBLIC'
MAY = "SELECT has_database_privilege('{}', current_database(), 'CONNECT')"


@pytest.fixture
def databases(servers: Pair) -> Databases:
    made = servers.databases("CREATE TABLE notes (id int PRIMARY KEY)")
    for name in ("clerk", "reader"):
        servers.source.query("postgres", f"DROP ROLE IF EXISTS {name}")
        servers.target.query("postgres", f"DROP ROLE IF EXISTS {name}")
        servers.source.query("postgres", f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    made.on_source(f'ALTER DATABASE "{made.old}" OWNER TO clerk')
    # A reader comes in because everybody may; no grant on the database names it.
    made.on_source("GRANT SELECT ON notes TO reader")
    return made


def remove(databases: Databases) -> None:
    """Roles are the servers'; the next test makes them anew."""
    databases.mover().cancel()
    databases.pair.target.query("postgres", f'DROP DATABASE IF EXISTS "{databases.new}" WITH (FORCE)')
    databases.pair.source.query("postgres", f'DROP DATABASE "{databases.old}" WITH (FORCE)')


def test_a_database_that_the_move_made_is_whose_it_was(databases: Databases) -> None:
    databases.mover().prepare()
    assert databases.on_target(OWNER) == "clerk"
    databases.on_target(TAKEN_BACK.format(databases.new))
    assert [databases.on_target(MAY.format(name)) for name in ("clerk", "reader")] == ["t", "t"]
    remove(databases)


def test_a_database_that_was_declared_for_a_tenant_stays_the_tenants_and_lets_the_moves_accounts_in(
    databases: Databases,
) -> None:
    target = databases.pair.target
    target.query("postgres", "DROP ROLE IF EXISTS tenant")
    target.query("postgres", "CREATE ROLE tenant LOGIN")
    target.query("postgres", f'CREATE DATABASE "{databases.new}" OWNER tenant TEMPLATE template0')
    target.query("postgres", TAKEN_BACK.format(databases.new))
    databases.mover().prepare()
    assert databases.on_target(OWNER) == "tenant"
    assert [databases.on_target(MAY.format(name)) for name in ("clerk", "reader")] == ["t", "t"]
    remove(databases)


def test_who_was_kept_out_stays_out(databases: Databases) -> None:
    databases.on_source(TAKEN_BACK.format(databases.old))
    databases.mover().prepare()
    assert [databases.on_target(MAY.format(name)) for name in ("clerk", "reader")] == ["t", "f"]
    remove(databases)


def test_an_account_that_another_move_makes_at_the_same_time_is_taken(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Server.rows

    def late(self: Server, statement: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        found = rows(self, statement, parameters)
        if statement == "SELECT rolname FROM pg_roles":
            # Between the look and what is made after it.
            for name in ("clerk", "reader"):
                databases.pair.target.query("postgres", f"CREATE ROLE {name} LOGIN")
        return found

    monkeypatch.setattr(Server, "rows", late)
    databases.mover().prepare()
    assert databases.on_target(OWNER) == "clerk"
    remove(databases)
