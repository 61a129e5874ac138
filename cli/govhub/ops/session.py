"""A session with one hub: its model, desired graph, state, key and clusters, opened in one place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from govhub.core.diagnostics import Diagnostic, Diagnostics
from govhub.core.errors import GovhubError, InvalidInput
from govhub.core.files import private_folder
from govhub.core.keys import HubKey
from govhub.core.kube import Kube
from govhub.core.settings import home, hub_home
from govhub.engine.settings import EngineSettings
from govhub.engine.state import Checkpoint, State
from govhub.engine.targets import pinned, verify
from govhub.inventory.loader import Hub
from govhub.inventory.model.compute import Cluster
from govhub.lab.toolchain import ENGINE, PULUMI_VERSION, require
from govhub.ops.hostside import HostsSide, hosts_side
from govhub.ops.load import valid_hub
from govhub.ops.reach import kubeconfig_of, no_kubeconfig, state_bucket
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
