"""The exporter's routes behind the same gate and within the same limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from govhub.monitoring.metrics.endpoints import routes
from govhub.monitoring.metrics.exporter import Exporter
from govhub.monitoring.web.access.roles import Audience
from govhub.monitoring.web.endpoints import Endpoint, Handler, Parameter

_ABOUT = {
    "/metrics": ("All metrics of the hub", "text/plain"),
    "/metrics/{name:path}": ("Metrics of one hall, or those of no single one (hub)", "text/plain"),
    "/sd": ("Targets for Prometheus' HTTP service discovery", "application/json"),
}
_NAME = Parameter("name", "site/hall, or hub", place="path", required=True)


def metric_endpoints(exporter: Exporter) -> list[Endpoint]:
    """For scrapers and operators; ``/healthz`` is the application's own."""
    found = [route for route in routes(exporter) if isinstance(route, Route) and route.path in _ABOUT]
    return [
        Endpoint(
            path=route.path,
            handler=_handler(route.endpoint),
            audience=Audience.SCRAPERS,
            about=_ABOUT[route.path][0],
            media=_ABOUT[route.path][1],
            parameters=(_NAME,) if "{name" in route.path else (),
        )
        for route in found
    ]


def _handler(endpoint: Callable[[Request], Awaitable[Response]]) -> Handler:
    async def handler(request: Request, _: Any) -> Response:
        return await endpoint(request)

    return handler
