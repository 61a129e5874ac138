"""Whether all that ran before an upgrade runs again, told apart by the hosts that are in work."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from govhub.core.kube import Kube
from govhub.ops.readiness import readiness


class HealthGate:
    """What every host has to pass before it counts as well; thread-safe.

    A workload that has pods on several hosts in work is not ready until the last of them is back: that last one
    waits for it, the others do not.
    """

    def __init__(self, kubes: Iterable[Kube], hub: str) -> None:
        """Look what is not ready as it is; nobody waits for that.

        Raises:
            TargetUnreachable, KubeError: a cluster does not say.
        """
        self._hub = hub
        self._lock = threading.Lock()
        self._before = {kube.name: self._unready(kube) for kube in kubes}
        self._concerned: dict[str, frozenset[str]] = {}

    def enter(self, host: str, kube: Kube, workloads: Collection[str]) -> None:
        """A host is in work; ``workloads`` (``Kind/namespace/name``) have pods on it."""
        with self._lock:
            self._concerned[host] = frozenset(f"{kube.name}/{item}" for item in workloads)

    def leave(self, host: str) -> None:
        """A host is well again. One that is not stays: what it took is not for others to wait for."""
        with self._lock:
            self._concerned.pop(host, None)

    def worse(self, host: str, kube: Kube) -> set[str]:
        """What ran before and does not run now, but for what other hosts have taken."""
        unready = self._unready(kube)
        with self._lock:
            # What has come to run meanwhile has to go on running.
            self._before[kube.name] &= unready
            taken = set[str]().union(*(found for other, found in self._concerned.items() if other != host))
            return unready - self._before[kube.name] - taken

    def _unready(self, kube: Kube) -> set[str]:
        return {address for address, _ in readiness([kube], self._hub).waiting}
