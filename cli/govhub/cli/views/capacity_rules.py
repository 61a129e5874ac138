"""What was written for Prometheus, Alertmanager and Grafana."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import line


def show_files(console: Console, document: dict[str, Any]) -> None:
    """Each file that was written, and how many were as they should be."""
    states = Counter(item["state"] for item in document["files"])
    line(console, f"{document['hub']} → {document['folder']}", style="bold")
    for item in document["files"]:
        if item["state"] != "unchanged":
            state = tr("written") if item["state"] == "new" else tr("replaced")
            line(console, f"  {state}  {item['path']}")
    if states["unchanged"]:
        line(
            console, trn("{count} file is as it should be", "{count} files are as they should be", states["unchanged"])
        )
