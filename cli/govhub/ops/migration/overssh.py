"""Database servers of a move over SSH: a forwarded port, and an account of the move's own as long as it lasts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.errors import GovhubError
from govhub.core.keys import HubKey
from govhub.core.secrets import Secret
from govhub.hosts.passwords import secret_in_form
from govhub.hosts.tunnel import Said, Tunnel
from govhub.inventory.moves import account_of
from govhub.migration.movers.endpoint import Endpoint
from govhub.migration.moving.ends import Ends
from govhub.migration.sql.dsn import Engine

LENGTH = 32
"""Characters of a password."""
# What is executed here is in no log, not even when it fails.
_QUIET = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic';\n"


class Side(Protocol):
    """One end of a move."""

    def open(self) -> Endpoint:
        """The end, with an account that may do what a move does."""

    def reaches(self, other: Endpoint) -> Diagnostic | None:
        """What keeps this end's server from connecting to the other one; None when nothing does, or nobody can ask."""

    def release(self) -> str:
        """Remove the account, and say so."""

    def close(self) -> None:
        """Let go of the connection."""


@dataclass(frozen=True, slots=True)
class Told:
    """An end that somebody gave as an address."""

    end: Endpoint

    def open(self) -> Endpoint:
        """See :class:`Side`."""
        return self.end

    def reaches(self, other: Endpoint) -> Diagnostic | None:  # noqa: ARG002 - nobody can be asked
        """See :class:`Side`."""
        return None

    def release(self) -> str:
        """See :class:`Side`."""
        return "the account stays as it was given"

    def close(self) -> None:
        """See :class:`Side`."""


@dataclass(slots=True, kw_only=True)
class OverSsh:
    """An end on a host that is reached over SSH, whose login may become ``postgres`` by sudo."""

    hub: str
    move: str
    """System and move, for the names of account and password."""
    tunnel: Tunnel
    database: str
    port: int
    peer: str | None = None
    """The address from which the other server comes; None: nobody knows it."""
    movers: tuple[str, ...] = ()
    """Addresses of hosts from which the move's tools may come."""
    _end: Endpoint | None = field(default=None, init=False)
    _folder: str = field(default="", init=False)

    @property
    def account(self) -> str:
        """The move's account; several moves from one server do not share one."""
        system, _, move = self.move.partition("/")
        return account_of(self.hub, system, move)

    def open(self) -> Endpoint:
        """See :class:`Side`."""
        folder = str(self.tunnel.open())
        if self._end is None or self._folder != folder:
            if self._end is None:
                self._make()
            self._end, self._folder = self._at(folder), folder
        return self._end

    def reaches(self, other: Endpoint) -> Diagnostic | None:
        """See :class:`Side`."""
        host, port = other.link()
        word = other.password.reveal() if other.password else ""
        # `postgres` is there on both servers; the database may be made by the move itself.
        words = (f"host={host}", f"port={port}", f"user={other.user}", "dbname=postgres", "connect_timeout=8")
        script = 'read -r PGPASSWORD; export PGPASSWORD; exec psql -X -At -d "$1" -c "SELECT 1"'
        said = self.tunnel.run("sh", "-c", script, "sh", " ".join(words), text=f"{word}\n")
        if said.code == 0:
            return None
        return self._parted(other, said, "listen_addresses, pg_hba.conf (scram-sha-256), firewall")

    def release(self) -> str:
        """See :class:`Side`."""
        exists = self._psql(f"SELECT 1 FROM pg_roles WHERE rolname = '{self.account}'")
        if exists.strip():
            there = self._psql("SELECT datname FROM pg_database WHERE datallowconn").splitlines()
            for database in there:
                # The closed source of a move is read-only for those who do not know better.
                begin = "SET default_transaction_read_only = off;\n"
                words = f"REASSIGN OWNED BY {self.account} TO CURRENT_USER; DROP OWNED BY {self.account}"
                self._psql(begin + words, database)
            self._psql(f"DROP ROLE IF EXISTS {self.account}")
        self._end = None
        return f"{self.account} is removed from {self.tunnel.name}"

    def close(self) -> None:
        """See :class:`Side`."""
        self.tunnel.close()

    def _at(self, folder: str) -> Endpoint:
        return Endpoint(
            host=folder,
            port=self.port,
            database=self.database,
            user=self.account,
            password=self._password,
            link_host=self.tunnel.reach.address,
            link_port=self.port,
        )

    def _parted(self, other: Endpoint, said: Said, what: str) -> Diagnostic:
        """The finding that this server does not come to the other one; ``what``: where it is let in there."""
        host, port = other.link()
        found = Diagnostics()
        found.error(
            "MOV116",
            f"the database server on {self.tunnel.name} cannot connect to the one at {host}:{port}",
            detail=said.errors.strip()[-300:],
            hint=f"let {self.tunnel.reach.address} in there: {what}",
        )
        return next(iter(found))

    @property
    def _address(self) -> str:
        return f"migrations/{self.move}/{self.tunnel.name}"

    @property
    def _password(self) -> Secret:
        return HubKey.of(self.hub).generate(self._address, 1, LENGTH)

    def _make(self) -> None:
        HubKey.of(self.hub).ensure()
        verifier = secret_in_form(self.hub, self._address, 1, LENGTH, "scram")
        self._psql(
            f"{_QUIET}SELECT 'CREATE ROLE {self.account}' "
            f"WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{self.account}') \\gexec\n"
            f"ALTER ROLE {self.account} LOGIN SUPERUSER PASSWORD '{verifier}'"
        )

    def _psql(self, statements: str, database: str = "postgres") -> str:
        words = ("sudo", "-n", "-u", "postgres", "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1")
        said = self.tunnel.run(*words, "-p", str(self.port), "-d", database, "-f", "-", text=f"{statements};\n")
        if said.code:
            raise self._failed(said)
        return said.output

    def _failed(self, said: Said, way: str = "sudo -n -u postgres psql") -> GovhubError:
        return GovhubError.one(
            "RUN020",
            f"the database server on {self.tunnel.name} (port {self.port}) takes no account for the move",
            detail=said.errors.strip()[-300:],
            hint=f"{self.tunnel.reach.user} must be able to `{way}` there; then repeat",
        )


@dataclass(slots=True)
class Sides:
    """Both ends; see :class:`govhub.migration.moving.ends.Access`."""

    source: Side
    target: Side
    engine: Engine = Engine.POSTGRESQL

    def open(self) -> Ends:
        """See :class:`govhub.migration.moving.ends.Access`."""
        return Ends(source=self.source.open(), target=self.target.open(), engine=self.engine)

    def check(self) -> list[Diagnostic]:
        """See :class:`govhub.migration.moving.ends.Access`."""
        ends = self.open()
        found = (self.target.reaches(ends.source), self.source.reaches(ends.target))
        return [item for item in found if item is not None]

    def release(self) -> dict[str, object]:
        """See :class:`govhub.migration.moving.ends.Access`."""
        return {"accounts": [self.source.release(), self.target.release()]}

    def close(self) -> None:
        """See :class:`govhub.migration.moving.ends.Access`."""
        self.source.close()
        self.target.close()
