"""Checking a dossier with nothing but its folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from govhub.core.canonical import canonical, digest
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.errors import InvalidInput
from govhub.core.events import Event, broken_link
from govhub.migration.dossier.proof import gates, signatures, trial
from govhub.migration.dossier.statement import statement
from govhub.migration.dossier.writing import CHAIN, MANIFEST, SCHEMA, STATEMENT, manifest_text, statement_text

_AGAIN = "ask for the dossier again, and keep this one for the examination"


def check(folder: Path) -> dict[str, Any]:
    """Everything that is wrong with a dossier, each with the file that it is about.

    Raises:
        InvalidInput: the folder holds no dossier (DOS001).
        ToolMissing: signatures cannot be checked, so nothing is said to be whole (APR013).
    """
    manifest = _manifest(folder)
    problems = [*_about_manifest(folder, manifest), *_about_files(folder, manifest)]
    events, broken = _chain(folder)
    signed = 0
    if broken is not None:
        problems.append(_wrong("DOS006", f"{CHAIN}: the chain is broken at event {broken}", CHAIN))
    elif not events or (len(events), events[-1].hash) != (manifest.get("events"), manifest.get("last_hash")):
        problems.append(_wrong("DOS006", f"{CHAIN}: events were cut off or added", CHAIN))
    else:
        problems += _about_content(folder, manifest, events)
        signed = sum(item.kind == "approval-given" for item in events)
    return {
        "schema": "govhub.dossier-verify/1",
        "folder": str(folder),
        "hub": manifest.get("hub"),
        "system": manifest.get("system"),
        "intact": not problems,
        "events": len(events),
        "signatures": signed,
        "last_hash": events[-1].hash if events and broken is None else None,
        "seal": manifest.get("seal"),
        "sealed_digest": digest({key: value for key, value in manifest.items() if key not in ("seal", "digest")}),
        "sealed": None,
        "problems": [item.as_dict() for item in problems],
    }


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "give the folder that `migrate dossier export` wrote"
        raise InvalidInput.one("DOS001", f"{folder} holds no dossier: {MANIFEST} is missing", hint=hint) from error
    except (ValueError, OSError):
        return {}
    return found if isinstance(found, dict) else {}


def _about_manifest(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Diagnostic]:
    body = {key: value for key, value in manifest.items() if key != "digest"}
    text = (folder / MANIFEST).read_bytes()
    if (
        manifest.get("schema") != SCHEMA
        or manifest.get("digest") != digest(body)
        or text != manifest_text(dict(manifest)).encode()
    ):
        yield _wrong("DOS002", f"{MANIFEST} was changed", MANIFEST)


def _about_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Diagnostic]:
    wanted = manifest.get("files")
    if not isinstance(wanted, dict):
        return
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    for name in sorted(wanted):
        if name not in there:
            yield _wrong("DOS005", f"{name} is missing", name)
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != wanted[name]:
            yield _wrong("DOS003", f"{name} was changed", name)
    for name in sorted(there - set(wanted) - {MANIFEST}):
        yield _wrong("DOS004", f"{name} does not belong to the dossier", name)


def _chain(folder: Path) -> tuple[list[Event], int | None]:
    """The events, and the first that is broken."""
    raw: list[dict[str, Any]] = []
    try:
        for line in (folder / CHAIN).read_text(encoding="utf-8").splitlines():
            raw.append(json.loads(line))
            if canonical(raw[-1]) != line:
                return [], len(raw) - 1
    except (OSError, ValueError):
        return [], len(raw)
    broken = broken_link(raw)
    return ([Event(**item) for item in raw], None) if broken is None else ([], broken)


def _about_content(folder: Path, manifest: Mapping[str, Any], events: Sequence[Event]) -> Iterator[Diagnostic]:
    hub, system = str(manifest.get("hub")), str(manifest.get("system"))
    try:
        derived = statement_text(statement(hub, system, events))
        if (folder / STATEMENT).read_text(encoding="utf-8") != derived:
            yield _wrong("DOS008", f"{STATEMENT} does not say what the chain says", STATEMENT)
        problems = [*signatures(hub, system, events), *gates(system, events), *trial(events)]
    except (OSError, KeyError, ValueError, TypeError) as error:
        yield _wrong("DOS008", f"{CHAIN} cannot be followed: {type(error).__name__} {error}", CHAIN)
        return
    for code, text in problems:
        yield _wrong(code, f"{CHAIN}: {text}", CHAIN)


def _wrong(code: str, summary: str, file: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, summary=summary, address=file, hint=_AGAIN)
