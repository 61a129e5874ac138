"""Where the tools of a run's moves were, as its evidence says."""

from __future__ import annotations

from govhub.migration.record.standing import RunStanding


def movers_of(run: RunStanding) -> dict[str, str]:
    """By move, the mover that its last finished phase names."""
    found: dict[str, str] = {}
    for finished in sorted(run.finished.values(), key=lambda item: item.seq):
        for move, evidence in finished.evidence.items():
            if isinstance(evidence, dict) and isinstance(evidence.get("mover"), str):
                found[move] = evidence["mover"]
    return found
