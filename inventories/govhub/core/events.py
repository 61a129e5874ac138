"""Everything that happened, as an append-only chain: each event carries the hash of the one before it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.core.canonical import canonical, digest
from govhub.core.secrets import scrub

EVENTS_VERSION = "govhub.events/1"
GENESIS = "0" * 64
Listener = Callable[["Event"], None]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; ``kind`` is enumerated in docs/events.md, ``data`` holds no secret."""

    seq: int
    time: str
    kind: str
    data: dict[str, Any]
    previous: str
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """The NDJSON form."""
        return {
            "seq": self.seq,
            "time": self.time,
            "kind": self.kind,
            "data": self.data,
            "previous": self.previous,
            "hash": self.hash,
        }


class EventLog:
    """A hash-chained log with listeners (the progress view) and, when given, a file (the run folder).

    Thread-safe: shards of a run emit at the same time.
    """

    def __init__(self, path: Path | None = None, *, redact: Callable[[str], str] | None = None) -> None:
        self._lock = threading.Lock()
        self._redact = redact or (lambda text: text)
        self._listeners: list[Listener] = []
        self._seq = 0
        self._previous = GENESIS
        self._file = None
        if path is not None:
            handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            self._file = os.fdopen(handle, "a", encoding="utf-8")

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with each event from now on."""
        self._listeners.append(listener)

    def emit(self, kind: str, **data: Any) -> Event:
        """Append an event; it is flushed to the file before any listener sees it."""
        with self._lock:
            # String by string: a secret of digits alone would otherwise tear the JSON's numbers apart.
            clean: dict[str, Any] = scrub(json.loads(canonical(data)), self._redact)
            event = chained(self._seq, _now(), kind, clean, self._previous)
            self._seq += 1
            self._previous = event.hash
            if self._file:
                self._file.write(canonical(event.as_dict()) + "\n")
                self._file.flush()
            listeners = list(self._listeners)
        for listener in listeners:
            listener(event)
        return event

    def close(self) -> None:
        """Make the log durable and let go of the file; emitting goes on in memory."""
        with self._lock:
            if self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                self._file = None


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a log file; a torn last line (a killed run) is left out."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)


def chained(seq: int, time: str, kind: str, data: dict[str, Any], previous: str) -> Event:
    """The event that follows the one with the hash ``previous``; ``data`` is JSON-like and holds no secret."""
    body: dict[str, Any] = {"seq": seq, "time": time, "kind": kind, "data": data, "previous": previous}
    return Event(**body, hash=digest(body))


def first_broken_link(path: Path) -> int | None:
    """The sequence number of the first event that was changed, removed or reordered; None when the chain holds."""
    return broken_link(read_events(path))


def broken_link(events: Iterable[Mapping[str, Any]]) -> int | None:
    """The same for events in the form of :meth:`Event.as_dict`, from wherever they were read."""
    previous, expected = GENESIS, 0
    try:
        for event in events:
            body = {key: value for key, value in event.items() if key != "hash"}
            if event["seq"] != expected or event["previous"] != previous or digest(body) != event["hash"]:
                return expected
            previous, expected = event["hash"], expected + 1
    except (ValueError, KeyError, TypeError, AttributeError):
        # The line is no event any more.
        return expected
    return None


def _now() -> str:
    return moment(datetime.now(UTC))


def moment(time: datetime) -> str:
    """An aware time as events carry it: UTC, milliseconds, ending in Z."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
