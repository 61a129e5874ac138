"""Reviews: to save one, to compare two, and to take all of it along as one file."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from govhub.core.errors import GovhubError
from govhub.monitoring import words
from govhub.monitoring.web.access.gate import from_here
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.answers import as_json, in_words, packed, problem, problems
from govhub.monitoring.web.assets import assets
from govhub.monitoring.web.documents.comparison import comparison
from govhub.monitoring.web.documents.plan import floor_plan
from govhub.monitoring.web.endpoints import Endpoint, Parameter
from govhub.monitoring.web.limits import read_body
from govhub.monitoring.web.pages import HTML, by_requests, overview_values
from govhub.monitoring.web.rendering import Pages
from govhub.monitoring.web.source import Document, Source
from govhub.monitoring.web.texts import tr
from govhub.monitoring.words import Look

JSON = "application/json"
MAX_REVIEWS = 16 * 2**20
MAX_REVISION = 100
MAX_TREES = 12
"""Halls whose power tree goes into the file."""
SIDES = {"used": tr("in use"), "limit": tr("of all")}
NAMES = {
    "binding": tr("bound by"),
    "servers": tr("servers that fit"),
    "quota": tr("quota"),
    "requests": tr("requested"),
}
_NOT_OURS = tr("This form was too old or came from elsewhere. Please try again.")


def review_endpoints(source: Source, pages: Pages) -> list[Endpoint]:
    """Saving, comparing, exporting."""
    own = _Reviews(source, pages)
    operators = Audience.OPERATORS
    against = Parameter("against", "a git revision of the hub's files", required=True)
    return [
        Endpoint(
            path="/diff",
            handler=own.page,
            audience=operators,
            about="What differs from a revision of the hub's files",
            media=HTML,
            parameters=(Parameter("against", "a git revision"),),
        ),
        Endpoint(
            path="/diff",
            handler=own.compared,
            audience=operators,
            about="What differs between two saved reviews, or one and now",
            method="POST",
            media=HTML,
            body=JSON,
            limit=MAX_REVIEWS,
        ),
        Endpoint(path="/export", handler=own.export, audience=operators, about="All of it as one file", media=HTML),
        Endpoint(path="/api/v1/review", handler=own.review, audience=operators, about="This review, to be saved"),
        Endpoint(
            path="/api/v1/diff",
            handler=own.diff,
            audience=operators,
            about="What differs from a revision of the hub's files",
            parameters=(against,),
        ),
        Endpoint(
            path="/api/v1/diff",
            handler=own.diff_of_two,
            audience=operators,
            about="What differs between two saved reviews (before, after), or one and now (after null)",
            method="POST",
            body=JSON,
            limit=MAX_REVIEWS,
        ),
    ]


class _Reviews:
    """Handlers of reviews."""

    def __init__(self, source: Source, pages: Pages) -> None:
        self.source = source
        self.pages = pages
        # A revision is loaded and worked out whole, for seconds: one at a time, the others wait.
        self.turn = asyncio.Semaphore(1)

    async def review(self, request: Request, _: Visitor) -> Response:
        """The overview with its time, as a file."""
        document = self.source.overview() | {"as_of": self.source.status()["as_of"]}
        answer = as_json(request, document)
        answer.headers["Content-Disposition"] = f'attachment; filename="{self.source.hub}-review.json"'
        return answer

    async def diff(self, request: Request, _: Visitor) -> Response:
        """JSON against a revision."""
        return as_json(request, await self._against(request.query_params.get("against", "")))

    async def diff_of_two(self, request: Request, _: Visitor) -> Response:
        """JSON of two reviews."""
        if not from_here(request, request.headers.get("x-csrf-token", ""), bearer=True):
            return problem(request, 403, "WEB015", _NOT_OURS)
        try:
            return as_json(request, await self._of_two(request))
        except GovhubError as error:
            return problems(request, 400, error.diagnostics)

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The page, with a comparison when a revision is given."""
        against = request.query_params.get("against", "").strip()
        found: Document | None = None
        wrong = ""
        if against:
            try:
                found = await self._against(against)
            except GovhubError as error:
                wrong = in_words(error.diagnostics[0])
        values = self._shapes(request) | {"against": against[:MAX_REVISION], "comparison": found, "problem": wrong}
        answer = self.pages.render(request, visitor, "diff.html", **values)
        answer.status_code = 400 if wrong else 200
        return answer

    async def compared(self, request: Request, visitor: Visitor) -> Response:
        """The table of two reviews, for the page."""
        found: Document | None = None
        wrong, status = self.pages.look(request)(_NOT_OURS), 403
        if from_here(request, request.headers.get("x-csrf-token", ""), bearer=True):
            try:
                found, wrong, status = await self._of_two(request), "", 200
            except GovhubError as error:
                wrong, status = in_words(error.diagnostics[0]), 400
        values = self._shapes(request) | {"comparison": found, "problem": wrong, "fresh": True}
        answer = self.pages.render(request, visitor, "diff-result.html", **values)
        answer.status_code = status
        return answer

    async def export(self, request: Request, visitor: Visitor) -> Response:
        """One file that needs nothing else."""
        body = await to_thread.run_sync(partial(self._export, request, visitor))
        answer = packed(request, body, "text/html; charset=utf-8")
        # The file's own rule, which allows the styles that stand in it and nothing else.
        answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        answer.headers["Content-Disposition"] = f'attachment; filename="{self.source.hub}-capacity.html"'
        return answer

    def _export(self, request: Request, visitor: Visitor) -> bytes:
        halls = self.source.halls()
        trees = [self.source.power(name) for name in halls.columns.halls[:MAX_TREES]]
        values = overview_values(self.source) | {
            "network": self.source.network(),
            "rows": by_requests(self.source.departments()),
            "trees": [tree for tree in trees if tree],
            "plan": floor_plan(halls),
            "css": assets()["page.css"][0].decode(),
        }
        return self.pages.offline(request, visitor, **values)

    async def _against(self, revision: str) -> Document:
        async with self.turn:
            return await to_thread.run_sync(self.source.compare, revision[:MAX_REVISION])

    async def _of_two(self, request: Request) -> Document:
        """Raises InvalidInput: they are no reviews."""
        body = await read_body(request.receive, MAX_REVIEWS)
        return await to_thread.run_sync(self._parsed, body)

    def _parsed(self, body: bytes) -> Document:
        try:
            both = json.loads(body)
            before, after = both["before"], both["after"]
        except (ValueError, KeyError, TypeError, RecursionError):
            before = after = None
        return comparison(before, after) if after is not None else self.source.compare(before)

    def _shapes(self, request: Request) -> dict[str, Any]:
        look = self.pages.look(request)
        helpers = self.pages.helpers("en")
        return {"compared": partial(_compared, look=look), "value_of": partial(_value, look=look, shapes=helpers)}


def _compared(item: Document, look: Look) -> str:
    """The figure of a difference."""
    name, _, side = item["figure"].partition("|")
    title = look(NAMES[name]) if name in NAMES else words.figure(name, look)
    return f"{title}, {look(SIDES[side])}" if side in SIDES else title


def _value(item: Document, side: str, look: Look, shapes: dict[str, Any]) -> str:
    """One side of a difference, or the difference, with its unit."""
    value = item[side]
    if side in item["missing"]:
        return "–"
    if value is None:
        return look("unknown")
    if item["unit"] == "resource":
        return words.resource(value, look)
    sign = "+" if side == "delta" and value > 0 else ""
    text = shapes["kilowatts"](value) if item["unit"] == "W" else shapes["number"](value)
    return f"{sign}{text} {'kW' if item['unit'] == 'W' else look(item['unit'])}"
