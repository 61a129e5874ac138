"""Time and room on the source: whether the pause fits, and whether logs fill the disk during the copy."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.inventory.model.migration import Migration
from govhub.migration.portfolio.engine_rules import keeps_online
from govhub.migration.portfolio.estimate import Estimate, estimate
from govhub.migration.portfolio.finding import Finding, Weight
from govhub.migration.portfolio.subject import Part, Portfolio
from govhub.migration.portfolio.units import amount, duration

LOG_FACTOR = 2.0
"""Times of the log that the copy's time brings, that must fit: rates of a moment are not those of a busy day."""
KEPT_FREE = 0.1
"""Part of a file system that stays free."""
_DIRECTORIES = {"postgresql": "data_directory", "mariadb": "datadir", "mysql": "datadir"}


def estimate_of(part: Part) -> Estimate:
    """The estimate of one move."""
    database = part.database
    folder = part.facts.folders.get(part.move.path or "") if part.facts else None
    return estimate(
        part.move.kind,
        part.size,
        part.portfolio.hub.model.migration.link_mbps,
        online=keeps_online(part),
        large=database.large_bytes if database and database.large_objects else 0,
        files=folder.files if folder else None,
    )


def part_findings(part: Part) -> Iterator[Finding]:
    """Room for the log while one database is copied, and sizes that nobody knows (POR050, POR051)."""
    found = estimate_of(part)
    if found.copy is None:
        yield part.say(
            "POR050",
            Weight.UNKNOWN,
            f"how large {part.move.name} is, is not known",
            "neither declared nor found",
            "assess again when the source can be reached, or declare `size`",
        )
    yield from _log(part, found)


def _log(part: Part, found: Estimate) -> Iterator[Finding]:
    server, facts = part.server, part.facts
    if server is None or facts is None or not found.online or found.copy is None:
        return
    directory = (server.settings or {}).get(_DIRECTORIES[server.engine])
    room = facts.room_at(directory) if directory else None
    if room is None:
        text = f"how much room {part.move.source} has for logs during the copy is not known"
        yield part.say("POR051", Weight.UNKNOWN, text, "not read", "read it again")
        return
    free = room.free - KEPT_FREE * room.size
    if server.log_rate is None and free > 0:
        text = f"how fast the log of {part.move.source} grows is not known"
        yield part.say("POR051", Weight.UNKNOWN, text, "two looks are needed", "read it again, while people work")
    elif free <= 0 or free < (server.log_rate or 0) * found.copy * LOG_FACTOR:
        rate = "unknown rate" if server.log_rate is None else f"{amount(int(server.log_rate))}/s"
        yield part.say(
            "POR051",
            Weight.BLOCKER,
            f"{room.mount} of {part.move.source} has {amount(room.free)} free; logs that wait for the copy need more",
            f"{rate} for {duration(found.copy)}, times {LOG_FACTOR:g}; {KEPT_FREE:.0%} stay free",
            "give the disk more room, or move the log to another one",
        )


def system_findings(portfolio: Portfolio, migration: Migration, found: Estimate) -> Iterator[Finding]:
    """The pause against the window and the rule, the copy against the wave (POR052, POR053)."""
    rules = portfolio.hub.model.migration
    window = migration.window.minutes * 60
    limit = min(window, rules.write_pause_seconds)
    if found.pause is not None and found.pause > limit:
        what = "the window" if limit == window else "`write_pause_seconds`"
        yield Finding(
            code="POR052",
            weight=Weight.BLOCKER,
            system=migration.system,
            summary=f"writes would pause for {duration(found.pause)}; {what} allows {duration(limit)}",
            evidence=f"{amount(found.bytes)}, {'online' if found.online else 'copied while nobody writes'}",
            way_out="remove what keeps it from moving online, move less at once, or let people allow a longer pause",
        )
    days = rules.wave_days * 86400
    if found.copy is not None and found.copy > days / 2:
        yield Finding(
            code="POR053",
            weight=Weight.RISK,
            system=migration.system,
            summary=f"the first copy takes {duration(found.copy)}, more than half of a wave",
            evidence=f"{amount(found.bytes)} over {rules.link_mbps} Mbit/s",
            way_out="begin it a wave before, use a faster line, or bring disks",
        )
