"""Files that are made from a hub for other programs: written whole, beside what others keep there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from govhub.core.errors import InvalidInput
from govhub.core.files import write_atomic
from govhub.monitoring.rules.files import MARK

READABLE = 0o644
"""Prometheus, Grafana and Alertmanager run as users of their own."""
PRIVATE = 0o600
SECRET = frozenset({"alertmanager.yml"})
"""Addresses of receivers often hold a token."""


def write_files(folder: Path, files: Mapping[str, str]) -> list[dict[str, str]]:
    """Write ``files`` by their path under ``folder``; what is there already as it should be is left alone.

    Nothing is ever deleted, and nothing that somebody else wrote is replaced.

    Raises:
        InvalidInput: a file of another origin stands where one of ours belongs; nothing was written.
        OSError: the folder cannot be written.
    """
    states = {path: _state(folder / path, text) for path, text in files.items()}
    foreign = [path for path, state in states.items() if state == "foreign"]
    if foreign:
        raise InvalidInput.one(
            "RUL001",
            f"{folder / foreign[0]} was not made by govhub, and is not replaced",
            hint="choose another folder for --out, or move that file away",
        )
    for path, state in states.items():
        if state != "unchanged":
            write_atomic(folder / path, files[path], mode=PRIVATE if path in SECRET else READABLE)
    return [{"path": path, "state": state} for path, state in states.items()]


def _state(path: Path, text: str) -> str:
    if not path.exists():
        return "new"
    found = path.read_text(encoding="utf-8", errors="replace")
    if found == text:
        return "unchanged"
    return "changed" if MARK in found else "foreign"
