"""The hub's lock: one run at a time, with an owner, a lease and a heartbeat."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from govhub.core.errors import GovhubError, LockHeld
from govhub.core.process import boot_id, process_started
from govhub.core.settings import actor
from govhub.engine.bucket import Bucket
from govhub.engine.state import State

LEASE = timedelta(seconds=60)
NAME = "lock.json"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, and until when unless the heartbeat renews it."""

    run: str
    actor: str
    host: str
    boot: str
    pid: int
    started: str
    """Start time of the process, in clock ticks since boot: a process number alone is used again."""
    operation: str
    acquired: str
    until: str

    def gone(self, now: datetime) -> str:
        """Why the lock may be taken over, or the empty string while its owner may be alive."""
        if now > datetime.fromisoformat(self.until):
            return f"its lease ended at {self.until}"
        if self.host == socket.gethostname():
            if self.boot != boot_id():
                return "its host was rebooted since"
            if process_started(self.pid) != self.started:
                return f"its process {self.pid} has ended"
        return ""


class HubLock:
    """A context manager around everything that writes to a hub or its state."""

    def __init__(self, state: State, run: str, operation: str, *, lease: timedelta = LEASE) -> None:
        self._bucket: Bucket = state.bucket
        self._key, self._hub = state.own(NAME), state.hub
        self._run, self._operation, self._lease = run, operation, lease
        self._mine = b""
        self._stop = threading.Event()
        self.lost = threading.Event()
        """Set when the heartbeat found that somebody else took the lock over."""
        self.taken_over: Holder | None = None
        """Whose lock was taken over, for the record; None when it could not be read."""
        self.taken_reason = ""
        """Why it was taken over; empty when the lock was free."""
        self._heart: threading.Thread | None = None
        self._on_lost: Callable[[], None] | None = None

    def __enter__(self) -> HubLock:
        """Take the lock.

        Raises:
            LockHeld: somebody else holds it.
        """
        mine = self._document()
        if not self._bucket.put_new(self._key, mine):
            self._take_over(mine)
        self._mine = mine
        self._heart = threading.Thread(target=self._beat, name="govhub-lease", daemon=True)
        self._heart.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        if self._heart:
            # A renewal on its way would change the document under the release, and the lock would stay behind.
            self._heart.join(timeout=max(self._lease.total_seconds(), 15.0))
        if not self.lost.is_set():
            self._bucket.swap(self._key, self._mine, None)

    def when_lost(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called, from the heartbeat's thread, when somebody else has taken the lock over."""
        self._on_lost = callback
        if self.lost.is_set():
            callback()

    def _take_over(self, mine: bytes) -> None:
        raw = self._bucket.get(self._key)
        holder = _holder(raw)
        reason = holder.gone(datetime.now(UTC)) if holder else "it cannot be read"
        if raw is None and self._bucket.put_new(self._key, mine):
            return
        if raw is not None and reason and self._bucket.swap(self._key, raw, mine):
            self.taken_over, self.taken_reason = holder, reason
            return
        raise _held(self._hub, holder)

    def _beat(self) -> None:
        """Renew the lease at a third of its length; a failed renewal is tried again until the lease has run out."""
        pause = self._lease.total_seconds() / 3
        renewed = time.monotonic()
        while not self._stop.wait(pause):
            fresh = self._document()
            try:
                if self._bucket.swap(self._key, self._mine, fresh):
                    self._mine, renewed = fresh, time.monotonic()
                    continue
            except (OSError, GovhubError):
                if time.monotonic() - renewed < self._lease.total_seconds():
                    continue
            if not self._stop.is_set():
                self.lost.set()
                if self._on_lost:
                    self._on_lost()
            return

    def _document(self) -> bytes:
        now = datetime.now(UTC)
        holder = Holder(
            run=self._run,
            actor=actor(),
            host=socket.gethostname(),
            boot=boot_id(),
            pid=os.getpid(),
            started=process_started(os.getpid()),
            operation=self._operation,
            acquired=now.isoformat(timespec="seconds"),
            until=(now + self._lease).isoformat(timespec="milliseconds"),
        )
        return json.dumps(asdict(holder), sort_keys=True).encode()


def current_holder(state: State) -> Holder | None:
    """Who holds the lock now, for `status`."""
    return _holder(state.bucket.get(state.own(NAME)))


def _held(hub: str, holder: Holder | None) -> LockHeld:
    who = f"{holder.actor}@{holder.host} (process {holder.pid}, {holder.operation}, run {holder.run})" if holder else ""
    return LockHeld.one(
        "LCK001",
        f"{hub} is locked by {who or 'another run'}",
        detail=f"since {holder.acquired}; the lease ends {holder.until} unless renewed" if holder else "",
        hint="wait for it; a killed run's lock is taken over by itself once its lease has ended",
    )


def _holder(raw: bytes | None) -> Holder | None:
    try:
        holder = Holder(**json.loads(raw)) if raw else None
        # A lease without an end, or one in no time zone, could not be compared later.
        return holder if holder and datetime.fromisoformat(holder.until).tzinfo else None
    except (ValueError, TypeError):
        return None
