"""Sources of migrations in a hub's files: one whose systems are all on the cloud gives back what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from govhub.inventory.editing.meaning import ItemEdit, ItemPath
from govhub.inventory.editing.tree import REMOVE, Layout
from govhub.inventory.loader import Hub
from govhub.inventory.model.migration import Source

ORDER = tuple(Source.model_fields)
SOURCES = Layout(section="sources", file="migration.yaml", order=ORDER)
HELD = ("address", "lab", "rack")
"""What a source that is gone does not have any more; its name and department stay, for migrations name it."""


def gone(hub: Hub, names: Iterable[str], day: date) -> list[ItemEdit]:
    """Note that sources left on ``day``, and take away what they held."""
    positions = {item.name: index for index, item in enumerate(hub.model.sources)}
    edits = []
    for name in names:
        written = hub.model.sources[positions[name]].model_fields_set
        changes: dict[ItemPath, Any] = {(key,): REMOVE for key in HELD if key in written}
        # As text: that is what the reader of hub files makes of a date.
        edits.append(ItemEdit(item=positions[name], changes={("retired",): day.isoformat(), **changes}))
    return edits
