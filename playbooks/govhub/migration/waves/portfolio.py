"""From a hub to a :class:`Portfolio`: what moves, what stays, who needs whom, and what all waves respect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from govhub.inventory.index import Index
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Busy, Migration, MigrationRules, Window
from govhub.inventory.model.tenancy import ExceptionKind, System
from govhub.inventory.topology import Path
from govhub.migration.waves.estimate import effort_of, size_of
from govhub.migration.waves.pools import needs_of, pools_of
from govhub.migration.waves.problem import Candidate, Freeze, Limits, Night, Pool, Span, Staying, TeamOf, Tie

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Everything that a plan of waves is made of."""

    hub: str
    inputs: str
    limits: Limits
    candidates: Mapping[str, Candidate]
    ties: tuple[Tie, ...]
    """All of them, also those to systems that stay."""
    staying: tuple[Staying, ...] = ()
    pools: tuple[Pool, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    first_assumed: bool = False
    """Whether the first wave's day is ours, because the hub names none."""
    stale: tuple[str, ...] = ()
    """Discovered sizes of what the hub does not declare."""

    def with_limits(self, limits: Limits) -> Portfolio:
        """The same systems under other limits."""
        return replace(self, limits=limits)


def portfolio_of(hub: Hub, today: date, found: Mapping[str, int] | None = None) -> Portfolio:
    """Read ``hub``, which has been validated; ``found`` holds discovered bytes by ``system`` or ``system/move``."""
    found = found or {}
    index = Index(hub.model)
    entries = {item.system: (position, item) for position, item in enumerate(hub.model.migrations)}
    freezes = tuple(_freezes(hub))
    rules = hub.model.migration
    candidates: dict[str, Candidate] = {}
    staying: list[Staying] = []
    for position, system in enumerate(hub.model.systems):
        entry, migration = entries.get(system.name, (None, None))
        if migration and migration.staying:
            staying.append(Staying(system.name, migration.staying.value, system.title.model_dump()))
            continue
        size, basis = size_of(system, migration, index, found)
        effort, estimated = effort_of(system, migration)
        trial = migration.trial_days if migration else None
        candidates[system.name] = Candidate(
            name=system.name,
            tenant=system.tenant,
            title=system.title.model_dump(),
            tier=system.tier,
            protection=system.protection_level,
            size=size,
            basis=basis,
            effort=effort,
            estimated=estimated,
            night=night(migration.window if migration else Window()),
            own_window=bool(migration and "window" in migration.model_fields_set),
            busy=tuple(span(item) for item in (migration.busy if migration else ())),
            not_before=migration.not_before if migration else None,
            not_after=migration.not_after if migration else None,
            freezes=tuple(item for item in freezes if concerns(item, system)),
            trial_days=rules.trial_days if trial is None else trial,
            needs=needs_of(index, system),
            entry=entry,
            position=position,
        )
    return Portfolio(
        hub=hub.name,
        inputs=hub.inputs,
        limits=limits_of(rules, today),
        candidates=candidates,
        ties=tuple(ties_of(hub)),
        staying=tuple(sorted(staying, key=lambda item: item.name)),
        pools=pools_of(hub, index),
        freezes=freezes,
        first_assumed=rules.first_wave is None,
        stale=tuple(sorted(name for name in found if not _declared(hub, entries, name))),
    )


def limits_of(rules: MigrationRules, today: date) -> Limits:
    """The hub's rules; without a first day, the first wave begins on the Monday after today."""
    monday = today + timedelta(days=7 - today.weekday())
    return Limits(
        teams=tuple(TeamOf(team.name, round(team.person_days * 100)) for team in rules.teams),
        link_mbps=rules.link_mbps,
        per_wave=rules.per_wave,
        per_department=rules.per_department,
        first=rules.first_wave or monday,
        wave_days=rules.wave_days,
        waves=rules.waves,
        today=today,
    )


def ties_of(hub: Hub) -> Iterator[Tie]:
    """Declared dependencies; a flow from one system to another that no dependency names is a weak tie of kind call."""
    declared = set()
    for i, migration in enumerate(hub.model.migrations):
        for j, item in enumerate(migration.depends_on):
            declared.add((migration.system, item.system))
            path: Path = ("migrations", i, "depends_on", j)
            yield Tie(migration.system, item.system, item.strong, item.kind.value, path)
    for i, system in enumerate(hub.model.systems):
        for j, flow in enumerate(system.flows):
            kind, _, other = flow.peer.partition("/")
            pair = (system.name, other) if flow.to else (other, system.name)
            # A tie in either direction that somebody wrote down says more than the network's rule does.
            if kind != "system" or pair in declared or system.name == other:
                continue
            declared.add(pair)
            yield Tie(*pair, strong=False, kind="call", path=("systems", i, "flows", j))


def night(window: Window) -> Night:
    """A window of the hub file."""
    hours, minutes = window.start.split(":")
    days = tuple(sorted({WEEKDAYS.index(day) for day in window.days}))
    return Night(days, int(hours) * 60 + int(minutes), window.minutes)


def span(busy: Busy) -> Span:
    """A busy time of the hub file."""
    first, last = (tuple(map(int, text.split("-"))) for text in (busy.first, busy.last))
    return Span((first[0], first[1]), (last[0], last[1]), busy.reason)


def concerns(freeze: Freeze, system: System) -> bool:
    """Whether a freeze is about this system, its department, or everything."""
    return freeze.target in ("hub", f"tenant/{system.tenant}", f"system/{system.name}")


def _freezes(hub: Hub) -> Iterator[Freeze]:
    for index, item in enumerate(hub.model.exceptions):
        if item.kind is ExceptionKind.FREEZE:
            yield Freeze(item.name, item.target, item.until, index)


def _declared(hub: Hub, entries: Mapping[str, tuple[int, Migration]], name: str) -> bool:
    system, _, move = name.partition("/")
    if not move:
        return any(item.name == system for item in hub.model.systems)
    return system in entries and any(item.name == move for item in entries[system][1].moves)
