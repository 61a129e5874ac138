"""Workloads as Kubernetes objects: hardened pods with requests, spread over racks, priority by tier."""

from __future__ import annotations

import base64
import copy
from dataclasses import dataclass
from typing import Any

from govhub.core.diagnostics import SourceRange
from govhub.core.secrets import Secret
from govhub.inventory.model.compute import Taint
from govhub.inventory.model.tenancy import SecretRef, Workload, WorkloadKind
from govhub.stacks.context import DOMAIN, Context, manifest
from govhub.stacks.graph import Component, Manifest, Shard
from govhub.stacks.tenants import accelerator_of

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The system or service whose workloads are rendered, in one namespace."""

    kind: str
    name: str
    tenant: str
    tier: int
    namespace: str
    production: bool
    shard: Shard
    component: Component
    source: SourceRange | None

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its pods; admission requires them."""
        out = {f"{DOMAIN}/{self.kind}": self.name, "app.kubernetes.io/part-of": self.name}
        return out | ({f"{DOMAIN}/tenant": self.tenant} if self.tenant else {})


class WorkloadKit:
    """Emits an owner's secrets, workloads, services and disruption budgets."""

    def __init__(self, ctx: Context, owner: Owner) -> None:
        self.ctx, self.owner = ctx, owner

    def _emit(self, body: Manifest, *after: Manifest) -> Manifest:
        owner = self.owner
        body["metadata"]["labels"] = owner.labels | body["metadata"].get("labels", {})
        system = owner.name if owner.kind == "system" else ""
        return self.ctx.emit(
            owner.shard,
            owner.component,
            body,
            tenant=owner.tenant,
            system=system,
            source=owner.source,
            after=after,
        )

    def secret(self, ref: SecretRef) -> Manifest:
        """A Secret; its value is known only where the reference can be resolved."""
        owner = self.owner
        address = f"{owner.namespace}/{owner.name}-{ref.name}"
        value = self.ctx.secrets.resolve(ref, address)
        body = manifest("v1", "Secret", f"{owner.name}-{ref.name}", owner.namespace, type="Opaque")
        body["data"] = {"value": _encoded(value) if value else None}
        if value:
            body["metadata"]["annotations"] = {f"{DOMAIN}/secret-fingerprint": self.ctx.secrets.fingerprint(value)}
        return self._emit(body)

    def workload(self, work: Workload, secrets: list[Manifest]) -> None:
        """The controller, and a Service and disruption budget where they make sense."""
        name = f"{self.owner.name}-{work.name}"
        replicas = work.replicas if self.owner.production else 1
        selector = self.owner.labels | {"app.kubernetes.io/component": work.name}
        # Only these two: a selector can never change, while owner labels may gain members.
        selector = {key: selector[key] for key in (f"{DOMAIN}/{self.owner.kind}", "app.kubernetes.io/component")}
        template = {
            "metadata": {"labels": self._pod_labels(work)},
            "spec": self._pod(work, selector, replicas, secrets),
        }
        self._emit(self._controller(name, work, replicas, selector, template), *secrets)
        if work.port:
            ports = [{"name": "main", "port": work.port, "targetPort": "main", "protocol": "TCP"}]
            service: dict[str, Any] = {"selector": selector, "ports": ports, "type": "ClusterIP"}
            if work.kind is WorkloadKind.STATEFULSET:
                # Headless: each member of the set needs a name of its own.
                service["clusterIP"] = "None"
            self._emit(manifest("v1", "Service", name, self.owner.namespace, spec=service))
        if replicas > 1 and work.kind is not WorkloadKind.CRONJOB:
            budget = {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
            self._emit(manifest("policy/v1", "PodDisruptionBudget", name, self.owner.namespace, spec=budget))

    def _pod_labels(self, work: Workload) -> dict[str, str]:
        return self.owner.labels | {
            "app.kubernetes.io/component": work.name,
            "app.kubernetes.io/managed-by": "govhub",
            f"{DOMAIN}/hub": self.ctx.hub.model.hub.name,
        }

    def _controller(
        self, name: str, work: Workload, replicas: int, selector: dict[str, str], template: dict[str, Any]
    ) -> Manifest:
        namespace = self.owner.namespace
        if work.kind is WorkloadKind.CRONJOB:
            template["spec"]["restartPolicy"] = "OnFailure"
            job = {"spec": {"backoffLimit": 2, "template": template}}
            spec: dict[str, Any] = {
                "schedule": work.schedule,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "successfulJobsHistoryLimit": 1,
                "failedJobsHistoryLimit": 3,
                "jobTemplate": job,
            }
            return manifest("batch/v1", "CronJob", name, namespace, spec=spec)
        spec = {"replicas": replicas, "selector": {"matchLabels": selector}, "template": template}
        if work.kind is WorkloadKind.STATEFULSET:
            if work.port:
                spec["serviceName"] = name
            spec["podManagementPolicy"] = "Parallel"
            if work.storage:
                spec["volumeClaimTemplates"] = [_claim(work.storage)]
            return manifest("apps/v1", "StatefulSet", name, namespace, spec=spec)
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
        spec["revisionHistoryLimit"] = 3
        return manifest("apps/v1", "Deployment", name, namespace, spec=spec)

    def _pod(self, work: Workload, selector: dict[str, str], replicas: int, secrets: list[Manifest]) -> dict[str, Any]:
        pod: dict[str, Any] = {
            "automountServiceAccountToken": False,
            "priorityClassName": f"govhub-tier-{self.owner.tier}",
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "fsGroup": 10001,
                # Once is enough: at each start it would take long, and open what databases insist is theirs alone.
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [self._container(work, secrets)],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
        }
        node_selector = self._node_selector(work)
        if node_selector:
            pod["nodeSelector"] = node_selector
        if tolerations := self._tolerations(work):
            pod["tolerations"] = tolerations
        if replicas > 1 and work.kind is not WorkloadKind.CRONJOB:
            pod["topologySpreadConstraints"] = [self._spread(selector)]
        return pod

    def _spread(self, selector: dict[str, str]) -> dict[str, Any]:
        """Over racks; for tier 1 as a condition, since one rack's loss may not stop a public service."""
        return {
            "maxSkew": 1,
            "topologyKey": f"{DOMAIN}/rack",
            "whenUnsatisfiable": "DoNotSchedule" if self.owner.tier == 1 else "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector},
        }

    def _container(self, work: Workload, secrets: list[Manifest]) -> dict[str, Any]:
        requests: dict[str, Any] = {"cpu": work.cpu, "memory": work.memory}
        limits: dict[str, Any] = {"memory": work.memory}
        if work.accelerators and (resource := accelerator_of(self.ctx, self.owner.shard.cluster)):
            requests[resource] = limits[resource] = str(work.accelerators)
        mounts = [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108  # an emptyDir of the pod
        if work.storage:
            mounts.append({"name": "data", "mountPath": "/data"})
        container: dict[str, Any] = {
            "name": work.name,
            "image": work.image,
            "imagePullPolicy": "IfNotPresent",
            "resources": {"requests": requests, "limits": limits},
            "securityContext": copy.deepcopy(RESTRICTED),
            "volumeMounts": mounts,
        }
        if work.port:
            container["ports"] = [{"name": "main", "containerPort": work.port, "protocol": "TCP"}]
            probe = {"tcpSocket": {"port": "main"}, "periodSeconds": 10}
            container["readinessProbe"] = probe
            container["livenessProbe"] = probe | {"initialDelaySeconds": 30, "failureThreshold": 6}
        if secrets:
            container["envFrom"] = [
                {"secretRef": {"name": item["metadata"]["name"]}, "prefix": _prefix(self.owner, item)}
                for item in secrets
            ]
        return container

    def _node_selector(self, work: Workload) -> dict[str, str]:
        out: dict[str, str] = {}
        if work.arch:
            out["kubernetes.io/arch"] = work.arch.value
        if work.pool:
            out[f"{DOMAIN}/pool"] = work.pool
        return out

    def _tolerations(self, work: Workload) -> list[dict[str, str]]:
        for cluster in self.ctx.hub.model.clusters:
            for pool in cluster.pools:
                if cluster.name == self.owner.shard.cluster and pool.name == work.pool:
                    return [_toleration(taint) for taint in pool.taints]
        return []


def _toleration(taint: Taint) -> dict[str, str]:
    if not taint.value:
        return {"key": taint.key, "operator": "Exists", "effect": taint.effect}
    return {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}


def _claim(storage: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "govhub-standard",
            "resources": {"requests": {"storage": storage}},
        },
    }


def _prefix(owner: Owner, secret: Manifest) -> str:
    """``DB_PASSWORD_`` for the secret ``<owner>-db-password``; its key ``value`` follows."""
    short = str(secret["metadata"]["name"]).removeprefix(f"{owner.name}-")
    return short.upper().replace("-", "_") + "_"


def _encoded(value: Secret) -> Secret:
    return Secret(base64.b64encode(value.reveal().encode()).decode())
