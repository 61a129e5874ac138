"""Who works on a system: a lease in the record's database, renewed while its worker lives."""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from govhub.core.errors import GovhubError, LockHeld
from govhub.core.process import boot_id, process_started
from govhub.core.settings import actor
from govhub.migration.record.store import LEASES, Record

LEASE_SECONDS = 30.0


def new_owner() -> str:
    """A name for a worker that no other one has."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


class Lease:
    """A context manager around everything that one worker does for one system."""

    def __init__(self, record: Record, chain: str, owner: str, *, seconds: float = LEASE_SECONDS) -> None:
        self.owner = owner
        self.taken_from: dict[str, Any] | None = None
        """The worker whose lease was taken over, because it is gone."""
        self._record, self._chain, self._seconds = record, chain, seconds
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="govhub-migration-lease", daemon=True)

    def __enter__(self) -> Self:
        """Take the lease.

        Raises:
            LockHeld: another worker has it (RUN017).
        """
        with self._record.database.asked():
            holder = self._take()
        if holder is not None:
            who = f"{holder.get('actor')}@{holder.get('host')} (process {holder.get('pid')})"
            raise LockHeld.one(
                "RUN017",
                f"{self._chain} is being worked on by {who}",
                hint="wait for it; a killed worker's lease is taken over by itself",
                address=self._chain,
            )
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._heart.join()
        mine = sa.delete(LEASES).where(*self._this(), LEASES.c.owner == self.owner)
        with self._record.database.asked(), self._record.database.transaction() as link:
            link.execute(mine)

    def _this(self) -> tuple[sa.ColumnElement[bool], ...]:
        return (LEASES.c.hub == self._record.hub, LEASES.c.chain == self._chain)

    def _take(self) -> dict[str, Any] | None:
        """Whose it is; None when it is ours now."""
        with self._record.database.transaction() as link:
            now = self._now(link)
            values = {"owner": self.owner, "holder": _holder(), "until": now + self._seconds}
            found = link.execute(sa.select(LEASES).where(*self._this()).with_for_update()).mappings().first()
            if found is not None:
                holder: dict[str, Any] = json.loads(found["holder"])
                if found["until"] > now and not _gone(holder):
                    return holder
                link.execute(sa.update(LEASES).where(*self._this()).values(**values))
                self.taken_from = holder | {"owner": found["owner"]}
                return None
        try:
            with self._record.database.transaction() as link:
                link.execute(sa.insert(LEASES).values(hub=self._record.hub, chain=self._chain, **values))
        except IntegrityError:
            # Two came at once, and the other one was first.
            return {"actor": "another worker"}
        return None

    def _now(self, link: Connection) -> float:
        """Seconds by the one clock that all workers share: the database's, or this machine's for a file."""
        if self._record.database.is_file:
            return time.time()
        return float(link.execute(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))).scalar_one())

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds / 3):
            mine = sa.update(LEASES).where(*self._this(), LEASES.c.owner == self.owner)
            try:
                with self._record.database.asked(), self._record.database.transaction() as link:
                    if not link.execute(mine.values(until=self._now(link) + self._seconds)).rowcount:
                        return
            except GovhubError:
                # Tried again: until the lease has run out nobody takes it, and after that each append asks whose it is.
                continue


def _holder() -> str:
    pid = os.getpid()
    return json.dumps(
        {
            "actor": actor(),
            "host": socket.gethostname(),
            "boot": boot_id(),
            "pid": pid,
            "started": process_started(pid),
        }
    )


def _gone(holder: dict[str, Any]) -> bool:
    """Whether the holder's process has ended, as far as that can be seen from here."""
    if holder["host"] != socket.gethostname():
        return False
    return bool(holder["boot"] != boot_id() or holder["started"] != process_started(holder["pid"]))
