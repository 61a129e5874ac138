"""Processor time of the lab's pods, as the kubelets of real nodes tell it (cAdvisor's counter): kwok's have none."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator

from govhub.lab.meters.model import World

METRIC = "container_cpu_usage_seconds_total"


def serve(world: World, port: int) -> None:
    """Answer on the loopback, in a thread that ends with the process.

    Raises:
        OSError: the port is taken.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = "".join(lines(world)).encode()
            self.send_response(http.HTTPStatus.OK)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def lines(world: World) -> Iterator[str]:
    """The counters as text; names of Kubernetes hold nothing that would have to be escaped."""
    yield f"# TYPE {METRIC} counter\n"
    for (cluster, namespace, name), seconds in world.processor_seconds(time.time()).items():
        labels = f'cluster="{cluster}",namespace="{namespace}",pod="{name}",container="main"'
        yield f"{METRIC}{{{labels}}} {seconds:.3f}\n"
