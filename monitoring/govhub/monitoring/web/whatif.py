"""What-if: does it fit, what breaks first, what goes dark. Worked out when it is asked, in threads, few at a time."""

from __future__ import annotations

import asyncio
from functools import partial

from anyio import to_thread
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from govhub.core.errors import InvalidInput
from govhub.monitoring.placing.place import Order
from govhub.monitoring.web.access.roles import Audience, Visitor
from govhub.monitoring.web.answers import as_json, whole
from govhub.monitoring.web.endpoints import Endpoint, Parameter
from govhub.monitoring.web.source import MAX_LOST, MAX_SERVERS, Document, Question, Source

AT_ONCE = 2
"""Questions that are worked out at the same time; the others wait for their turn, as long as any answer may take."""
ORDERS = tuple(order.value for order in Order)
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


def what_if_endpoints(source: Source) -> list[Endpoint]:
    """The question as a document."""
    own = _WhatIf(source)
    about = "What more machines or a loss would do; a question that fits and one that does not are both answered"
    operators = Audience.OPERATORS
    return [
        Endpoint(
            path="/api/v1/what-if",
            handler=own.document,
            audience=operators,
            about=about,
            parameters=_PARAMETERS,
        ),
    ]


class _WhatIf:
    """Handlers of what-ifs."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.turns = asyncio.Semaphore(AT_ONCE)

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

    async def _answer(self, question: Question) -> Document:
        async with self.turns:
            return await to_thread.run_sync(self.source.what_if, question)


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
