"""The map as a still picture: one path a class of fullness, for paper and for the offline file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from govhub.monitoring.halls import Halls
from govhub.monitoring.web.documents.floor import UNKNOWN, percents, places

CLASSES = ("empty", "low", "half", "high", "full", "over", "unknown")
_LIMITS = (0, 50, 75, 90, 100, 254)


def floor_plan(halls: Halls, name: str = "power") -> dict[str, Any]:
    """``width`` and ``height`` in cells, ``halls`` with their boxes, and a path of rectangles and a count a class."""
    x, y, boxes = places(halls.columns)
    values = percents(halls, name)
    kinds = np.where(values == UNKNOWN, len(CLASSES) - 1, np.searchsorted(_LIMITS, values))
    return {
        "width": max((box[0] + box[2] for box in boxes), default=1) + 2,
        "height": max((box[1] + box[3] for box in boxes), default=1) + 2,
        "halls": [
            {"name": hall, "x": box[0], "y": box[1]} for hall, box in zip(halls.columns.halls, boxes, strict=True)
        ],
        "paths": [
            {"class": kind, "count": int((kinds == place).sum()), "d": _path(x[kinds == place], y[kinds == place])}
            for place, kind in enumerate(CLASSES)
        ],
    }


def _path(x: NDArray[np.int64], y: NDArray[np.int64]) -> str:
    return "".join(f"M{left} {top}h.9v1.5h-.9z" for left, top in zip(x.tolist(), y.tolist(), strict=True))
