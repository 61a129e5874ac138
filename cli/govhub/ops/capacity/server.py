"""``serve``: the application of a hub on a socket, until it is told to stop."""

from __future__ import annotations

import ipaddress
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlsplit

from govhub.core.errors import GovhubError, UsageError
from govhub.inventory.loader import Hub
from govhub.monitoring.live.alerts import read_alerts
from govhub.monitoring.metrics.exporter import Exporter
from govhub.monitoring.prometheus import Prometheus
from govhub.monitoring.web.access.gate import Gate
from govhub.monitoring.web.access.oidc import Oidc, read_provider
from govhub.monitoring.web.access.tokens import Tokens
from govhub.monitoring.web.app import application
from govhub.monitoring.web.metrics import metric_endpoints
from govhub.monitoring.web.server import Server, server_of
from govhub.ops.capacity.foresight import Foresight
from govhub.ops.capacity.live import Sources, live_of
from govhub.ops.capacity.serving import NO_ALERTS, Feeds, HubSource
from govhub.ops.labmeters import attach_serve

_LOG = logging.getLogger(__name__)
ALERT_SECONDS = 5.0
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest:
    """What is to be served, where, and who gets in."""

    hub: str
    host: str = "127.0.0.1"
    port: int = 9840
    tokens: Path | None = None
    oidc: Path | None = None
    public_url: str = ""
    prometheus: str = ""


def serve(request: ServeRequest, ready: Callable[[str, str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` gets the hub's name and the address.

    Raises:
        InvalidInput: the hub, the token file or the provider's file is not valid.
        PolicyViolation: the hub's quotas do not fit.
        UsageError: everybody on a network would be an operator.
        GovhubError: the address cannot be listened on.
    """
    if not (request.tokens or request.oidc) and not is_loopback(request.host):
        raise UsageError.one(
            "WEB001",
            f"without a login everybody who reaches {request.host} would see everything",
            hint="give --tokens FILE or --oidc FILE, or listen on 127.0.0.1",
        )
    feeds = feeds_of(request)
    try:
        _serve(request, HubSource(request.hub, feeds), ready)
    finally:
        feeds.close()


def _serve(request: ServeRequest, source: HubSource, ready: Callable[[str, str], None]) -> None:
    listener = _listen(request.host, request.port)
    try:
        port = listener.getsockname()[1]
        shown = f"[{request.host}]" if ":" in request.host else request.host
        own = request.public_url.rstrip("/") or f"http://{shown}:{port}"
        gate = gate_of(request, source, own)
        exporter = Exporter(source)
        try:
            app = application(
                source,
                gate,
                more=metric_endpoints(exporter),
                hosts=hosts_of(request),
                https=own.startswith("https:"),
            )
            server = server_of(app, lambda: _ready(source.hub, own, listener, ready))
            with _told_to_stop(server):
                server.run(sockets=[listener])
        finally:
            exporter.close()
    finally:
        listener.close()


def _ready(hub: str, own: str, listener: socket.socket, ready: Callable[[str, str], None]) -> None:
    ready(hub, own)
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_loopback:
        # In another thread: Prometheus may ask at once, and the server answers only after this has returned.
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        threading.Thread(target=_attach, args=(hub, address), daemon=True).start()


def _attach(hub: str, address: str) -> None:
    """Have the lab's Prometheus, where one runs, scrape this server; a page is of use without."""
    try:
        attach_serve(hub, address)
    except (GovhubError, OSError) as error:
        _LOG.warning("the lab's Prometheus does not scrape this server: %s", error)


@contextmanager
def _told_to_stop(server: Server) -> Iterator[None]:
    """Signals end the server gently, also before it runs, and are no news afterwards: so a server ends well.

    While it runs it has handlers of its own, and raises what it got again for those before it: for these.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def gate_of(request: ServeRequest, source: HubSource, own: str) -> Gate:
    """Who gets in.

    Raises:
        InvalidInput: a file of the login is not valid.
    """
    tokens = Tokens(request.tokens) if request.tokens else None
    if tokens:
        tokens.entries()
    if request.oidc is None:
        return Gate(tokens)
    provider, secret = read_provider(request.oidc)
    return Gate(tokens, Oidc(provider, secret, own, groups_of(source.halls().columns.hub)))


def groups_of(hub: Hub) -> dict[str, str]:
    """The department of each directory group of the hub."""
    return {
        tenant.groups.get(role, f"{hub.name}:{tenant.name}:{role}"): tenant.name
        for tenant in hub.model.tenants
        for role in ("admin", "developer", "viewer")
    }


def feeds_of(request: ServeRequest) -> Feeds:
    """Where measurements, forecasts and alerts come from; the lab's own Prometheus is found by itself.

    Raises:
        InvalidInput: the address of Prometheus is none.
    """
    sources = Sources(None, request.prometheus or None)
    if request.prometheus:
        Prometheus(request.prometheus)

    def alerts(hub: str) -> dict[str, Any]:
        address = sources.address(hub)
        return read_alerts(Prometheus(address, deadline=ALERT_SECONDS), hub) if address else NO_ALERTS

    foresight = Foresight()
    return Feeds(
        live=lambda columns: live_of(columns, sources),
        forecast=foresight.look,
        alerts=alerts,
        close=foresight.close,
    )


def hosts_of(request: ServeRequest) -> tuple[str, ...]:
    """The names that the server answers to; all when it listens on a network without being told its name."""
    public = urlsplit(request.public_url).hostname
    named = (public,) if public else ()
    if is_loopback(request.host):
        return (*LOOPBACK_NAMES, *named)
    return named


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(where[:2], family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        hint = "choose another --port (0 takes any that is free) or --host"
        raise GovhubError.one("EXP001", f"cannot listen on {host[:80]} port {port}: {error}", hint=hint) from error
    # Connections inherit it. asyncio sets it only on sockets that were made with their protocol named; without it, the
    # last piece of an answer waits for the client's acknowledgement of the one before, 40 ms later.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
