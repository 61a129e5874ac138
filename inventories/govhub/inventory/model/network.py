"""Network zones and the prefixes they own."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field

from govhub.inventory.model.common import Assumable, Name, Title


class ZoneKind(StrEnum):
    """The kinds of network zone of a government cloud."""

    EXTRANET = "government-extranet"
    INTERNET = "internet"
    DATA = "data"
    MANAGEMENT = "management"


class Zone(Assumable):
    """A network zone; zones are separated, and only declared flows cross."""

    name: Name
    title: Title
    kind: ZoneKind


class Purpose(StrEnum):
    """What a prefix is for."""

    NODES = "nodes"
    PODS = "pods"
    SERVICES = "services"
    STORAGE = "storage"
    OUT_OF_BAND = "out-of-band"
    USERS = "users"
    DEPARTMENTS = "departments"


def _text(value: object) -> object:
    """A number or a truth value would be taken for an address too: `true` for 0.0.0.1."""
    if not isinstance(value, str | IPv4Network | IPv6Network):
        # pydantic takes this kind of error alone.
        raise ValueError(  # noqa: TRY004
            "write the range as address/length, such as 10.62.0.0/24"
        )
    return value


class Prefix(Assumable):
    """An address range; ranges of one hub do not overlap, except a container and what stands inside it."""

    cidr: Annotated[IPv4Network | IPv6Network, BeforeValidator(_text)]
    zone: Name
    purpose: Purpose
    site: Name | None = None
    region: Name | None = None
    cluster: Name | None = None
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None


def ranges(prefixes: Iterable[Prefix], purpose: Purpose, cluster: str, zone: str) -> list[str]:
    """The prefixes of a purpose that are a cluster's own, or those of its zone that are nobody's in particular."""
    found = [prefix for prefix in prefixes if prefix.purpose is purpose]
    own = [prefix for prefix in found if prefix.cluster == cluster]
    shared = [prefix for prefix in found if prefix.cluster is None and prefix.zone == zone]
    return [str(prefix.cidr) for prefix in own or shared]


def dns_address(services: str) -> str:
    """The service address that answers for names: by custom the tenth of the range (a CIDR)."""
    return str(ip_network(services)[10])
