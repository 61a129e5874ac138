"""The tree of administrative regions: each parent one level up, and no way round in a circle."""

from __future__ import annotations

from govhub.inventory.checks.report import Report
from govhub.inventory.model.place import Level

ORDER = tuple(Level)
MAX_SHOWN = 10


def check(report: Report) -> None:
    """REF002 a parent of the wrong level, REF003 regions that are their own ancestors."""
    _levels(report)
    _circles(report)


def _levels(report: Report) -> None:
    for position, region in enumerate(report.model.regions):
        parent = report.index.regions.get(region.parent or "")
        if parent and not _fits(parent.level, region.level):
            up = ORDER[ORDER.index(region.level) - 1] if region.level is not ORDER[0] else None
            report.error(
                "REF002",
                ("regions", position, "parent"),
                f'the parent of "{region.name}" ({region.level.value}) is "{parent.name}", a {parent.level.value}',
                hint=f"name the {up.value} that it belongs to" if up else "a province has no parent here; remove it",
            )


def _fits(parent: Level, level: Level) -> bool:
    """One level up; a municipality such as Chongqing is a province whose districts have no city between."""
    if level is Level.COUNTY and parent is Level.PROVINCE:
        return True
    return ORDER.index(parent) == ORDER.index(level) - 1


def _circles(report: Report) -> None:
    """Each region is walked through once: what was seen before cannot lead to a new circle."""
    regions = report.index.regions
    positions = {region.name: position for position, region in reversed(list(enumerate(report.model.regions)))}
    done: set[str] = set()
    for start in regions:
        chain: dict[str, None] = {}
        name: str | None = start
        while name in regions and name not in done and name not in chain:
            chain[name] = None
            name = regions[name].parent
        if name in chain:
            circle = [*list(chain)[list(chain).index(name) :], name]
            report.error(
                "REF003",
                ("regions", positions[name], "parent"),
                f'the region "{name}" is its own ancestor',
                detail=" > ".join(circle[:MAX_SHOWN] + ["..."] * (len(circle) > MAX_SHOWN)),
                hint="remove one `parent` of this circle",
            )
        done.update(chain)
