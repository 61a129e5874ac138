"""Secrets: masked by type, and scrubbed from every text that leaves the process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from typing import Any

MASK = "[secret]"
SHORTEST = 6
LINE = 12


class Secret:
    """A value that prints as ``[secret]`` wherever it ends up; ``reveal`` is the only way to it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value in clear; call it only where it is handed to the engine as a secret."""
        return self._value

    def masked(self) -> str:
        """What may be shown."""
        return MASK

    def fingerprint(self, key: bytes) -> str:
        """A keyed digest that shows a change without helping anyone guess the value."""
        return hmac.new(key, self._value.encode(), hashlib.sha256).hexdigest()[:16]

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


class Redactor:
    """Replaces every registered secret in a text, in plain, JSON-escaped and base64 form."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()

    def add(self, secret: Secret) -> Secret:
        """Remember ``secret``; short values are not scrubbed, they would tear ordinary text apart."""
        value = secret.reveal()
        if len(value) >= SHORTEST:
            # Output is read line by line, so the lines of a key file are remembered one by one too.
            lines = {line.strip() for line in value.splitlines() if len(line.strip()) >= LINE}
            forms = {base64.b64encode(value.encode()).decode()}.union(*map(_spellings, {value, *lines}))
            with self._lock:
                self._known |= forms
        return secret

    def __call__(self, text: str) -> str:
        """``text`` without any registered secret."""
        with self._lock:
            known = sorted(self._known, key=len, reverse=True)
        for value in known:
            if value in text:
                text = text.replace(value, MASK)
        return text


REDACTOR = Redactor()


def scrub(value: Any, redact: Callable[[str], str]) -> Any:
    """``value`` (JSON-like) with every string and key redacted."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): scrub(inner, redact) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [scrub(inner, redact) for inner in value]
    return value


def _spellings(value: str) -> set[str]:
    """The value in clear and as JSON strings spell it: Python's two ways, and Go's, which escapes HTML too."""
    plain = json.dumps(value, ensure_ascii=False)[1:-1]
    html = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return {value, json.dumps(value)[1:-1], plain, html}
