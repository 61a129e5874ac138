"""The exporter over HTTP: ``/metrics``, ``/metrics/hub``, ``/metrics/<site>/<hall>``, ``/sd`` and ``/healthz``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from govhub.monitoring.metrics import negotiation
from govhub.monitoring.metrics.exporter import EOF, Exporter, NotYet
from govhub.monitoring.metrics.exposition import EVERYTHING, ROOT, targets

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?")
_MOMENT = 1.0
"""Seconds that a question after our health may take."""
_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def routes(exporter: Exporter) -> list[BaseRoute]:
    """The exporter's routes, for an application that has others, too."""

    async def metrics(request: Request) -> Response:
        name = request.path_params.get("name", EVERYTHING)
        packed = negotiation.takes_gzip(request.headers.get("accept-encoding", ""))
        try:
            made = await exporter.page(name, _patience(request), packed=packed)
        except KeyError:
            return _text("there is no such page of metrics; /sd lists them\n", 404)
        except NotYet:
            return _text("the first page takes longer than the scrape may: ask again\n", 503, {"Retry-After": "1"})
        open_metrics = negotiation.takes_openmetrics(request.headers.get("accept", ""))
        tail = exporter.tail(name, made) + (EOF if open_metrics else b"")
        headers = _SAFE | {
            "Content-Type": negotiation.OPENMETRICS if open_metrics else negotiation.TEXT,
            "Vary": "Accept, Accept-Encoding",
        }
        if packed and made.page.compressed:
            return _Pieces(made.page.gzipped(tail), headers | {"Content-Encoding": "gzip"})
        return _Pieces(made.page.plain(tail), headers)

    async def discovery(request: Request) -> Response:
        try:
            state = await exporter.current(_patience(request))
        except NotYet:
            return _text("the hub is still being read: ask again\n", 503, {"Retry-After": "1"})
        columns = state.halls.columns
        address = _address(request)
        if address is None:
            return _text("this Host header is no address\n", 400)
        root = request.scope.get("root_path", "")
        return JSONResponse(targets(columns.hub.name, columns.halls, address, root), headers=_SAFE)

    async def health(_: Request) -> Response:
        try:
            state = await exporter.current(_MOMENT)
        except NotYet:
            return _text("the hub is still being read\n", 503, {"Retry-After": "1"})
        known = {"hub": state.halls.columns.hub.name, "hub_valid": state.valid, "hub_loaded": round(state.loaded, 3)}
        return JSONResponse({"status": "ok", **known}, headers=_SAFE)

    return [
        Route(ROOT, metrics),
        Route(f"{ROOT}/{{name:path}}", metrics),
        Route("/sd", discovery),
        Route("/healthz", health),
    ]


def application(exporter: Exporter) -> Starlette:
    """An application with nothing but the exporter."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        exporter.close()

    return Starlette(routes=routes(exporter), lifespan=lifespan)


class _Pieces(Response):
    """A body that is nowhere put together: large pages share their pieces with smaller ones."""

    def __init__(self, pieces: Sequence[bytes], headers: dict[str, str]) -> None:
        self._pieces = pieces
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers(headers | {"Content-Length": str(sum(map(len, pieces)))})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        """Send the pieces, each when the one before is on its way."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for piece in self._pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _text(text: str, status: int, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text, status, _SAFE | (headers or {}))


def _patience(request: Request) -> float:
    return negotiation.patience(request.headers.get("x-prometheus-scrape-timeout-seconds", ""))


def _address(request: Request) -> str | None:
    """How the client reaches us, in its own words; None when they are none."""
    host = request.headers.get("host", "")
    if not _ADDRESS.fullmatch(host):
        return None
    return host
