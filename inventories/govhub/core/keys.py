"""The hub's key: from it come the engine's passphrase, generated secrets and the fingerprints of secrets."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Protocol

from govhub.core.errors import InvalidInput
from govhub.core.files import private_folder, write_atomic, write_new
from govhub.core.private import read_private
from govhub.core.secrets import REDACTOR, Secret
from govhub.core.settings import Env, hub_home, value_of

SHORTEST_KEY = 16
# Without characters that shells, URLs or configuration files treat specially.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


class Reference(Protocol):
    """Where a secret comes from: a variable, a file, or the hub's key."""

    @property
    def env(self) -> str | None:
        """A variable's name."""

    @property
    def file(self) -> str | None:
        """A file's path."""

    @property
    def generate(self) -> int | None:
        """How many characters to generate."""

    @property
    def generation(self) -> int:
        """Raised to renew a generated value."""


class HubKey:
    """32 random bytes in a file of mode 600; ``GOVHUB_PASSPHRASE_FILE`` names a shared one for several workers."""

    def __init__(self, folder: Path, hub_folder: Path | None) -> None:
        self._folder, self._hub_folder = folder, hub_folder
        shared = value_of(Env.PASSPHRASE_FILE)
        self._path = Path(shared).expanduser() if shared else folder / "key"
        self._shared = bool(shared)

    @classmethod
    def of(cls, hub: str) -> HubKey:
        """The key of a hub by its name, where its folder is not at hand: in Ansible's own process."""
        return cls(hub_home(hub), None)

    def ensure(self) -> Path:
        """Make the key if there is none; returns the engine's passphrase file.

        Raises:
            InvalidInput: the shared key file is missing or readable by others.
        """
        if not self._path.exists() and not self._shared:
            private_folder(self._folder)
            write_new(self._path, secrets.token_hex(32) + "\n")
        passphrase = self._folder / "passphrase"
        private_folder(self._folder)
        value = hmac.new(self._bytes(), b"engine passphrase", hashlib.sha256).hexdigest()
        if not passphrase.exists() or passphrase.read_text() != value:
            write_atomic(passphrase, value)
        return passphrase

    def resolve(self, ref: Reference, address: str) -> Secret | None:
        """The value of a reference, or None when it cannot be known here (no key, variable or file)."""
        if ref.env:
            value = os.environ.get(ref.env)
        elif ref.file:
            path = Path(ref.file).expanduser()
            value = read_private(path, self._hub_folder) if path.exists() else None
        else:
            known = self._path.exists()
            value = self._generate(ref.generate or 0, address, ref.generation) if known else None
        return REDACTOR.add(Secret(value)) if value else None

    def generate(self, address: str, generation: int, length: int) -> Secret:
        """A password of ``length`` characters, the same on every run.

        Raises:
            InvalidInput: there is no key here, or it cannot be used.
        """
        return REDACTOR.add(Secret(self._generate(length, address, generation)))

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose, such as the key of a certificate authority; others say nothing about them.

        Raises:
            InvalidInput: there is no key here, or it cannot be used.
        """
        return hmac.new(self._bytes(), f"derive {purpose}".encode(), hashlib.sha256).digest()

    def fingerprint(self, secret: Secret) -> str:
        """A keyed digest, or the empty string without a key."""
        return secret.fingerprint(self._bytes()) if self._path.exists() else ""

    def _generate(self, length: int, address: str, generation: int) -> str:
        """Derived from key, address and generation: the same on every run, so a lost state rotates nothing."""
        out, counter = "", 0
        while len(out) < length:
            message = f"secret {address} {generation} {counter}".encode()
            block = hmac.new(self._bytes(), message, hashlib.sha256).digest()
            # Values past the last full multiple are dropped, or some characters would be likelier than others.
            fair = len(_ALPHABET) * (256 // len(_ALPHABET))
            out += "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in block if byte < fair)
            counter += 1
        return out[:length]

    def _bytes(self) -> bytes:
        value = read_private(self._path, self._hub_folder).strip()
        if len(value) < SHORTEST_KEY:
            raise InvalidInput.one(
                "SEC013",
                f"the key file {self._path} holds fewer than {SHORTEST_KEY} characters",
                hint=f"fill it with random ones: head -c 32 /dev/urandom | base64 > {self._path}",
            )
        return value.encode()
