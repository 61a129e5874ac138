"""The hubs that ship with govhub take an import without a line of theirs being changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from govhub.core.settings import content
from govhub.inventory.importers import import_table
from govhub.inventory.loader import Hub, hub_names, load
from importing.sheets import DEPARTMENT_HEAD, TODAY


def loaded(folder: Path) -> Hub:
    """The hub, which loads."""
    hub = load(folder).hub
    assert hub is not None
    return hub


# A hub that is there for its racks alone has no departments.
INVENTORIES = content("inventories")
WITH_TENANTS = [name for name in hub_names(INVENTORIES) if (INVENTORIES / name / "tenants.yaml").exists()]


@pytest.mark.parametrize("name", WITH_TENANTS)
def test_an_import_leaves_every_other_line_alone(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(content("inventories", name), tmp_path / name))
    hub = loaded(folder)
    quota = min(hub.model.quota_classes, key=lambda size: float(size.cpu)).name
    first = hub.model.tenants[0]
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(f"{DEPARTMENT_HEAD}\nzz-new,新局,New,{quota}\n{first.name},新名,,\n", encoding="utf-8")
    before = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")}
    result = import_table(hub, sheet, "departments", dry_run=False, today=TODAY)
    assert result.ok, result.all_diagnostics
    old = [line for text in before.values() for line in text.split("\n")]
    new = [line for path in before for line in path.read_text(encoding="utf-8").split("\n")]
    gone = [line for line in old if line not in set(new)]
    # An item that is written on several lines is rendered anew as a whole.
    assert first.title.zh in gone[0]
    assert len(gone) <= 2, gone
    after = loaded(folder).model
    assert after.tenants[1:-1] == hub.model.tenants[1:]
    assert (after.tenants[0].title.zh, after.tenants[-1].name) == ("新名", "zz-new")
    assert after.systems == hub.model.systems
