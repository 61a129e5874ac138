"""The pages; each is a template over one or two documents."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from govhub.monitoring import words
from govhub.monitoring.web.access.roles import Audience, Role, Visitor
from govhub.monitoring.web.documents.attention import attention
from govhub.monitoring.web.documents.fan import fans
from govhub.monitoring.web.endpoints import Endpoint, Handler, Parameter
from govhub.monitoring.web.rendering import REFRESH_SECONDS, Pages
from govhub.monitoring.web.scope import narrowed
from govhub.monitoring.web.source import Document, Source
from govhub.monitoring.web.texts import tr

HTML = "text/html"
MAP_VALUES = {
    "power": tr("power allocated of what the rack is rated for"),
    "measured": tr("power measured of what the rack is rated for"),
    "feed": tr("fuller feed after loss of the other"),
    "space": tr("rack units"),
    "weight": tr("weight"),
    "servers": tr("servers that fit"),
    "binding": tr("bound by"),
}
_MAP_WORDS = {
    "unknown": tr("unknown"),
    "nothing": tr("no such rack"),
    "away": tr("The server does not answer; the map is as it was."),
}
_ROOM = (tr("254 and more"), tr("10 to 253"), tr("5 to 9"), tr("2 to 4"), "1", tr("no room"))
_FAN_WORDS = {
    "day": tr("day"),
    "was": tr("measured"),
    "limit": tr("limit"),
    "full": tr("full when"),
    "order": tr("order by"),
}
_HALL = Parameter("hall", "site/hall; the first when left out")
_ADDRESS = Parameter("address", "site/hall/row/rack", place="path", required=True)
_BY = Parameter("by", "what colours mean", values=tuple(MAP_VALUES))


def page_endpoints(source: Source, pages: Pages) -> list[Endpoint]:
    """All pages that are read."""
    own = _Pages(source, pages)
    readers, operators = Audience.READERS, Audience.OPERATORS
    return [
        _page("/", own.overview, readers, "What is full, when, and what to order by when"),
        _page("/map", own.map, operators, "The map of all racks", (_HALL, _BY)),
        _page("/map/rack/{address:path}", own.card, operators, "A rack in short, for the map", (_ADDRESS,)),
        _page("/rack/{address:path}", own.rack, operators, "A rack unit by unit", (_ADDRESS,)),
        _page("/power", own.power, operators, "The power tree of a hall", (_HALL,)),
        _page("/network", own.network, operators, "Layers, links, and lines that leave"),
        _page("/departments", own.departments, readers, "Departments from quota to watts"),
        _page("/forecast", own.forecast, operators, "When halls are full, and when to order"),
        _page("/alerts", own.alerts, operators, "Alerts that are pending or firing"),
        _page("/wall", own.wall, operators, "Cloud-network status for a command center"),
    ]


class _Pages:
    """Handlers of pages."""

    def __init__(self, source: Source, pages: Pages) -> None:
        self.source = source
        self.pages = pages

    async def overview(self, request: Request, visitor: Visitor) -> Response:
        """The first screen; a department begins with its own rows."""
        if visitor.role is Role.DEPARTMENT:
            return RedirectResponse("/departments", 303)
        return self.pages.render(request, visitor, "overview.html", **overview_values(self.source))

    async def map(self, request: Request, visitor: Visitor) -> Response:
        """All racks on a canvas."""
        look = self.pages.look(request)
        names = self.source.halls().columns.halls
        hall, wanted = request.query_params.get("hall", ""), request.query_params.get("by", "")
        values: dict[str, Any] = {
            "names": names,
            "hall": hall if hall in names else "",
            "chosen": wanted if wanted in MAP_VALUES else "power",
            "values": [(name, look(text)) for name, text in MAP_VALUES.items()],
            "told": {
                "words": {name: look(text) for name, text in _MAP_WORDS.items()},
                "levels": [look(text) for text in words.LEVELS.values()],
                "room": [look(text) for text in _ROOM],
                "resources": {name: look(text) for name, text in words.RESOURCES.items()},
                "refresh": REFRESH_SECONDS,
            },
        }
        return self.pages.render(request, visitor, "map.html", **values)

    async def card(self, request: Request, visitor: Visitor) -> Response:
        """What the map shows of the chosen rack."""
        return self.pages.render(request, visitor, "rack-card.html", rack=self._rack(request))

    async def rack(self, request: Request, visitor: Visitor) -> Response:
        """The elevation."""
        return self.pages.render(request, visitor, "rack.html", rack=self._rack(request))

    async def power(self, request: Request, visitor: Visitor) -> Response:
        """A hall's tree."""
        names = self.source.halls().columns.halls
        document = self.source.power(request.query_params.get("hall") or names[0])
        if document is None:
            raise HTTPException(404)
        return self.pages.render(request, visitor, "power.html", document=document, names=names)

    async def network(self, request: Request, visitor: Visitor) -> Response:
        """Layers and links."""
        return self.pages.render(request, visitor, "network.html", network=self.source.network())

    async def departments(self, request: Request, visitor: Visitor) -> Response:
        """The waterfall, of all or of one's own."""
        document = narrowed(self.source.departments(), visitor)
        rows = by_requests(document)
        return self.pages.render(request, visitor, "departments.html", document=document, rows=rows)

    async def forecast(self, request: Request, visitor: Visitor) -> Response:
        """Fans and dates."""
        look = self.pages.look(request)
        document = self.source.forecast()
        drawn = fans(document)
        for fan in drawn:
            resource = look(words.FORECAST.get(fan["resource"], fan["resource"]))
            fan["title"] = f"{fan['place'] or self.source.hub} · {resource}"
        told = {"fans": drawn, "words": {name: look(text) for name, text in _FAN_WORDS.items()}}
        return self.pages.render(request, visitor, "forecast.html", forecast=document, told=told)

    async def alerts(self, request: Request, visitor: Visitor) -> Response:
        """What fires."""
        return self.pages.render(request, visitor, "alerts.html", alerts=self.source.alerts())

    async def wall(self, request: Request, visitor: Visitor) -> Response:
        """The command center's screen."""
        rows = by_requests(self.source.departments())
        values = overview_values(self.source) | {"network": self.source.network(), "rows": rows}
        return self.pages.render(request, visitor, "wall.html", **values)

    def _rack(self, request: Request) -> Document:
        found = self.source.rack(request.path_params["address"])
        if found is None:
            raise HTTPException(404)
        return found


def overview_values(source: Source) -> dict[str, Any]:
    """What the overview shows."""
    document, forecast = source.overview(), source.forecast()
    halls = attention(document, forecast)
    return {"document": document, "halls": halls, "forecast": forecast, "alerts": source.alerts()}


def by_requests(document: Document) -> list[Document]:
    """Departments, those first that ask for most of their quota; unknown ones last."""
    return sorted(document["departments"], key=lambda row: -(row["requests"]["ratio"] or -1.0))


def _page(
    path: str, handler: Handler, audience: Audience, about: str, parameters: tuple[Parameter, ...] = ()
) -> Endpoint:
    return Endpoint(path=path, handler=handler, audience=audience, about=about, media=HTML, parameters=parameters)
