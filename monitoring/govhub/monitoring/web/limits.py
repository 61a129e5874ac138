"""The outermost layer: what is too large, too slow or for another host ends here, and every answer is made safe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_TARGET = 4096
"""Bytes of path and query."""
MAX_HEADERS = 64
BODY_SECONDS = 15.0
"""A body that takes longer to arrive is given up."""
ANSWER_SECONDS = 30.0

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_LOG = logging.getLogger("govhub.web")


class BodyTooLarge(Exception):
    """More bytes than the endpoint takes."""


class BodyTooSlow(Exception):
    """It did not arrive in time."""


class Limits:
    """ASGI middleware; ``hosts`` are the names that this server answers to (all when empty)."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def safe(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or await self._served(scope, receive, safe)
        if answer is not None and not begun:
            await answer(scope, receive, safe)

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> PlainTextResponse | None:
        """Serve; what comes of it when that fails."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.app(scope, receive, send)
        except TimeoutError:
            return _ended("this took too long; try again\n", 503)
        except BodyTooLarge:
            return _ended("the body is too large\n", 413)
        except BodyTooSlow:
            return _ended("the body did not arrive in time\n", 408)
        except Exception:  # noqa: BLE001  # never a traceback to somebody outside; the log has it
            _LOG.exception("%s %s", scope["method"], scope["path"])
            return _ended("govhub itself failed; the log says how\n", 500)
        return None

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        target = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        if target > MAX_TARGET:
            return PlainTextResponse("the address is too long\n", 414)
        if len(scope["headers"]) > MAX_HEADERS:
            return PlainTextResponse("too many headers\n", 431)
        # A page of another site whose name was pointed here would be the same origin to the browser.
        host = _bare(Headers(scope=scope).get("host", ""))
        if self.hosts and host not in self.hosts:
            return PlainTextResponse("this server does not answer to that name\n", 421)
        return None


async def read_body(receive: Receive, limit: int) -> bytes:
    """A request's body.

    Raises:
        BodyTooLarge: it has more than ``limit`` bytes.
        BodyTooSlow: it takes longer than ``BODY_SECONDS``.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise BodyTooSlow
                body += message.get("body", b"")
                if len(body) > limit:
                    raise BodyTooLarge
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError as error:
        raise BodyTooSlow from error


def _ended(text: str, status: int) -> PlainTextResponse:
    # The rest of a request may still be on its way: nothing more is read from this connection.
    return PlainTextResponse(text, status, headers={"Connection": "close"})


def _bare(host: str) -> str:
    """A Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
