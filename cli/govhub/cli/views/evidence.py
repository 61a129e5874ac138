"""Evidence for people: what was written, and whether it holds."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import line

Document = dict[str, Any]


def show_export(console: Console, document: Document, program: str) -> None:
    """How much was written, its last hash, and how to check it."""
    line(console, f"{document['hub']}: {_records(document['records'])}: {_results(document)}", style="bold")
    line(console, f"{tr('Written')}: {document['file']}")
    line(console, f"{tr('last hash')} {document['last_hash']}")
    if not document["sealed"]:
        line(console, tr("Not sealed: this machine has no key of the hub."), style="yellow")
    line(console, f"{tr('Next')}: {program} evidence verify {document['file']}")


def show_verified(console: Console, document: Document) -> None:
    """Whether it is whole; else the first record that is not."""
    file = document["file"]
    if document["intact"]:
        line(console, f"{file}: {tr('intact')}: {_records(document['records'])}: {_results(document)}", style="green")
        line(console, f"{tr('last hash')} {document['last_hash']}")
        if document["sealed"]:
            line(console, tr("sealed by the hub's key"))
        return
    where = "" if document["first_broken"] is None else f" {tr('at record')} {document['first_broken']:,}"
    line(console, f"{file}: {tr('not intact')}{where}: {document['why']}", style="bold red")


def _records(count: int) -> str:
    return trn("{count} record", "{count} records", count)


def _results(document: Document) -> str:
    words = {"passed": tr("passed"), "failed": tr("failed"), "unverified": tr("not verified")}
    return ", ".join(f"{words[name]} {document['results'].get(name, 0):,}" for name in words)
