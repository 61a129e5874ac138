"""The ledger of intents: what a run is about to do, written before the engine starts.

The engine is run without a checkpoint per resource, so a killed run leaves a state that lags behind the
cluster. An intent that was never finished says so: the shard is then read afresh from the cluster, and
objects that carry our labels but that nobody wants any more are removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

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
            document = self._state.read(FOLDER + key.rpartition("/")[2])
            if not document:
                continue
            cluster, stack, index = document["shard"]
            identities = frozenset(Identity(*item) for item in document["identities"])
            found.append(Intent(Shard(cluster, stack, index), document["run"], document["time"], identities))
        return found


def _name(shard: Shard) -> str:
    return f"{FOLDER}{str(shard).replace('/', '.')}.json"
