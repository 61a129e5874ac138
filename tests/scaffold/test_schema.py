"""The JSON Schema for editors says what the models say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from govhub.core.quantities import PATTERN
from govhub.core.settings import content
from govhub.inventory.model.root import HubFile
from govhub.inventory.schema import FILE_NAME, hub_schema, write_schemas


def parts(node: Any) -> list[dict[str, Any]]:
    """All mappings of the schema."""
    if isinstance(node, dict):
        return [node, *(inner for value in node.values() for inner in parts(value))]
    return [inner for value in node for inner in parts(value)] if isinstance(node, list) else []


def test_the_shipped_schema_is_that_of_the_models(tmp_path: Path) -> None:
    (path,) = write_schemas(tmp_path)
    shipped = content("inventories", "schemas", FILE_NAME)
    up_to_date = shipped.read_bytes() == path.read_bytes()
    assert up_to_date, "the models have changed; run: python -m govhub.inventory.schema"
    assert path.stat().st_mode & 0o777 == 0o644
    assert json.loads(path.read_text(encoding="utf-8")) == hub_schema()


def test_a_file_may_hold_any_section_and_no_unknown_one() -> None:
    schema = hub_schema()
    assert "required" not in schema
    assert schema["additionalProperties"] is False
    assert list(schema["properties"]) == list(HubFile.model_fields)
    assert all(section["description"] for section in schema["properties"].values())


def test_every_reference_leads_somewhere_and_every_pattern_compiles() -> None:
    schema = hub_schema()
    for part in parts(schema):
        if isinstance(reference := part.get("$ref"), str):
            assert reference.removeprefix("#/$defs/") in schema["$defs"]
        if isinstance(pattern := part.get("pattern"), str):
            re.compile(pattern)


def test_a_quantity_may_be_written_as_a_number() -> None:
    definitions = hub_schema()["$defs"]
    expected = {"type": ["string", "number"], "pattern": PATTERN, "exclusiveMinimum": 0}
    for part, key in (("Workload", "cpu"), ("QuotaClass", "storage"), ("Hosts", "memory")):
        assert expected.items() <= definitions[part]["properties"][key].items()


def test_an_assumed_figure_asks_for_its_reason() -> None:
    definitions = hub_schema()["$defs"]
    assert definitions["Tenant"]["then"] == {"required": ["reason"]}
    assert "then" not in definitions["Flow"]
    assert definitions["Tenant"]["properties"]["quota"]["description"] == "A quota class."
