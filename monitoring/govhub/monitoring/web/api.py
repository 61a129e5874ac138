"""The API: the documents that pages are made of, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from govhub.monitoring.halls import Halls
from govhub.monitoring.rows import SORTS
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.answers import as_json, kept, problem, whole
from govhub.monitoring.web.documents.floor import map_bytes, map_names
from govhub.monitoring.web.endpoints import Endpoint, Handler, Parameter
from govhub.monitoring.web.openapi import openapi
from govhub.monitoring.web.scope import narrowed
from govhub.monitoring.web.source import SCHEMA, Document, Source

PREFIX = "/api/v1"
BYTES = "application/octet-stream"
MAX_ROWS = 1000
_PLACE = Parameter("place", "a site, site/hall or site/hall/row; all of the hub when left out")
_SORT = Parameter("sort", "the fullest first, by this", values=SORTS)
_LIMIT = Parameter("limit", "rows at most", "integer", least=1, most=MAX_ROWS)
_OFFSET = Parameter("offset", "rows that are left out first", "integer", least=0, most=10_000_000)


def api_endpoints(source: Source, others: Sequence[Endpoint]) -> list[Endpoint]:
    """The API, and the OpenAPI document of it and of ``others``."""
    own = _Api(source)
    operators, readers, public = Audience.OPERATORS, Audience.READERS, Audience.PUBLIC
    rack = (Parameter("address", "site/hall/row/rack", required=True, place="path"),)
    hall = (Parameter("hall", "site/hall", required=True),)
    found = [
        _get("/healthz", own.health, public, "Whether the server serves, and what it serves"),
        _get(f"{PREFIX}/me", own.me, readers, "Who asks"),
        _get(f"{PREFIX}/status", own.status, operators, "How old the data are, and what is wrong with them"),
        _get(f"{PREFIX}/overview", own.overview, operators, "Figures of the hub and of each hall, and what binds"),
        _get(f"{PREFIX}/racks", own.racks, operators, "Racks of a place", (_PLACE, _SORT, _LIMIT, _OFFSET)),
        _get(f"{PREFIX}/racks/{{address:path}}", own.rack, operators, "One rack, unit by unit", rack),
        _get(f"{PREFIX}/map", own.map, operators, "All racks as columns of bytes", media=BYTES),
        _get(f"{PREFIX}/map/names", own.map_names, operators, "Names of what the bytes of the map are about"),
        _get(f"{PREFIX}/power", own.power, operators, "The power tree of a hall, with every worst loss", hall),
        _get(f"{PREFIX}/network", own.network, operators, "Layers, links, and lines that leave"),
        _get(f"{PREFIX}/departments", own.departments, readers, "Quota, requests, usage and watts"),
        _get(f"{PREFIX}/forecast", own.forecast, operators, "When halls are full, and when to order"),
        _get(f"{PREFIX}/alerts", own.alerts, operators, "Alerts that are pending or firing"),
    ]
    described = [*others, *found]
    document: list[Document] = []

    async def describe(request: Request, _: object) -> Response:
        return as_json(request, document[0])

    found.append(_get(f"{PREFIX}/openapi.json", describe, public, "This API as OpenAPI 3.1"))
    document.append(openapi([*described, found[-1]]))
    return found


class _Api:
    """Handlers of the API."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._mapped: tuple[Halls, tuple[bytes, bytes]] | None = None

    async def health(self, request: Request, _: object) -> Response:
        """200 as soon as requests are answered; what is wrong with the data is told, and is no reason to restart."""
        status = self.source.status()
        known = {"hub": self.source.hub, "hub_valid": status["valid"], "hub_loaded": round(status["loaded"], 3)}
        return as_json(request, {"status": "ok", **known})

    async def me(self, request: Request, visitor: Visitor) -> Response:
        """Name, role and department."""
        told = {"schema": SCHEMA, "name": visitor.name, "role": visitor.role.value, "tenant": visitor.tenant or None}
        return as_json(request, told)

    async def status(self, request: Request, _: Visitor) -> Response:
        """Age and problems."""
        return as_json(request, self.source.status())

    async def overview(self, request: Request, _: Visitor) -> Response:
        """As ``capacity show``."""
        return as_json(request, self.source.overview())

    async def racks(self, request: Request, _: Visitor) -> Response:
        """As ``capacity racks``, page by page."""
        query = request.query_params
        place, sort = query.get("place", "").strip("/"), query.get("sort", "power")
        limit, offset = whole(query.get("limit", "100"), 1, MAX_ROWS), whole(query.get("offset", "0"), 0, 10_000_000)
        if sort not in SORTS or limit is None or offset is None:
            known = f"sort is one of {', '.join(SORTS)}; limit is 1 to {MAX_ROWS}; offset is 0 or more"
            return problem(request, 400, "WEB014", "this request makes no sense", known)
        return _found(request, self.source.racks(place, sort, limit, offset))

    async def rack(self, request: Request, _: Visitor) -> Response:
        """One rack."""
        return _found(request, self.source.rack(request.path_params["address"]))

    async def map(self, request: Request, _: Visitor) -> Response:
        """The map; packed once for all who ask."""
        return kept(request, self._map()[0], BYTES)

    async def map_names(self, request: Request, _: Visitor) -> Response:
        """Its names."""
        return kept(request, self._map()[1], "application/json")

    def _map(self) -> tuple[bytes, bytes]:
        halls = self.source.halls()
        if self._mapped is None or self._mapped[0] is not halls:
            names = json.dumps(map_names(halls), ensure_ascii=False, separators=(",", ":")).encode()
            self._mapped = (halls, (map_bytes(halls), names))
        return self._mapped[1]

    async def power(self, request: Request, _: Visitor) -> Response:
        """A hall's tree."""
        return _found(request, self.source.power(request.query_params.get("hall", "")))

    async def network(self, request: Request, _: Visitor) -> Response:
        """Layers and links."""
        return as_json(request, self.source.network())

    async def departments(self, request: Request, visitor: Visitor) -> Response:
        """All rows, or one's own."""
        return as_json(request, narrowed(self.source.departments(), visitor))

    async def forecast(self, request: Request, _: Visitor) -> Response:
        """Series with their fans."""
        return as_json(request, self.source.forecast())

    async def alerts(self, request: Request, _: Visitor) -> Response:
        """Alerts."""
        return as_json(request, self.source.alerts())


def _get(
    path: str,
    handler: Handler,
    audience: Audience,
    about: str,
    more: tuple[Parameter, ...] = (),
    *,
    media: str = "application/json",
) -> Endpoint:
    return Endpoint(path=path, handler=handler, audience=audience, about=about, parameters=more, media=media)


def _found(request: Request, document: Document | None) -> Response:
    if document is None:
        return problem(request, 404, "WEB012", "there is no such place in this hub")
    return as_json(request, document)
