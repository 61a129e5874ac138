"""What-if: does it fit, what breaks first, what goes dark. Worked out when it is asked, in threads, few at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from functools import partial
from typing import Any
from urllib.parse import urlencode

from anyio import to_thread
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from govhub.core.errors import GovhubError, InvalidInput
from govhub.monitoring.columns import Columns
from govhub.monitoring.placing.place import Order
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.answers import as_json, in_words, whole
from govhub.monitoring.web.documents.whatif import answered, choices
from govhub.monitoring.web.endpoints import Endpoint, Parameter
from govhub.monitoring.web.pages import HTML
from govhub.monitoring.web.rendering import Pages
from govhub.monitoring.web.source import MAX_LOST, MAX_SERVERS, Document, Question, Source

AT_ONCE = 2
"""Questions that are worked out at the same time; the others wait for their turn, as long as any answer may take."""
ORDERS = tuple(order.value for order in Order)
API = "/api/v1/what-if"
FEW = {"rows": 40, "names": 400, "first": 5}
"""What the page shows of long tables and of lists of names; the document has all."""
KEPT = 8
"""Answers that are handed out again until the files change."""
LOSE_FIELDS = 3
MAX_TEXT = 120
_PARAMETERS = (
    Parameter("servers", "place this many machines", "integer", least=0, most=MAX_SERVERS),
    Parameter("type", "a device type, a pool or a host of the hub to have more of, or a built-in size"),
    Parameter("place", "only into racks of this site, site/hall or site/hall/row"),
    Parameter("order", "few machines into each row, or rack after rack", values=ORDERS),
    Parameter(
        "lose",
        "a site, hall, row, rack, power element, cooling unit, device or line, or a pattern of them",
        many=True,
        most=MAX_LOST,
    ),
)
_NAMES = frozenset(item.name for item in _PARAMETERS)


def what_if_endpoints(source: Source, pages: Pages) -> list[Endpoint]:
    """The question as a document and as a page."""
    own = _WhatIf(source, pages)
    about = "What more machines or a loss would do; a question that fits and one that does not are both answered"
    operators = Audience.OPERATORS
    return [
        Endpoint(
            path=API,
            handler=own.document,
            audience=operators,
            about=about,
            parameters=_PARAMETERS,
        ),
        Endpoint(
            path="/what-if", handler=own.page, audience=operators, about=about, media=HTML, parameters=_PARAMETERS
        ),
    ]


class _WhatIf:
    """Handlers of what-ifs."""

    def __init__(self, source: Source, pages: Pages) -> None:
        self.source = source
        self.pages = pages
        self.turns = asyncio.Semaphore(AT_ONCE)
        self._choices: tuple[Columns, dict[str, Any]] | None = None
        self._kept: OrderedDict[Question, tuple[Columns, Document]] = OrderedDict()

    async def document(self, request: Request, _: Visitor) -> Response:
        """As ``capacity what-if``."""
        question = question_of(request.query_params)
        if question.empty:
            raise InvalidInput.one(
                "USE010", "there is nothing to try", hint="say servers=N or lose=ADDRESS; they go together"
            )
        found = await self._answer(question)
        # Some hundred kilobytes for thousands of machines: not in the event loop either.
        return await to_thread.run_sync(partial(as_json, request, found))

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The form; with an answer when something is asked, with what is wrong when that makes no sense."""
        values: dict[str, Any] = {"document": None, "problems": [], "fresh": True}
        query = request.query_params
        try:
            question = question_of(query)
            if not question.empty:
                values |= answered(self.source.halls().columns, await self._answer(question))
        except GovhubError as error:
            values["problems"] = [in_words(item) for item in error.diagnostics[: FEW["rows"]]]
        values |= self._form(query)
        answer = self.pages.render(request, visitor, "what-if.html", **values)
        answer.status_code = 400 if values["problems"] else 200
        return answer

    def _form(self, query: QueryParams) -> dict[str, Any]:
        """What the form shows: what may be asked, and what was, right or wrong."""
        columns = self.source.halls().columns
        if self._choices is None or self._choices[0] is not columns:
            self._choices = (columns, choices(columns))
        found = self._choices[1]
        lose = [part.strip() for part in query.getlist("lose") if part.strip()][:MAX_LOST]
        asked = {name: query.get(name, "")[:MAX_TEXT] for name in ("servers", "type", "place", "order")}
        return {
            "choices": found,
            "known": [item["name"] for group in found["types"].values() for item in group],
            "asked": asked | {"lose": [*lose, *[""] * max(1, LOSE_FIELDS - len(lose))]},
            "most": {"servers": MAX_SERVERS},
            "few": FEW,
            "racks": columns.place,
            "api": f"{API}?{urlencode([item for item in query.multi_items() if item[0] in _NAMES and item[1]])}",
        }

    async def _answer(self, question: Question) -> Document:
        """Worked out, or as it was for the same files: a page's other language and its JSON are the same question."""
        if found := self._known(question):
            return found
        async with self.turns:
            # Somebody may have asked the same while this one waited.
            if found := self._known(question):
                return found
            columns = self.source.halls().columns
            found = await to_thread.run_sync(self.source.what_if, question)
            # Files may have been read anew meanwhile: then nobody knows which of them this is about.
            if self.source.halls().columns is columns:
                self._kept[question] = (columns, found)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found

    def _known(self, question: Question) -> Document | None:
        kept = self._kept.get(question)
        return kept[1] if kept and kept[0] is self.source.halls().columns else None


def question_of(query: QueryParams) -> Question:
    """What a query asks; parameters without a value are as good as left out, since forms send all their fields.

    Raises:
        InvalidInput: the number or the order makes no sense.
    """
    asked = query.get("servers", "").strip()
    servers = whole(asked or "0", 0, MAX_SERVERS)
    order = query.get("order") or Order.SPREAD.value
    if servers is None:
        hint = f"servers is a whole number, at most {MAX_SERVERS:,}"
        raise InvalidInput.one("WEB014", f'"{asked[:20]}" is no number of machines to place', hint=hint)
    if order not in ORDERS:
        raise InvalidInput.one(
            "WEB014", f'there is no order "{order[:20]}"', hint=f"order is one of {', '.join(ORDERS)}"
        )
    lose = tuple(address for part in query.getlist("lose") if (address := part.strip().strip("/")))
    return Question(
        servers=servers,
        type=query.get("type", "").strip(),
        place=query.get("place", "").strip().strip("/"),
        order=order,
        lose=lose,
    )
