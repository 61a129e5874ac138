"""A verification for people: what differs, what could not be verified, then what was covered and the verdict."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr
from govhub.cli.views.text import heading, line, more, row, safe, seconds, table

Document = dict[str, Any]
FEW = 10
STYLES = {"pass": "bold green", "differs": "bold red", "could not verify": "bold yellow"}


def show_verification(console: Console, document: Document, *, verbose: bool = False) -> None:
    """The verdict comes last, where the eye rests."""
    if document.get("kind") == "files":
        _files(console, document, verbose=verbose)
    else:
        _databases(console, document, verbose=verbose)
    for reason in document["reasons"]:
        line(console, f"? {safe(reason)}", style="yellow")
    if document["not_covered"]:
        line(console, f"{tr('Not covered')}: {', '.join(document['not_covered'])}", style="dim")
    verdict = document["verdict"]
    line(console, f"{tr('Verdict')}: {_word(verdict)}", style=STYLES[verdict])
    line(console, f"{tr('Digest')}: {document['digest']}", style="dim")


def show_moves(console: Console, document: Document, *, verbose: bool = False) -> None:
    """A system's moves one after the other, then the verdict on all of them."""
    for item in document["moves"]:
        heading(console, f"{item['move']} ({item['kind']})")
        if item["document"]:
            show_verification(console, item["document"], verbose=verbose)
        for reason in item["reasons"]:
            line(console, f"? {safe(reason)}", style="yellow")
    side = tr("against the frozen source") if document["switched"] else tr("while the source is in use")
    heading(console, f"{document['system']}: {side}")
    verdict = document["verdict"]
    line(console, f"{tr('Verdict')}: {_word(verdict)}", style=STYLES[verdict])
    if document["event"] is not None:
        line(console, f"{tr('entered into the record')}: {tr('event')} {document['event']}")
    if document["voids"]:
        line(console, tr("Approvals that were given before do not hold any more."), style="yellow")


def _databases(console: Console, document: Document, *, verbose: bool) -> None:
    line(console, f"{safe(document['source']['address'])} → {safe(document['target']['address'])}", style="bold")
    for item in document["tables"]:
        if item["verdict"] != "pass":
            _table(console, item, verbose=verbose)
    wrong = [item for item in document["objects"] if item["verdict"] != "pass"]
    if wrong:
        heading(console, tr("Beside the tables"))
    for item in wrong:
        text = f"  {item['kind']} {safe(item['name'])}: {_word(item['verdict'])}: {safe(item['reason'])}"
        line(console, text, style=STYLES[item["verdict"]])
    covered = document["coverage"]
    out = table(tr("Rung"), tr("tables"), tr("rows"), tr("columns"), numbers=(1, 2, 3))
    for name, counts in covered["rungs"].items():
        share = [f"{counts[what]:,} / {covered[what]:,}" for what in ("tables", "rows", "columns")]
        row(out, name, *share)
    heading(console, tr("Covered"))
    console.print(out)
    governor = document["source"]["governor"]
    load = (
        f"{tr('Source')}: {governor['statements_seen']} / {governor['statements_at_most']} {tr('statements at once')}"
    )
    if governor["others_at_most"] is not None:
        seen = tr("hidden") if governor["others_hidden"] else governor["others_seen"]
        load += f"; {tr('others at most')} {seen} / {governor['others_at_most']}; {tr('pauses')} {governor['pauses']}"
    line(console, f"{load}; {seconds(document['seconds'])}")


def _table(console: Console, item: Document, *, verbose: bool) -> None:
    heading(console, safe(item["table"]))
    line(console, f"  {_word(item['verdict'])}", style=STYLES[item["verdict"]])
    for name, step in item["rungs"].items():
        for reason in step["reasons"]:
            line(console, f"  {name}: {safe(reason)}")
    for reason in item["reasons"]:
        line(console, f"  ? {safe(reason)}", style="yellow")
    limit = len(item["differences"]) if verbose else FEW
    for found in item["differences"][:limit]:
        key = ", ".join(f"{safe(name)} = {safe(value)}" for name, value in found["key"].items())
        cells = "; ".join(_cell(cell) for cell in found.get("columns", []))
        counts = found.get("counts")
        cells += f" {counts['source']:,} → {counts['target']:,}" if counts else ""
        line(console, f"    {_word(found['kind'])}: {key}{'  ' + cells if cells else ''}")
    more(console, len(item["differences"]) - limit, "    ")
    if not item["complete"]:
        line(console, f"  {tr('not all differing rows were looked for')}", style="yellow")


def _cell(cell: Document) -> str:
    """One column: both sides of a changed row, one of a row that is only there."""
    sides = [safe(cell[side]) for side in ("source", "target") if side in cell]
    return f"{safe(cell['column'])}: {' → '.join(sides)}"


def _files(console: Console, document: Document, *, verbose: bool) -> None:
    line(console, f"{safe(document['source']['listing'])} → {safe(document['target']['listing'])}", style="bold")
    limit = len(document["differences"]) if verbose else FEW
    for found in document["differences"][:limit]:
        what = f" ({', '.join(found['what'])})" if found["what"] else ""
        line(console, f"  {_word(found['kind'])}: {safe(found['path'])}{what}")
    more(console, sum(document["found"].values()) - min(limit, len(document["differences"])), "  ")
    covered = document["coverage"]
    line(console, f"{tr('Files')}: {covered['files_with_digest']:,} / {covered['files']:,}; {covered['bytes']:,} bytes")


def _word(word: str) -> str:
    words = {
        "pass": tr("pass"),
        "differs": tr("differs"),
        "could not verify": tr("could not verify"),
        "missing": tr("missing on the target"),
        "extra": tr("extra on the target"),
        "changed": tr("changed"),
        "repeated": tr("not as often"),
    }
    return words[word]
