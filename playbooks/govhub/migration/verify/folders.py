"""Two folders of this machine, by the digests of all their files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from govhub.migration.itinerary.trees import contents, sizes
from govhub.migration.verify.result import SCHEMA, Verdict, sealed

NOT_COVERED = ["modes, owners, times, extended attributes and empty folders"]


def compare_folders(source: Path, target: Path, *, named: int = 100) -> dict[str, Any]:
    """The document ``govhub.verification/1`` of two folders; one that cannot be read could not be verified.

    Args:
        source: The folder that the files come from.
        target: The copy.
        named: Differing paths to name at most.
    """
    started = datetime.now(UTC)
    reasons = [f"{folder} is not there" for folder in (source, target) if not folder.is_dir()]
    try:
        left, right, bytes_of = contents(source), contents(target), sizes(source)
    except OSError as error:
        left, right, bytes_of = {}, {}, {}
        reasons.append(f"a file cannot be read: {error.strerror}: {error.filename}")
    if not left and not reasons:
        reasons.append("the source's folder is empty: there is nothing to verify")
    found = [] if reasons else [_difference(name, left, right) for name in sorted(left.keys() | right.keys())]
    different = [item for item in found if item is not None]
    counts: dict[str, int] = {}
    for item in different:
        counts[item["kind"]] = counts.get(item["kind"], 0) + 1
    verdict = Verdict.DIFFERS if different else Verdict.UNVERIFIED if reasons else Verdict.PASS
    return sealed(
        {
            "schema": SCHEMA,
            "verdict": verdict.value,
            "kind": "files",
            "source": {"listing": str(source), "entries": len(left)},
            "target": {"listing": str(target), "entries": len(right)},
            "started": started.isoformat(timespec="milliseconds"),
            "found": counts,
            "differences": different[:named],
            "reasons": reasons,
            "coverage": {
                "entries": len(left),
                "files": len(left),
                "files_with_digest": len(left),
                "bytes": sum(bytes_of.values()),
            },
            "not_covered": NOT_COVERED,
        }
    )


def _difference(name: str, left: dict[str, str], right: dict[str, str]) -> dict[str, Any] | None:
    if left.get(name) == right.get(name):
        return None
    kind = "missing" if name not in right else "extra" if name not in left else "changed"
    return {"path": name, "kind": kind, "what": ["content"] if kind == "changed" else []}
