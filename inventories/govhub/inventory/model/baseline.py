"""What every host gets: people, time, packages."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from govhub.inventory.model.common import Assumable, CountOrShare, Name, Part, Port


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


class RegistryImage(Part):
    """An image that the registry is filled with."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*(/[a-z0-9._-]+)*:[A-Za-z0-9._-]+$", max_length=200)]
    """Its name without the registry, with a tag."""
    archive: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=120)]
    """A ``docker-archive`` file in the folder of archives."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The digest of the file."""


class ImageRegistry(Part):
    """The hub's own image registry: one of its hosts, filled from archives."""

    host: Name
    """The host it runs on."""
    port: Port = 5000
    archives: Annotated[str, Field(pattern=r"^https?://[^ ]+$", max_length=200)] | None = None
    """The folder with the archives; the lab has its own."""
    images: list[RegistryImage] = []

    @model_validator(mode="after")
    def _from_somewhere(self) -> ImageRegistry:
        if self.images and self.archives is None:
            raise ValueError("`images` come from `archives`")
        return self


class Wipe(Part):
    """What `hosts retire --wipe` stops and overwrites on a host, beside its disks without a system."""

    services: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9@._-]+$", max_length=100)]] = [
        "kubelet",
        "containerd",
        "postgresql",
        "mariadb",
    ]
    """Units that may hold files open; those that a host does not have are passed over."""
    folders: list[Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$", max_length=200)]] = [
        "/home",
        "/srv",
        "/var/lib/containerd",
        "/var/lib/etcd",
        "/var/lib/kubelet",
        "/var/lib/mysql",
        "/var/lib/postgresql",
        "/var/log",
    ]
    """Folders with data."""
    keys: list[Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._-]+)+$", max_length=200)]] = [
        "/etc/kubernetes",
        "/etc/ssl/private",
        "/etc/machine-id",
        "/root/.ssh",
    ]
    """Keys and what else tells who the host was; SSH's host keys are always among them."""


class Certificates(Part):
    """The hub's own certificate authority, which every host has a certificate of."""

    generation: int = Field(default=1, ge=1, le=1_000_000)
    """Raised to change the authority and all keys: `govhub hosts rotate HUB --certificates`."""


class Upgrades(Part):
    """How much may be away at the same time while hosts are upgraded; shares are rounded up."""

    max_unavailable: CountOrShare = "25%"
    """Of a department's pods on a cluster; a tenant may have its own ``max_unavailable``."""
    max_unavailable_nodes: CountOrShare = "10%"
    """Of a pool's nodes; one may always go, and the last ready one only if it is the pool's only one in work."""


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
    registry: ImageRegistry | None = None
    """Where nodes get images from; without it they ask the registries that images name."""
    bmc_ca: (
        Annotated[str, Field(pattern=r"^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=:.\s-]+$", max_length=40_000)] | None
    ) = None
    """The authority that signed the certificates of management controllers (PEM); none: the machine's own store."""
    wipe: Wipe = Wipe()
    certificates: Certificates = Certificates()
    upgrades: Upgrades = Upgrades()
    login: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*$", max_length=32)] = "govhub"
    """The account that playbooks log in with."""
