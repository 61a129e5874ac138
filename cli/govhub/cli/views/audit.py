"""An audit for people: by finding, which hosts; then what could not be verified, and what no check speaks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.text import Text

from govhub.cli.i18n import language, tr, trn
from govhub.cli.views.facts import show_unread
from govhub.cli.views.text import heading, line, more, safe

Document = dict[str, Any]
FEW = 5
STYLES = {"failed": ("✗", "red"), "unverified": ("?", "yellow")}


def show_audit(console: Console, document: Document, program: str, *, verbose: bool = False) -> None:
    """Findings first; a host that could not be read is never among the good ones."""
    for result, title in (("failed", tr("Findings")), ("unverified", tr("Could not be verified"))):
        found = [item for item in document["findings"] if item["result"] == result]
        if found:
            heading(console, title)
        for item in found:
            _finding(console, item, verbose=verbose)
    if document["not_covered"]:
        heading(console, tr("Not covered by checks; to be shown by people"))
        for item in document["not_covered"]:
            line(console, f"  {item['control']}  {in_language(item['title'])}", style="dim")
    show_unread(console, document)
    counts = document["summary"]
    words = {"passed": tr("passed"), "failed": tr("failed"), "unverified": tr("not verified")}
    text = ", ".join(f"{words[name]} {counts[name]:,}" for name in words)
    style = "bold red" if counts["failed"] else "bold yellow" if counts["unverified"] else "bold green"
    line(console, f"{document['standard']}: {text}", style=style)
    line(console, f"{tr('Audit')} {document['audit']}")
    if counts["failed"]:
        # `drift` notes which hosts differ; `up` then goes to those.
        hub = document["hub"]
        line(console, f"{tr('To put it right')}: {program} drift {hub}; {program} up {hub} --layer hosts")


def in_language(title: Document) -> str:
    """A title of the catalogue in the language in use."""
    return safe(title[language()])


def _finding(console: Console, item: Document, *, verbose: bool) -> None:
    sign, style = STYLES[item["result"]]
    count = trn("{count} host", "{count} hosts", len(item["hosts"]))
    head = Text("  ")
    head.append(f"{sign} {safe(item['check'])}", style=style)
    head.append(f"  {in_language(item['title'])}  ({', '.join(item['controls'])}; {count})")
    line(console, head)
    groups = list(_grouped(item["hosts"]))
    limit = len(groups) if verbose else FEW
    for names, texts in groups[:limit]:
        line(console, f"      {safe(names)}: {'; '.join(map(safe, texts))}")
    more(console, len(groups) - limit, "      ")


def _grouped(hosts: Document) -> Iterator[tuple[str, list[str]]]:
    """Hosts of which the same is said, together."""
    found: dict[tuple[str, ...], list[str]] = {}
    for name, texts in hosts.items():
        found.setdefault(tuple(texts), []).append(name)
    for texts, names in found.items():
        yield ", ".join(names), list(texts)
