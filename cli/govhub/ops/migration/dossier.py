"""``migrate dossier export`` and ``migrate dossier verify``."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.core.keys import HubKey
from govhub.core.secrets import Secret
from govhub.core.settings import hub_home
from govhub.inventory.loader import Hub
from govhub.migration.dossier.checking import check
from govhub.migration.dossier.writing import MANIFEST, write
from govhub.ops.load import valid_hub
from govhub.ops.migration.records import migration_of, opened


def export(hub_name: str, system: str, folder: Path) -> dict[str, Any]:
    """Write the dossier of a system into a new folder.

    Raises:
        InvalidInput: nothing is recorded of the system (DOS012, RUN013), or the folder is there (DOS011).
        GovhubError: the record is broken (REC004): no papers are made of it.
    """
    hub, _ = valid_hub(hub_name)
    with opened(hub.name) as record:
        events = record.events(system)
    if not events:
        migration_of(hub, system)
        hint = "`migrate run` writes the record; there is nothing to hand in before"
        raise InvalidInput.one("DOS012", f"nothing is recorded of {system}", hint=hint)
    manifest = write(folder, hub.name, system, events, lambda text: _seal(hub, text))
    return {
        "schema": "govhub.dossier-export/1",
        "hub": hub.name,
        "system": system,
        "folder": str(folder),
        "files": [*manifest["files"], MANIFEST],
        "events": len(events),
        "last_hash": manifest["last_hash"],
        "sealed": bool(manifest["seal"]),
    }


def verify(folder: Path, hub_name: str | None = None) -> dict[str, Any]:
    """Check a dossier; with a hub, its seal too.

    Raises:
        InvalidInput: the folder holds no dossier (DOS001).
    """
    document = check(folder)
    if hub_name:
        hub, _ = valid_hub(hub_name)
        wanted = _seal(hub, str(document["sealed_digest"]))
        document["sealed"] = bool(wanted) and hmac.compare_digest(wanted, str(document["seal"]))
        if not document["sealed"]:
            document["intact"] = False
            document["problems"].append(_unsealed(hub.name))
    return document


def _unsealed(hub: str) -> dict[str, Any]:
    hint = "check it on the machine that holds the hub's key"
    error = InvalidInput.one("DOS013", f"the seal is not that of the key of {hub}", hint=hint, address=MANIFEST)
    return error.diagnostics[0].as_dict()


def _seal(hub: Hub, text: str) -> str:
    return HubKey(hub_home(hub.name), hub.folder).fingerprint(Secret(text))
