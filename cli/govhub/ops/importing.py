"""``import``: parts of a hub from CSV and Excel tables."""

from __future__ import annotations

from pathlib import Path

from govhub.engine.lease import HubLock
from govhub.engine.state import State
from govhub.inventory.importers import ImportResult, What
from govhub.inventory.importers import import_table as run_import
from govhub.ops.load import valid_hub
from govhub.ops.reach import state_bucket


def import_table(hub: str, file: Path, what: What, *, dry_run: bool, partial: bool) -> ImportResult:
    """Import one table into a hub's files.

    Raises:
        LockHeld: a run works on the hub.
        InvalidInput: the hub or the table cannot be used at all; problems of rows are in the result.
    """
    loaded, _ = valid_hub(hub)
    with HubLock(State(loaded.model.hub.name, state_bucket(loaded)), "import", f"import {what}"):
        return run_import(loaded, file, what, dry_run=dry_run, partial=partial)
