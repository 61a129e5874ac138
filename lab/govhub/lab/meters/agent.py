"""The process of a lab's SNMP agents: ``python -m govhub.lab.meters.agent FOLDER PORT KUBELETS``.

The folder holds ``plan.json``, ``community`` (for nobody else's eyes), and ``faults.json`` where faults are rehearsed.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from govhub.core.errors import GovhubError
from govhub.lab.meters.kubelets import serve
from govhub.lab.meters.model import FAULTS, Pods, World
from govhub.lab.meters.plan import Agent, Plan
from govhub.lab.meters.tables import Table
from govhub.lab.meters.wire import answer

TICK = 2.0
PART = 10.0
"""Times what a tick takes that there is at least between two."""
PODS = 3.0
DESCRIPTORS = 128
"""Beside one of each agent."""


class Endpoint(asyncio.DatagramProtocol):
    """One agent's address."""

    def __init__(self, world: World, agent: Agent, community: bytes) -> None:
        self._world, self._agent, self._community = world, agent, community
        self._table: Table = world.table(agent)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The address is ours."""
        # The standard library's own is no subclass of it.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Answer, unless the agent plays dead or the request is none of ours."""
        if self._transport and not self._world.silent(self._agent) and (out := self._answer(data)):
            self._transport.sendto(out, addr)

    def _answer(self, data: bytes) -> bytes | None:
        return answer(data, self._community, self._table)


async def run(folder: Path, port: int, kubelets: int) -> None:
    """Answer on all addresses until the process is ended.

    Args:
        folder: See above.
        port: UDP, of all agents.
        kubelets: TCP, of the counters of pods.

    Raises:
        OSError: an address is taken.
    """
    plan = Plan.from_json((folder / "plan.json").read_text(encoding="utf-8"))
    community = (folder / "community").read_text(encoding="ascii").strip().encode()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = len(plan.agents) + DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most < 0 else min(wanted, most), most))
    world = World(plan)
    world.tick(time.time())
    loop = asyncio.get_running_loop()
    for agent in plan.agents:
        await loop.create_datagram_endpoint(
            partial(Endpoint, world, agent, community), local_addr=(agent.address, port)
        )
    serve(world, kubelets)
    readers = [asyncio.create_task(_follow(world, name, path)) for name, path in plan.kubeconfigs.items()]
    while True:
        world.faults = _faults(folder / "faults.json")
        begun = time.monotonic()
        world.tick(time.time())
        # Working it out takes a second for 80,000 racks; meanwhile nobody is answered.
        await asyncio.sleep(max(TICK, PART * (time.monotonic() - begun)))
        for reader in readers:
            if reader.done():
                reader.result()


async def _follow(world: World, cluster: str, kubeconfig: str) -> None:
    """Keep the pods of a cluster; while it is away, what was last known holds."""
    while True:
        with suppress(GovhubError):
            world.run(cluster, await asyncio.to_thread(_pods, cluster, Path(kubeconfig)))
        await asyncio.sleep(PODS)


def _pods(cluster: str, kubeconfig: Path) -> Pods:
    from govhub.core.kube import Kube
    from govhub.core.pods import live_pods

    kube = Kube(cluster, kubeconfig, timeout=5.0)
    return {(pod.namespace, pod.name): (pod.node, pod.millicores) for pod in live_pods(kube) if pod.node}


def _faults(path: Path) -> dict[str, tuple[str, ...]]:
    """The rehearsed faults; none while the file is absent."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {kind: tuple(found.get(kind, ())) for kind in FAULTS}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), _port(sys.argv[3])))
