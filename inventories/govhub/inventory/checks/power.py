"""The power tree and the cooling units: names, circles, equal parts, capacities that are not known, shared sides."""

from __future__ import annotations

from collections import Counter, defaultdict

from govhub.core.text import plural
from govhub.inventory.checks.report import Report
from govhub.inventory.model.power import PowerKind, Side
from govhub.inventory.powertree import PowerTree, cooling_units, power_tree
from govhub.inventory.topology import Path

_HINTS = {
    "PLC001": "write a range like {01..12} or a list like {a,b}",
    "PLC006": "check the ranges for a digit too many",
    "PWR001": "declare it, or correct the name",
    "PWR002": "let the patterns not meet: an element has one name, and a name one element",
    "PWR003": "correct `fed_by`: power comes from above",
    "PWR004": "let the number of names be a multiple of the number above them, or write one entry for each part",
    "PWR005": "let the patterns of the feeds not meet: a rack has one feed on a side",
}
_CIRCLE = "these elements feed each other in a circle: "
_SHARED = (PowerKind.TRANSFORMER, PowerKind.UPS, PowerKind.BUSWAY, PowerKind.PDU)


def check(report: Report) -> None:
    """PWR001 to PWR005 from the tree, PWR006 and PWR008 unknown capacities, PWR007 both sides in one element."""
    if not (report.model.power or report.model.feeds or report.model.cooling):
        return
    tree = power_tree(report.model, report.hub.topology.racks)
    groups: defaultdict[tuple[str, Path], list[str]] = defaultdict(list)
    for code, path, text in [*tree.findings, *cooling_units(report.model)[1]]:
        groups[code, path].append(text)
    for (code, path), texts in groups.items():
        more = f" (and {len(texts) - 1:,} more)" if texts[1:] else ""
        report.error(code, path, (_CIRCLE if code == "PWR003" else "") + texts[0] + more, hint=_HINTS[code])
    _unknown(report)
    _breakers(report, tree)
    _shared(report, tree)


def _unknown(report: Report) -> None:
    for position, entry in enumerate(report.model.power):
        if entry.kw is None and entry.kva is None and entry.amps is None:
            _no_capacity(report, ("power", position), entry.names)
    for position, units in enumerate(report.model.cooling):
        if units.kw is None:
            _no_capacity(report, ("cooling", position), units.names)


def _breakers(report: Report, tree: PowerTree) -> None:
    counts = Counter(entry for feeds in tree.feeds.values() for _, entry, _ in feeds.values())
    for position, feed in enumerate(report.model.feeds):
        if feed.breaker_amps is None and counts[position]:
            report.warning(
                "PWR008",
                ("feeds", position),
                f"the breakers of the feeds of {plural(counts[position], 'rack')} are unknown",
                detail="how much these racks may draw after the loss of the other side is shown as unknown",
                hint="read it off the distribution box: `breaker_amps`",
            )


def _no_capacity(report: Report, path: Path, names: str) -> None:
    report.warning(
        "PWR006",
        path,
        f'the capacity of "{names}" is unknown',
        detail="whatever hangs on it is shown with a coverage below 100 %",
        hint="read it off the plate: `kw`, `kva` or `amps`",
    )


def _shared(report: Report, tree: PowerTree) -> None:
    """What both sides need is no second way; lines of the utility may well meet outside."""
    kinds = [report.model.power[entry].kind for entry in tree.entries]
    met: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    known: dict[tuple[int, int], int | None] = {}
    other = tree.feeds[Side.B]
    for rack, (first, entry, _) in tree.feeds[Side.A].items():
        if rack not in other:
            continue
        pair = (first, other[rack][0])
        if pair not in known:
            mine = set(tree.above(pair[0]))
            common = (element for element in tree.above(pair[1]) if element in mine and kinds[element] in _SHARED)
            known[pair] = next(common, None)
        shared = known[pair]
        if shared is not None:
            met[entry, shared].append(rack)
    for (entry, element), racks in met.items():
        report.warning(
            "PWR007",
            ("feeds", entry, "fed_by"),
            f'both sides of {plural(len(racks), "rack")} hang on "{tree.names[element]}", the first is {racks[0]}',
            hint="feed side B from another element, or leave side B out: then the racks count as fed once",
        )
