"""A database after its switch, while users write to the target: the way back's lag, and rows against the source's.

The source follows the target, so a row that was just written differs for a moment. A difference counts when the row of
the target stood still while the source took everything that was written before.
"""

from __future__ import annotations

from typing import Any

from govhub.core.errors import TargetUnreachable
from govhub.migration.itinerary.outcome import Done, Outcome
from govhub.migration.itinerary.steps import Context
from govhub.migration.movers.protocol import Direction, MoveFailed
from govhub.migration.moving.engines.port import DatabaseMove, End
from govhub.migration.moving.part import Part
from govhub.migration.sql.opening import open_database
from govhub.migration.sql.port import SqlFailed
from govhub.migration.verify.ladder import Ladder, Options
from govhub.migration.verify.result import Verdict

_NAMED = 100
"""Differing rows of a table that are looked at one by one."""
_UNFINISHED = "rows differ, and nobody could say yet whether they were being written"


def allow_target_writes(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """Open the target again, when it is the one that is written to: the way back could not be gone."""
    if not data.begun() or not data.mover.moved():
        return Done({"closed": False})
    data.mover.thaw(Direction.BACK)
    return Done({"open": data.name(End.TARGET)})


def way_back(_: Part, data: DatabaseMove, __: Context) -> Outcome:
    """How far the source is behind the target."""
    if not data.begun() or not data.mover.moved():
        return Done({"switched": False})
    try:
        # Whether the source answers at all.
        data.there(End.SOURCE)
        lag = data.mover.lag(Direction.BACK)
        now = data.mover.progress()
    except MoveFailed as failed:
        problems = [f"[{item.code}] {item.summary}" for item in failed.diagnostics]
        return Done({"lag_bytes": None, "lag_seconds": None, "problems": problems})
    # A definition that an update of the application changed is no reason to send it back.
    errors = [item for item in now.problems if item.severity.value == "error" and item.code != "MOV052"]
    problems = [f"[{item.code}] {item.summary}" for item in errors]
    return Done({"lag_bytes": lag.bytes, "lag_seconds": lag.seconds, "problems": problems})


def compare(part: Part, data: DatabaseMove, context: Context) -> Outcome:
    """Compare the rows of the target, which is in use, with those of the source that follows it."""
    if not data.begun() or not data.mover.moved():
        return Done({"switched": False})
    return Done(_compared(part, data, context))


def _compared(part: Part, data: DatabaseMove, context: Context) -> dict[str, Any]:
    ends = part.ends(rehearsal=False)
    first, second = (open_database(end.dsn(ends.engine)) for end in (ends.source, ends.target))
    budget = context.rules.automatic_return.verify_seconds
    try:
        document = Ladder(first, second, Options(budget=budget, named=_NAMED)).run()
    except SqlFailed as failed:
        hint = "bring the server back; it is compared again by itself"
        raise TargetUnreachable.one("VER005", f"a database cannot be read: {failed.text}", hint=hint) from failed
    uncarried = data.uncarried()
    rows: list[str] = []
    unclear: list[str] = []
    for found in document["tables"]:
        if found["verdict"] == Verdict.PASS.value:
            continue
        if found["table"] in uncarried:
            continue
        if not found["differences"] or not found["key"]:
            unclear.append(f"{found['table']}: {'; '.join(found['reasons'][:2]) or _UNFINISHED}")
            continue
        if not found["complete"]:
            unclear.append(f"{found['table']}: {_UNFINISHED}")
        keys = [difference["key"] for difference in found["differences"]]
        for key, same in zip(keys, data.same_rows(found["table"], keys), strict=True):
            text = f"{found['table']} {', '.join(f'{name}={value}' for name, value in key.items())}"
            if same is False:
                rows.append(text)
            elif same is None:
                unclear.append(f"{text}: {_UNFINISHED}")
    verdict = Verdict.DIFFERS if rows else Verdict.UNVERIFIED if unclear or not document["tables"] else Verdict.PASS
    return {
        "verdict": verdict.value,
        "rows": rows[:20],
        "rows_count": len(rows),
        "unverified": unclear[:20],
        "unverified_count": len(unclear),
        "coverage": document["coverage"],
        "digest": document["digest"],
        "seconds": document["seconds"],
    }
