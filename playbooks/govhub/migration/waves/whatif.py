"""What if: the same systems under other limits, and what that changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from govhub.core.errors import UsageError
from govhub.core.text import did_you_mean
from govhub.migration.waves.plan import Plan
from govhub.migration.waves.problem import Limits, TeamOf

NUMBERS = {
    "link-mbps": "link_mbps",
    "per-wave": "per_wave",
    "per-department": "per_department",
    "wave-days": "wave_days",
    "waves": "waves",
}
MOST = {"link_mbps": 1_000_000, "per_wave": 500, "per_department": 100, "wave_days": 180, "waves": 200, "teams": 100}
KEYS = ("teams", *NUMBERS, "first-wave")
DEFAULT_TEAM = 1000
"""What one more team can do where the hub has none to compare with: the model's default."""
_CHANGE = re.compile(r"([+-]?)([0-9]{1,7})")


def changed(limits: Limits, changes: Iterable[str]) -> Limits:
    """``limits`` with ``changes`` such as ``teams=+1``, ``link-mbps=2000`` or ``first-wave=2027-03-01``.

    Raises:
        UsageError: a change has no such form, no such key, or leads beyond what hub files allow.
    """
    for text in changes:
        key, sign, value = text.partition("=")
        if not sign or key not in KEYS:
            hint = did_you_mean(key, KEYS) or f"such as teams=+1; known: {', '.join(KEYS)}"
            raise UsageError.one("WAV032", f'--what-if does not know "{text[:60]}"', hint=hint)
        if key == "first-wave":
            limits = replace(limits, first=_day(text, value))
        elif key == "teams":
            limits = replace(limits, teams=_teams(limits.teams, _number(text, value, len(limits.teams), "teams")))
        else:
            field = NUMBERS[key]
            change: dict[str, Any] = {field: _number(text, value, getattr(limits, field), field)}
            limits = replace(limits, **change)
    return limits


def compared(now: Mapping[str, Any], then: Mapping[str, Any], plans: tuple[Plan, Plan], what: Iterable[str]) -> Any:
    """The differences between the documents of the plan as it is and of the one that was asked for."""
    keys = ("waves", "last_cutover", "weak_against_order", "fullest")
    before, after = ({item.system: item.wave for item in plan.placements} for plan in plans)
    earlier = sum(after[name] < wave for name, wave in before.items() if name in after)
    later = sum(after[name] > wave for name, wave in before.items() if name in after)
    return {
        "changes": list(what),
        "now": {key: now["summary"][key] for key in keys},
        "then": {key: then["summary"][key] for key in keys},
        "earlier": earlier,
        "later": later,
    }


def _number(text: str, value: str, now: int, field: str) -> int:
    match = _CHANGE.fullmatch(value)
    if not match:
        hint = "write a number, or one with + or - for a difference"
        raise UsageError.one("WAV032", f'"{text[:60]}" has no number', hint=hint)
    amount = int(match[2])
    found = {"": amount, "+": now + amount, "-": now - amount}[match[1]]
    if not 1 <= found <= MOST[field]:
        raise UsageError.one("WAV032", f'"{text[:60]}" leads to {found}', hint=f"1 to {MOST[field]:,} is possible")
    return found


def _day(text: str, value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise UsageError.one("WAV032", f'"{text[:60]}" has no day', hint="write it as 2027-03-01") from None


def _teams(teams: tuple[TeamOf, ...], count: int) -> tuple[TeamOf, ...]:
    """More teams can do what the present ones do on average; fewer are the first ones."""
    average = sum(team.capacity for team in teams) // len(teams) if teams else DEFAULT_TEAM
    names = {team.name for team in teams}
    spare = (name for index in range(1, 2 * MOST["teams"]) if (name := f"team-{index}") not in names)
    return teams[:count] + tuple(TeamOf(next(spare), average) for _ in range(count - len(teams)))
