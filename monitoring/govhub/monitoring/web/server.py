"""uvicorn with clocks on it: who does not finish asking, or does not take the answer, is let go."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
"""From the first byte of a request to the end of its headers."""
STUCK_SECONDS = 20.0
"""A client that takes nothing for that long is let go."""
IDLE_SECONDS = 15
MAX_CONNECTIONS = 1000
MAX_HEADER_BYTES = 16_384
STOP_SECONDS = 5


class ClockedProtocol(H11Protocol):
    """HTTP with limits on the time that a client may hold a connection without getting on."""

    _asking: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock starts before the first byte."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """More of a request: while its headers are not whole the clock is not set back."""
        waiting = self.cycle is None or self.cycle.response_complete
        if waiting and self._asking is None:
            self._start()
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()

    def on_response_complete(self) -> None:
        """Between two requests the server's own clock runs."""
        self._stop()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not take what is sent."""
        super().pause_writing()
        self._stuck = self.loop.call_later(STUCK_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def connection_lost(self, exc: Exception | None) -> None:
        """No clock outlives its connection."""
        self._stop()
        if self._stuck is not None:
            self._stuck.cancel()
        super().connection_lost(exc)

    def _start(self) -> None:
        self._asking = self.loop.call_later(HEADER_SECONDS, self._late)

    def _stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            self._asking = None

    def _late(self) -> None:
        self._asking = None
        if not self.transport.is_closing():
            self.transport.abort()


class Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell that it serves."""
        await super().startup(sockets)
        if self.started:
            self._told()


def server_of(app: ASGIApp, started: Callable[[], None] = lambda: None, **more: Any) -> Server:
    """A server that serves nothing yet."""
    options: dict[str, Any] = {
        "http": ClockedProtocol,
        "ws": "none",
        "loop": "asyncio",
        "lifespan": "on",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "limit_concurrency": MAX_CONNECTIONS,
        "timeout_keep_alive": IDLE_SECONDS,
        "timeout_graceful_shutdown": STOP_SECONDS,
        "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
    }
    return Server(uvicorn.Config(app, **options | more), started)
