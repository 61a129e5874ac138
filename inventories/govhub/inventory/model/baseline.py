"""What every host gets: people, time, packages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Name, Part

# A type that is not outdated, the key, and a comment that could be no template.
_KEY = r"^(ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]+( [A-Za-z0-9@._-]*)?$"


class Administrator(Part):
    """A person who may become root on hosts."""

    name: Name
    """The account."""
    key: Annotated[
        str, Field(pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]+( .*)?$")
    ]
    """The SSH public key."""


class PackageMirror(Part):
    """Where hosts get packages from; the lab has a mirror of its own."""

    url: Annotated[str, Field(pattern=r"^https?://[^ ]+$", max_length=200)]
    suite: Annotated[str, Field(pattern=r"^[a-z][a-z0-9/-]*$", max_length=40)] = "bookworm"
    key: Annotated[str, Field(pattern=r"^-----BEGIN PGP PUBLIC KEY BLOCK-----[A-Za-z0-9+/=:.\s-]+$", max_length=20_000)]
    """The mirror's public key, armoured."""


class Certificates(Part):
    """The hub's own certificate authority, which every host has a certificate of."""

    generation: int = Field(default=1, ge=1, le=1_000_000)
    """Raised to change the authority and all keys: `govhub hosts rotate HUB --certificates`."""


class Baseline(Assumable):
    """The state that every host is brought to."""

    timezone: Annotated[str, Field(pattern=r"^[A-Za-z_]+(/[A-Za-z_+0-9-]+)*$", max_length=60)] = "Asia/Shanghai"
    administrators: list[Administrator] = []
    former_administrators: list[Name] = []
    """Accounts that are removed."""
    time_servers: list[Annotated[str, Field(pattern=r"^[a-zA-Z0-9.:-]+$", max_length=120)]] = []
    """Where the hub takes its time from; without them the hub's first host is its clock."""
    journal_days: int = Field(default=183, ge=1, le=3650)
    """Days that logs are kept; GB/T 22239 asks for six months."""
    mirror: PackageMirror | None = None
    certificates: Certificates = Certificates()
    login: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$", max_length=32)] = "govhub"
    """The account that playbooks log in with."""
