"""What-ifs for people: does it fit, what stops it first and where that stands, what goes dark, what changes."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.capacity import resource_word
from govhub.cli.views.plan import fullest, level_cells, level_titles
from govhub.cli.views.text import amount, heading, line, more, row, table
from govhub.core.plan import LevelChange
from govhub.monitoring import words

Document = dict[str, Any]
FEW = 12
STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def show_what_if(console: Console, document: Document, *, verbose: bool = False) -> None:
    """The verdict first; then the loss, the placement, and the limits that change, the fullest first."""
    verdict = tr("fits") if document["fits"] else tr("does not fit")
    line(console, f"{document['hub']}: {verdict}", style="green" if document["fits"] else "bold red")
    if document["lost"]:
        _lost(console, document["lost"], verbose=verbose)
    for found in document["placements"]:
        _placement(console, found, verbose=verbose)
    for item in document["findings"]:
        where = f"{item['source']['file']}:{item['source']['line']}: " if "source" in item else ""
        line(console, f"  {item['severity']}[{item['code']}] {where}{item['summary']}", style=STYLES[item["severity"]])
    _changes(console, document["changes"], verbose=verbose)


def _placement(console: Console, found: Document, *, verbose: bool) -> None:
    machine = found["machine"]
    size = f"{machine['units']} U, {machine['watts']:g} W, {machine['kg']:g} kg, {machine['cords']}×"
    heading(console, f"{tr('Placement of')} {machine['type']} ({size})")
    line(console, f"  {tr('placed')} {found['placed']:,} / {found['wanted']:,} ({found['order']})")
    binding = found["binding"]
    if binding:
        line(console, f"  {tr('the next one is kept out by')}: {_refusal(binding)}", style="yellow")
        _others(console, found["kept_out"][1:], verbose=verbose)
    if found["ran_full"]:
        line(console, f"  {tr('ran full on the way')}:")
        shown = found["ran_full"] if verbose else found["ran_full"][:FEW]
        for item in shown:
            line(console, f"    {tr('after')} {item['placed_before']:,}: {_refusal(item)}")
        more(console, len(found["ran_full"]) - len(shown), "    ")
    if found["unknown"]:
        told = ", ".join(f"{resource_word(name)} ({count:,})" for name, count in found["unknown"].items())
        line(console, f"  {tr('unknown, and so no limit, in racks')}: {told}")
    out = table(tr("Row"), tr("machines"), numbers=(1,))
    shown = found["rows"] if verbose else found["rows"][:FEW]
    for item in shown:
        row(out, item["row"], f"{item['machines']:,}")
    if shown:
        console.print(out)
        more(console, len(found["rows"]) - len(shown))


def _others(console: Console, kept: list[Document], *, verbose: bool) -> None:
    shown = kept if verbose else kept[:FEW]
    for item in shown:
        line(console, f"    {tr('and by')} {_refusal(item)}")
    more(console, len(kept) - len(shown), "    ")


def _refusal(item: Document) -> str:
    parts = [resource_word(item["resource"])]
    if item["at"]:
        parts.append(item["at"] + (f" {item['phase']}" if item["phase"] else ""))
    if item["limit"] is not None:
        parts.append(f"({item['used'] / 1000:,.1f} / {item['limit'] / 1000:,.1f} kW)")
    if item["after_loss_of"]:
        parts.append(f"{tr('after the loss of')} {item['after_loss_of']}")
    if "racks" in item:
        racks = trn("{count} rack", "{count} racks", item["racks"])
        parts.append(f"[{racks}, {tr('the first is')} {item['first_rack']}]")
    if item["source"]:
        parts.append(f"{item['source']['file']}:{item['source']['line']}")
    return " ".join(parts)


def _lost(console: Console, found: Document, *, verbose: bool) -> None:
    heading(console, f"{tr('Loss of')} {', '.join(found['addresses'])}")
    racks = found["racks"]
    dark = trn("{count} rack", "{count} racks", len(racks["dark"]))
    hosts = trn("{count} host", "{count} hosts", len(found["hosts_dark"]))
    line(console, f"  {tr('without power')}: {dark}, {hosts}, {found['watts_dark'] / 1000:,.1f} kW")
    for names in (racks["dark"], found["hosts_dark"], found["tenants"]):
        if names:
            shown = names if verbose else names[:FEW]
            note = f" … {len(names) - len(shown):,}" if len(names) > len(shown) else ""
            line(console, f"    {', '.join(shown)}{note}")
    if racks["partly_dark"]:
        partly = trn("{count} rack", "{count} racks", len(racks["partly_dark"]))
        line(console, f"  {tr('machines with one cord are dark in')} {partly}")
    line(console, f"  {tr('with one side left')}: {trn('{count} rack', '{count} racks', racks['one_side_left'])}")
    for item in found["overloads"]:
        sides = f"{item['before'] / 1000:,.1f} → {item['after'] / 1000:,.1f} / {item['limit'] / 1000:,.1f} kW"
        where = f" {item['source']['file']}:{item['source']['line']}" if item["source"] else ""
        line(console, f"  {tr('overloaded')}: {item['at']} {sides}{where}", style="bold red")
    for item in found["cooling"]:
        left = tr("unknown") if item["left"] is None else f"{item['left'] / 1000:,.1f} kW"
        style = "bold red" if item["exceeded"] else ""
        line(console, f"  {tr('cooling')} {item['hall']}: {item['heat'] / 1000:,.1f} kW {tr('of')} {left}", style=style)
    _pools(console, found["pools"])
    _reached(console, found["reached"], verbose=verbose)
    _network(console, found["network"])


def _pools(console: Console, pools: list[Document]) -> None:
    if not pools:
        return
    out = table(tr("Cluster"), tr("pool"), "", tr("before"), tr("after"), tr("requested"), "", numbers=(3, 4, 5))
    for item in pools:
        cells = (f"{amount(item[name])} {item['unit']}" for name in ("before", "after", "requested"))
        note = tr("below what is requested") if item["below"] else ""
        row(out, item["cluster"], item["pool"] or tr("all"), item["resource"], *cells, note)
    console.print(out)


def _reached(console: Console, reached: list[Document], *, verbose: bool) -> None:
    if not reached:
        return
    out = table(tr("What"), tr("Name"), tr("Department"), tr("state"), tr("by"))
    shown = reached if verbose else reached[:FEW]
    for item in shown:
        row(
            out,
            tr(words.OWNERS[item["kind"]]),
            item["name"],
            item["tenant"],
            tr(words.STATES[item["state"]]),
            item["by"],
        )
    console.print(out)
    more(console, len(reached) - len(shown))


def _network(console: Console, found: Document) -> None:
    for item in found["layers"]:
        if item["left"] < item["devices"] or item["after"] != item["oversubscription"]:
            sides = [
                tr("unknown") if ratio is None else f"{ratio:g} : 1"
                for ratio in (item["oversubscription"], item["after"])
            ]
            told = f"{item['left']:,} / {item['devices']:,}"
            line(console, f"  {item['role']}: {told}, {tr('oversubscription')} {sides[0]} → {sides[1]}")
    if found["cut_off"]:
        line(console, f"  {tr('without a way up')}: {', '.join(found['cut_off'][:FEW])}", style="bold red")
    if found["hosts_cut_off"]:
        hosts = trn("{count} host", "{count} hosts", found["hosts_cut_off"])
        line(console, f"  {tr('with power, without a network')}: {hosts}", style="bold red")
    for item in found["lines"]:
        if item["after_gbps"] != item["before_gbps"]:
            moved = f"{amount(item['before_gbps'])} → {amount(item['after_gbps'])} Gbit/s"
            line(console, f"  {tr('lines')} {item['kind']}: {moved}", style="" if item["after_gbps"] else "bold red")


def _changes(console: Console, changes: list[Document], *, verbose: bool) -> None:
    if not changes:
        return
    heading(console, tr("What it takes, the fullest first"))
    out = table(*level_titles(), numbers=range(2, 7))
    found = fullest(_level(item) for item in changes)
    shown = found if verbose else found[:FEW]
    for item in shown:
        row(out, *level_cells(item))
    console.print(out)
    more(console, len(found) - len(shown))


def _level(item: Document) -> LevelChange:
    sides = (item[name] for name in ("before", "after", "limit"))
    return LevelChange(item["resource"], item["at"], item["unit"], *sides)
