"""Workloads that applications move to: how the cluster has them, held against the one rendering of the hub."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.kube import KINDS, Kube, is_ready
from govhub.inventory.loader import Hub
from govhub.migration.moving.workload import Standing
from govhub.ops.readiness import pod_reason
from govhub.ops.session import open_session
from govhub.stacks.context import DOMAIN, namespace_of

CONTROLLERS = ("Deployment", "StatefulSet")
_POD = KINDS["", "Pod"]
_COMPONENT = "app.kubernetes.io/component"


@dataclass(slots=True)
class ClusterWorkload:
    """See :class:`govhub.migration.moving.workload.Workload`."""

    hub: Hub
    system: str
    name: str
    _wanted: dict[str, Any] | None = field(default=None, init=False)
    _kube: Kube | None = field(default=None, init=False)
    _cluster: str = field(default="", init=False)

    def standing(self) -> Standing:
        """See the protocol.

        Raises:
            GovhubError: the files have no such workload, or its cluster is not the declared one or does not answer.
        """
        wanted, kube = self._reached()
        meta = wanted["metadata"]
        where = f"{self._cluster}/{meta['namespace']}/{wanted['kind']}/{meta['name']}"
        live = kube.get(KINDS["apps", wanted["kind"]], meta["name"], meta["namespace"])
        if live is None:
            return Standing(where=where, there=False)
        status, replicas = live.get("status") or {}, int(wanted["spec"]["replicas"])
        # What the old generation's pods are does not count.
        current = status.get("observedGeneration", 0) >= live["metadata"].get("generation", 0)
        ready = min(int(status.get("readyReplicas", 0)), int(status.get("updatedReplicas", 0))) if current else 0
        reasons = [reason for pod in self._pods() if (reason := pod_reason(pod))] if ready < replicas else []
        return Standing(
            where=where,
            there=True,
            differs=tuple(_differences(wanted["spec"], live["spec"])),
            ready=ready,
            wanted=replicas,
            why=reasons[0] if reasons else "",
        )

    def wake(self) -> int:
        """See the protocol; a controller makes new pods at once, a failing one waits up to five minutes."""
        _, kube = self._reached()
        waiting = [pod["metadata"] for pod in self._pods() if not is_ready(pod)]
        return sum(kube.delete(_POD, item["name"], item["namespace"], item["uid"]) for item in waiting)

    def _pods(self) -> list[dict[str, Any]]:
        wanted, kube = self._reached()
        selector = f"{DOMAIN}/system={self.system},{_COMPONENT}={self.name}"
        return list(kube.list(_POD, selector=selector, namespace=wanted["metadata"]["namespace"]))

    def _reached(self) -> tuple[dict[str, Any], Kube]:
        if self._wanted is None or self._kube is None:
            session = open_session(str(self.hub.folder))
            tenant = next(item.tenant for item in self.hub.model.systems if item.name == self.system)
            spot = (namespace_of(tenant, _environment(self.hub, self.system)), f"{self.system}-{self.name}")
            found = [
                item
                for item in session.graph
                if item.manifest["kind"] in CONTROLLERS
                and (item.manifest["metadata"].get("namespace"), item.manifest["metadata"]["name"]) == spot
            ]
            if not found:
                hint = "name a deployment or a stateful set of the system in `to`"
                summary = f"{self.system} has no workload {self.name} that an application could move to"
                raise GovhubError.one("RUN024", summary, hint=hint)
            self._wanted, self._cluster = found[0].manifest, found[0].shard.cluster
            connection = session.connect((self._cluster,))[self._cluster]
            if connection.kube is None:
                assert connection.problem is not None
                raise GovhubError([connection.problem])
            self._kube = connection.kube
        return self._wanted, self._kube


def _environment(hub: Hub, system: str) -> str:
    """The one that people use: production, where the system has it."""
    own = next(item.environments for item in hub.model.systems if item.name == system)
    production = [item.name for item in hub.model.hub.environments if item.production and item.name in own]
    return (production or own)[0]


def _differences(wanted: dict[str, Any], live: dict[str, Any]) -> list[str]:
    out = []
    images = [[item["image"] for item in side["template"]["spec"]["containers"]] for side in (wanted, live)]
    if images[0] != images[1]:
        out.append(f"its image is {', '.join(images[1])}, declared is {', '.join(images[0])}")
    if live.get("replicas") != wanted["replicas"]:
        out.append(f"it has {live.get('replicas')} replicas, declared are {wanted['replicas']}")
    return out
