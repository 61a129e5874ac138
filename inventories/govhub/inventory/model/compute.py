"""Hosts, clusters and node pools."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from govhub.inventory.model.common import (
    LABEL,
    Addresses,
    Arch,
    Assumable,
    Name,
    Part,
    Pattern,
    Quantity,
    RackPattern,
    ShortName,
)
from govhub.inventory.model.fabric import Ports

SERIAL = r"^[A-Za-z0-9][A-Za-z0-9._:+/-]*$"
BMC = r"^(https?://)?([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/redfish/v1/[Ss]ystems/[A-Za-z0-9._-]+)?$"


class Accelerators(Part):
    """Accelerator cards in one host."""

    resource: Annotated[str, Field(pattern=r"^[a-z0-9.-]+/[a-z0-9.-]+$", max_length=80)]
    """The extended resource pods ask for, such as ``nvidia.com/gpu`` or ``huawei.com/Ascend910`` in lower case."""
    count: int = Field(ge=1, le=64)
    """Cards per host."""
    kind: str = Field(default="", max_length=60)
    """Model of the card."""
    tflops: float | None = Field(default=None, gt=0, le=100_000)
    """Peak of one card in TFLOPS with FP16, as its maker states it; unknown when left out."""


class HostRole(StrEnum):
    """What a host is for."""

    WORKER = "worker"
    CONTROL_PLANE = "control-plane"
    STORAGE = "storage"
    DATABASE = "database"
    NETWORK = "network"


class Machine(Part):
    """The machine that a host is: what tells it from all others, and where it is managed."""

    serial: Annotated[str, Field(pattern=SERIAL, max_length=64)]
    """Its serial number, or its UUID where the maker gives none; a machine has one place."""
    bmc: Annotated[str, Field(pattern=BMC, max_length=200)] | None = None
    """Its management controller (Redfish over HTTPS): ``10.62.13.11``, with ``:port`` or the path of a system."""
    model: Annotated[str, Field(pattern=r"^[^{}%\x00-\x1f\x7f]*$", max_length=80)] = ""
    """Maker and model, as the machine tells them."""


class Hosts(Assumable):
    """A run of equal hosts, placed rack by rack: host *i* stands in rack *i* modulo the number of racks."""

    names: Pattern
    """Host names, such as ``jz-c{001..096}``."""
    racks: RackPattern
    """``site/hall/row/rack`` patterns, such as ``jz-a/h1/r{01..04}/{01..24}``."""
    role: HostRole = HostRole.WORKER
    cluster: Name | None = None
    """The cluster whose node this host is; none for storage, databases and spares."""
    pool: Name | None = None
    """The node pool within that cluster."""
    arch: Arch
    cores: int = Field(ge=1, le=1024)
    """Physical or logical cores that the node offers."""
    memory: Quantity
    """Memory, such as 512Gi."""
    storage: Quantity | None = None
    """Local storage, such as 8Ti."""
    accelerators: Accelerators | None = None
    units: int = Field(default=2, ge=1, le=20)
    """Height in rack units."""
    watts: int = Field(default=800, ge=10, le=20_000)
    """Rated power draw of one host, in W."""
    kg: float = Field(default=30, gt=0, le=500)
    """Weight of one host, in kg."""
    cords: int = Field(default=2, ge=1, le=2)
    """2 when either of two supplies carries the whole host, 1 when it goes dark with side A of its rack."""
    unit: int | None = Field(default=None, ge=1, le=60)
    """Lowest rack unit of the first of these hosts in each rack; the next ones stand on top. Unknown when left out."""
    ports: list[Ports] = []
    """Network ports of one host; unknown when empty."""
    addresses: Addresses | None = None
    """Management addresses, such as ``10.62.0.{11..14}``, one a host; without them hosts are not configured."""
    lab: bool = False
    """Booted as a real host in the lab."""
    machines: dict[Annotated[str, Field(pattern=LABEL, max_length=63)], Machine] = {}
    """The machines that are known, by host name; ``hosts enrol`` fills this in."""
    retired: list[Annotated[str, Field(pattern=LABEL, max_length=63)]] = []
    """Hosts of this run that are gone; the others keep their names and racks."""


class Taint(Part):
    """A Kubernetes taint of a pool's nodes."""

    key: Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9._-]+$", max_length=120)]
    value: Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$", max_length=63)] = ""
    effect: Annotated[str, Field(pattern=r"^(NoSchedule|PreferNoSchedule|NoExecute)$")] = "NoSchedule"


class Pool(Assumable):
    """A node pool: hosts of one architecture that systems ask for by name."""

    name: Name
    arch: Arch
    labels: dict[
        Annotated[str, Field(pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9._-]+$", max_length=120)],
        Annotated[str, Field(pattern=r"^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$", max_length=63)],
    ] = {}
    taints: list[Taint] = []


class Kubeconfig(Part):
    """How a cluster is reached; paths only, never credentials."""

    path: str = Field(min_length=1, max_length=300)
    """A kubeconfig file outside the hub folder; ``~`` and ``$VARIABLES`` are expanded."""
    context: str = Field(default="", max_length=120)
    """The context within it; empty for the current one."""


class Join(Part):
    """How hosts become nodes of a cluster; without it somebody else joins them."""

    server: Annotated[str, Field(pattern=r"^https://[a-zA-Z0-9.:-]+$", max_length=200)]
    """The API server as hosts reach it."""
    ca: Annotated[str, Field(pattern=r"^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s-]+$", max_length=20_000)]
    """The certificate that the API server is known by, in PEM."""
    downloads: Annotated[str, Field(pattern=r"^https?://[^ ]+$", max_length=200)]
    """The folder that the node's programs come from: hosts do not reach the internet."""
    programs: dict[
        Annotated[str, Field(pattern=r"^(kubelet|kube-proxy|kube-router)$")],
        Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")],
    ]
    """SHA-256 of each program: another one is another state of the host."""
    own_kernel: bool = True
    """Whether a host loads its own kernel modules; a container shares the machine's."""


class Cluster(Assumable):
    """A Kubernetes cluster of the hub."""

    name: ShortName
    site: Name
    zone: Name
    """The network zone its systems live in."""
    version: Annotated[str, Field(pattern=r"^1\.[0-9]{1,2}$")] = "1.36"
    pools: list[Pool] = Field(min_length=1)
    uid: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    """UID of the kube-system namespace; pins the target. Without it the first `up` pins what it finds."""
    kubeconfig: Kubeconfig | None = None
    """The real cluster; without it the lab's cluster of this name is used."""
    join: Join | None = None
    """How its hosts of role worker become nodes; the lab has its own way."""
