"""The places that examples speak of, and what examples are made of."""

from __future__ import annotations

from govhub.monitoring.rules.limits import Limits
from govhub.monitoring.rules.spec import Series

DAY = 86_400


class Examples:
    """Labels of one hub's places; hub aside, they name no real thing."""

    def __init__(self, hub: str) -> None:
        self.hub = {"hub": hub}
        self.site = self.hub | {"site": "s1"}
        self.hall = self.site | {"hall": "h1"}
        self.rack = self.hall | {"row": "r1", "rack": "01"}
        self.feed = self.rack | {"side": "a"}
        self.element = self.site | {"element": "bw-a", "kind": "busway"}
        self.port = self.site | {"device": "leaf-1", "port": "1"}
        self.pool = self.hub | {"cluster": "main", "pool": "general", "arch": "amd64"}
        self.tenant = self.hub | {"tenant": "finance"}

    def other_rack(self, **more: str) -> dict[str, str]:
        """A second rack of the same row."""
        return self.rack | {"rack": "02"} | more


def place_of(labels: dict[str, str]) -> dict[str, str]:
    """The labels that an alert has beside those of its rule."""
    return {name: value for name, value in labels.items() if name != "hub"}


def pair(labels: dict[str, str], first: tuple[str, str], second: tuple[str, str]) -> tuple[Series, Series]:
    """Two metrics of one place with their values."""
    return Series(first[0], labels, first[1]), Series(second[0], labels, second[1])


def around(limits: Limits) -> tuple[str, str, str]:
    """Percent that are near a limit, percent that are not, and how the first is shown."""
    percent = limits.near * 100
    return f"{percent + 4:.4g}", f"{percent - 1:.4g}", f"{percent + 4:.4g}%"
