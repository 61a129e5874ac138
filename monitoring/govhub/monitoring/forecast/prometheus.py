"""Range queries to a real Prometheus, with limits on time and size."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlsplit

import httpx

from govhub.core.errors import UsageError

CONNECT = 5.0
MAX_BYTES = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Series:
    """One series: its labels, and seconds since 1970 with values."""

    labels: Mapping[str, str]
    samples: list[tuple[float, float]]


class NoAnswer(Exception):
    """Prometheus did not answer, or not with a result; the text says why."""

    def __init__(self, text: str, *, too_much: bool = False) -> None:
        super().__init__(text)
        self.too_much = too_much
        """The question was too large: fewer days may be answered."""


class Ranges(Protocol):
    """Whoever answers range queries."""

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """The series of a query from ``start`` to ``end``, both included, in seconds since 1970.

        Raises:
            NoAnswer: there is no answer, or an error instead of one.
        """


class Prometheus:
    """Prometheus' HTTP API at an address; use it as a context manager."""

    def __init__(self, address: str, *, timeout: float = 120.0) -> None:
        self.shown = shown(address)
        self._client = httpx.Client(
            base_url=address.rstrip("/"), timeout=httpx.Timeout(timeout, connect=CONNECT), follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        """As ``Ranges``."""
        form = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        try:
            # A form, since queries may be longer than an address may be.
            with self._client.stream("POST", "/api/v1/query_range", data=form) as response:
                raw = bytearray()
                for chunk in response.iter_bytes():
                    raw += chunk
                    if len(raw) > MAX_BYTES:
                        raise NoAnswer(f"an answer of more than {MAX_BYTES // 2**20} MB", too_much=True)
                status = response.status_code
        except httpx.HTTPError as error:
            raise NoAnswer(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        return _parsed(bytes(raw), status)


def shown(address: str) -> str:
    """The address without a name and password in it.

    Raises:
        UsageError: it is no address of HTTP.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        hint = "such as http://127.0.0.1:9090"
        raise UsageError.one("FOR010", "--prometheus takes the address of a Prometheus", hint=hint)
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


def _parsed(raw: bytes, status: int) -> list[Series]:
    try:
        document = json.loads(raw)
        if document["status"] != "success":
            kind, text = str(document.get("errorType", "error")), str(document.get("error", ""))[:300]
            # Prometheus' own limits: --query.max-samples and --query.timeout.
            raise NoAnswer(f"{kind}: {text}", too_much="too many samples" in text or kind == "timeout")
        return [
            Series(
                {str(name): str(value) for name, value in item["metric"].items()},
                [(float(time), float(value)) for time, value in item["values"]],
            )
            for item in document["data"]["result"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoAnswer(f"HTTP {status}, and no answer of Prometheus' API") from error
