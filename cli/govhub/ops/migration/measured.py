"""What `migrate assess` has measured of moves: sizes for planning, from the record and from this machine's readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from govhub.core.settings import Env, hub_home, value_of
from govhub.inventory.loader import Hub
from govhub.migration.portfolio.subject import Portfolio

FOLDER = "sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The size of one move."""

    bytes: int
    time: str
    """When the source was read."""
    where: str
    """`record`, or `reading` on this machine."""


def measured_sizes(hub: Hub) -> dict[str, Measured]:
    """Sizes by ``system/move``, the newest of each; only of what was measured.

    Raises:
        GovhubError: the record does not answer (REC002).
    """
    found = _of_record(hub) if has_record(hub) else {}
    for name, item in _of_readings(hub).items():
        known = found.get(name)
        if known is None or datetime.fromisoformat(item.time) > datetime.fromisoformat(known.time):
            found[name] = item
    return found


def has_record(hub: Hub) -> bool:
    """Whether there is anything to open: a hub that only plans must not wait for the record's libraries."""
    return bool(value_of(Env.DATABASE)) or (hub_home(hub.name) / "record.db").exists()


def sizes_of(portfolio: Portfolio, system: str) -> dict[str, int]:
    """Bytes of a system's moves by name, as they were found on their sources."""
    migration = portfolio.migrations.get(system)
    parts = [portfolio.part(migration, move) for move in migration.moves] if migration else []
    return {part.move.name: part.found_size for part in parts if part.found_size is not None}


def _of_readings(hub: Hub) -> dict[str, Measured]:
    if not any((hub_home(hub.name) / FOLDER).glob("*.json")):
        return {}
    from govhub.ops.migration.discovery import discover

    facts = discover(hub, [item.name for item in hub.model.sources if item.retired is None], offline=True).facts
    portfolio = Portfolio(hub, facts)
    found: dict[str, Measured] = {}
    for migration in hub.model.migrations:
        source = {move.name: move.source for move in migration.moves}
        for move, size in sizes_of(portfolio, migration.system).items():
            time = facts[source[move]].time
            found[f"{migration.system}/{move}"] = Measured(bytes=size, time=time, where="reading")
    return found


def _of_record(hub: Hub) -> dict[str, Measured]:
    from govhub.core.errors import GovhubError
    from govhub.ops.migration.records import opened

    found: dict[str, Measured] = {}
    with opened(hub.name) as record:
        for migration in hub.model.migrations:
            try:
                events = record.events(migration.system)
            except GovhubError:
                # What a broken chain says counts for nothing; `migrate status` names it.
                continue
            for event in events:
                document = _survey(event.data) if event.kind in ("stage-reached", "evidence-added") else None
                for move, item in (document or {}).get("sizes", {}).items():
                    at = Measured(bytes=int(item["bytes"]), time=str(item["read"]), where="record")
                    found[f"{migration.system}/{move}"] = at
    declared = {f"{item.system}/{move.name}" for item in hub.model.migrations for move in item.moves}
    return {name: item for name, item in found.items() if name in declared}


def _survey(data: dict[str, Any]) -> dict[str, Any] | None:
    if data.get("reaches") == "surveyed":
        evidence: dict[str, Any] = data["evidence"]
        return evidence
    if data.get("what") == "surveyed":
        document: dict[str, Any] = data["document"]
        return document
    return None
