"""What the lab's agents tell, as tables of standard MIBs.

Feeds and halls: ENTITY-MIB (RFC 6933) names sensors, ENTITY-SENSOR-MIB (RFC 3433) gives their values with type, scale,
precision and state. It has no type for energy, and its values are whole numbers that the exporter of Debian 12 cannot
scale: amperes (as text) and energy stand in a table of our own under the number for examples, 32473 (RFC 5612).
Switches: IF-MIB (RFC 2863).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from govhub.lab.meters import wire
from govhub.lab.meters.wire import Oid

SYS_DESCRIPTION: Oid = (1, 3, 6, 1, 2, 1, 1, 1)
SYS_NAME: Oid = (1, 3, 6, 1, 2, 1, 1, 5)
IF_NAME: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 1)
IF_IN: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 6)
IF_OUT: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 10)
IF_SPEED: Oid = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1, 15)
ENTITY_NAME: Oid = (1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1, 7)
SENSOR_TYPE: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 1)
SENSOR_SCALE: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 2)
SENSOR_PRECISION: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 3)
SENSOR_VALUE: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 4)
SENSOR_STATUS: Oid = (1, 3, 6, 1, 2, 1, 99, 1, 1, 1, 5)
FEED_CURRENT: Oid = (1, 3, 6, 1, 4, 1, 32473, 6, 1, 1, 1)
FEED_ENERGY: Oid = (1, 3, 6, 1, 4, 1, 32473, 6, 1, 1, 2)
WATTS, UNITS, KILO, OK = 6, 9, 10, 1
"""Numbers of entPhySensorType, entPhySensorScale and entPhySensorOperStatus."""
Value = Callable[[int], bytes]
"""The encoded value of the sensor or port at a place."""
_Row = tuple[Oid, int, bytes, int]
"""Column, index, fixed value or nothing, place of the sensor or port."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Names of variables and where their values come from; agents with equal parts share one."""

    keys: list[Oid]
    names: list[bytes]
    fixed: list[bytes]
    """Encoded values that never change; empty where a column is asked."""
    columns: list[Oid]
    places: list[int]


@dataclass(slots=True)
class Table:
    """One agent's variables: a shared layout, and the columns whose values move."""

    layout: Layout
    moving: dict[Oid, Value]

    @property
    def keys(self) -> Sequence[Oid]:
        """Names of the variables, sorted."""
        return self.layout.keys

    def variable(self, place: int) -> bytes:
        """Encoded name and value."""
        layout = self.layout
        value = layout.fixed[place] or self.moving[layout.columns[place]](layout.places[place])
        return layout.names[place] + value


@lru_cache(maxsize=4096)
def sensors_layout(names: tuple[str, ...], phases: tuple[tuple[int, ...], ...]) -> Layout:
    """Power sensors of a row or hall.

    Args:
        names: Of the sensors.
        phases: Of each sensor, the phases whose current it tells, such as ``(1, 2, 3)``; empty for none.
    """
    rows = _system()
    for number, (label, own) in enumerate(zip(names, phases, strict=True)):
        index = number * 10 + 10
        fixed = {
            ENTITY_NAME: wire.octets(label),
            SENSOR_TYPE: wire.integer(WATTS),
            SENSOR_PRECISION: wire.integer(0),
            SENSOR_STATUS: wire.integer(OK),
        }
        rows += [(column, index, value, number) for column, value in fixed.items()]
        rows += [(column, index, b"", number) for column in (SENSOR_SCALE, SENSOR_VALUE)]
        if own:
            rows.append((FEED_ENERGY, index, b"", number))
        for phase in own:
            rows.append((ENTITY_NAME, index + phase, wire.octets(f"{label}/{phase}"), number))
            rows.append((FEED_CURRENT, index + phase, b"", number))
    return _layout(rows)


@lru_cache(maxsize=4096)
def ports_layout(names: tuple[str, ...], megabits: tuple[int, ...]) -> Layout:
    """A switch's ports: fixed names and speeds, moving counters."""
    rows = _system()
    for number, (label, speed) in enumerate(zip(names, megabits, strict=True)):
        fixed = ((IF_NAME, wire.octets(label)), (IF_SPEED, wire.gauge(speed)))
        rows += [(column, number + 1, value, number) for column, value in fixed]
        rows += [(column, number + 1, b"", number) for column in (IF_IN, IF_OUT)]
    return _layout(rows)


def _system() -> list[_Row]:
    return [(SYS_DESCRIPTION, 0, wire.octets("meter of a govhub lab"), 0), (SYS_NAME, 0, b"", 0)]


def _layout(rows: list[_Row]) -> Layout:
    rows.sort(key=lambda row: (*row[0], row[1]))
    return Layout(
        keys=[(*row[0], row[1]) for row in rows],
        names=[wire.name((*row[0], row[1])) for row in rows],
        fixed=[row[2] for row in rows],
        columns=[row[0] for row in rows],
        places=[row[3] for row in rows],
    )
