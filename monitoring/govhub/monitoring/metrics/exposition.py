"""What a hub shows as metrics: a page for each hall, one for what is of no hall, and one with everything."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any
from urllib.parse import quote

from govhub.monitoring.halls import Halls
from govhub.monitoring.metrics.blocks import Lines, head, written
from govhub.monitoring.metrics.catalogue import FAMILIES
from govhub.monitoring.metrics.halls import blocks_of_hall, blocks_of_racks
from govhub.monitoring.metrics.page import Page
from govhub.monitoring.metrics.places import Places
from govhub.monitoring.metrics.wholes import Extras, blocks_of_forecasts, blocks_of_hub

EVERYTHING = ""
"""The name of the page with all samples."""
HUB = "hub"
"""The name of the page with samples that are of no single hall; halls' names have a site before them."""
ROOT = "/metrics"


class Exposition:
    """The pages of one state of a hub, each made when it is asked for first. Not for several threads at once."""

    def __init__(self, halls: Halls, extras: Extras, former: Exposition | None = None) -> None:
        """Prepare.

        Args:
            halls: of the hub.
            extras: what does not stand in its files.
            former: the state before; labels of racks and lines of unchanged ones are taken from it.
        """
        self.halls = halls
        self._extras = extras
        columns = halls.columns
        self.places: Places = former.places if former and former.places.fits(columns) else Places(columns)
        # What meters and clusters say changes no line of a rack.
        same = former is not None and former.halls.columns is columns and former.halls.server == halls.server
        self.racks: dict[str, list[Lines]] = former.racks if former and same else {}
        self._names = frozenset(self.names)
        self._lines: dict[str, list[Lines]] = {}
        self._pages: dict[str, Page] = {}

    @property
    def names(self) -> list[str]:
        """All pages but that with everything: together they have the same samples."""
        return [HUB, *self.halls.columns.halls]

    def has(self, name: str) -> bool:
        """Whether there is such a page."""
        return name == EVERYTHING or name in self._names

    def page(self, name: str) -> Page:
        """A page: ``EVERYTHING``, ``HUB`` or a hall's ``site/hall``.

        Raises:
            KeyError: there is no such page.
        """
        if not self.has(name):
            raise KeyError(name)
        if name not in self._pages:
            wanted = self.names if name == EVERYTHING else [name]
            self._pages[name] = _paged(chain.from_iterable(map(self._lines_of, wanted)))
        return self._pages[name]

    def _lines_of(self, name: str) -> list[Lines]:
        if name not in self._lines:
            self._lines[name] = self._hub() if name == HUB else self._hall(name)
        return self._lines[name]

    def _hub(self) -> list[Lines]:
        return [written(item) for item in blocks_of_hub(self.halls, self._extras)]

    def _hall(self, name: str) -> list[Lines]:
        if name not in self.racks:
            self.racks[name] = [written(item) for item in blocks_of_racks(self.halls, self.places, name)]
        forecasts = [item for item in self._extras.forecasts if f"{item.site}/{item.hall}" == name]
        rest = chain(blocks_of_hall(self.halls, name), blocks_of_forecasts(forecasts))
        return [*self.racks[name], *map(written, rest)]


def render(halls: Halls, extras: Extras, name: str = EVERYTHING) -> bytes:
    """The text of one page, without the exporter's own health.

    Raises:
        KeyError: there is no such page.
    """
    return b"".join(Exposition(halls, extras).page(name).pieces)


def targets(hub: str, halls: Iterable[str], address: str, root: str = "") -> list[dict[str, Any]]:
    """The document of Prometheus' HTTP service discovery: the hub as a whole, and each hall.

    Args:
        hub: its name.
        halls: ``site/hall`` of each.
        address: ``host:port`` under which Prometheus reaches this exporter.
        root: the path that it is mounted under.
    """
    out = [_target(address, {"hub": hub, "__metrics_path__": f"{root}{ROOT}/{HUB}"})]
    for name in halls:
        site, hall = name.split("/")
        path = f"{root}{ROOT}/{quote(site, safe='')}/{quote(hall, safe='')}"
        out.append(_target(address, {"hub": hub, "site": site, "hall": hall, "__metrics_path__": path}))
    return out


def _target(address: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"targets": [address], "labels": labels}


def _paged(lines: Iterable[Lines]) -> Page:
    """Lines in the order of the catalogue, each family under one header, empty ones left out."""
    found: dict[str, list[Lines]] = {}
    for item in lines:
        if item.samples:
            found.setdefault(item.family, []).append(item)
    pieces: list[bytes] = []
    for family in FAMILIES:
        if family in found:
            pieces.append(head(family))
            pieces += [item.text for item in found[family]]
    return Page(tuple(pieces), sum(item.samples for items in found.values() for item in items))
