"""The API as an OpenAPI 3.1 document, made of the table that is served."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from govhub.monitoring.web.access.roles import Audience
from govhub.monitoring.web.endpoints import Endpoint, Parameter
from govhub.monitoring.web.source import SCHEMA

_CONVERTER = re.compile(r"\{(\w+)(?::\w+)?\}")
_ANSWERS = {
    "401": "nobody known asks",
    "403": "this is not for the visitor's role",
    "404": "there is no such place",
}
_REFUSED = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def openapi(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """All endpoints, pages too."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(path_of(endpoint), {})[endpoint.method.lower()] = _operation(endpoint)
    bearer = {"type": "http", "scheme": "bearer", "description": "a token of the server's token file"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "govhub capacity", "version": SCHEMA.rpartition("/")[2], "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {"securitySchemes": {"token": bearer}, "schemas": _SCHEMAS},
    }


def path_of(endpoint: Endpoint) -> str:
    """A path without Starlette's converters."""
    return _CONVERTER.sub(r"{\1}", endpoint.path)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", f"{endpoint.method.lower()}{path_of(endpoint)}").strip("_")
    schema = {"$ref": "#/components/schemas/Document"} if endpoint.media == "application/json" else {}
    content = {endpoint.media: {"schema": schema} if schema else {}}
    answers: dict[str, Any] = {"200": {"description": endpoint.about, "content": content}}
    public = endpoint.audience is Audience.PUBLIC
    if not public:
        answers |= {code: {"description": text, "content": _REFUSED} for code, text in _ANSWERS.items()}
    out: dict[str, Any] = {
        "operationId": name,
        "summary": endpoint.about,
        "description": f"For: {endpoint.audience.value}.",
        "responses": answers,
        "security": [] if public else [{"token": []}],
    }
    if any(item.place == "query" for item in endpoint.parameters):
        answers["400"] = {"description": "a parameter is not what it should be", "content": _REFUSED}
    if endpoint.parameters:
        out["parameters"] = [_parameter(item) for item in endpoint.parameters]
    if endpoint.body:
        out["requestBody"] = {"required": True, "content": {endpoint.body: {}}}
    return out


def _parameter(item: Parameter) -> dict[str, Any]:
    bounds = {"enum": list(item.values) or None, "minimum": item.least, "maximum": None if item.many else item.most}
    schema: dict[str, Any] = {"type": item.kind} | {key: value for key, value in bounds.items() if value is not None}
    if item.many:
        schema = {"type": "array", "items": schema} | ({"maxItems": item.most} if item.most else {})
    return {
        "name": item.name,
        "in": item.place,
        "required": item.required,
        "description": item.about,
        "schema": schema,
    }


_FIGURE = {
    "type": "object",
    "description": "what is used of what there is, and how much of it is known; null is unknown, never zero",
    "required": ["numerator", "denominator", "unit", "ratio", "coverage", "age_seconds"],
    "properties": {
        "numerator": {"type": ["number", "null"]},
        "denominator": {"type": ["number", "null"]},
        "unit": {"type": "string"},
        "ratio": {"type": ["number", "null"]},
        "age_seconds": {"type": ["number", "null"]},
        "at": {"type": "string"},
        "coverage": {
            "type": "object",
            "properties": {
                "known": {"type": "integer"},
                "of": {"type": "integer"},
                "ratio": {"type": ["number", "null"]},
            },
        },
    },
}
_SCHEMAS: dict[str, Any] = {
    "Figure": _FIGURE,
    "Document": {"type": "object", "properties": {"schema": {"type": "string"}, "hub": {"type": "string"}}},
    "Error": {
        "type": "object",
        "required": ["schema", "diagnostics"],
        "properties": {
            "schema": {"const": "govhub.error/1"},
            "diagnostics": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "severity", "summary"],
                    "properties": {
                        "code": {"type": "string"},
                        "severity": {"enum": ["error", "warning", "note"]},
                        "summary": {"type": "string"},
                        "hint": {"type": "string"},
                    },
                },
            },
        },
    },
}
