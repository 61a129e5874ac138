"""Canonical JSON and digests: the same content has the same hash on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical(value: Any) -> str:
    """``value`` as JSON with sorted keys and no spaces (close to RFC 8785; our numbers are plain)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)


def digest(value: Any) -> str:
    """Hexadecimal SHA-256 of the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def stable_bucket(text: str, buckets: int) -> int:
    """A bucket in ``range(buckets)`` that depends on ``text`` alone (Python's ``hash`` is salted per process)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % buckets


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "masked"):
        return value.masked()
    raise TypeError(f"{type(value).__name__} has no canonical form")
