"""The map of all racks as columns of bytes: 80,000 racks are one megabyte, a tenth of that packed."""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govhub.monitoring.arithmetic.figure import Floats
from govhub.monitoring.columns import Columns
from govhub.monitoring.halls import Halls

MAGIC = b"GHM1"
UNKNOWN = 255
MOST = 254
"""Percent and servers are capped here; more is shown as this."""
VALUES = ("power", "measured", "feed", "space", "weight", "servers", "binding")
GAP = 2
"""Cells between two halls."""
_AISLE = 2
"""Height of a row with the aisle before it, in cells."""


def map_bytes(halls: Halls) -> bytes:
    """The map: magic, count of racks as uint32, then columns in this order, little-endian.

    ``x`` and ``y`` (uint16, cells), ``hall`` (uint16), then one byte a rack for each of ``VALUES``: percent of what
    there is (``servers``: how many fit; ``binding``: place in ``Halls.fits``), at most 254; 255 is unknown.
    """
    columns = halls.columns
    count = len(columns.racks.addresses)
    x, y, _ = _layout(columns)
    parts = [MAGIC, struct.pack("<I", count)]
    parts += [values.astype("<u2").tobytes() for values in (x, y, columns.racks.hall)]
    parts += [_values(halls)[name].tobytes() for name in VALUES]
    return b"".join(parts)


def map_names(halls: Halls) -> dict[str, Any]:
    """What the bytes do not say: names of halls with their rows, and of what binds.

    A hall has ``name``, its box ``x, y, width, height`` in cells, and ``rows``: name, and place in ``lists`` of the
    names of its racks. Racks come in the order of halls, rows and names, as in the bytes.
    """
    columns = halls.columns
    _, _, boxes = _layout(columns)
    lists: dict[tuple[str, ...], int] = {}
    out = []
    for name, (rows, box) in zip(columns.halls, boxes, strict=True):
        told = [[row, lists.setdefault(tuple(names), len(lists))] for row, names in rows]
        out.append({"name": name, **dict(zip(("x", "y", "width", "height"), box, strict=True)), "rows": told})
    return {"halls": out, "lists": [list(names) for names in lists], "binding": list(halls.fits), "values": VALUES}


def percents(halls: Halls, name: str) -> NDArray[np.uint8]:
    """One of ``VALUES``, rack by rack."""
    return _values(halls)[name]


def places(columns: Columns) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[int, int, int, int]]]:
    """``x`` and ``y`` of each rack in cells, and each hall's box."""
    x, y, boxes = _layout(columns)
    return x, y, [box for _, box in boxes]


def _values(halls: Halls) -> dict[str, NDArray[np.uint8]]:
    columns = halls.columns
    racks, loads = columns.racks, columns.loads
    with np.errstate(divide="ignore", invalid="ignore"):
        feed = np.fmax(halls.feed_a / columns.breakers[0], halls.feed_b / columns.breakers[1])
        return {
            "power": _percent(loads.watts / racks.rated),
            "measured": _percent(halls.measured.watts / racks.rated),
            "feed": _percent(feed),
            "space": _percent(loads.units / racks.units),
            "weight": _percent(loads.kg / racks.max_kg),
            "servers": _byte(halls.servers),
            "binding": np.where(halls.cause < 0, UNKNOWN, halls.cause).astype(np.uint8),
        }


def _percent(ratio: Floats) -> NDArray[np.uint8]:
    """Whole percent, rounded up: what is more than full never looks full, nor what draws anything empty."""
    return _byte(np.ceil(ratio * 100 - 1e-9))


def _byte(values: Floats) -> NDArray[np.uint8]:
    known = np.clip(np.nan_to_num(values, nan=0.0, posinf=MOST), 0, MOST)
    return np.where(np.isnan(values), UNKNOWN, known).astype(np.uint8)


_Rows = list[tuple[str, list[str]]]


@lru_cache(maxsize=4)
def _layout(
    columns: Columns,
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[_Rows, tuple[int, int, int, int]]]]:
    """Rows lie below each other, racks side by side; halls fill a wide rectangle, one line after the other."""
    rows: list[dict[str, list[str]]] = [{} for _ in columns.halls]
    for address, hall in zip(columns.racks.addresses, columns.racks.hall.tolist(), strict=True):
        _, _, row, name = address.split("/")
        rows[hall].setdefault(row, []).append(name)
    sizes = [(max(map(len, found.values()), default=1), len(found) * _AISLE) for found in rows]
    boxes = _packed(sizes)
    x = np.zeros(len(columns.racks.addresses), dtype=np.int64)
    y = np.zeros_like(x)
    for hall, found in enumerate(rows):
        at = np.flatnonzero(columns.racks.hall == hall)
        across = [place for names in found.values() for place in range(len(names))]
        down = [line * _AISLE for line, names in enumerate(found.values()) for _ in names]
        x[at], y[at] = boxes[hall][0] + np.array(across), boxes[hall][1] + np.array(down)
    return x, y, [(list(found.items()), box) for found, box in zip(rows, boxes, strict=True)]


def _packed(sizes: list[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Boxes ``x, y, width, height`` of halls: lines that are about twice as wide as all of them are high."""
    area = sum((width + GAP) * (height + 2 * GAP) for width, height in sizes)
    wide = max([int((2 * area) ** 0.5), *(width + GAP for width, _ in sizes)])
    boxes, x, y, tall = [], 0, GAP, 0
    for width, height in sizes:
        if x and x + width > wide:
            x, y, tall = 0, y + tall + 2 * GAP, 0
        boxes.append((x, y, width, height))
        x, tall = x + width + GAP, max(tall, height)
    return boxes
