"""``migrate import``: sources, migrations and their moves from tables."""

from __future__ import annotations

from pathlib import Path

from govhub.inventory.importers import ImportResult, What, kind_of
from govhub.ops.importing import import_table

KINDS: tuple[What, ...] = ("sources", "migrations", "moves")


def import_portfolio(hub: str, file: Path, what: What | None, *, go: bool, partial: bool) -> ImportResult:
    """Import one table into a hub's files; without ``go`` nothing is written.

    Args:
        hub: The hub.
        file: CSV or xlsx.
        what: Which table it is; told by its headings when not given.
        go: Write.
        partial: Import the good rows although others have errors.

    Raises:
        LockHeld: a run works on the hub.
        InvalidInput: the hub or the table cannot be used at all, or it is not clear which table it is (IMP013).
    """
    return import_table(hub, file, what or kind_of(file, KINDS), dry_run=not go, partial=partial)
