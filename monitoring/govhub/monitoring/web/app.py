"""The application: endpoints of a table behind one gate, within limits, with a source that is looked at anew."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from urllib.parse import quote

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from govhub.core.errors import GovhubError, InvalidInput
from govhub.monitoring.web.access.gate import SESSION_SECONDS, Gate
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.answers import problem, problems
from govhub.monitoring.web.api import api_endpoints
from govhub.monitoring.web.assets import asset_endpoints
from govhub.monitoring.web.endpoints import Endpoint
from govhub.monitoring.web.limits import Limits
from govhub.monitoring.web.login import login_endpoints
from govhub.monitoring.web.pages import HTML, page_endpoints
from govhub.monitoring.web.rendering import Pages
from govhub.monitoring.web.reviews import review_endpoints
from govhub.monitoring.web.source import Source
from govhub.monitoring.web.texts import tr
from govhub.monitoring.web.whatif import what_if_endpoints

COOKIE = "govhub"


def application(
    source: Source,
    gate: Gate | None = None,
    *,
    more: Sequence[Endpoint] = (),
    hosts: Collection[str] = (),
    secret: str | None = None,
    https: bool = False,
    every: float = 15.0,
) -> Starlette:
    """The web application of a source.

    Args:
        source: of all documents.
        gate: who gets in; everybody is an operator without one, which is for loopback addresses alone.
        more: endpoints of others, such as metrics.
        hosts: names that it answers to; all when empty.
        secret: signs session cookies; a new one, so that a restart ends sessions, when left out.
        https: whether browsers reach it over HTTPS alone: then they send its cookies over nothing else.
        every: seconds between two looks of the source.
    """
    gate = gate or Gate()
    pages = Pages(source, login=not gate.open)
    endpoints = [
        *page_endpoints(source, pages),
        *review_endpoints(source, pages),
        *what_if_endpoints(source, pages),
        *login_endpoints(gate, pages),
        *asset_endpoints(),
        *more,
    ]
    endpoints += api_endpoints(source, endpoints)
    session = Middleware(
        SessionMiddleware,
        secret_key=secret or secrets.token_urlsafe(32),
        session_cookie=COOKIE,
        max_age=SESSION_SECONDS,
        same_site="lax",
        https_only=https,
    )
    app = Starlette(
        routes=[_route(endpoint, gate, pages) for endpoint in endpoints],
        middleware=[Middleware(Limits, hosts=hosts), session],
        exception_handlers={HTTPException: _nowhere(pages, gate), GovhubError: _refused},
        lifespan=_looking(source, every),
    )
    app.state.endpoints = endpoints
    return app


def _looking(source: Source, every: float) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    async def look() -> None:
        while True:
            # Told to end, the server does not wait for a Prometheus that does not answer.
            await to_thread.run_sync(source.refresh, abandon_on_cancel=True)
            await asyncio.sleep(every)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(look())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return lifespan


def _route(endpoint: Endpoint, gate: Gate, pages: Pages) -> Route:
    """Nothing is served past this: who asks is known, or told to log in, and is one of those it is for."""

    async def guarded(request: Request) -> Response:
        visitor = gate.visitor(request)
        if endpoint.audience is not Audience.PUBLIC:
            if visitor is None:
                return _unknown(request, endpoint)
            if not endpoint.audience.admits(visitor.role):
                return _said(request, visitor, pages, 403, "WEB011", tr("this is not for your role"))
        return await endpoint.handler(request, visitor)

    return Route(endpoint.path, guarded, methods=[endpoint.method])


def _unknown(request: Request, endpoint: Endpoint) -> Response:
    if endpoint.media == HTML and endpoint.method == "GET":
        return RedirectResponse(f"/login?next={quote(str(request.url.replace(scheme='', netloc='')))}", 303)
    return problem(request, 401, "WEB010", "this needs a login", "send a token: Authorization: Bearer TOKEN")


def _said(request: Request, visitor: Visitor | None, pages: Pages, status: int, code: str, text: str) -> Response:
    """An error, as a page for those who read pages."""
    if "text/html" not in request.headers.get("accept", "") or request.url.path.startswith("/api/"):
        return problem(request, status, code, text)
    answer = pages.render(request, visitor, "problem.html", problem=text, code=code)
    answer.status_code = status
    return answer


_TEXTS = {404: ("WEB012", tr("there is nothing here")), 405: ("WEB013", tr("this takes another method"))}


def _nowhere(pages: Pages, gate: Gate) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        code, text = _TEXTS.get(status, ("WEB014", tr("this request makes no sense")))
        return _said(request, gate.visitor(request), pages, status, code, text)

    return answer


def _refused(request: Request, error: Exception) -> Response:
    """What the layers below refuse: input of the visitor, for the most part."""
    found = error.diagnostics if isinstance(error, GovhubError) else []
    return problems(request, 400 if isinstance(error, InvalidInput) else 503, found)
