"""Load balancers on network hosts."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address
from typing import Annotated

from pydantic import Field, model_validator

from govhub.inventory.model.common import Assumable, Name, Part, Port, ShortName


class ListenerMode(StrEnum):
    """What a listener understands of its traffic."""

    TCP = "tcp"
    HTTP = "http"


class Listener(Part):
    """A port that is passed on to hosts that answer."""

    name: ShortName
    port: Port
    """Where it listens."""
    mode: ListenerMode = ListenerMode.TCP
    backends: list[Name] = Field(min_length=1, max_length=200)
    """Hosts that it passes on to."""
    target: Port
    """The port there, such as a node port."""
    check: Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]*$", max_length=120)] | None = None
    """For http: a path that a healthy backend answers with success; without it, that it takes connections."""
    zones: list[Name] = Field(min_length=1)
    """Network zones that may use it."""

    @model_validator(mode="after")
    def _consistent(self) -> Listener:
        if self.check and self.mode is not ListenerMode.HTTP:
            raise ValueError("`check` goes with mode http")
        return self


class LoadBalancer(Assumable):
    """A load balancer on one host, or on two that share an address."""

    name: Name
    hosts: list[Name] = Field(min_length=1, max_length=2)
    """Hosts of `role: network`; the first holds the shared address while it is well."""
    address: IPv4Address | None = None
    """The shared address; two hosts need one."""
    listeners: list[Listener] = Field(min_length=1)

    @model_validator(mode="after")
    def _shared(self) -> LoadBalancer:
        if (len(self.hosts) == 2) != (self.address is not None):
            raise ValueError("`address` goes with two hosts, and two hosts need it")
        return self
