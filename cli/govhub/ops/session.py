"""A session with one hub: its model, desired graph, state, key and clusters, opened in one place."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.errors import GovhubError, InvalidInput, TargetUnreachable
from govhub.core.files import private_folder
from govhub.core.keys import HubKey
from govhub.core.kube import Kube
from govhub.core.settings import Env, home, hub_home, value_of
from govhub.engine.bucket import Bucket, open_bucket
from govhub.engine.runner import EngineSettings
from govhub.engine.state import Checkpoint, State
from govhub.engine.targets import pinned, verify
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.lab.cluster import LabCluster
from govhub.lab.toolchain import ENGINE, PULUMI_VERSION, require
from govhub.ops.hostside import HostsSide, hosts_side
from govhub.ops.load import valid_hub
from govhub.stacks.graph import Graph, Shard
from govhub.stacks.render import render


@dataclass(slots=True)
class Connection:
    """One cluster as this run sees it: a live connection, or the reason why there is none."""

    cluster: Cluster
    kubeconfig: Path | None
    kube: Kube | None = None
    uid: str = ""
    problem: Diagnostic | None = None


@dataclass(slots=True)
class Declared:
    """What a hub's files say, and nothing else: no state, no key, no cluster."""

    hub: Hub
    warnings: list[Diagnostic]
    graph: Graph

    @property
    def name(self) -> str:
        """The hub's name."""
        return self.hub.model.hub.name


@dataclass(slots=True)
class Session(Declared):
    """What every use case that works with a hub's state or clusters starts from."""

    state: State
    key: HubKey
    folder: Path
    recorded: dict[Shard, Checkpoint] = field(default_factory=dict)
    hosts: HostsSide = field(default_factory=HostsSide)

    def reread(self) -> None:
        """Read the state again; another run may have written it before the lock was ours."""
        self.recorded = {shard: self.state.checkpoint(shard) for shard in self.state.shards()}
        self.hosts = hosts_side(self.hub, self.state)

    def connect(self, only: tuple[str, ...] = ()) -> dict[str, Connection]:
        """Connect to all clusters (or those matching a glob of ``only``) and verify who answers; problems are kept."""
        pins = pinned(self.state)
        wanted = [
            item for item in self.hub.model.clusters if not only or any(fnmatchcase(item.name, glob) for glob in only)
        ]
        with ThreadPoolExecutor(max(len(wanted), 1)) as pool:
            return {item.cluster.name: item for item in pool.map(lambda one: self._connect(one, pins), wanted)}

    def _connect(self, cluster: Cluster, pins: dict[str, str]) -> Connection:
        path, context = kubeconfig_of(self.name, cluster)
        connection = Connection(cluster, path)
        try:
            if path is None or not path.is_file():
                raise no_kubeconfig(self.name, cluster)
            connection.kube = Kube(cluster.name, path, context)
            connection.uid = verify(cluster, connection.kube, pins)
        except GovhubError as error:
            connection.kube, connection.problem = None, error.diagnostics[0]
        return connection

    def engine_settings(self, timeout: float = 3600.0) -> EngineSettings:
        """Where the engine is and how it is run.

        Raises:
            ToolMissing: the engine is not there.
        """
        tools = require(ENGINE)
        return EngineSettings(
            pulumi=tools["pulumi"],
            provider=tools["pulumi-resource-kubernetes"],
            version=PULUMI_VERSION,
            backend=self.state.bucket.url,
            passphrase_file=self.key.ensure(),
            home=private_folder(home() / "engine"),
            work=private_folder(self.folder / "work"),
            timeout=timeout,
        )


def declared(name: str) -> Declared:
    """Load and render a hub.

    Raises:
        InvalidInput: the hub is not valid.
    """
    hub, warnings = valid_hub(name)
    return Declared(hub, warnings, _rendered(hub, None))


def open_session(name: str, *, with_key: bool = False) -> Session:
    """Load a hub, render it and open its state.

    Args:
        name: Hub name or folder.
        with_key: Make the hub's key when there is none: for runs that write.

    Raises:
        InvalidInput: the hub is not valid.
    """
    hub, warnings = valid_hub(name)
    folder = hub_home(hub.model.hub.name)
    key = HubKey(folder, hub.folder)
    if with_key:
        key.ensure()
    session = Session(hub, warnings, _rendered(hub, key), State(hub.model.hub.name, state_bucket(hub)), key, folder)
    session.reread()
    return session


def _rendered(hub: Hub, key: HubKey | None) -> Graph:
    problems = Diagnostics()
    graph = render(hub, key, problems)
    if problems.errors:
        raise InvalidInput(problems.sorted())
    return graph


def state_bucket(hub: Hub) -> Bucket:
    """The hub's state: GOVHUB_STATE, or a folder of this user.

    Raises:
        InvalidInput: the hub wants PostgreSQL and no address is given.
    """
    address = value_of(Env.STATE)
    if not address and hub.model.hub.state == "postgres":
        raise InvalidInput.one(
            "STA006",
            f"{hub.name} keeps its state in PostgreSQL, and no address is set",
            source=hub.at("hub", "state"),
            hint=f"export {Env.STATE}=postgres://user@host:5432/database",
        )
    return open_bucket(address or str(hub_home(hub.name) / "state"))


def kubeconfig_of(hub: str, cluster: Cluster) -> tuple[Path | None, str]:
    """Path and context of a cluster's kubeconfig: environment > hub > lab."""
    variable = Env.KUBECONFIG_PREFIX + cluster.name.upper().replace("-", "_")
    if value := value_of(variable):
        return Path(value).expanduser(), ""
    if cluster.kubeconfig:
        return Path(os.path.expandvars(cluster.kubeconfig.path)).expanduser(), cluster.kubeconfig.context
    lab = LabCluster(hub, cluster.name)
    return (lab.kubeconfig, "") if lab.exists() else (None, "")


def no_kubeconfig(hub: str, cluster: Cluster) -> TargetUnreachable:
    """That nobody says how a cluster is reached (TGT002)."""
    variable = Env.KUBECONFIG_PREFIX + cluster.name.upper().replace("-", "_")
    # As written, not as expanded: a variable named there may hold anything.
    where = value_of(variable) or (cluster.kubeconfig.path if cluster.kubeconfig else "")
    return TargetUnreachable.one(
        "TGT002",
        f"cluster {cluster.name}: "
        + (f"no kubeconfig at {where}" if where else "no kubeconfig, and no lab is running"),
        address=f"clusters.{cluster.name}",
        hint=f"start the lab with: govhub lab up {hub}, or set {variable}=/path/to/kubeconfig",
    )
