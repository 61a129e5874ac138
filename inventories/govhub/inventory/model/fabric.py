"""Devices, their ports, the links between them, and the lines that leave the site."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import Assumable, Name, Part, Pattern, RackPattern, Title

Gbps = Annotated[float, Field(gt=0, le=100_000)]


class Media(StrEnum):
    """What a port or link is made of: copper in a socket, a cage for transceivers, or a cable with its ends."""

    RJ45 = "rj45"
    SFP = "sfp"
    SFP_PLUS = "sfp+"
    SFP28 = "sfp28"
    SFP56 = "sfp56"
    QSFP_PLUS = "qsfp+"
    QSFP28 = "qsfp28"
    QSFP56 = "qsfp56"
    QSFP_DD = "qsfp-dd"
    OSFP = "osfp"
    DAC = "dac"
    AOC = "aoc"
    MULTI_MODE = "multi-mode"
    SINGLE_MODE = "single-mode"


CAGES = {
    Media.SFP: ("sfp", 1),
    Media.SFP_PLUS: ("sfp", 2),
    Media.SFP28: ("sfp", 3),
    Media.SFP56: ("sfp", 4),
    Media.QSFP_PLUS: ("qsfp", 1),
    Media.QSFP28: ("qsfp", 2),
    Media.QSFP56: ("qsfp", 3),
    Media.QSFP_DD: ("qsfp", 4),
    Media.OSFP: ("osfp", 1),
}
"""Family and generation: a cage takes the transceivers of its own generation and of those before it."""


def takes(port: Media | None, link: Media | None) -> bool:
    """Whether a port takes a cable or transceiver; unknown ports take any, and any port takes an unknown one."""
    if port is None or link is None or port is link:
        return True
    if Media.RJ45 in (port, link) or port not in CAGES:
        return False
    if link not in CAGES:
        return True
    (family, generation), (wanted, needed) = CAGES[port], CAGES[link]
    return family == wanted and generation >= needed


def meets(port: Media | None, other: Media | None) -> bool:
    """Whether a cable can join two ports; unknown ones meet any.

    Copper sockets only meet their like, cages meet each other over any cable, and what is fixed in ports has to be
    the same on both ends: single-mode optics do not talk to multi-mode ones.
    """
    if port is None or other is None:
        return True
    if Media.RJ45 in (port, other):
        return port is other
    return len({media for media in (port, other) if media not in CAGES}) < 2


class PortUse(StrEnum):
    """Which way a port looks."""

    DOWN = "down"
    UP = "up"
    ANY = "any"


class Ports(Part):
    """Equal ports of one device."""

    count: int = Field(ge=1, le=2048)
    gbps: Gbps
    """Speed of one port in Gbit/s."""
    media: Media | None = None
    """Its socket or cage, or what is fixed in it; unknown when left out."""
    use: PortUse = PortUse.ANY
    """Towards servers, towards the layer above, or either."""


class DeviceKind(StrEnum):
    """What a device is for."""

    SWITCH = "switch"
    ROUTER = "router"
    FIREWALL = "firewall"
    STORAGE = "storage"
    OTHER = "other"


class DeviceType(Assumable):
    """A type of device: its size, draw, weight and ports."""

    name: Name
    kind: DeviceKind
    units: int = Field(default=1, ge=0, le=60)
    """Height in rack units; 0 for what hangs at the side."""
    watts: float = Field(ge=0, le=50_000)
    """Rated draw in W; with redundant supplies that of one side, which must carry all of it. 0 for what has no supply,
    such as a patch panel."""
    kg: float = Field(gt=0, le=2000)
    cords: int = Field(default=2, ge=1, le=2)
    """2 when one supply may be lost, 1 when the device goes dark with side A."""
    ports: list[Ports] = []


class DeviceRole(StrEnum):
    """Where in the network a device stands."""

    SPINE = "spine"
    LEAF = "leaf"
    BORDER = "border"
    MANAGEMENT = "management"
    NONE = "none"


class Devices(Assumable):
    """Equal devices other than hosts, placed rack by rack as hosts are."""

    names: Pattern
    racks: RackPattern
    type: Name
    """A device type of this hub."""
    role: DeviceRole = DeviceRole.NONE
    unit: int | None = Field(default=None, ge=1, le=60)
    """Lowest rack unit of the first device in each rack; the next ones stand on top. Unknown when left out."""


class Links(Assumable):
    """Links between two layers of the network: every device of ``lower`` to every one of ``upper``."""

    name: Name
    lower: Pattern
    """Devices, or hosts with ports."""
    upper: Pattern
    """Devices."""
    gbps: Gbps
    """Speed of one link in Gbit/s."""
    count: int = Field(default=1, ge=1, le=64)
    """Links of each pair."""
    media: Media | None = None
    """Cable, or the transceivers at both ends; unknown when left out."""


class CircuitKind(StrEnum):
    """Where a line leads."""

    LEVEL = "level"
    SITE = "site"
    INTERNET = "internet"


class Circuit(Assumable):
    """Lines that leave a site: to another administrative level, to another site, or to the internet."""

    name: Name
    title: Title | None = None
    kind: CircuitKind
    site: Name
    region: Name | None = None
    """The region at the other end, of lines between levels."""
    to: Name | None = None
    """The site at the other end, of lines between sites."""
    gbps: Gbps
    """Speed of one line in Gbit/s."""
    count: int = Field(default=1, ge=1, le=1024)
    provider: str = Field(default="", max_length=60)
