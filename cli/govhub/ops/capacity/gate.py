"""The gate: what does not fit, as diagnostics with file and line; what is waived; what nobody could look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.text import and_more, plural
from govhub.inventory.limits import CAPACITY_RULES
from govhub.inventory.loader import Hub
from govhub.inventory.model.tenancy import ExceptionEntry, ExceptionKind
from govhub.inventory.topology import Path
from govhub.inventory.waivers import unneeded

if TYPE_CHECKING:
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.gate import Excess, Unknown

# Rule and code of each resource; a pool's are told apart by what follows the dot.
RULES = {
    "feed": ("capacity-feed", "FIT001"),
    "element": ("capacity-element", "FIT002"),
    "phase": ("capacity-phase", "FIT003"),
    "cooling": ("capacity-cooling", "FIT004"),
    "budget": ("capacity-budget", "FIT005"),
    "outlets": ("capacity-outlets", "FIT006"),
    "ports": ("capacity-ports", "FIT007"),
    "pool": ("capacity-pool", "FIT008"),
}
_HINTS = {
    "feed": "spread the machines over more racks, or raise `breaker_amps` where breaker and cable carry it",
    "element": "place machines where other elements feed them, or enlarge it; ask: capacity what-if",
    "phase": "feed some racks from another phase (`phase`), or with three",
    "cooling": "place machines in another hall, or add cooling units",
    "budget": "place machines in another hall, or raise `standard_racks` where the power was built for it",
    "outlets": "spread the machines over more racks, or correct `outlets`",
    "ports": "spread the machines over more racks, or correct `ports`",
    "pool": "add hosts in other racks, or lower what is requested",
}
_LEVELS = {"advisory": Severity.WARNING, "mandatory": Severity.ERROR}


def gate(hub: Hub, today: date, columns: Columns | None = None) -> list[Diagnostic]:
    """FIT001 to FIT008 what is above its limit (notes where waived), FIT009 not known, POL002 waivers of nothing.

    ``hub`` is valid: its places and its power tree are without errors.
    """
    from govhub.monitoring.columns import Columns
    from govhub.monitoring.placing.gate import excesses

    columns = columns or Columns(hub)
    waivers = _Waivers(hub, today)
    found, unknown = excesses(columns, waivers.covering)
    out = [item for excess in found for item in _diagnostics(columns, excess, waivers)]
    out += [*_unknown(unknown), *waivers.unused()]
    return sorted(out, key=Diagnostic.sort_key)


class _Waivers:
    """Waivers of capacity that hold today, and which of them were needed."""

    def __init__(self, hub: Hub, today: date) -> None:
        self._hub = hub
        self._entries = [
            (index, entry)
            for index, entry in enumerate(hub.model.exceptions)
            if entry.kind is ExceptionKind.WAIVER and entry.rule in CAPACITY_RULES and entry.until >= today
        ]
        self.by_name: dict[str, ExceptionEntry] = {entry.name: entry for _, entry in self._entries}
        self._used: set[int] = set()

    def covering(self, resource: str, at: str) -> str:
        """The first waiver that means ``at``; all that do count as needed."""
        targets = _targets(resource, at)
        rule = RULES[resource.partition(".")[0]][0]
        found = [(index, entry) for index, entry in self._entries if entry.rule == rule and entry.target in targets]
        self._used.update(index for index, _ in found)
        return found[0][1].name if found else ""

    def unused(self) -> Iterator[Diagnostic]:
        """POL002: waivers of what is within its limits, or not there."""
        for index, entry in self._entries:
            if index not in self._used:
                detail = f'nothing of {entry.target} breaks the rule "{entry.rule}"'
                yield unneeded(self._hub, index, entry, detail)


def _targets(resource: str, at: str) -> set[str]:
    """What exceptions may name to mean ``at``: the part, or a place around it."""
    kind = resource.partition(".")[0]
    if kind in ("element", "phase"):
        return {"hub", f"power/{at.partition('/')[0]}"}
    if kind == "pool":
        return {"hub", f"cluster/{at.partition('/')[0]}"}
    steps = at.split("/")
    return {"hub", *(f"place/{'/'.join(steps[: end + 1])}" for end in range(len(steps)))}


def _diagnostics(columns: Columns, excess: Excess, waivers: _Waivers) -> Iterator[Diagnostic]:
    kind = excess.resource.partition(".")[0]
    rule, code = RULES[kind]
    level = columns.model.hub.policies.get(rule, "mandatory")
    if level == "disabled":
        return
    path, said = _consumer(columns, excess)
    # Whoever put machines into a rack looks at these; who shares an element or a hall looks at that first.
    own = kind in ("feed", "outlets", "ports") and path is not None
    source = columns.hub.at(*path) if own and path else columns.hub.at(*excess.path)
    more = f" (and {plural(len(excess.others), 'more')})" if excess.others else ""
    details = [said] if said else []
    if own:
        details.append(f"the limit stands at {columns.hub.at(*excess.path)}")
    if excess.others:
        details.append(f"also: {and_more(list(excess.others), 3)}")
    waiver = waivers.by_name.get(excess.waiver)
    hint, summary = _HINTS[kind], f"{_subject(columns, excess)}: {amounts(excess)}{more}"
    if waiver:
        details.append(f"waived by {waiver.owner} until {waiver.until}: {waiver.reason}")
        hint = f'by the exception "{waiver.name}"; before it ends: {hint}'
    yield Diagnostic(
        code=code,
        severity=Severity.NOTE if waiver else _LEVELS[level],
        summary=f"{summary} (waived until {waiver.until})" if waiver else summary,
        detail="; ".join(details),
        address=excess.at,
        source=source,
        hint=hint,
    )


def _subject(columns: Columns, excess: Excess) -> str:
    kind, _, what = excess.resource.partition(".")
    if kind == "feed":
        return f"feed {what.upper()} of the rack {excess.at} is overloaded"
    if kind in ("element", "phase"):
        name, _, phase = excess.at.partition("/")
        place = columns.elements.names.index(name)
        told = columns.elements.kind_names[int(columns.elements.kind[place])]
        return f"{f'phase {phase} of ' if phase else ''}the {told} {name} is overloaded"
    words = {
        "cooling": f"the heat of the hall {excess.at} exceeds the cooling that is left",
        "budget": f"the hall {excess.at} draws more than it is built for",
        "outlets": f"the rack {excess.at} has too few outlets",
        "ports": f"the rack {excess.at} has too few cabled ports",
        "pool": f"{'pool' if '/' in excess.at else 'cluster'} {excess.at} does not carry its requests without a rack",
    }
    return words[kind]


def amounts(excess: Excess) -> str:
    """``7.2 of 6.7 kW after the loss of bw-b``."""
    scale, unit = (1000, "kW") if excess.unit == "W" else (1, excess.unit)
    after = f" after the loss of {excess.lost}" if excess.lost else ""
    return f"{number(excess.used / scale)} of {number(excess.limit / scale)} {unit}{after}"


def number(value: float) -> str:
    """Three places at most, thousands apart."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def _consumer(columns: Columns, excess: Excess) -> tuple[Path | None, str]:
    """The entry of the files that puts most on what is overloaded, and that as a sentence."""
    kind = excess.resource.partition(".")[0]
    if kind == "pool":
        return None, ""
    if kind in ("element", "phase"):
        place = columns.elements.names.index(excess.at.partition("/")[0])
        below = {item for item in range(len(columns.elements.names)) if place in columns.tree.above(item)}
        feeds = zip(columns.racks.addresses, columns.feeds.a.tolist(), columns.feeds.b.tolist(), strict=True)
        racks = {name for name, a, b in feeds if a in below or b in below}
    else:
        racks = {name for name in columns.racks.addresses if f"{name}/".startswith(f"{excess.at}/")}
    watts: Counter[Path] = Counter()
    for host in columns.hub.topology.hosts.values():
        if host.rack in racks:
            watts["hosts", host.entry] += host.watts
    for device in columns.hub.topology.devices.values():
        if device.rack in racks:
            watts["devices", device.entry] += int(device.watts)
    if not watts:
        return None, ""
    path = max(watts, key=lambda entry: (watts[entry], entry))
    section, index = path
    names = getattr(columns.model, str(section))[index].names
    return path, f"most of it is {names}, {number(watts[path] / 1000)} kW, at {columns.hub.at(*path)}"


def _unknown(unknown: list[Unknown]) -> Iterator[Diagnostic]:
    """What nobody declared anywhere is told where figures are; what some parts lack is worth a note."""
    for item in unknown:
        if item.parts < item.of:
            yield Diagnostic(
                code="FIT009",
                severity=Severity.NOTE,
                summary=f"{item.resource}: {item.parts:,} of {item.of:,} are unknown and were held against no limit",
                detail=f"the first is {item.first}",
                address=item.first,
                hint="declare it; until then it is shown as unknown",
            )
