"""Waves for people: a table of waves, their systems, what bounds each, and what the plan takes for granted."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from govhub.cli.i18n import language, tr, trn
from govhub.cli.views.assessment import show_recorded
from govhub.cli.views.text import diagnostics, heading, line, more, row, safe, table
from govhub.core.diagnostics import Diagnostic, Severity
from govhub.core.quantities import GIB

Document = dict[str, Any]
FEW = 12


def show_waves(console: Console, document: Document, found: list[Diagnostic], program: str, *, verbose: bool) -> None:
    """The waves, then systems by wave, pools, what stays, and findings."""
    if "what_if" in document:
        _what_if(console, document["what_if"])
    _waves(console, document)
    _systems(console, document, verbose=verbose)
    _nights(console, document, verbose=verbose)
    _pools(console, document)
    _sizes(console, document)
    _staying(console, document)
    rank = {Severity.ERROR: tr("Broken rules"), Severity.WARNING: tr("Not as wished"), Severity.NOTE: tr("Assumed")}
    for severity, title in rank.items():
        some = [item for item in found if item.severity is severity]
        if some:
            heading(console, title)
            diagnostics(console, some, verbose=verbose, indent="  ")
    show_recorded(console, document)
    _verdict(console, document, found, program)


def _waves(console: Console, document: Document) -> None:
    out = table(
        tr("Wave"),
        tr("from"),
        tr("to"),
        tr("systems"),
        tr("tiers"),
        tr("person-days"),
        tr("data"),
        tr("fullest"),
        numbers=(0, 3, 5, 6),
    )
    for wave in document["waves"]:
        load = {item["constraint"]: item for item in wave["load"]}
        tiers = [item["tier"] for item in wave["systems"]]
        row(
            out,
            wave["wave"],
            wave["begins"] or "?",
            wave["ends"] or "?",
            len(wave["systems"]),
            " ".join(f"{tiers.count(tier)}×T{tier}" for tier in (1, 2, 3) if tier in tiers),
            _of(load.get("teams"), 1),
            _of(load.get("link"), GIB * 1024, " TiB"),
            _binding(wave["binding"]),
        )
    console.print(out)


def _of(item: Document | None, unit: float, suffix: str = "") -> str:
    if item is None:
        return ""
    used = f"{item['used'] / unit:,.1f}"
    return used + suffix if item["offered"] is None else f"{used} / {item['offered'] / unit:,.1f}{suffix}"


def _binding(item: Document | None) -> str:
    if item is None:
        return ""
    words = {
        "teams": tr("teams"),
        "link": tr("line"),
        "per-wave": tr("systems a wave"),
        "per-department": tr("systems a department"),
    }
    return f"{words.get(item['constraint'], item['constraint'])} {item['ratio']:.0%}"


def _systems(console: Console, document: Document, *, verbose: bool) -> None:
    for wave in document["waves"]:
        heading(console, f"{tr('Wave')} {wave['wave']}")
        items = wave["systems"]
        limit = len(items) if verbose else FEW
        for item in items[:limit]:
            title = item["title"].get(language(), "")
            size = ("" if item["size_from"] in ("declared", "discovered") else "~") + f"{item['bytes'] / GIB:,.0f} GiB"
            who = f"  {'+'.join(item['teams'])}" if item["teams"] else ""
            text = f"  {item['cutover'] or tr('open')}  {item['system']}  {title}  T{item['tier']}  {size}{who}"
            line(console, safe(text))
        more(console, len(items) - limit, "  ")


def _nights(console: Console, document: Document, *, verbose: bool) -> None:
    """Nights on which one team has more than one cutover; all nights with --verbose."""
    found = [
        {"night": night, "team": team, **work}
        for wave in document["waves"]
        for night, teams in wave["nights"].items()
        for team, work in teams.items()
        if verbose or len(work["systems"]) > 1
    ]
    if not found:
        return
    heading(console, tr("Cutovers of one team on one night"))
    out = table(tr("Night"), tr("team"), tr("systems"), tr("person-days"), "", numbers=(2, 3))
    for item in found if verbose else found[:FEW]:
        row(
            out,
            item["night"],
            item["team"],
            len(item["systems"]),
            f"{item['person_days']:g}",
            ", ".join(item["systems"]),
        )
    console.print(out)
    more(console, 0 if verbose else len(found) - FEW, "  ")


def _sizes(console: Console, document: Document) -> None:
    """Where measured sizes come from, and how old the oldest of them is."""
    given, read = document["sizes"]["file"], document["sizes"]["survey"]
    if given:
        line(console, f"{tr('sizes from the file')}: {len(given)}")
    if read:
        oldest = min(item["time"] for item in read.values())
        line(console, f"{tr('sizes as measured by assess')}: {len(read)}, {tr('the oldest')} {oldest}")


def _pools(console: Console, document: Document) -> None:
    """Where the pools stand at the end, and after which wave each is fullest: what comes never leaves again."""
    if not document["waves"] or not document["waves"][-1]["pools"]:
        return
    heading(console, tr("Capacity of the pools without their worst rack"))
    out = table(
        tr("Pool"),
        tr("cores before"),
        tr("cores after"),
        tr("offered"),
        tr("memory before"),
        tr("memory after"),
        tr("offered"),
        numbers=(1, 2, 3, 4, 5, 6),
    )
    before = {item["pool"]: item["before"] for wave in reversed(document["waves"]) for item in wave["pools"]}
    for item in document["waves"][-1]["pools"]:
        first, after, offered = before[item["pool"]], item["after"], item["offered"]
        cores = (f"{part['cores']:,.1f}" for part in (first, after, offered))
        memory = (f"{part['memory_gib']:,.0f} GiB" for part in (first, after, offered))
        row(out, item["pool"], *cores, *memory)
    console.print(out)


def _staying(console: Console, document: Document) -> None:
    for key, title in (("retire", tr("To be retired, not moved")), ("retain", tr("Stays where it is"))):
        if document[key]:
            heading(console, title)
            for item in document[key]:
                line(console, f"  {item['system']}  {item['title'].get(language(), '')}")


def _what_if(console: Console, document: Document) -> None:
    heading(console, f"{tr('What if')}: {', '.join(document['changes'])}")
    if document["now"] is None:
        line(console, f"  {tr('As it is, there is no plan')}: {document['why']}")
        line(console)
        return
    words = {
        "waves": tr("waves"),
        "last_cutover": tr("last cutover"),
        "weak_against_order": tr("weak dependencies against their order"),
        "fullest": tr("fullest wave"),
    }
    for key, title in words.items():
        now, then = (_figure(document[side][key]) for side in ("now", "then"))
        line(console, f"  {title}: {now}" + (f" → {then}" if now != then else f" ({tr('unchanged')})"))
    line(console, f"  {tr('systems that move earlier')}: {document['earlier']}, {tr('later')}: {document['later']}")
    line(console)


def _figure(value: Any) -> str:
    return f"{value:.0%}" if isinstance(value, float) else "?" if value is None else str(value)


def _verdict(console: Console, document: Document, found: list[Diagnostic], program: str) -> None:
    summary, cover = document["summary"], document["summary"]["coverage"]
    errors = sum(item.severity is Severity.ERROR for item in found)
    parts = [
        trn("{count} system", "{count} systems", summary["systems"]),
        trn("{count} wave", "{count} waves", summary["waves"]),
        f"{tr('last cutover')} {summary['last_cutover'] or '?'}",
        f"{tr('sizes known')} {cover['sizes_known']} / {cover['systems']}",
    ]
    if "checked" in document:
        good = trn("{count} rule is broken", "{count} rules are broken", errors) if errors else tr("keeps every rule")
        style = "bold red" if errors else "bold green"
        line(console, f"\n{document['checked']}: {good}; {'; '.join(parts)}", style=style)
        return
    proof = tr("no plan has fewer waves") if document["fewest"] else tr("not proven that no plan has fewer waves")
    line(console, f"\n{document['hub']}: {'; '.join(parts)} ({document['method']}, {proof})", style="bold")
    line(console, f"{tr('To edit it')}: {program} migrate plan {document['hub']} --out waves.yaml")
