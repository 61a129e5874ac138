"""The ledger of intents: what a run is about to do, written before the engine starts.

The engine is run without a checkpoint per resource, so a killed run leaves a state that lags behind the
cluster. An intent that was never finished says so: the shard is then read afresh from the cluster, and
objects that carry our labels but that nobody wants any more are removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from govhub.engine.state import State
from govhub.stacks.graph import Identity, Shard

FOLDER = "intents/"


@dataclass(frozen=True, slots=True)
class Intent:
    """An unfinished engine run over a shard."""

    shard: Shard
    run: str
    time: str
    identities: frozenset[Identity]
    """What the run was about to create, change or delete."""


class Ledger:
    """Intents of one hub, beside its state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def begin(self, shard: Shard, run: str, identities: Iterable[Identity]) -> None:
        """Write down, durably, what is about to happen; an older unfinished intent stays part of it."""
        earlier = {item.shard: item for item in self.unfinished()}.get(shard)
        everything = set(identities) | (set(earlier.identities) if earlier else set())
        document = {
            "run": run,
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "shard": list(shard),
            "identities": sorted(list(item) for item in everything),
        }
        self._state.write(_name(shard), document)

    def finish(self, shard: Shard) -> None:
        """The engine is through and its state is saved."""
        self._state.remove(_name(shard))

    def unfinished(self) -> list[Intent]:
        """What killed runs left behind."""
        found = []
        for key in self._state.bucket.keys(self._state.own(FOLDER)):
            name = key.rpartition("/")[2]
            if shard := _shard(name):
                found.append(_intent(shard, self._state.read(FOLDER + name) or {}))
        return found


def _intent(shard: Shard, document: dict[str, Any]) -> Intent:
    """The document; of a damaged one only the shard is known, which is then read afresh all the same."""
    try:
        identities = frozenset(Identity(*item) for item in document["identities"])
        return Intent(shard, str(document["run"]), str(document["time"]), identities)
    except (KeyError, TypeError):
        return Intent(shard, "unknown", "", frozenset())


def _shard(name: str) -> Shard | None:
    """The shard in a document's name, the reverse of :func:`_name`."""
    cluster, _, rest = name.removesuffix(".json").partition(".")
    stack, _, group = rest.partition(".")
    return Shard(cluster, stack, int(group)) if group.isdigit() else None


def _name(shard: Shard) -> str:
    return f"{FOLDER}{str(shard).replace('/', '.')}.json"
