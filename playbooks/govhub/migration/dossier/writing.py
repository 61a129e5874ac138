"""Writing a dossier: chain, statement, papers, and a manifest with the digest of each file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from govhub.core.canonical import canonical, digest
from govhub.core.errors import InvalidInput
from govhub.core.events import Event
from govhub.core.files import sync_folder, write_atomic
from govhub.migration.dossier.page import page
from govhub.migration.dossier.sheets import sheets
from govhub.migration.dossier.statement import statement
from govhub.migration.dossier.word_file import word_file
from govhub.migration.dossier.words import LANGUAGES

SCHEMA = "govhub.dossier-manifest/1"
CHAIN, STATEMENT, PAGE, MANIFEST = "chain.ndjson", "dossier.json", "dossier.html", "manifest.json"
_MODE = 0o644


def write(folder: Path, hub: str, system: str, events: Sequence[Event], seal: Callable[[str], str]) -> dict[str, Any]:
    """Write everything into a new folder; returns the manifest.

    Args:
        folder: Must not exist.
        hub: The hub's name.
        system: The system's name.
        events: Its whole chain.
        seal: A keyed digest of a text; empty without the key.

    Raises:
        InvalidInput: the folder is there already (DOS011).
    """
    document = statement(hub, system, events)
    files: dict[str, bytes] = {
        CHAIN: "".join(canonical(item.as_dict()) + "\n" for item in events).encode(),
        STATEMENT: statement_text(document).encode(),
        PAGE: page(document, events).encode(),
    }
    for language in LANGUAGES:
        files[f"dossier.{language}.docx"] = word_file(document, events, language)
        files[f"dossier.{language}.xlsx"] = sheets(document, events, language)
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "hub": hub,
        "system": system,
        "events": len(events),
        "last_hash": events[-1].hash,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())},
    }
    manifest = body | {"seal": seal(digest(body))}
    manifest["digest"] = digest(manifest)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        hint = "name a new folder: a dossier is never overwritten"
        raise InvalidInput.one("DOS011", f"{folder} is already there", hint=hint) from error
    for name, data in files.items():
        write_atomic(folder / name, data, mode=_MODE)
    # Last: a folder without it is no dossier, so an export that was killed is never taken for one.
    write_atomic(folder / MANIFEST, manifest_text(manifest), mode=_MODE)
    sync_folder(folder)
    return manifest


def statement_text(document: dict[str, Any]) -> str:
    """The statement as it stands in its file."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def manifest_text(manifest: dict[str, Any]) -> str:
    """The manifest as it stands in its file: there is one way to write it, so that no byte of it is free."""
    return json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
