"""Endpoints as a table: path, audience, handler, and what OpenAPI says of them. What is not in it is not served."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from govhub.monitoring.web.access.roles import Audience

Handler = Callable[[Request, Any], Awaitable[Response]]
"""Takes the ``Visitor``; endpoints for the public take None, too."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query or the path."""

    name: str
    about: str
    kind: str = "string"
    required: bool = False
    place: str = "query"
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    many: bool = False
    """Whether it may stand in a query again and again; ``most`` then says how often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path."""

    path: str
    """As Starlette writes it."""
    handler: Handler
    audience: Audience
    about: str
    method: str = "GET"
    media: str = "application/json"
    parameters: tuple[Parameter, ...] = field(default=())
    body: str = ""
    """What a POST takes, as a media type."""
    limit: int = 0
    """Bytes of body that are read."""
