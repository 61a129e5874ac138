"""Generations in a hub's files, each raised by one: the number changes, or the key that is missing is put in."""

from __future__ import annotations

from govhub.inventory.editing.meaning import ItemEdit
from govhub.inventory.editing.tree import Layout
from govhub.inventory.editing.trial import Edits
from govhub.inventory.loader import Hub
from govhub.inventory.model.baseline import Baseline
from govhub.inventory.model.common import Assumable
from govhub.inventory.model.databases import Database

DATABASES = Layout(
    section="databases",
    file="databases.yaml",
    order=tuple(key for key in Database.model_fields if key not in Assumable.model_fields),
    in_place=True,
)


def raised(hub: Hub, *, certificates: bool, databases: tuple[str, ...]) -> Edits:
    """The edits that raise the generation of the certificates, and of databases by name."""
    edits: dict[Layout, list[ItemEdit]] = {}
    if certificates:
        number = hub.model.baseline.certificates.generation + 1
        edits[_baseline(hub)] = [ItemEdit(changes={("certificates", "generation"): number})]
    positions = {database.name: at for at, database in enumerate(hub.model.databases)}
    if databases:
        edits[DATABASES] = [
            ItemEdit(
                item=positions[name],
                changes={("generation",): hub.model.databases[positions[name]].generation + 1},
            )
            for name in databases
        ]
    return edits


def _baseline(hub: Hub) -> Layout:
    """The section is written beside the hub's name when it is not there yet."""
    return Layout(
        section="baseline",
        file=hub.tree.files["hub"].removeprefix(f"{hub.folder.name}/"),
        order=tuple(key for key in Baseline.model_fields if key not in Assumable.model_fields),
        one_line=("certificates",),
        in_place=True,
    )
