"""What is known of a hub's hosts before any is contacted: declared, recorded, and seen to have drifted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.core.plan import PlannedChange
from govhub.core.settings import hub_home
from govhub.core.text import and_more, did_you_mean
from govhub.engine.state import State
from govhub.hosts.fingerprint import planned_hosts
from govhub.hosts.reach import Reaches, reaches
from govhub.hosts.variables import Declared, declared_hosts
from govhub.inventory.loader import Hub
from govhub.ops.requests import Selection

RECORDS = "hosts/"


@dataclass(slots=True)
class HostsSide:
    """What is known of a hub's hosts before any is contacted."""

    reached: Reaches = field(default_factory=Reaches)
    declared: dict[str, Declared] = field(default_factory=dict)
    recorded: dict[str, dict[str, Any]] = field(default_factory=dict)
    drifted: dict[str, list[str]] = field(default_factory=dict)

    def changes(self, selection: Selection) -> list[PlannedChange]:
        """The planned changes of the selected hosts."""
        if not selection.has("hosts"):
            return []
        wanted = {name: host for name, host in self.declared.items() if chosen(name, selection)}
        return planned_hosts(wanted, self.recorded, self.drifted)


def hosts_side(hub: Hub, state: State) -> HostsSide:
    """Read what the hub declares and what the state recorded; no host is contacted."""
    reached = reaches(hub)
    declared = declared_hosts(hub, reached)
    prefix = state.own(RECORDS)
    names = [key.removeprefix(prefix).removesuffix(".json") for key in state.bucket.keys(prefix)] if declared else []
    recorded = {name: found for name in names if (found := state.read(f"{RECORDS}{name}.json"))}
    return HostsSide(reached, declared, recorded, _seen(hub.name))


def check_limit(selection: Selection, side: HostsSide) -> None:
    """Refuse patterns that match no host, and a hosts layer without hosts.

    Raises:
        InvalidInput: a typing error must not look like "nothing to do".
    """
    if "hosts" in selection.layers and not side.declared:
        raise InvalidInput.one(
            "HST003",
            "no host of this hub can be reached",
            hint="give hosts their `addresses`, or boot some: govhub lab up HUB --hosts",
        )
    for pattern in selection.hosts:
        if not any(fnmatchcase(name, pattern) for name in side.declared):
            raise InvalidInput.one(
                "SEL001",
                f'--limit "{pattern[:60]}" matches no host that can be reached',
                hint=did_you_mean(pattern, side.declared) or f"known: {and_more(sorted(side.declared), 8) or 'none'}",
            )


def chosen(name: str, selection: Selection) -> bool:
    """Whether ``--limit`` leaves a host in."""
    return not selection.hosts or any(fnmatchcase(name, pattern) for pattern in selection.hosts)


def _seen(hub: str) -> dict[str, list[str]]:
    """What the last `drift` on this machine found, by host."""
    out = {}
    for path in (hub_home(hub) / "drifted").glob("*.json"):
        try:
            out[path.stem] = [str(item) for item in json.loads(path.read_text(encoding="utf-8"))["tasks"]]
        except (OSError, ValueError, KeyError, TypeError):
            # A damaged note must not hide that there is one.
            out[path.stem] = ["something that a damaged note does not tell"]
    return out


def forget_note(hub: str, host: str) -> None:
    """The host is as declared again, so far as we know."""
    (hub_home(hub) / "drifted" / f"{host}.json").unlink(missing_ok=True)
