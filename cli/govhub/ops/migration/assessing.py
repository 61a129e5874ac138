"""``migrate assess``: what sources are, how that compares with what was declared, and what can move how."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.core.settings import today
from govhub.core.text import did_you_mean
from govhub.inventory.loader import Hub
from govhub.migration.portfolio.assess import Assessment, Verdict, assess
from govhub.migration.portfolio.found import SourceFacts
from govhub.migration.portfolio.probe import SECONDS
from govhub.migration.portfolio.rates import figures
from govhub.migration.portfolio.subject import Portfolio
from govhub.ops.load import valid_hub
from govhub.ops.migration.discovery import Discovery, discover
from govhub.ops.migration.noting import note, surveyed
from govhub.ops.migration.placed import placed

SCHEMA = "govhub.migrate-assess/1"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessRequest:
    """What to assess."""

    hub: str
    systems: tuple[str, ...] = ()
    """Patterns of names; all systems when there are none."""
    offline: bool = False
    """Contact nobody; take what was read last."""
    timeout: float = SECONDS


def assess_portfolio(request: AssessRequest, on_cloud: Mapping[str, bool] | None = None) -> Document:
    """Assess systems; only their sources are read. What was read now is entered into the systems' records.

    Args:
        request: What, and whether anybody is contacted.
        on_cloud: Which systems are cut over, or are not; what the record says when it is not given.

    Raises:
        InvalidInput: the hub is not valid, or a pattern matches no system.
        ToolMissing: pyinfra is not installed.
    """
    started, begun = time.monotonic(), datetime.now(UTC)
    hub, _ = valid_hub(request.hub)
    chosen = _chosen(hub, request.systems)
    found = discover(
        hub, _sources(hub, chosen, whole=not request.systems), offline=request.offline, timeout=request.timeout
    )
    # Sources that are not asked now still tell who their addresses are.
    others = [item.name for item in hub.model.sources if item.name not in found.facts]
    before = discover(hub, others, offline=True)
    portfolio = Portfolio(hub, found.facts | before.facts, found.addresses)
    assessed, left = assess(portfolio, today(), found.findings)
    shown = [item for item in assessed if item.system in chosen]
    known = placed(hub)
    about = set(_sources(hub, chosen, whole=not request.systems))
    return {
        "schema": SCHEMA,
        "hub": hub.name,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "offline": request.offline,
        "systems": [item.as_dict() for item in shown],
        "sources": _described(found, about),
        "findings": [item.as_dict() for item in left if item.source in about],
        "summary": _summary(shown, found, about),
        "figures": figures(hub.model, known.on_cloud if on_cloud is None else on_cloud) | {"standing": known.as_dict()},
        "recorded": note(hub.name, {} if request.offline else surveyed(hub, shown, found.facts, begun)),
        "seconds": round(time.monotonic() - started, 3),
    }


def _chosen(hub: Hub, patterns: Iterable[str]) -> set[str]:
    names = [item.name for item in hub.model.systems]
    patterns = tuple(patterns)
    if not patterns:
        return set(names)
    chosen: set[str] = set()
    for pattern in patterns:
        matching = {name for name in names if fnmatchcase(name, pattern)}
        if not matching:
            hint = did_you_mean(pattern, names) or "govhub migrate assess HUB shows all of them"
            raise InvalidInput.one("POR009", f'no system is called "{pattern}"', hint=hint)
        chosen |= matching
    return chosen


def _sources(hub: Hub, systems: set[str], *, whole: bool) -> list[str]:
    """The sources that the systems move from; all of them when the whole hub is assessed."""
    there = [item.name for item in hub.model.sources if item.retired is None]
    if whole:
        return there
    moves = [move for item in hub.model.migrations if item.system in systems for move in item.moves]
    return sorted({move.source for move in moves} & set(there))


def _described(found: Discovery, names: set[str]) -> list[Document]:
    now = datetime.now(UTC)
    return [
        {
            **(facts.as_dict() if facts else {"source": name, "time": None}),
            "address": found.addresses.get(name),
            "age": _age(facts, now),
        }
        for name in sorted(names)
        for facts in [found.facts.get(name)]
    ]


def _age(facts: SourceFacts | None, now: datetime) -> float | None:
    return None if facts is None else max(0.0, round((now - datetime.fromisoformat(facts.time)).total_seconds(), 1))


def _summary(shown: list[Assessment], found: Discovery, names: set[str]) -> Document:
    verdicts = Counter(item.verdict for item in shown)
    return {
        "systems": len(shown),
        "verdicts": {verdict.value: verdicts[verdict] for verdict in Verdict},
        "sources": len(names),
        "sources_read": sum(name in found.facts for name in names),
    }
