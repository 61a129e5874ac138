"""Large objects of PostgreSQL: binary data beside the tables, by number."""

from __future__ import annotations

from typing import Any

from govhub.migration.sql.dsn import Engine
from govhub.migration.verify.result import Verdict
from govhub.migration.verify.side import Side

_NUMBERS = "SELECT oid::bigint, NULL FROM pg_largeobject_metadata ORDER BY 1"
_CONTENT = "SELECT oid::bigint, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1"
NAMED = 20


def large_objects(sides: tuple[Side, Side], *, deep: bool) -> list[dict[str, Any]]:
    """One entry when either side has any; ``deep`` compares their content.

    Raises:
        SqlFailed: they cannot be read.
        OutOfTime: the budget is spent.
    """
    if not any(side.catalog.large_objects for side in sides):
        return []
    found: dict[str, Any] = {"kind": "large objects", "name": f"{sides[0].catalog.large_objects:,} on the source"}
    if {side.engine for side in sides} != {Engine.POSTGRESQL}:
        reason = "the other engine has no large objects: nothing says where their content went"
        return [{**found, "verdict": Verdict.UNVERIFIED.value, "reason": reason}]
    waiting = [side.ask(_CONTENT if deep else _NUMBERS) for side in sides]
    left, right = ({row[0]: row[1] for row in future.result()} for future in waiting)
    differing = sorted(number for number in left.keys() | right.keys() if left.get(number, "") != right.get(number, ""))
    if differing:
        named = ", ".join(map(str, differing[:NAMED]))
        return [{**found, "verdict": Verdict.DIFFERS.value, "reason": f"{len(differing):,} differ: {named}"}]
    if not deep:
        reason = "only their numbers were compared, not what is in them"
        return [{**found, "verdict": Verdict.UNVERIFIED.value, "reason": reason}]
    return [{**found, "verdict": Verdict.PASS.value, "reason": ""}]
