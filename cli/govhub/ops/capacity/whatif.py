"""``capacity what-if``: place machines, add a file of parts, lose parts; what happens, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.exits import Exit
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.patterns import LIMIT, PatternError, expand
from govhub.inventory.topology import PlacedHost
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.changes import changes
from govhub.monitoring.placing.derive import placed
from govhub.monitoring.placing.loss import KINDS, Fallout, Lost, degraded, fallout, meanings, together
from govhub.monitoring.placing.need import BUILT_IN, Need, of_device, of_host
from govhub.monitoring.placing.place import Order, Placer
from govhub.monitoring.placing.telling import fallout_document, placement_document
from govhub.ops.capacity.adding import with_file
from govhub.ops.capacity.places import SCHEMA, columns_of, racks_of


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfRequest:
    """What is asked; sizes that are given win over those of the type."""

    hub: str
    """Its name or folder; it is loaded by ``what_if`` alone."""
    servers: int = 0
    type: str = ""
    units: int | None = None
    watts: float | None = None
    kg: float | None = None
    cords: int | None = None
    file: Path | None = None
    """A YAML file with sections of a hub; hosts in it that name no racks are placed."""
    lose: tuple[str, ...] = ()
    most_lost: int = LIMIT
    """How many names the patterns of ``lose`` may stand for."""
    place: str = ""
    order: str = "spread"


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The document, and whether all that was asked fits."""

    document: dict[str, Any]
    fits: bool

    @property
    def exit(self) -> Exit:
        """POLICY when something does not fit, or carries more than it may."""
        return Exit.OK if self.fits else Exit.POLICY


@dataclass(frozen=True, slots=True)
class _Kind:
    """The machine that is to be placed."""

    need: Need
    site: str = ""
    """Where its kind belongs; empty for anywhere."""
    like: PlacedHost | None = None
    """The host that it is one more of: it is a node of its pool, too."""


def what_if(request: WhatIfRequest) -> WhatIf:
    """Answer from the hub's files alone.

    Raises:
        InvalidInput: the hub is not valid, or as ``answer``.
        PolicyViolation: the hub as it is does not fit.
    """
    return answer(columns_of(request.hub), request)


def answer(before: Columns, request: WhatIfRequest) -> WhatIf:
    """The same of a hub that is loaded: first the file is added, then parts are lost, then machines are placed.

    Neither ``before`` nor its hub changes, so that several may ask of the same at once.

    Raises:
        InvalidInput: the file is not valid, or the type, the place or a lost part is not in the hub.
    """
    racks_of(before, request.place)
    after, placements, findings = before, [], list[Diagnostic]()
    lost = _lost(before, request) if request.lose else None
    if request.file:
        added = with_file(before.hub, request.file, request.place, Order(request.order), lost)
        after, placements, findings = Columns(added.hub), added.placements, added.findings
    gone = fallout(after, lost) if lost else None
    if request.servers:
        kind = _kind(after, request)
        found, after = _place(after, kind, replace(request, place=request.place or kind.site), gone)
        placements.append(found)
    fits = _fits(findings, placements, gone)
    return WhatIf(
        {
            "schema": SCHEMA,
            "hub": before.hub.name,
            "fits": fits,
            "lost": fallout_document(gone.before, gone, request.lose) if gone else None,
            "placements": placements,
            "changes": [item.as_dict() for item in changes(before, after)],
            "findings": [item.as_dict() for item in sorted(findings, key=Diagnostic.sort_key)],
        },
        fits,
    )


def _fits(findings: Sequence[Diagnostic], placements: Sequence[dict[str, Any]], gone: Fallout | None) -> bool:
    too_much = gone is not None and (gone.overloads or any(item["exceeded"] for item in gone.cooling))
    short = any(item["placed"] < item["wanted"] for item in placements)
    return not (too_much or short or any(item.severity is Severity.ERROR for item in findings))


def _place(
    columns: Columns, kind: _Kind, request: WhatIfRequest, gone: Fallout | None
) -> tuple[dict[str, Any], Columns]:
    need = kind.need
    inside = racks_of(columns, request.place)
    after = degraded(columns, gone, need.cords) if gone else None
    placement = Placer(columns, need, inside, after).run(request.servers, Order(request.order))
    return placement_document(columns, need, placement, request.order), placed(
        columns, need, placement.counts, kind.like
    )


def _kind(columns: Columns, request: WhatIfRequest) -> _Kind:
    found = _of_type(columns, request.type) if request.type else _Kind(BUILT_IN["server"])
    sizes = {name: getattr(request, name) for name in ("units", "watts", "kg", "cords")}
    given = {name: value for name, value in sizes.items() if value is not None}
    return replace(found, need=replace(found.need, **given))


def _of_type(columns: Columns, name: str) -> _Kind:
    """A device type of the hub, the run that one of its hosts is of, or a built-in size, in this order.

    Nodes belong to their cluster's site.

    Raises:
        InvalidInput: there is no such type.
    """
    for kind in columns.model.device_types:
        if kind.name == name:
            return _Kind(of_device(kind))
    hosts = columns.hub.topology.hosts
    host = hosts.get(name)
    sites = {cluster.name: cluster.site for cluster in columns.model.clusters}
    for position, entry in enumerate(columns.model.hosts):
        if name in (entry.names, entry.pool) or (host and host.entry == position):
            like = next((host for host in hosts.values() if host.entry == position), None)
            return _Kind(of_host(name, entry), sites.get(entry.cluster or "", ""), like)
    if name in BUILT_IN:
        return _Kind(BUILT_IN[name])
    pools = [entry.pool for entry in columns.model.hosts if entry.pool]
    known = [*(kind.name for kind in columns.model.device_types), *dict.fromkeys(pools), *BUILT_IN]
    raise InvalidInput.one(
        "FIT011",
        f'there is no device type, host or pool "{name[:60]}" to place more of',
        hint=did_you_mean(name, known) or f"known: {and_more(known, 12)}; or the name of a host",
    )


def _lost(columns: Columns, request: WhatIfRequest) -> Lost:
    """All that is lost.

    Raises:
        InvalidInput: with one diagnostic for each address that means nothing, or several things.
    """
    problems = Diagnostics()
    parts: list[Lost] = []
    for address in _expanded(request.lose, request.most_lost, problems):
        found = meanings(columns, address)
        if len(found) == 1:
            parts.append(found[0][1])
        elif found:
            hint = f"say {' or '.join(f'{kind}:{address}' for kind, _ in found)}"
            problems.error("FIT010", f'"{address[:80]}" means several parts of the hub', hint=hint)
        else:
            problems.error("FIT010", f'there is nothing named "{address[:80]}" to lose', hint=_near(columns, address))
    if problems.errors:
        raise InvalidInput(problems.sorted())
    return together(parts)


def _expanded(patterns: Sequence[str], most: int, problems: Diagnostics) -> list[str]:
    """All addresses that are meant; none when they are more than ``most``."""
    out: list[str] = []
    for pattern in patterns:
        try:
            out += expand(pattern, most)
        except PatternError as error:
            problems.error("FIT010", f'there is nothing named "{pattern[:80]}" to lose', hint=str(error))
    if len(out) <= most:
        return out
    hint = "lose the place that they stand in, or the element that they hang on"
    problems.error("FIT010", f"{len(out):,} parts are to be lost, at most {most:,} can be", hint=hint)
    return []


def _near(columns: Columns, address: str) -> str:
    known = [*(site.name for site in columns.model.sites), *columns.halls, *columns.elements.names]
    known += [*columns.hub.topology.devices, *(circuit.name for circuit in columns.model.circuits)]
    near = did_you_mean(address.rpartition(":")[2], known)
    return near or f"a place (site, site/hall, …/row, …/rack) or a name of: {', '.join(KINDS[1:])}"
