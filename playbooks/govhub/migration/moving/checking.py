"""The verification of a move: the ladder over both ends, cut down to what a record needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from govhub.core.errors import TargetUnreachable
from govhub.migration.governor import Limits
from govhub.migration.moving.ends import Ends
from govhub.migration.sql.opening import open_database
from govhub.migration.sql.port import SqlFailed
from govhub.migration.verify.ladder import Ladder, Options
from govhub.migration.verify.result import Rung, Verdict, worst

_NAMED = 20
# Replication does not carry them; they are brought over when both sides stand still, after the rows were compared.
LATE = ("sequence", "large objects")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a verification came to."""

    verdict: Verdict
    """Of tables, and of objects that were to be there."""
    forms: Verdict
    """The same, without the rows."""
    evidence: dict[str, Any]

    @property
    def why(self) -> str:
        """What is wrong, in a line."""
        named = "; ".join(str(item) for item in self.evidence["not_passed"][:5])
        return f"{self.verdict.value}: {named or 'nothing was compared'}"


def check(
    ends: Ends,
    *,
    depth: Rung = Rung.HASHES,
    budget: float | None = None,
    without: tuple[str, ...] = LATE,
    others: int | None = None,
) -> Checked:
    """Compare the source with the target.

    Args:
        ends: The two databases.
        depth: The deepest rung.
        budget: Seconds; what was not reached by then could not be verified.
        without: Kinds of objects that do not count.
        others: Sessions of others at work on the source above which no further statement begins there.

    Raises:
        TargetUnreachable: a side cannot be read (VER005).
    """
    first, second = (open_database(end.dsn(ends.engine)) for end in (ends.source, ends.target))
    try:
        document = Ladder(first, second, Options(depth=depth, budget=budget, source=Limits(others=others))).run()
    except SqlFailed as failed:
        hint = "bring the server back, then repeat; nothing was compared"
        raise TargetUnreachable.one("VER005", f"a database cannot be read: {failed.text}", hint=hint) from failed
    tables = document["tables"]
    objects = [item for item in document["objects"] if item["kind"] not in without]
    bad = [item["table"] for item in tables if item["verdict"] != Verdict.PASS.value]
    bad += [f"{item['kind']} {item['name']}" for item in objects if item["verdict"] != Verdict.PASS.value]
    verdicts = [Verdict(item["verdict"]) for item in [*tables, *objects]]
    forms = [Verdict(item["rungs"][Rung.SCHEMA.value]["verdict"]) for item in tables]
    forms += [Verdict(item["verdict"]) for item in objects]
    # Without a table nothing was compared, so nothing is proven.
    overall = worst(verdicts) if tables else Verdict.UNVERIFIED
    evidence = {
        "verdict": overall.value,
        "depth": depth.value,
        "digest": document["digest"],
        "seconds": document["seconds"],
        "coverage": document["coverage"],
        "not_passed": bad[:_NAMED],
        "not_passed_count": len(bad),
    }
    return Checked(overall, worst(forms) if tables else Verdict.UNVERIFIED, evidence)
