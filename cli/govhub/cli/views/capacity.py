"""Capacity for people: what binds first, and figures that say how much of them is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import amount, heading, line, more, row, safe, table
from govhub.monitoring import words

Document = dict[str, Any]
FEW = 20
NARROW = 100


def show_capacity(console: Console, document: Document, *, verbose: bool = False) -> None:
    """Halls with what binds them first, then the place's figures, pools, departments, powers and the ledger."""
    line(console, f"{document['hub']} {document['place']}".strip(), style="bold")
    _live(console, document)
    _halls(console, document)
    heading(console, tr("Figures"))
    console.print(_figures(document["figures"]))
    if len(document["halls"]) == 1:
        heading(console, tr("Power tree after the worst single loss, and cooling"))
        own = {key: value for key, value in document["halls"][0]["figures"].items() if key not in document["figures"]}
        console.print(_figures(own))
    for cause, watts in document["stranded_by"].items():
        line(
            console,
            f"{tr('Stranded')}: {watts / 1000:,.1f} kW, {tr('bound by')} {resource_word(cause)}",
            style="yellow",
        )
    if "pools" in document:
        _pools(console, document["pools"])
        _departments(console, document["departments"], verbose=verbose)
        _powers(console, document["powers"])
        _network(console, document["network"])
        _links(console, document["links"])
    _ledger(console, document["ledger"])


def show_racks(console: Console, document: Document, *, verbose: bool = False) -> None:
    """One line a rack; narrow terminals show units, power and room alone."""
    found = document["racks"]
    wide = console.width >= NARROW
    columns: dict[str, Callable[[Document], str]] = {
        tr("Rack"): lambda item: str(item["rack"]),
        tr("machines"): lambda item: _number(item["machines"]),
        "U": lambda item: _of(item["units_used"], item["units"]),
        tr("gap"): lambda item: _number(item["gap"]),
        "kg": lambda item: _of(item["kg"], item["max_kg"]),
        "kW": lambda item: _of(item["watts"], item["rated_watts"], 1000),
        tr("measured, kW"): lambda item: _number(item["measured_watts"], 1000),
        tr("feed A after loss, kW"): lambda item: _of(item["feed_a_watts"], item["feed_a_limit"], 1000),
        tr("feed B after loss, kW"): lambda item: _of(item["feed_b_watts"], item["feed_b_limit"], 1000),
        tr("servers that fit"): lambda item: _number(item["servers"]),
        tr("bound by"): lambda item: resource_word(item["binding"]),
    }
    kept = list(columns) if wide else [name for place, name in enumerate(columns) if place in (0, 2, 5, 9, 10)]
    out = table(*kept, numbers=range(1, len(kept) - 1))
    shown = found if verbose else found[:FEW]
    for item in shown:
        row(out, *(columns[name](item) for name in kept))
    console.print(out)
    more(console, len(found) - len(shown))
    line(console, trn("{count} rack", "{count} racks", len(found)))
    _live(console, document)


def _live(console: Console, document: Document) -> None:
    """Who was asked, and what of the answers is not believed."""
    live = document.get("live")
    if live is None:
        return
    asked = [live["prometheus"] or tr("no Prometheus"), *live["clusters"]]
    line(console, f"{tr('Measured by')}: {', '.join(asked)}")
    for problem in live["problems"]:
        line(console, f"! {safe(problem)}", style="yellow")


def _halls(console: Console, document: Document) -> None:
    server = document["server"]
    size = f"{server['units']} U, {server['watts']:g} W, {server['kg']:g} kg"
    heading(console, f"{tr('What binds each hall first')} ({tr('servers of')} {size})")
    wide = console.width >= NARROW
    titles = [tr("Hall"), tr("grade"), tr("bound by"), tr("servers that fit")]
    titles += [tr("power allocated"), tr("cooling, units lost"), tr("known parts")] if wide else [tr("known parts")]
    out = table(*titles, numbers=range(3, len(titles)))
    for hall in document["halls"]:
        binds = hall["binding"]
        cells = [hall["hall"], hall["tier"]]
        cells += (
            [resource_word(binds["resource"]), _number(binds["servers"])] if binds else [tr("unknown"), tr("unknown")]
        )
        if wide:
            cells += [_ratio(hall["figures"][key]) for key in ("power.allocated", "cooling")]
        fits = binds["fits"] if binds else {}
        known = sum(value is not None for value in fits.values())
        row(out, *cells, f"{known} / {len(fits)}")
    console.print(out)
    if any(hall["binding"] and None in hall["binding"]["fits"].values() for hall in document["halls"]):
        line(console, tr("Known: of how many resources the room is known; one that is unknown may bind earlier."))


def _figures(figures: Document) -> object:
    out = table(tr("Figure"), tr("in use"), tr("of all"), "", "%", tr("known parts"), numbers=(1, 2, 4, 5))
    for name, item in figures.items():
        scale, unit = (1000, "kW") if item["unit"] == "W" else (1, item["unit"])
        cells = [_number(item["numerator"], scale), _number(item["denominator"], scale)]
        at = f" ({item['at']})" if item.get("at") else ""
        age = "" if item["age_seconds"] is None else f" ({tr('seconds old')}: {item['age_seconds']:.0f})"
        row(out, f"{title_of(name)}{at}{age}", *cells, unit, _ratio(item), _coverage(item))
    return out


def _pools(console: Console, pools: list[Document]) -> None:
    if not pools:
        return
    heading(console, tr("Requests against pools without their worst rack"))
    titles = (tr("Cluster"), tr("pool"), tr("nodes"), tr("requested cores"), tr("left"), "%", tr("rack lost"))
    wide = console.width >= NARROW
    more_titles = ("GiB", "%", tr("cards"), "%") if wide else ()
    out = table(*titles, *more_titles, numbers=(2, 3, 4, 5, 7, 8, 9, 10))
    for item in pools:
        cores = item["cores"]
        pool = f"{item['pool']} {item['arch']}" if item["pool"] else tr("all")
        cells = (_number(cores["numerator"]), _number(cores["denominator"]), _ratio(cores), cores.get("at", ""))
        rest: list[str] = []
        for resource in ("memory", "accelerators") if wide else ():
            figure = item.get(resource)
            rest += [_of(figure["numerator"], figure["denominator"]), _ratio(figure)] if figure else ["", ""]
        row(out, item["cluster"], pool, _number(item["nodes"]), *cells, *rest)
    console.print(out)


def _departments(console: Console, departments: list[Document], *, verbose: bool) -> None:
    if not departments:
        return
    heading(console, tr("Departments: quota, requests, usage, watts"))
    found = sorted(departments, key=lambda item: -(item["requests"]["ratio"] or 0))
    out = table(tr("Department"), tr("quota, cores"), tr("requested"), "%", tr("in use"), "W", numbers=(1, 2, 3, 4, 5))
    for item in found if verbose else found[:FEW]:
        asked, used = item["requests"], item["usage"]
        cells = (_number(item["quota_cores"]), _number(asked["numerator"]), _ratio(asked), _number(used["numerator"]))
        row(out, item["tenant"], *cells, _number(item["watts"]))
    console.print(out)
    more(console, 0 if verbose else len(found) - FEW)


def _powers(console: Console, powers: Document) -> None:
    heading(console, tr("Storage, compute and network power"))
    storage = powers["storage"]
    told = tr("unknown") if storage["bytes"] is None else f"{storage['bytes'] / 2**50:,.2f} PiB {tr('raw')}"
    line(console, f"  {tr('storage')}: {told} ({tr('known parts')} {storage['known']} / {storage['of']})")
    for arch, cores in powers["cores"].items():
        line(console, f"  {tr('cores')} {arch}: {amount(cores)}")
    for item in powers["accelerators"]:
        peak = item["tflops_fp16"]
        flops = tr("unknown") if peak is None else amount(peak)
        line(
            console,
            f"  {item['kind']}: {item['cards']:,} {tr('cards')}, {flops} TFLOPS FP16 "
            f"({tr('known parts')} {item['known']} / {item['cards']})",
        )
    for kind, gbps in powers["network_gbps"].items():
        line(console, f"  {tr(words.CIRCUITS[kind])}: {tr('unknown') if gbps is None else amount(gbps)} Gbit/s")


def _network(console: Console, layers: list[Document]) -> None:
    if not layers:
        return
    heading(console, tr("Network"))
    out = table(
        tr("Layer"), tr("devices"), tr("ports taken"), tr("oversubscription"), tr("known parts"), numbers=(1, 3, 4)
    )
    for item in layers:
        ports = ", ".join(
            f"{speed} Gbit/s {_number(taken['numerator'])} / {_number(taken['denominator'])}"
            for speed, taken in item["ports_gbps"].items()
        )
        ratio = item["oversubscription"]
        told = tr("unknown") if ratio["ratio"] is None else f"{ratio['ratio']:.2f} : 1"
        row(out, item["role"], _number(item["devices"]), ports, told, _coverage(ratio))
    console.print(out)


def _links(console: Console, links: Document) -> None:
    if not links:
        return
    heading(console, tr("Busiest port of each link, 95th percentile of a day"))
    out = table(tr("Link"), tr("port"), "Gbit/s", tr("of all"), "%", tr("known parts"), numbers=(2, 3, 4, 5))
    for name, item in links.items():
        cells = _number(item["numerator"], 1e9), _number(item["denominator"], 1e9), _ratio(item), _coverage(item)
        row(out, name, item.get("at", ""), *cells)
    console.print(out)


def _ledger(console: Console, entries: list[Document]) -> None:
    if not entries:
        return
    heading(console, tr("Ledger of standard racks"))
    out = table(tr("Month"), tr("Site"), *map(tr, words.STAGES.values()), "", numbers=(2, 3, 4, 5, 6))
    for item in entries:
        note = tr("assumed") if item["assumed"] else ""
        row(out, item["month"], item["site"], *(_number(item[stage]) for stage in words.STAGES), note)
    console.print(out)


def resource_word(name: str | None) -> str:
    """A resource for people."""
    return words.resource(name, tr)


def title_of(name: str) -> str:
    """The name of a figure for people."""
    return words.figure(name, tr)


def _number(value: float | None, scale: float = 1) -> str:
    return tr("unknown") if value is None else amount(value / scale)


def _of(value: float | None, limit: float | None, scale: float = 1) -> str:
    return f"{_number(value, scale)} / {_number(limit, scale)}"


def _ratio(item: Document) -> str:
    return tr("unknown") if item["ratio"] is None else f"{item['ratio'] * 100:.1f} %"


def _coverage(item: Document) -> str:
    found = item["coverage"]
    return f"{found['known']:,} / {found['of']:,}"
