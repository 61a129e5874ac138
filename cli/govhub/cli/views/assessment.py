"""An assessment for people: a line a system, what stands against it and the way out, then the policy's figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.facts import since
from govhub.cli.views.text import heading, line, more, row, safe, seconds, table
from govhub.migration.portfolio.units import amount, duration

Document = dict[str, Any]
STYLES = {"blocker": "bold red", "unknown": "magenta", "risk": "yellow", "note": "cyan"}
FEW = 60
DEPARTMENTS = 20


def show_assessment(console: Console, document: Document, *, verbose: bool = False) -> None:
    """Systems, findings, sources, figures, and the counts last."""
    _systems(console, document["systems"])
    _findings(console, document, verbose=verbose)
    _sources(console, document["sources"])
    _figures(console, document["figures"], verbose=verbose)
    show_recorded(console, document)
    summary = document["summary"]
    words = _verdicts()
    counts = ", ".join(f"{words[name]} {count:,}" for name, count in summary["verdicts"].items() if count)
    read = f"{tr('sources read')} {summary['sources_read']:,} / {summary['sources']:,}"
    if document["offline"]:
        read += f" ({tr('saved; nobody was contacted')})"
    systems = trn("{count} system", "{count} systems", summary["systems"])
    line(
        console, f"\n{document['hub']}: {systems}: {counts or 0}; {read}; {seconds(document['seconds'])}", style="bold"
    )


def show_recorded(console: Console, document: Document) -> None:
    """How many systems' records say so now, and which could not be written."""
    recorded = document.get("recorded", {"systems": [], "problems": []})
    if recorded["systems"]:
        line(console, f"\n{tr('entered into the record')}: {len(recorded['systems']):,}")
    for problem in recorded["problems"]:
        line(console, f"[{problem['code']}] {safe(problem['summary'])}", style="yellow")


def _systems(console: Console, systems: list[Document]) -> None:
    known = [item for item in systems if item["moves"] or item["strategy"]["decided"]]
    if known:
        words = _verdicts()
        out = table(
            tr("System"),
            tr("department"),
            tr("decided"),
            tr("suggested"),
            tr("data"),
            tr("first copy"),
            tr("pause"),
            tr("online"),
            tr("verdict"),
            numbers=(4, 5, 6),
        )
        for item in known:
            strategy, found = item["strategy"], item["estimate"] or {}
            row(
                out,
                item["system"],
                item["tenant"],
                _strategy(strategy["decided"], tr("open")),
                _strategy(strategy["suggested"], tr("unknown")),
                *(_figures_of(found) if found else ("-",) * 4),
                words[item["verdict"]],
            )
        console.print(out)
    if left := len(systems) - len(known):
        text = trn("{count} system without a migration", "{count} systems without a migration", left)
        line(console, f"{text}: {tr('it is not declared where they run today')}", style="dim")


def _figures_of(found: Document) -> tuple[str, str, str, str]:
    online = {True: tr("yes"), False: tr("no"), None: tr("unknown")}[found["online"]]
    size = tr("unknown") if found["bytes"] is None else amount(found["bytes"])
    return (size, _time(found["copy"]), _time(found["pause"]), online)


def _time(value: float | None) -> str:
    return tr("unknown") if value is None else duration(value)


def _strategy(name: str | None, otherwise: str) -> str:
    words = {
        "rehost": tr("rehost"),
        "replatform": tr("replatform"),
        "retain": tr("retain"),
        "retire": tr("retire"),
    }
    return words.get(name or "", otherwise)


def _verdicts() -> dict[str, str]:
    return {
        "ready": tr("ready"),
        "risks": tr("with risks"),
        "unknown": tr("unknown"),
        "blocked": tr("blocked"),
        "stays": tr("does not move"),
    }


def _findings(console: Console, document: Document, *, verbose: bool) -> None:
    """What stands against each system; a finding about a source is told once."""
    told: set[tuple[str, str, str, str]] = set()
    groups = [(item["system"], _fresh(item["findings"], told, item)) for item in document["systems"]]
    groups.append(("", _fresh(document["findings"], told, {"moves": [True]})))
    shown, total = 0, sum(len(found) for _, found in groups)
    limit = total if verbose else FEW
    for name, found in groups:
        if found and shown < limit:
            heading(console, name or tr("Sources that nothing is declared to move from"))
        for item in found[: max(limit - shown, 0)]:
            _finding(console, item)
            shown += 1
    more(console, total - shown)


def _fresh(found: Iterable[Document], told: set[tuple[str, str, str, str]], item: Document) -> list[Document]:
    out = []
    for finding in found:
        # A system that nobody declared is counted above, not told one by one.
        if finding["code"] == "POR022" and not item["moves"]:
            continue
        key = (finding.get("system", ""), finding.get("source", ""), finding["code"], finding["summary"])
        if finding.get("system") or key not in told:
            out.append(finding)
        told.add(key)
    return out


def _finding(console: Console, item: Document) -> None:
    words = {"blocker": tr("blocker"), "unknown": tr("unknown"), "risk": tr("risk"), "note": tr("note")}
    where = "/".join(item[key] for key in ("source", "move") if item.get(key))
    place = f" {where}:" if where else ""
    text = f"  {words[item['weight']]}[{item['code']}]{place} {item['summary']}"
    line(console, text, style=STYLES[item["weight"]])
    if item.get("evidence"):
        line(console, f"    {tr('seen')}: {item['evidence']}", style="dim")
    if item.get("way_out"):
        line(console, f"    {tr('way out')}: {item['way_out']}", style="dim")


def _sources(console: Console, sources: list[Document]) -> None:
    if not sources:
        return
    heading(console, tr("Sources"))
    out = table(
        tr("Source"),
        tr("system"),
        tr("cores"),
        tr("memory"),
        tr("databases"),
        tr("partners"),
        tr("read before"),
        numbers=(2, 3),
    )
    for item in sources:
        if item["time"] is None:
            row(out, item["source"], tr("not read"), "", "", "", "", "")
            continue
        row(
            out,
            item["source"],
            item["os"] or tr("unknown"),
            tr("unknown") if item["cores"] is None else item["cores"],
            tr("unknown") if item["memory"] is None else amount(item["memory"]),
            _databases(item),
            tr("unknown") if item["connections"] is None else len({one["address"] for one in item["connections"]}),
            since(item["age"]),
        )
    console.print(out)


def _databases(item: Document) -> str:
    if item["servers"] is None:
        return tr("unknown")
    found = [
        f"{server['engine']} {server['version'] or ''}: "
        + (
            tr("unknown")
            if server["databases"] is None
            else ", ".join(f"{one['name']} {amount(one['size'])}" for one in server["databases"]) or "-"
        )
        for server in item["servers"]
    ]
    found += [f"{engine}: {tr('not read')}" for engine in item["unread"]]
    return safe("\n".join(found)) or "-"


def _figures(console: Console, figures: Document, *, verbose: bool) -> None:
    heading(console, tr("Cloud first"))
    out = table(
        tr("Department"),
        tr("systems"),
        tr("migration rate"),
        tr("of which known"),
        tr("integration rate"),
        tr("of which known"),
        numbers=(1, 2, 3, 4, 5),
    )
    departments = list(figures["departments"].items())
    limit = len(departments) if verbose else DEPARTMENTS
    for name, item in [(tr("all"), figures["all"]), *departments[:limit]]:
        rates = (item["migration_rate"], item["integration_rate"])
        cells = [cell for rate in rates for cell in (_rate(rate), _part(rate["coverage"]))]
        row(out, name, f"{item['systems']:,}", *cells)
    console.print(out)
    more(console, len(departments) - limit)
    if standing := figures.get("standing"):
        on_cloud = f"{tr('accepted')} {len(standing['accepted'])}, {tr('on trial')} {len(standing['on_trial'])}"
        line(console, f"{tr('On the cloud by the record')}: {on_cloud}")
        if standing["broken"]:
            line(console, f"{tr('record broken')}: {', '.join(standing['broken'])}", style="bold red")
    line(console, tr("Systems of unknown standing are in no number; those that stay or end are left out."), style="dim")


def _rate(item: Document) -> str:
    if item["rate"] is None:
        return tr("unknown") if item["unknown"] else "-"
    return f"{100 * item['rate']:.0f}% ({item['numerator']:,} / {item['denominator']:,})"


def _part(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"
