"""One row a rack, sorted, as plain values."""

from __future__ import annotations

from typing import Any

import numpy as np

from govhub.monitoring.arithmetic.figure import Bools, Floats
from govhub.monitoring.halls import Halls

SORTS = ("power", "feed", "space", "gap", "weight", "stranded", "name")
COLUMNS = (
    "rack",
    "machines",
    "units_used",
    "units",
    "gap",
    "kg",
    "max_kg",
    "watts",
    "measured_watts",
    "rated_watts",
    "budget_watts",
    "feed_a_watts",
    "feed_a_limit",
    "feed_b_watts",
    "feed_b_limit",
    "servers",
    "binding",
    "stranded_watts",
)


def rack_rows(
    halls: Halls, inside: Bools, sort: str, *, limit: int | None = None, offset: int = 0
) -> list[dict[str, Any]]:
    """The racks that ``inside`` selects, the fullest first by one of ``SORTS``; what is not known is None.

    With ``limit`` that many rows at most, after the first ``offset``.

    Raises:
        KeyError: there is no such order.
    """
    columns = halls.columns
    table, load = columns.racks, columns.loads
    with np.errstate(divide="ignore", invalid="ignore"):
        keys: dict[str, Floats] = {
            "power": load.watts / table.rated,
            "feed": np.fmax(halls.feed_a / columns.breakers[0], halls.feed_b / columns.breakers[1]),
            "space": load.units / table.units,
            "gap": -halls.gap,
            "weight": load.kg / table.max_kg,
            "stranded": halls.stranded,
            "name": np.zeros(len(table.addresses)),
        }
    # Unknown ones come last; equals stay in the order of the files.
    order = np.argsort(-np.nan_to_num(keys[sort], nan=-np.inf), kind="stable")
    sides = (halls.feed_a, columns.breakers[0], halls.feed_b, columns.breakers[1])
    names = [*halls.fits]
    used = (load.units, table.units, halls.gap, load.kg, table.max_kg)
    values = (*used, load.watts, halls.measured.watts, table.rated, table.budget, *sides)
    rows = []
    wanted = order[inside[order]][offset:]
    for at in wanted if limit is None else wanted[:limit]:
        cells = [table.addresses[at], int(load.machines[at]), *(_number(column[at]) for column in values)]
        cause = int(halls.cause[at])
        cells += [_number(halls.servers[at]), names[cause] if cause >= 0 else None, _number(halls.stranded[at])]
        rows.append(dict(zip(COLUMNS, cells, strict=True)))
    return rows


def _number(value: float) -> float | int | None:
    if np.isnan(value):
        return None
    return int(value) if float(value).is_integer() else round(float(value), 1)
