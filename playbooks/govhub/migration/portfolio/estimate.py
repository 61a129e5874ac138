"""How long a move takes, from sizes, the link and what such copies were measured to bring.

The initial copy of a move:

    copy = size / min(link_mbps × 10⁶ / 8 × 0.8, rate)

where 0.8 is what TCP and TLS leave of a line that others use too, and ``rate`` is what reading, writing and building
indexes bring (:data:`RATES`). All moves of a system share the link, so their copies are added up.

The pause of writes at the cutover, when changes were copied all along (``online``):

    pause = 10 s until nothing is behind + large objects / rate + 20 s to check and to switch
    files:  + 1 % of the bytes / rate + files / 20,000 s⁻¹  for the last pass

and when they were not (``offline``), everything is copied while nobody writes, and read once more to check it:

    pause = copy + size / rate + 20 s

An estimate is for choosing windows and waves. What a cutover may take is told by its rehearsal.
"""

from __future__ import annotations

from dataclasses import dataclass

from govhub.inventory.model.migration import MoveKind

LINK_SHARE = 0.8
DRAIN = 10.0
SWITCH = 20.0
CHANGED = 0.01
SCANNED = 20_000.0
"""Files a second that a last pass looks at."""
RATES = {MoveKind.POSTGRESQL: 80e6, MoveKind.MARIADB: 30e6, MoveKind.FILES: 60e6}
"""Bytes a second; careful roundings of what was measured between two small hosts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Seconds; None when a size is not known."""

    bytes: int | None
    copy: float | None
    pause: float | None
    online: bool | None
    """Whether writes can go on during the copy; None when that is not known."""


def estimate(
    kind: MoveKind,
    size: int | None,
    link_mbps: int,
    *,
    online: bool | None,
    large: int | None = 0,
    files: int | None = None,
) -> Estimate:
    """The estimate of one move; the formulas stand above.

    Args:
        kind: What moves; an application has no copy, only the switch.
        size: Bytes.
        link_mbps: Mbit/s.
        online: Whether changes are copied while writes go on; when not known, the pause is that of an offline move.
        large: Bytes in large objects, which logical replication leaves out.
        files: How many files there are; without that the pause of their last pass is not known.
    """
    if kind is MoveKind.APPLICATION:
        return Estimate(bytes=0, copy=0.0, pause=SWITCH, online=True)
    if size is None:
        return Estimate(bytes=None, copy=None, pause=None, online=online)
    rate = min(link_mbps * 1e6 / 8 * LINK_SHARE, RATES[kind])
    copy = size / rate
    if kind is MoveKind.FILES:
        pause = None if files is None else DRAIN + size * CHANGED / rate + files / SCANNED + SWITCH
        return Estimate(bytes=size, copy=copy, pause=pause, online=True)
    if online:
        return Estimate(bytes=size, copy=copy, pause=DRAIN + (large or 0) / rate + SWITCH, online=True)
    return Estimate(bytes=size, copy=copy, pause=copy + size / RATES[kind] + SWITCH, online=online)


def together(parts: list[Estimate]) -> Estimate:
    """A system's moves: they share the link, and one switch ends the pause of all."""
    copies, sizes = [part.copy for part in parts], [part.bytes for part in parts]
    pauses = [None if part.pause is None else part.pause - SWITCH for part in parts]
    online = [part.online for part in parts]
    return Estimate(
        bytes=None if None in sizes else sum(size or 0 for size in sizes),
        copy=None if None in copies else sum(copy or 0.0 for copy in copies),
        pause=None if None in pauses else sum(pause or 0.0 for pause in pauses) + SWITCH,
        online=False if False in online else None if None in online else True,
    )
