"""JSON Schema of a hub's files, for editors: completion and red lines while typing, from the models themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from govhub.core.files import write_atomic
from govhub.core.quantities import PATTERN as QUANTITY
from govhub.core.settings import content
from govhub.inventory.model.root import HubFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = "https://govhub.io/schemas/hub-file.json"
FILE_NAME = "hub-file.json"
PUBLIC_FILE = 0o644


class _Generator(GenerateJsonSchema):
    """Without titles made from field names: editors would show them in place of the descriptions."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 -- pydantic's signature
        return False

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """What people may write rather than what the model holds in the end: ``cpu: 4`` is a quantity too."""
        inner = super().function_before_schema(schema)
        # Quantities are the only values that models convert; others are only looked at before. A test holds every
        # shipped hub against this.
        if inner.get("type") != "string":
            return inner
        return inner | {"type": ["string", "number"], "pattern": QUANTITY, "exclusiveMinimum": 0}


def hub_schema() -> dict[str, Any]:
    """The schema (draft 2020-12) of one file of a hub folder: any file may hold any section, so none is required."""
    schema = HubFile.model_json_schema(by_alias=True, schema_generator=_Generator, mode="validation")
    schema.pop("required")
    for part in schema["$defs"].values():
        _reason_for_assumed(part)
    for section, declared in schema["properties"].items():
        declared["description"] = _purpose(section)
    head = {"$schema": DIALECT, "$id": ADDRESS, "title": "A file of a govhub hub"}
    return head | {key: value for key, value in schema.items() if key != "title"}


def schema_text() -> str:
    """The schema as it stands in ``inventories/schemas``."""
    return json.dumps(hub_schema(), indent=2, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[Path]:
    """Write all schemas into ``folder``; the files written.

    Raises:
        OSError: nothing was changed.
    """
    path = folder / FILE_NAME
    write_atomic(path, schema_text(), mode=PUBLIC_FILE)
    return [path]


def _reason_for_assumed(part: dict[str, Any]) -> None:
    """The one rule that every author meets: a figure of ours says why."""
    if {"assumed", "reason"} <= part.get("properties", {}).keys():
        part["if"] = {"properties": {"assumed": {"const": True}}, "required": ["assumed"]}
        part["then"] = {"required": ["reason"]}


def _purpose(section: str) -> str:
    """The first line of the docstring of what a section holds."""
    annotation: Any = HubFile.model_fields[section].annotation
    model: type[BaseModel] = next(iter(getattr(annotation, "__args__", ())), annotation)
    return (model.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    write_schemas(content("inventories", "schemas"))
