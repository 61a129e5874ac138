"""Scripts and styles, read once at the start: no path of a request ever reaches the file system."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from govhub.monitoring.web.access.roles import Audience
from govhub.monitoring.web.answers import kept
from govhub.monitoring.web.endpoints import Endpoint, Parameter

ASSETS = Path(__file__).parent / "assets"
MEDIA = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """All files that are served, by their name below ``assets``, with their media types."""
    return {
        path.relative_to(ASSETS).as_posix(): (path.read_bytes(), MEDIA[path.suffix])
        for path in sorted(ASSETS.rglob("*"))
        if path.suffix in MEDIA
    }


def asset_endpoints() -> list[Endpoint]:
    """One for all of them."""
    return [
        Endpoint(
            path="/assets/{name:path}",
            handler=_asset,
            audience=Audience.PUBLIC,
            about="Scripts and styles of the pages",
            media="text/javascript",
            parameters=(Parameter("name", "of the file", place="path", required=True),),
        )
    ]


async def _asset(request: Request, _: object) -> Response:
    found = assets().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    return kept(request, *found)
