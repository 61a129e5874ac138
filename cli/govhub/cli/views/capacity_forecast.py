"""Forecasts for people: what runs out when, what to order by when, and how much history stands behind it."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import amount, heading, line, more, row, table
from govhub.monitoring import words

Document = dict[str, Any]
FEW = 20
NARROW = 110
ROWS = ("row", "rack")
STYLES = {"full": "bold red", "runs-out": "yellow"}


def show_forecast(console: Console, document: Document, *, verbose: bool = False) -> None:
    """A line a resource and place, then racks that run out, the ramp, and what to know about the history."""
    line(console, f"{document['hub']} {document['place']}".strip(), style="bold")
    line(console, basis(document))
    heading(console, tr("What runs out when"))
    known = [item for item in document["forecasts"] if item["history_days"]]
    found = known if verbose else [item for item in known if _worth(item, document["place"])]
    if found:
        _outlooks(console, found)
    more(console, len(known) - len(found))
    if seasonal := sum(item["model"] != "robust" for item in known):
        line(console, f"{tr('with a weekly season by statsforecast')}: {seasonal:,} / {len(known):,}")
    if silent := without_history(document["forecasts"]):
        line(console, f"{tr('no history yet: unknown')}: {silent}")
    if document["racks"]:
        heading(console, tr("Racks, the first to run out first"))
        shown = document["racks"] if verbose else document["racks"][:FEW]
        _outlooks(console, shown)
        more(console, len(document["racks"]) - len(shown))
    _ramps(console, document["ramp"])
    problems(console, document["problems"])
    line(console)
    line(console, explanation(), style="dim")


def basis(document: Document) -> str:
    """How many days stand behind a forecast, and which day it is of."""
    if document["as_of"] is None:
        return tr("no history yet: unknown")
    days = trn("{count} day of history", "{count} days of history", document["history_days"])
    return f"{days}, {tr('up to')} {document['as_of']} ({document['timezone']})"


def explanation() -> str:
    """What the columns mean, in a sentence."""
    return tr(
        "Dates are the middle of the forecast with its tenth and ninetieth percentile; the error is scaled: "
        "below 1 the line beats 'as last week'."
    )


def show_collected(console: Console, document: Document) -> None:
    """What a collection brought."""
    span = f"{document['first']} – {document['last']} ({document['timezone']})"
    line(console, f"{document['hub']} {span}", style="bold")
    line(
        console, f"  {tr('values kept')}: {document['rows']:,}, {trn('{count} day', '{count} days', document['days'])}"
    )
    line(console, f"  {tr('questions')}: {document['questions']:,}, {tr('failed')}: {document['failed']:,}")
    problems(console, document["problems"])
    stored(console, document["stored"])


def show_history(console: Console, document: Document) -> None:
    """What the history holds."""
    line(console, f"{document['hub']}: {document['folder']}", style="bold")
    stored(console, document["stored"])
    if document["months_of_years"]:
        line(console, f"{tr('values of months whose days are not kept any more')}: {document['months_of_years']:,}")
    problems(console, document["problems"])


def show_imported(console: Console, document: Document) -> None:
    """What an import brought."""
    line(console, f"{tr('values kept')}: {document['rows']:,}, {tr('refused')}: {document['refused']:,}", style="bold")
    problems(console, document["problems"])


def show_compacted(console: Console, document: Document) -> None:
    """What a compaction left."""
    line(console, f"{tr('files')}: {document['parts_before']:,} → {document['parts']:,}", style="bold")
    if document["months_into_years"]:
        count = document["months_into_years"]
        line(console, trn("{count} month became one row a place", "{count} months became one row a place", count))
    problems(console, document["problems"])


def stored(console: Console, items: list[Document]) -> None:
    """One line a metric."""
    if not items:
        line(console, tr("no history yet: unknown"))
        return
    out = table(
        tr("Resource"), tr("places"), tr("days"), tr("gaps"), tr("from"), tr("to"), tr("values"), numbers=(1, 2, 3, 6)
    )
    for item in items:
        counts = (f"{item[name]:,}" for name in ("places", "days", "gaps"))
        row(out, resource(item["metric"]), *counts, item["first"], item["last"], f"{item['rows']:,}")
    console.print(out)


def problems(console: Console, items: list[Document]) -> None:
    """Diagnostics of a document, a line each."""
    for item in items:
        line(console, f"{item['severity']}[{item['code']}] {item['summary']}", style="yellow")
        if item.get("hint"):
            line(console, f"  {tr('hint')}: {item['hint']}", style="dim")


def without_history(items: list[Document]) -> str:
    """The resources of which no place has any history."""
    known = {item["resource"] for item in items if item["history_days"]}
    return ", ".join(resource(name) for name in dict.fromkeys(item["resource"] for item in items) if name not in known)


def resource(name: str) -> str:
    """A resource's name for people."""
    return tr(words.FORECAST.get(name, name))


def answer(item: Document) -> str:
    """When it runs out, in words: a date with its spread, or why there is none."""
    status, days = item["status"], item["exhaustion"]
    if status == "full":
        return tr("exhausted")
    if status == "runs-out":
        return f"{days['p50']} ({days['p10'] or '?'} – {days['p90'] or tr('later')})"
    if status == "holds":
        early = f"; {tr('at the earliest')} {days['p10']}" if days["p10"] else ""
        return f"{tr('not until')} {item['until']}{early}"
    told = {
        "not-enough-days": tr("unknown: not enough days"),
        "not-enough-parts": tr("unknown: not enough parts known"),
    }
    if status == "not-enough-days" and item["until"]:
        return f"{told[status]} ({tr('not until')} {item['until']})"
    return told.get(status, tr("unknown"))


def used(item: Document) -> str:
    """The line's value of its limit, with its unit and ratio."""
    if item["value"] is None:
        return tr("unknown")
    scale, unit = (1000, "kW") if item["unit"] == "W" else (1, item["unit"])
    unit = tr("standard racks") if unit == "standard racks" else tr("cores") if unit == "cores" else unit
    of = tr("unknown") if item["limit"] is None else amount(round(item["limit"] / scale, 1))
    part = f" ({item['value'] / item['limit']:.0%})" if item["limit"] else ""
    return f"{amount(round(item['value'] / scale, 1))} / {of} {unit}{part}"


def growth(item: Document) -> str:
    """What a month adds."""
    slope = item["slope_per_day"]["p50"]
    if slope is None:
        return tr("unknown")
    scale, unit = (1000, "kW") if item["unit"] == "W" else (1, "")
    return f"{slope * 30 / scale:+,.1f} {unit}".strip()


def error(item: Document) -> str:
    """The back-test's error, and how much of what came lay within the interval."""
    found = item["backtest"]
    if found["mase"] is None:
        return tr("unknown")
    return f"{found['mase']:.2f} ({found['within_p10_p90']:.0%})"


def _outlooks(console: Console, items: list[Document]) -> None:
    wide = console.width >= NARROW
    titles = [tr("Place"), tr("resource"), tr("in use"), tr("a month"), tr("runs out"), tr("order by")]
    titles += [tr("known parts"), tr("days"), tr("error (within)")] if wide else []
    out = table(*titles, numbers=(2, 3, 6, 7, 8))
    for item in items:
        cells = [item["place"] or tr("all"), resource(item["resource"]), used(item), growth(item), answer(item)]
        cells.append(item["order_by"] or "")
        coverage = item["coverage"]
        if wide:
            cells += [f"{coverage['known']:,} / {coverage['of']:,}", f"{item['history_days']:,}", error(item)]
        row(out, *cells, style=STYLES.get(item["status"], ""))
    console.print(out)


def _worth(item: Document, place: str) -> bool:
    """Rows are shown when they run out, or were asked for."""
    return item["level"] not in ROWS or item["status"] in STYLES or place.count("/") >= 1


def _ramps(console: Console, ramps: list[Document]) -> None:
    for item in ramps:
        heading(console, f"{tr('Declared ramp of standard racks')}: {item['site']}")
        out = table(tr("Month"), tr("planned"), tr("built"), tr("energised"), "", numbers=(1, 2, 3))
        for entry in item["declared"]:
            cells = (tr("unknown") if entry[name] is None else amount(entry[name]) for name in STAGES)
            row(out, entry["month"], *cells, tr("assumed") if entry["assumed"] else "")
        console.print(out)
        now = tr("unknown") if item["used"] is None else amount(round(item["used"], 1))
        line(console, f"  {tr('in use')}: {now}; {tr('runs out')}: {item['runs_out'] or tr('unknown')}")
        if item["short_days"] is not None and item["short_days"] > 0:
            days = item["short_days"]
            text = trn("{count} day before the next declared step", "{count} days before the next declared step", days)
            line(console, f"  {text}", style="yellow")


STAGES = ("planned", "built", "energised")
