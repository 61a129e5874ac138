"""A namespace that is safe to hand out: quota, defaults, default-deny, roles and pod security."""

from __future__ import annotations

from typing import Any

from govhub.core.diagnostics import SourceRange
from govhub.core.quantities import format_bytes, format_cores
from govhub.inventory.sizing import Amount
from govhub.stacks.context import DOMAIN, Context, manifest
from govhub.stacks.graph import Component, Manifest, Shard

ROLES = {"admin": "admin", "developer": "edit", "viewer": "view"}
DEFAULT_DENY = "default-deny"


class NamespaceKit:
    """Emits one namespace and everything that guards it, as children of one component."""

    def __init__(
        self,
        ctx: Context,
        shard: Shard,
        component: Component,
        name: str,
        *,
        tenant: str = "",
        source: SourceRange | None = None,
        labels: dict[str, str] | None = None,
    ) -> None:
        self.ctx, self.shard, self.component, self.name = ctx, shard, component, name
        self.tenant, self.source = tenant, source
        body = manifest("v1", "Namespace", name)
        body["metadata"]["labels"] = {
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/warn": "restricted",
            **(labels or {}),
        }
        body["metadata"]["annotations"] = {f"{DOMAIN}/registries": ",".join(ctx.hub.model.hub.registries)}
        self.namespace = self._emit(body)

    def _emit(self, body: Manifest, system: str = "") -> Manifest:
        is_namespace = body["kind"] == "Namespace"
        return self.ctx.emit(
            self.shard,
            self.component,
            body,
            tenant=self.tenant,
            system=system,
            source=self.source,
            after=() if is_namespace else (self.namespace,),
        )

    def quota(self, amount: Amount, storage: int, accelerator: str = "") -> None:
        """A quota of ``amount`` and ``storage`` bytes, and the defaults that make it applicable to every pod."""
        hard: dict[str, str] = {
            "requests.cpu": format_cores(amount.millicores),
            "requests.memory": format_bytes(amount.memory),
            "limits.memory": format_bytes(amount.memory),
            "requests.storage": format_bytes(storage),
            "pods": str(amount.pods),
            # Ways around the hub's load balancers and firewalls; systems get in through declared flows.
            "services.nodeports": "0",
            "services.loadbalancers": "0",
        }
        if accelerator and amount.accelerators:
            hard[f"requests.{accelerator}"] = str(amount.accelerators)
        self._emit(manifest("v1", "ResourceQuota", "quota", self.name, spec={"hard": hard}))
        limits: dict[str, Any] = {
            "type": "Container",
            "default": {"memory": "512Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "256Mi"},
        }
        self._emit(manifest("v1", "LimitRange", "defaults", self.name, spec={"limits": [limits]}))

    def default_deny(self) -> None:
        """Nothing in, nothing out, except names: without DNS no declared flow could work."""
        spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        self._emit(manifest("networking.k8s.io/v1", "NetworkPolicy", DEFAULT_DENY, self.name, spec=spec))
        dns = {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                }
            ],
            "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        }
        spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns]}
        self._emit(manifest("networking.k8s.io/v1", "NetworkPolicy", "allow-dns", self.name, spec=spec))

    def flows(self) -> None:
        """What default-deny leaves out: the declared flows of everything in the namespace."""
        if rules := self.ctx.flows.get(self.name):
            for system, policy in rules.policies(self.name):
                self._emit(policy, system)

    def roles(self, groups: dict[str, str], *, production: bool) -> None:
        """Directory groups bound to the built-in cluster roles, within this namespace only.

        In production developers only look: changes come through the hub's files, and `edit` could read secrets.
        """
        for role, cluster_role in ROLES.items():
            granted = "view" if production and role == "developer" else cluster_role
            subject = {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": groups[role]}
            ref = {"kind": "ClusterRole", "apiGroup": "rbac.authorization.k8s.io", "name": granted}
            self._emit(
                manifest(
                    "rbac.authorization.k8s.io/v1",
                    "RoleBinding",
                    f"{DOMAIN.partition('.')[0]}-{role}",
                    self.name,
                    subjects=[subject],
                    roleRef=ref,
                )
            )
