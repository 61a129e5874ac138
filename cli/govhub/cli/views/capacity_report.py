"""The morning page of a hub, on the terminal and as Markdown for a pull request or a mail."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import language, tr, trn
from govhub.cli.views.capacity import resource_word, title_of
from govhub.cli.views.capacity_forecast import answer, basis, error, growth, problems, resource, used, without_history
from govhub.cli.views.page import Page, code, prose
from govhub.cli.views.text import amount, heading, line, more, row, table

Document = dict[str, Any]
FEW = 20
SHOWN = ("hub", "site", "hall", "tenant")


def show_report(console: Console, document: Document, *, verbose: bool = False) -> None:
    """Orders, what binds, what changed; everything else is in ``capacity show`` and ``capacity forecast``."""
    line(console, headline(document), style="bold")
    line(console, basis(document))
    for title, titles, rows in sections(document):
        heading(console, title)
        out = table(*titles)
        shown = rows if verbose else rows[:FEW]
        for cells in shown:
            row(out, *cells)
        console.print(out)
        more(console, len(rows) - len(shown))
    if silent := without_history(document["forecasts"]):
        line(console, f"{tr('no history yet: unknown')}: {silent}")
    problems(console, document["problems"])


def report_page(document: Document, program: str) -> str:
    """The same as a page of bounded size."""
    page = Page(f"capacity report {document['hub']}")
    page.add(f"### {prose(headline(document))}", "", prose(basis(document)))
    for title, titles, rows in sections(document):
        page.add("", f"**{prose(title)}**")
        page.table([prose(item) for item in titles], [[prose(cell) for cell in cells] for cells in rows], share=0.5)
    if silent := without_history(document["forecasts"]):
        page.add("", prose(f"{tr('no history yet: unknown')}: {silent}"))
    for item in document["problems"]:
        page.add("", f"{item['severity']} {code(item['code'])} {prose(item['summary'])}")
    page.add("", f"{tr('Everything')}: {code(f'{program} capacity report ' + document['hub'] + ' --json')}")
    return page.text()


def headline(document: Document) -> str:
    """The hub, the day, and how many orders are due."""
    overdue = sum(item["overdue"] for item in document["orders"])
    due = trn("{count} order", "{count} orders", len(document["orders"]))
    late = f", {tr('overdue')} {overdue}" if overdue else ""
    title = document["title"].get(language()) or document["hub"]
    return f"{title}: {tr('capacity on')} {document['today']}: {due}{late}"


def sections(document: Document) -> list[tuple[str, list[str], list[list[str]]]]:
    """The page as tables: title, column titles, rows; those without rows say so."""
    alone = sum(item["level"] == "site" and item["resource"] == "power" for item in document["forecasts"]) == 1
    # One site is all of it: its rows would stand there twice.
    levels = SHOWN[1:] if alone else SHOWN
    out = [
        (tr("What to order by when"), _order_titles(), [_order(item) for item in document["orders"]]),
        (tr("What binds each hall first"), _hall_titles(), [_hall(item) for item in document["halls"]]),
        (
            tr("What runs out when"),
            _outlook_titles(),
            [_outlook(item) for item in document["forecasts"] if item["level"] in levels and item["history_days"]],
        ),
        (tr("Racks, the first to run out first"), _outlook_titles(), [_outlook(item) for item in document["racks"]]),
        (tr("Declared ramp of standard racks"), _ramp_titles(), _ramps(document["ramp"])),
    ]
    if document["changes"] is not None:
        title = f"{tr('What changed since')} {document['against']['today']}"
        out.insert(0, (title, _change_titles(), [_change(item) for item in document["changes"]]))
    return [(title, titles, rows or [[tr("none"), *[""] * (len(titles) - 1)]]) for title, titles, rows in out]


def _order_titles() -> list[str]:
    return [tr("order by"), tr("resource"), tr("Place"), tr("runs out"), tr("lead time, days"), tr("days of history")]


def _order(item: Document) -> list[str]:
    late = f" ({tr('overdue')})" if item["overdue"] else ""
    runs_out = tr("exhausted") if item["status"] == "full" else item["runs_out"] or tr("unknown")
    counts = (str(item["lead_days"]), str(item["history_days"]))
    return [f"{item['order_by']}{late}", resource(item["resource"]), item["place"], runs_out, *counts]


def _hall_titles() -> list[str]:
    return [tr("Hall"), tr("grade"), tr("bound by"), tr("servers that fit"), tr("known parts")]


def _hall(item: Document) -> list[str]:
    binds = item["binding"]
    if not binds:
        return [item["hall"], item["tier"], tr("unknown"), tr("unknown"), "0"]
    known = sum(value is not None for value in binds["fits"].values())
    parts = f"{known} / {len(binds['fits'])}"
    return [item["hall"], item["tier"], resource_word(binds["resource"]), amount(binds["servers"]), parts]


def _outlook_titles() -> list[str]:
    titles = [tr("Place"), tr("resource"), tr("in use"), tr("a month"), tr("runs out"), tr("order by")]
    return [*titles, tr("known parts"), tr("days"), tr("error (within)")]


def _outlook(item: Document) -> list[str]:
    coverage = item["coverage"]
    cells = [item["place"] or tr("all"), resource(item["resource"]), used(item), growth(item), answer(item)]
    cells += [item["order_by"] or "", f"{coverage['known']:,} / {coverage['of']:,}", str(item["history_days"])]
    return [*cells, error(item)]


def _ramp_titles() -> list[str]:
    return [tr("Site"), tr("Month"), tr("planned"), tr("built"), tr("energised"), ""]


def _ramps(ramps: list[Document]) -> list[list[str]]:
    out = []
    for item in ramps:
        for entry in item["declared"]:
            values = [entry[name] for name in ("planned", "built", "energised")]
            cells = [tr("unknown") if value is None else amount(value) for value in values]
            out.append([item["site"], entry["month"], *cells, tr("assumed") if entry["assumed"] else ""])
    return out


def _change_titles() -> list[str]:
    return [tr("What"), tr("Place"), tr("before"), tr("after")]


def _change(item: Document) -> list[str]:
    words = {
        "appeared": tr("new"),
        "gone": tr("gone"),
        "status": tr("state"),
        "runs-out": tr("runs out"),
        "binding": tr("bound by"),
        "room": tr("servers that fit"),
        "figure": tr("in use"),
    }
    what = words.get(item["what"], item["what"])
    about = "" if item["what"] in ("binding", "room") else f": {_about(item)}"
    return [f"{what}{about}", item["place"] or tr("all"), _side(item, "before"), _side(item, "after")]


def _about(item: Document) -> str:
    return title_of(item["resource"]) if item["what"] == "figure" else resource(item["resource"])


def _side(item: Document, side: str) -> str:
    value = item[side]
    if item["what"] in ("appeared", "gone"):
        return ""
    if item["what"] == "binding":
        return resource_word(value)
    if item["what"] == "status":
        day = item["runs_out" if side == "after" else "runs_out_before"]
        return f"{_status(value)} {day or ''}".strip()
    if item["what"] == "figure":
        scale, unit = (1000, "kW") if item["unit"] == "W" else (1, item["unit"])
        cells = [tr("unknown") if number is None else amount(round(number / scale, 1)) for number in value]
        return f"{' / '.join(cells)} {unit}"
    if item["what"] == "runs-out" and side == "after":
        return f"{value} ({item['days']:+d})"
    return tr("unknown") if value is None else amount(value) if isinstance(value, int | float) else str(value)


def _status(value: str | None) -> str:
    words = {
        "full": tr("exhausted"),
        "runs-out": tr("runs out"),
        "holds": tr("does not run out"),
        "not-enough-days": tr("unknown: not enough days"),
        "not-enough-parts": tr("unknown: not enough parts known"),
    }
    return words.get(value or "", tr("unknown"))
