"""Secrets: masked by type, and scrubbed from every text that leaves the process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading

MASK = "[secret]"


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
        if len(value) >= 6:
            forms = {value, json.dumps(value)[1:-1], base64.b64encode(value.encode()).decode()}
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
