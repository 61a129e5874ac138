"""What rules and dashboards rely on is what the exporter promises."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest

from govhub.monitoring.rules.contract import FAMILIES, FORECAST, HEALTH, INVENTORY, METERS, Kind

CATALOGUE = "govhub.monitoring.metrics.catalogue"


def promised() -> dict[str, Any]:
    try:
        found = importlib.util.find_spec(CATALOGUE)
    except ModuleNotFoundError:
        found = None
    if found is None:
        pytest.skip("this tree has no exporter")
    return dict(importlib.import_module(CATALOGUE).FAMILIES)


def test_the_exporter_has_every_family_with_the_same_labels() -> None:
    catalogue = promised()

    assert set(INVENTORY | FORECAST | HEALTH) == set(catalogue)
    for name, family in (INVENTORY | FORECAST).items():
        assert set(family.labels) - {"hub"} == set(catalogue[name].labels), name


def test_counters_are_named_so_and_every_family_knows_its_hub() -> None:
    for name, family in FAMILIES.items():
        assert (family.kind is Kind.COUNTER) == name.endswith("_total"), name
    for name, family in (INVENTORY | FORECAST | HEALTH | METERS).items():
        assert family.labels[0] == "hub", name
