"""Loading: from a hub's name to a checked hub, or to all of its diagnostics."""

from __future__ import annotations

from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import InvalidInput
from govhub.core.settings import inventories, today
from govhub.inventory.checks import check_hub
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
    """
    return _valid(*read_hub(name))


def valid_folder(folder: Path) -> tuple[Hub, list[Diagnostic]]:
    """The same for a folder."""
    return _valid(*read_folder(folder))


def _valid(hub: Hub | None, found: list[Diagnostic]) -> tuple[Hub, list[Diagnostic]]:
    if hub is None or any(item.severity is Severity.ERROR for item in found):
        raise InvalidInput(found)
    return hub, found
