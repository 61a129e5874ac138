"""Prometheus' HTTP API: several queries at once, within one limit of time and one of size."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from govhub.core.errors import InvalidInput, TargetUnreachable

DEADLINE = 30.0
MOST_BYTES = 192 * 2**20
"""Of one answer: 80,000 racks with two feeds are some 30 MB."""
_T = TypeVar("_T")


class TooMuch(TargetUnreachable):
    """The question was too large for Prometheus or for us: fewer days, or fewer places, may be answered."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of an instant query."""

    labels: Mapping[str, str]
    at: float
    """Unix time of the evaluation, by Prometheus' clock."""
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a range query: Unix times and values, in order."""

    labels: Mapping[str, str]
    points: list[tuple[float, float]]


class Prometheus:
    """Asks one Prometheus; nothing is sent before the first query."""

    def __init__(self, url: str, *, deadline: float = DEADLINE, most_bytes: int = MOST_BYTES) -> None:
        """Remember the address.

        Args:
            url: ``http://host:port`` or ``https://…``, with a path where Prometheus has one.
            deadline: Seconds for all queries of one call together, connecting included.
            most_bytes: Of one answer.

        Raises:
            InvalidInput: that is no such address.
        """
        try:
            parts = urlsplit(url)
            port, host = parts.port, parts.hostname
        except ValueError as error:
            raise _no_address(url) from error
        if parts.scheme not in ("http", "https") or not host:
            raise _no_address(url)
        self._url, self._deadline, self._most = url.rstrip("/"), deadline, most_bytes
        self.shown = f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
        """The address without a login that it may hold."""
        self._local = host in ("localhost", "::1") or host.startswith("127.")

    def instant(self, queries: Mapping[str, str]) -> dict[str, list[Sample]]:
        """The answers to instant queries, by the names that they were given.

        Raises:
            TargetUnreachable: no, not in time, or no Prometheus' answer to one of them (MTR005, MTR006).
            TooMuch: what was asked is more than Prometheus may load, or more than is read of an answer (MTR005).
        """
        found = self._run({name: ("query", {"query": text}) for name, text in queries.items()}, "vector")
        return {name: [self._sample(item) for item in items] for name, items in found.items()}

    def ranges(self, queries: Mapping[str, str], start: float, end: float, step: float) -> dict[str, list[Series]]:
        """The answers to range queries from one Unix time to another, by name.

        Raises:
            TargetUnreachable: as for ``instant``.
        """
        when = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        found = self._run({name: ("query_range", {"query": text, **when}) for name, text in queries.items()}, "matrix")
        return {name: [self._series(item) for item in items] for name, items in found.items()}

    def alerts(self) -> list[dict[str, Any]]:
        """Alerts that are pending or firing, as Prometheus' API tells them: labels, annotations, state, activeAt.

        Raises:
            TargetUnreachable: as for ``instant``.
        """
        return _finished(self._all({"alerts": ("alerts", {})}, "", "GET"))["alerts"]

    def _run(self, requests: Mapping[str, tuple[str, dict[str, str]]], kind: str) -> dict[str, list[Any]]:
        return _finished(self._all(requests, kind))

    async def _all(
        self, requests: Mapping[str, tuple[str, dict[str, str]]], kind: str, method: str = "POST"
    ) -> dict[str, list[Any]]:
        import httpx

        try:
            # httpx limits each step; a server that sends a byte now and then would never be late.
            async with (
                asyncio.timeout(self._deadline),
                httpx.AsyncClient(timeout=self._deadline, trust_env=not self._local, verify=self._trust()) as client,
            ):
                bodies = await asyncio.gather(*(self._body(client, method, *request) for request in requests.values()))
        except TimeoutError as error:
            raise self._away(f"has not answered within {self._deadline:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._away(f"cannot be asked: {str(error)[:200] or type(error).__name__}") from error
        return {name: self._result(body, kind) for name, body in zip(requests, bodies, strict=True)}

    def _trust(self) -> ssl.SSLContext | bool:
        """Whom to trust: those of the library; nobody where no TLS is spoken, since reading them takes a while."""
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if self._url.startswith("http:") else True

    async def _body(self, client: Any, method: str, path: str, form: dict[str, str]) -> tuple[int, bytes]:
        parts, size = [], 0
        # To pack megabytes for the same machine takes longer than to send them.
        headers = {"Accept-Encoding": "identity"} if self._local else {}
        async with client.stream(method, f"{self._url}/api/v1/{path}", data=form or None, headers=headers) as response:
            async for part in response.aiter_bytes():
                size += len(part)
                if size > self._most:
                    raise self._away(f"answers with more than {self._most // 2**20} MiB", TooMuch)
                parts.append(part)
            return response.status_code, b"".join(parts)

    def _result(self, answer: tuple[int, bytes], kind: str) -> list[Any]:
        status, body = answer
        try:
            document = json.loads(body)
            if document["status"] == "success" and document["data"].get("resultType", "") == kind:
                found = document["data"]["result" if kind else "alerts"]
                if isinstance(found, list):
                    return found
            why = str(document.get("error", ""))[:200]
            # Prometheus' own limits: --query.max-samples and --query.timeout.
            too_much = "too many samples" in why or document.get("errorType") == "timeout"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            why, too_much = "", False
        if too_much:
            raise self._away(f"may not answer that much: {why}", TooMuch)
        raise self._strange(why or f"HTTP {status}")

    def _sample(self, item: Any) -> Sample:
        try:
            (at, value), labels = item["value"], item["metric"]
            return Sample(_labels(labels), float(at), float(value))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._strange("a sample without labels, time and value") from error

    def _series(self, item: Any) -> Series:
        try:
            points = [(float(at), float(value)) for at, value in item["values"]]
            return Series(_labels(item["metric"]), points)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._strange("a series without labels, times and values") from error

    def _away(self, what: str, kind: type[TargetUnreachable] = TargetUnreachable) -> TargetUnreachable:
        hint = "check the address and the network; in the lab: govhub lab status HUB"
        return kind.one("MTR005", f"Prometheus at {self.shown} {what}", hint=hint)

    def _strange(self, what: str) -> TargetUnreachable:
        text = f"what answers at {self.shown} is no Prometheus, or refuses: {what}"
        return TargetUnreachable.one("MTR006", text, hint="check the address: it ends before /api/v1")


def _no_address(url: str) -> InvalidInput:
    without_login = url.rpartition("@")[2][:100]
    hint = "write http://HOST:PORT or https://HOST/PATH"
    return InvalidInput.one("MTR004", f'"{without_login}" is no address of a Prometheus', hint=hint)


def quoted(value: str) -> str:
    """A label's value as PromQL writes it."""
    return json.dumps(value, ensure_ascii=False)


def _labels(found: Any) -> Mapping[str, str]:
    if not isinstance(found, dict):
        raise TypeError("no labels")
    return found


def _finished(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end, also for a caller in whose thread a loop runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
