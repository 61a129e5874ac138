"""All lab hosts of a hub: boot, look, reboot, power off, and take down without a trace."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.files import private_folder, write_atomic
from govhub.core.settings import connections_file, home
from govhub.lab.cluster import LabCluster
from govhub.lab.hosts import mirror, renewal
from govhub.lab.hosts.base import USER, archive_of, ensure, require_root
from govhub.lab.hosts.digests import digest_of
from govhub.lab.hosts.gate import close_gates, open_gate
from govhub.lab.hosts.limits import prepare_nodes, raise_limits, restore_limits
from govhub.lab.hosts.machine import CGROUPS, Machine, make_key
from govhub.lab.hosts.network import OUTSIDE, PREFIX, Network, address

MOST = 60
BOOT_SECONDS = 60.0
DATABASE_MEMORY = 128
"""MiB that a database server in the lab plans with."""
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The lab hosts of one hub; everything is under ``folder``."""

    hub: str

    @property
    def folder(self) -> Path:
        """Trees, keys and logs."""
        return home() / "lab" / self.hub / "hosts"

    @property
    def network(self) -> Network:
        """Their network."""
        return Network(self.hub)

    @property
    def key(self) -> Path:
        """The private key of the account on the hosts."""
        return self.folder / "id_ed25519"

    def exists(self) -> bool:
        """Whether hosts were made, or begun to be made, and not taken down."""
        return self.folder.is_dir() or self.network.exists()

    def machines(self) -> dict[str, Machine]:
        """The hosts that were made, by name."""
        try:
            found = json.loads((self.folder / "hosts.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {name: self._machine(name, ip) for name, ip in found.items()}

    def up(self, names: Iterable[str], packages: Iterable[str], progress: Progress) -> dict[str, float]:
        """Make and boot hosts; those that run are left alone.

        Args:
            names: The hosts.
            packages: What the mirror must have, beside what the base tree has.
            progress: Told what takes long.

        Returns:
            Seconds until SSH answered, by host that was booted.

        Raises:
            ToolMissing: not root, or tools are missing.
            GovhubError: a host did not come up, or too many are asked for.
        """
        require_root()
        addresses = self._addresses(names)
        base = ensure(progress)
        stock = mirror.ensure(base, packages, progress)
        trees = renewal.ensure(base, stock, progress)
        self.network.up()
        private_folder(self.folder)
        raise_limits(self.folder)
        stock.serve(self.network, self.folder)
        make_key(self.key, f"govhub-lab-{self.hub}")
        public = self.key.with_suffix(".pub").read_text().strip()
        write_atomic(self.folder / "hosts.json", json.dumps(addresses, indent=1))
        machines = {name: self._machine(name, ip) for name, ip in addresses.items()}
        started = time.monotonic()
        booted = [machine for machine in machines.values() if machine.pid() is None]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda machine: _boot(machine, trees, public), booted))
        self._write_connections(machines.values(), stock)
        # Those that run may have been started a moment ago, by one that was killed.
        seconds = _await_ssh(list(machines.values()), started)
        return {machine.name: seconds[machine.name] for machine in booted}

    def connect(self, clusters: Iterable[LabCluster], programs: Mapping[str, Path], images: Mapping[str, Path]) -> None:
        """Let hosts become nodes of these clusters, with these programs, and images for a registry to hold."""
        prepare_nodes(self.folder)
        archives = {path.parent.name: path for path in images.values()}
        mirror.offer(self.folder, {**programs, **archives})
        digests = {name: digest_of(path) for name, path in programs.items()}
        joins = {
            cluster.cluster: {
                "server": open_gate(self.network, self.folder, cluster.cluster, cluster.port),
                "ca": cluster.ca,
                "downloads": mirror.url(),
                "programs": digests,
                "own_kernel": False,
            }
            for cluster in clusters
        }
        path = connections_file(self.hub)
        document = json.loads(path.read_text(encoding="utf-8"))
        document["variables"] |= {
            "registry_archives": mirror.url(),
            "registry_images": [
                {"name": name, "archive": path.parent.name, "sha256": digest_of(path)} for name, path in images.items()
            ],
        }
        write_atomic(path, json.dumps(document | {"clusters": joins}, indent=1))

    def down(self) -> None:
        """End the hosts and remove everything; nothing happens when there is nothing.

        Their power is cut: nothing of them stays, and a node with pods takes a minute and a half to shut down.
        """
        if not self.exists():
            return
        require_root()
        machines = list(self.machines().values())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Machine.power_cut, machines))
        for machine in machines:
            machine.remove()
        mirror.stop_serving(self.folder)
        close_gates(self.folder)
        self.network.down()
        restore_limits(self.folder)
        connections_file(self.hub).unlink(missing_ok=True)
        for cgroup in CGROUPS.glob(f"*/{self.network.namespace}"):
            cgroup.rmdir()
        # Last: as long as it is there, another `lab down` goes on with what this one did not come to.
        shutil.rmtree(self.folder, ignore_errors=True)

    def describe(self) -> list[dict[str, Any]]:
        """State and memory of each host."""
        return [
            {
                "name": name,
                "address": machine.address,
                "state": _state(machine),
                "memory": machine.memory(),
            }
            for name, machine in self.machines().items()
        ]

    def _machine(self, name: str, ip: str) -> Machine:
        return Machine(self.network, name, ip, self.folder / name)

    def _addresses(self, names: Iterable[str]) -> dict[str, str]:
        """Hosts keep their addresses; new ones get the next free."""
        known = {name: machine.address for name, machine in self.machines().items()}
        for name in names:
            if name not in known:
                taken = set(known.values())
                known[name] = next(ip for index in range(240) if (ip := address(index)) not in taken)
        if len(known) > MOST:
            raise GovhubError.one("LAB016", f"{len(known)} lab hosts are more than the {MOST} that one machine carries")
        return known

    def _write_connections(self, machines: Iterable[Machine], stock: mirror.Mirror) -> None:
        """What SSH needs to reach and to know them, and what stands in the lab for the declared surroundings."""
        known = self.folder / "known_hosts"
        machines = list(machines)
        write_atomic(known, "".join(f"{machine.address} {machine.host_key}\n" for machine in machines))
        hosts = {
            machine.name: {"address": machine.address, "user": USER, "key": str(self.key), "known_hosts": str(known)}
            for machine in machines
        }
        document = {
            "hosts": hosts,
            # The clock of a container is the machine's, and so are the kernel's audit and most of its settings.
            "variables": {
                "mirror_url": mirror.url(),
                "mirror_suite": archive_of()[1],
                "mirror_key": stock.key,
                "chrony_steers": False,
                "hardening_audit": False,
                "hardening_sysctl": {},
                # What is declared is a server's memory; here all hosts share one machine's.
                "postgresql_memory": DATABASE_MEMORY,
                "mariadb_memory": DATABASE_MEMORY,
            },
            # Calls of the API server come from this machine.
            "networks": {"management": [f"{OUTSIDE}/32"], "nodes": [f"{PREFIX}.0/24"], "control": [f"{OUTSIDE}/32"]},
            "clusters": {},
        }
        path = connections_file(self.hub)
        if path.is_file():
            known = json.loads(path.read_text(encoding="utf-8"))
            document["clusters"] = known["clusters"]
            document["variables"] = known["variables"] | document["variables"]
        write_atomic(path, json.dumps(document, indent=1))


def _boot(machine: Machine, trees: Iterable[Path], public_key: str) -> None:
    machine.create(trees, public_key)
    machine.start()


def _await_ssh(machines: list[Machine], started: float) -> dict[str, float]:
    seconds: dict[str, float] = {}
    deadline = started + BOOT_SECONDS
    waiting = list(machines)
    while waiting and time.monotonic() < deadline:
        for machine in list(waiting):
            if machine.answers():
                seconds[machine.name] = round(time.monotonic() - started, 2)
                waiting.remove(machine)
        time.sleep(0.05)
    if waiting:
        raise GovhubError.one(
            "LAB017",
            f"{len(waiting)} lab hosts do not answer on SSH after {BOOT_SECONDS:.0f} s: {waiting[0].name}",
            hint=f"look at {waiting[0].folder}/console.log",
        )
    return seconds


def _state(machine: Machine) -> str:
    if machine.pid() is None:
        return "off"
    return "running" if machine.answers() else "booting"
