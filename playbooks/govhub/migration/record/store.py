"""Where the record is kept: SQLite on one machine, PostgreSQL for several; with leases, SQLAlchemy's only home.

Appends are optimistic: a writer numbers its event from the tail that it knows, and the primary key (hub, chain, seq)
lets one of several through; the others read the tail again. Each event has a key of its own in its chain, so that a
step that is repeated after a crash is recorded once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from govhub.core.canonical import canonical
from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.events import GENESIS, Event, broken_link, chained, moment
from govhub.core.files import PRIVATE_FILE, private_folder
from govhub.core.secrets import REDACTOR, Secret, scrub

SKEW_SECONDS = 60.0
_TRIES = 50
"""Attempts at a place in a chain that others append to as well."""
_META = sa.MetaData()
EVENTS = sa.Table(
    "govhub_events",
    _META,
    sa.Column("hub", sa.Text, primary_key=True),
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.UniqueConstraint("hub", "chain", "key"),
)
LEASES = sa.Table(
    "govhub_leases",
    _META,
    sa.Column("hub", sa.Text, primary_key=True),
    sa.Column("chain", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", sa.Float, nullable=False),
)
Clock = Callable[[], datetime]
Tail = tuple[int, str, str]


def now() -> datetime:
    """The clock that a record is kept by unless it is given another."""
    return datetime.now(UTC)


class Database:
    """A database with the record's tables; ``shown`` is its address without the password."""

    def __init__(self, address: str) -> None:
        """Connect, and make what is missing.

        Args:
            address: A file's path, or ``postgresql://user@host/database``.

        Raises:
            InvalidInput: the address is of neither kind (REC001).
            GovhubError: the database does not answer (REC002), or its clock differs from ours (REC006).
        """
        self.url = _url(address)
        self.shown = self.url.difference_update_query(["password"]).render_as_string(hide_password=True)
        self.is_file = self.url.get_backend_name() == "sqlite"
        if self.is_file and self.url.database:
            private_folder(Path(self.url.database).parent)
        self._plain, self._durable = _engine(self.url, "NORMAL"), _engine(self.url, "FULL")
        with self.asked():
            _META.create_all(self._plain, checkfirst=True)
        if self.is_file:
            Path(str(self.url.database)).chmod(PRIVATE_FILE)
        else:
            self._same_time()

    def close(self) -> None:
        """Let go of all connections."""
        self._plain.dispose()
        self._durable.dispose()

    def transaction(self, *, durable: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that writes; ``durable``: its end waits until power may fail without loss."""
        return (self._durable if durable else self._plain).begin()

    def asked(self) -> AbstractContextManager[None]:
        """Around whatever asks the database: its errors become one of ours."""
        return _Asked(self.shown)

    def _same_time(self) -> None:
        with self.asked(), self._plain.connect() as link:
            theirs = link.execute(sa.select(sa.func.now())).scalar_one()
        apart = abs((theirs - datetime.now(UTC)).total_seconds())
        if apart > SKEW_SECONDS:
            raise GovhubError.one(
                "REC006",
                f"the clocks of this machine and of {self.shown} are {apart:,.0f} s apart",
                hint="put the clocks right (chrony): a record with wrong times proves nothing",
            )


class Record:
    """The chains of one hub."""

    def __init__(self, database: Database, hub: str, *, clock: Clock = now) -> None:
        self.database, self.hub, self.clock = database, hub, clock
        self._tails: dict[str, Tail] = {}

    def append(
        self, kind: str, chain: str, data: dict[str, Any], *, key: str, decisive: bool = False, owner: str = ""
    ) -> Event:
        """Append an event to a chain, once.

        Args:
            kind: What happened; the kinds are in docs/events.md.
            chain: The system.
            data: JSON-like, without secrets.
            key: Names what is recorded; an event of this key that is there already is returned as it is.
            decisive: Whether it must survive a power cut, not only a kill; it takes what stands before it along.
            owner: Append only while this owner holds the chain's lease.

        Raises:
            GovhubError: the database does not answer (REC002), the lease is another's (REC005), or our clock is
                behind the chain's last event (REC006).
        """
        clean = scrub(json.loads(canonical(data | {"key": key})), REDACTOR)
        with self.database.asked():
            for _ in range(_TRIES):
                tail = self._tails.get(chain) or self._tail(chain)
                event = chained(tail[0] + 1, self._time(chain, tail), kind, clean, tail[1])
                if self._inserted(event, chain, key, decisive=decisive, owner=owner):
                    self._tails[chain] = (event.seq, event.hash, event.time)
                    return event
                # Somebody was first: with this very event, or with another one of the chain.
                self._tails.pop(chain, None)
                if found := self._of_key(chain, key):
                    return found
        raise GovhubError.one("REC003", f"{chain}: the record is too busy", hint="run again")

    def events(self, chain: str) -> list[Event]:
        """The events of a chain, in order.

        Raises:
            GovhubError: the chain was tampered with or torn (REC004); the first wrong event is named.
        """
        found = self.unchecked(chain)
        broken = broken_link(item.as_dict() for item in found)
        if broken is not None:
            raise GovhubError.one(
                "REC004",
                f"the record of {chain} is broken at event {broken}",
                detail="an event was changed, removed or reordered; nothing is built on it",
                hint="keep the database as it is for the examination, and restore a backup beside it",
                address=chain,
            )
        return found

    def unchecked(self, chain: str) -> list[Event]:
        """The same as it stands, for those who look for the damage."""
        wanted = sa.select(EVENTS).where(EVENTS.c.hub == self.hub, EVENTS.c.chain == chain).order_by(EVENTS.c.seq)
        with self.database.asked(), self.database.transaction() as link:
            return [_event(row) for row in link.execute(wanted).mappings()]

    def chains(self) -> list[str]:
        """All systems with a chain, sorted."""
        wanted = sa.select(EVENTS.c.chain).where(EVENTS.c.hub == self.hub).distinct()
        with self.database.asked(), self.database.transaction() as link:
            return sorted(link.execute(wanted).scalars())

    def _inserted(self, event: Event, chain: str, key: str, *, decisive: bool, owner: str) -> bool:
        row = event.as_dict() | {"data": canonical(event.data), "hub": self.hub, "chain": chain, "key": key}
        try:
            with self.database.transaction(durable=decisive) as link:
                if owner:
                    # In the same transaction: a worker that stood still must not write over the one that took over.
                    self._require(link, chain, owner)
                link.execute(sa.insert(EVENTS), row)
        except IntegrityError:
            return False
        return True

    def _require(self, link: Connection, chain: str, owner: str) -> None:
        wanted = sa.select(LEASES.c.owner).where(LEASES.c.hub == self.hub, LEASES.c.chain == chain)
        if link.execute(wanted).scalar() != owner:
            raise GovhubError.one(
                "REC005",
                f"another worker has taken {chain} over",
                hint="nothing is to be done: it goes on there; this one had stood still for longer than its lease",
                address=chain,
            )

    def _tail(self, chain: str) -> Tail:
        wanted = (
            sa.select(EVENTS.c.seq, EVENTS.c.hash, EVENTS.c.time)
            .where(EVENTS.c.hub == self.hub, EVENTS.c.chain == chain)
            .order_by(EVENTS.c.seq.desc())
            .limit(1)
        )
        with self.database.transaction() as link:
            row = link.execute(wanted).first()
        return (row.seq, row.hash, row.time) if row else (-1, GENESIS, "")

    def _of_key(self, chain: str, key: str) -> Event | None:
        wanted = sa.select(EVENTS).where(EVENTS.c.hub == self.hub, EVENTS.c.chain == chain, EVENTS.c.key == key)
        with self.database.transaction() as link:
            row = link.execute(wanted).mappings().first()
        return _event(row) if row else None

    def _time(self, chain: str, tail: Tail) -> str:
        time = self.clock()
        if tail[2] and (behind := (datetime.fromisoformat(tail[2]) - time).total_seconds()) > SKEW_SECONDS:
            raise GovhubError.one(
                "REC006",
                f"this machine's clock is {behind:,.0f} s behind the record of {chain}",
                hint="put the clocks right (chrony): a record with wrong times proves nothing",
                address=chain,
            )
        return moment(time)


class _Asked(AbstractContextManager[None]):
    def __init__(self, shown: str) -> None:
        self._shown = shown

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, SQLAlchemyError):
            return
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        text = (REDACTOR(str(cause)).splitlines() or [type(cause).__name__])[0][:160]
        hint = "check GOVHUB_DATABASE and the database, or the disk of the hub's home"
        raise GovhubError.one("REC002", f"the record {self._shown} does not answer: {text}", hint=hint) from error


def _event(row: Any) -> Event:
    try:
        data = json.loads(row["data"])
    except ValueError:
        # Shown as a broken link, and not as a traceback.
        data = {}
    return Event(row["seq"], row["time"], row["kind"], data, row["previous"], row["hash"])


def _url(address: str) -> sa.URL:
    try:
        scheme, _, rest = address.partition("://")
        if not rest:
            return sa.URL.create("sqlite", database=str(Path(address).expanduser().absolute()))
        if scheme in ("postgres", "postgresql"):
            url = sa.make_url(f"postgresql+psycopg://{rest}")
            for secret in (url.password, url.query.get("password")):
                REDACTOR.add(Secret(str(secret or "")))
            return url
    except (sa.exc.ArgumentError, ValueError):
        # Not chained: its text quotes the address, and that may hold the password.
        pass
    hint = "GOVHUB_DATABASE is postgresql://user@host/database; without it the record is a file in the hub's home"
    raise InvalidInput.one("REC001", "the address of the record cannot be read", hint=hint)


def _engine(url: sa.URL, synchronous: str) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=4, connect_args={"connect_timeout": 10})
    engine = sa.create_engine(url, connect_args={"timeout": 60})

    @sa.event.listens_for(engine, "connect")
    def _opened(link: Any, _: object) -> None:
        # The driver's own idea of transactions would begin them late, after the read that they depend on.
        link.isolation_level = None
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}"):
            link.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(link: Connection) -> None:
        link.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
