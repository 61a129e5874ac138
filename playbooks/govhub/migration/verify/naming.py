"""Which columns of a changed row differ; what is in them is masked unless somebody asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from govhub.migration.verify.result import Difference

if TYPE_CHECKING:
    from govhub.migration.verify.hashes import HashRung, Key

SHOWN = 200


def name_columns(rung: HashRung, keys: Sequence[Key]) -> None:
    """Read the rows again on both sides and write the differing columns into the rung's result."""
    sides = []
    for side, sql in zip(rung.sides, rung.statements, strict=True):
        statement, parameters = sql.values(keys)
        sides.append(side.ask(statement, parameters))
    width = len(rung.pair.key)
    left, right = ({tuple(row[:width]): row[width:] for row in future.result()} for future in sides)
    by_key = {tuple(item.key.values()): item for item in rung.result.differences if item.kind == "changed"}
    for key in keys:
        if key in left and key in right:
            by_key[key].columns = _columns(rung, left[key], right[key])


def differing_columns(
    pairs: Sequence[Any], left: Sequence[Any], right: Sequence[Any], *, values: bool
) -> list[dict[str, Any]]:
    """Each column that differs, with both sides' values as they may be shown."""
    return [
        {
            "column": pair.name,
            "source": shown(one, values=values, long=pair.long),
            "target": shown(other, values=values, long=pair.long),
        }
        for pair, one, other in zip(pairs, left, right, strict=True)
        if one != other
    ]


def shown(value: str | None, *, values: bool, long: bool) -> str:
    """NULL is no secret; other values are shown when asked for, else how long they are."""
    if value is None:
        return "NULL"
    if long:
        return f"md5 {value}" if values else "[masked]"
    if not values:
        return f"[masked, {len(value)} characters]"
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"


def masked(item: Difference) -> bool:
    """Whether a difference holds no value."""
    return all(
        str(cell.get(side, "NULL")).startswith(("NULL", "[masked"))
        for cell in item.columns
        for side in ("source", "target")
    )


def _columns(rung: HashRung, left: Sequence[Any], right: Sequence[Any]) -> list[dict[str, Any]]:
    return differing_columns(rung.pair.hashed, left, right, values=rung.values)
