"""``serve``: the capacity page and its API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from govhub.cli.grammar import command
from govhub.cli.i18n import tr
from govhub.cli.options import HubName
from govhub.cli.terminal import Terminal
from govhub.core.exits import Exit

Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen; other than loopback needs a login.")]
Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="0 for any that is free.")]
TokenFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Log in with tokens of this file.")]
OidcFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Log in through this file's identity provider.")]
PublicUrl = Annotated[str, typer.Option(metavar="URL", help="How browsers reach it, when something stands in front.")]
Prometheus = Annotated[str, typer.Option(metavar="URL", help="Where meters and alerts are asked for.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, "serve")(serve)


def serve(
    terminal: Terminal,
    hub: HubName,
    *,
    host: Host = "127.0.0.1",
    port: Port = 9840,
    tokens: TokenFile = None,
    oidc: OidcFile = None,
    public_url: PublicUrl = "",
    prometheus: Prometheus = "",
) -> int:
    """Serve the capacity page, its API and metrics (/metrics, /sd, /healthz). Without a login on loopback alone."""
    import json
    import sys

    from govhub.ops.capacity.places import SCHEMA
    from govhub.ops.capacity.server import ServeRequest
    from govhub.ops.capacity.server import serve as run

    def ready(name: str, address: str) -> None:
        if terminal.json:
            sys.stdout.write(json.dumps({"schema": SCHEMA, "hub": name, "address": address}) + "\n")
            sys.stdout.flush()
        else:
            terminal.err.print(tr("{hub} is served on {address}; Ctrl-C ends it").format(hub=name, address=address))

    request = ServeRequest(
        hub=hub, host=host, port=port, tokens=tokens, oidc=oidc, public_url=public_url, prometheus=prometheus
    )
    run(request, ready)
    return Exit.OK
