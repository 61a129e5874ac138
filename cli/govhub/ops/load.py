"""Loading: from a hub's name to a checked hub, or to all of its diagnostics."""

from __future__ import annotations

from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import InvalidInput, PolicyViolation
from govhub.core.settings import inventories, today
from govhub.inventory.checks import check_hub
from govhub.inventory.limits import only_fitting
from govhub.inventory.loader import Hub, find_hub, load

# A file that was refused as a whole leaves its names unknown: checking references then would only bury the cause.
_FILE_REFUSED = ("YAML", "HUB003", "HUB004", "HUB007")


def read_hub(name: str) -> tuple[Hub | None, list[Diagnostic]]:
    """The hub, as far as it could be read, and everything that is wrong with it.

    Raises:
        InvalidInput: there is no such hub.
    """
    return read_folder(find_hub(name, inventories()))


def read_folder(folder: Path) -> tuple[Hub | None, list[Diagnostic]]:
    """The same for a folder."""
    loaded = load(folder)
    found = list(loaded.problems)
    refused = any(item.code.startswith(_FILE_REFUSED) and item.severity is Severity.ERROR for item in found)
    if loaded.hub and not refused:
        found += check_hub(loaded.hub, today())
    return loaded.hub, sorted(found, key=Diagnostic.sort_key)


def valid_hub(name: str) -> tuple[Hub, list[Diagnostic]]:
    """A hub without errors, and its warnings.

    Raises:
        InvalidInput: with all diagnostics, when there is any error.
        PolicyViolation: when the only errors are that something does not fit.
    """
    return valid(*read_hub(name))


def valid(hub: Hub | None, found: list[Diagnostic]) -> tuple[Hub, list[Diagnostic]]:
    """What was read, if it has no errors.

    Raises:
        InvalidInput, PolicyViolation: as ``valid_hub``.
    """
    errors = [item for item in found if item.severity is Severity.ERROR]
    if hub is None or errors:
        # What does not fit is no mistake of form: pipelines tell the two apart by the exit code.
        raise PolicyViolation(found) if only_fitting(errors) else InvalidInput(found)
    return hub, found
