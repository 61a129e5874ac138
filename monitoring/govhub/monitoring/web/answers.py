"""Answers that several endpoints give: JSON, errors as diagnostics, packed bytes that the browser may keep."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from govhub.core.diagnostics import Diagnostic, Severity

ERROR_SCHEMA = "govhub.error/1"
WORTH_PACKING = 1400
"""Bytes: what fits into one packet gets no faster by it."""


def as_json(request: Request, document: Any, status: int = 200) -> Response:
    """A document; plain characters, so that names stay readable."""
    body = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return packed(request, body, "application/json", status)


def problem(request: Request, status: int, code: str, text: str, hint: str = "") -> Response:
    """An error as a document of one diagnostic."""
    found = Diagnostic(code=code, severity=Severity.ERROR, summary=text, hint=hint)
    return problems(request, status, [found])


def problems(request: Request, status: int, found: Sequence[Diagnostic]) -> Response:
    """Errors as a document."""
    document = {"schema": ERROR_SCHEMA, "diagnostics": [item.as_dict() for item in found]}
    answer = as_json(request, document, status)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def in_words(item: Diagnostic) -> str:
    """A diagnostic in one line of a page."""
    return " ".join(filter(None, (f"{item.code} {item.summary}", f"({item.hint})" if item.hint else "")))


def packed(request: Request, body: bytes, media: str, status: int = 200) -> Response:
    """Bytes as they are, or gzipped where the client can take that and it helps."""
    headers = {"Vary": "Accept-Encoding"}
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body = _gzipped(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, media)


def kept(request: Request, body: bytes, media: str, *, seconds: int = 0) -> Response:
    """The same for what the browser may keep; with ``seconds`` 0 it asks each time whether it is still right."""
    tag = f'"{_tag(body)}"'
    rule = f"private, max-age={seconds}" if seconds else "private, no-cache"
    headers = {"ETag": tag, "Cache-Control": rule, "Vary": "Accept-Encoding, Cookie, Authorization"}
    if tag in [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    answer = packed(request, body, media)
    answer.headers.update(headers)
    return answer


def whole(text: str, least: int, most: int) -> int | None:
    """A whole number of a query within bounds; None for anything else."""
    found = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None
    return found if found is not None and least <= found <= most else None


@lru_cache(maxsize=64)
def _gzipped(body: bytes) -> bytes:
    # Level 4: of a map of 80,000 racks level 9 saves a tenth and takes several times as long.
    return gzip.compress(body, 4, mtime=0)


@lru_cache(maxsize=64)
def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]
