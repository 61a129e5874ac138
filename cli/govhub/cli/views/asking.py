"""A command on many hosts for people: what would be done, or who answered what."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import heading, line, more, safe, seconds

Document = dict[str, Any]
LINES = 20
NAMES = 8


def show_run(console: Console, document: Document, *, verbose: bool = False) -> None:
    """Equal answers together, with the hosts that gave them; then who did not answer."""
    names = [item["host"] for item in document["hosts"]]
    count = trn("{count} host", "{count} hosts", len(names))
    who = tr("as root") if document["sudo"] else tr("as the login account")
    if document["dry_run"]:
        line(console, f"{document['hub']}: {tr('would run on')} {count}, {who}:", style="bold")
        line(console, f"  {document['command']}")
        limit = len(names) if verbose else LINES
        for item in document["hosts"][:limit]:
            line(console, f"  {safe(item['host'])}  {safe(item['user'])}@{safe(item['address'])}", style="dim")
        more(console, len(names) - limit, "  ")
        line(console, tr("Nothing was done; --go does it."))
        return
    for group in document["groups"]:
        _group(console, group, verbose=verbose)
    for item in document["problems"]:
        line(console, f"error[{item['code']}] {item['summary']}", style="bold red")
        line(console, f"  {tr('hint')}: {item['hint']}", style="dim")
    summary = document["summary"]
    words = {"done": tr("done"), "failed": tr("failed"), "not_answered": tr("not answered")}
    text = ", ".join(f"{words[name]} {summary[name]:,}" for name in words if summary[name])
    line(console, f"\n{document['hub']}: {text}; {seconds(document['seconds'])}", style="bold")
    line(console, f"{tr('Run folder')}: {document['folder']}")


def _group(console: Console, group: Document, *, verbose: bool) -> None:
    names = group["hosts"]
    shown = ", ".join(names if verbose else names[:NAMES])
    rest = f" … {len(names)}" if len(names) > NAMES and not verbose else ""
    words = {
        "done": tr("done"),
        "failed": f"{tr('failed')} ({group['exit']})",
        "too long": tr("took too long"),
        "refused": tr("refused"),
    }
    heading(console, f"{shown}{rest}: {words[group['status']]}")
    lines = group["output"].splitlines()
    limit = len(lines) if verbose else LINES
    for text in lines[:limit]:
        line(console, f"  {text}")
    more(console, len(lines) - limit, "  ")
