"""What a database server keeps of a password: derived here, so that the password itself never reaches the server."""

from __future__ import annotations

import base64
import hashlib
import hmac

from govhub.core.keys import HubKey

SCRAM_ROUNDS = 4096
_SALT_BYTES = 16


def secret_in_form(hub: str, address: str, generation: int, length: int, form: str) -> str:
    """A generated secret in one of its forms: ``plain``, ``scram`` (PostgreSQL) or ``mysql`` (MariaDB).

    The same secret has the same form on every run, so a server that holds it is as declared.

    Raises:
        InvalidInput: the hub has no key here, or it cannot be used.
        ValueError: there is no such form.
    """
    key = HubKey.of(hub)
    value = key.generate(address, generation, length).reveal()
    if form == "plain":
        return value
    if form == "scram":
        return scram(value, key.derive(f"salt {address} {generation}")[:_SALT_BYTES])
    if form == "mysql":
        return mysql(value)
    raise ValueError(f"no form of a secret: {form}")


def scram(password: str, salt: bytes, rounds: int = SCRAM_ROUNDS) -> str:
    """A SCRAM-SHA-256 verifier as ``pg_authid`` holds it (RFC 5803)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    stored = hashlib.sha256(client).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${rounds}:{parts[0]}${parts[1]}:{parts[2]}"


def mysql(password: str) -> str:
    """What ``mysql_native_password`` keeps; the protocol asks for SHA-1, the passwords here have 180 bits."""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
