"""What pydantic finds in a file, as diagnostics with a position, in words for people who write such files."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from govhub.core.diagnostics import Diagnostics, SourceRange
from govhub.core.text import and_more, did_you_mean
from govhub.inventory.located import Located, locate


def collect(error: ValidationError, tree: Located, problems: Diagnostics, model: type[BaseModel]) -> None:
    """INV001 to INV004 for everything in ``tree`` that ``model`` refused."""
    for item in error.errors(include_url=False, include_context=True):
        path = tuple(item["loc"])
        code, summary, hint = _explain(item, model)
        problems.error(
            code,
            summary,
            address=".".join(map(str, path)),
            source=locate(tree, path) or SourceRange(getattr(tree, "file", "") or "hub.yaml"),
            hint=hint,
        )


def _explain(item: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, str]:
    """Code, summary and hint for one of pydantic's findings."""
    path, kind = tuple(item["loc"]), item["type"]
    last = str(path[-1]) if path else "the file"
    if kind == "extra_forbidden":
        known = _known_keys(path, model)
        listing = f"known keys: {and_more(sorted(known), 30)}" if known else ""
        return "INV001", f'unknown key "{last[:60]}"', did_you_mean(last, known) or listing
    if kind == "missing":
        return "INV002", f'the key "{last}" is missing', _purpose(path, model)
    shown = _shown(item.get("input"))
    message = item["msg"].removeprefix("Value error, ")
    if kind == "string_pattern_mismatch":
        hint = _purpose(path, model)
        if "name" in last:
            hint = "use lower-case letters, digits and hyphens, starting and ending with a letter or digit (RFC 1123)"
        return "INV003", f"{last}: {shown} does not have the right form", hint or f"it must match {_pattern(item)}"
    return "INV004", f"{last}: {message}" + (f" (found {shown})" if shown else ""), _purpose(path, model)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    return f'"{text[:57]}..."' if len(text) > 60 else f'"{text}"'


def _pattern(item: ErrorDetails) -> str:
    return str(item.get("ctx", {}).get("pattern", ""))


def _model_at(path: tuple[str | int, ...], model: type[BaseModel]) -> Any:
    """The model class that holds ``path``'s last step."""
    current: Any = model
    for step in path[:-1]:
        if isinstance(step, int):
            continue
        fields = getattr(current, "model_fields", {})
        by_alias = {(info.alias or name): info for name, info in fields.items()}
        if step not in by_alias:
            return None
        current = _inner_model(by_alias[step].annotation)
    return current


def _inner_model(annotation: Any) -> Any:
    if hasattr(annotation, "model_fields"):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _inner_model(part):
            return found
    return None


def _known_keys(path: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    part = _model_at(path, model)
    return [info.alias or name for name, info in part.model_fields.items()] if part else []


def _purpose(path: tuple[str | int, ...], model: type[BaseModel]) -> str:
    part = _model_at(path, model)
    if not part or not path:
        return ""
    for name, info in part.model_fields.items():
        if (info.alias or name) == path[-1]:
            return info.description or ""
    return ""
