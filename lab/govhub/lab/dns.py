"""CoreDNS in a lab cluster with real nodes, as an installer would put it there: systems find each other by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from govhub.core.kube import Kube

IMAGE = "kubernetes/coredns:1.15.0"
DOMAIN = "cluster.local"
_NAMESPACE = "kube-system"
_LABELS = {"k8s-app": "kube-dns", "app.kubernetes.io/name": "coredns"}
_COREFILE = f""".:53 {{
    health
    ready
    errors
    cache 30
    kubernetes {DOMAIN} in-addr.arpa {{
        pods disabled
    }}
}}
"""
_RBAC = "rbac.authorization.k8s.io"


def serve_names(kube: Kube, registry: str, address: str, simulated: str, taints: Iterable[str]) -> int:
    """Create what is missing of it; returns how many objects were made.

    Args:
        kube: The cluster.
        registry: The prefix of the image.
        address: The service address that pods ask.
        simulated: The label of nodes that run nothing.
        taints: Keys of the pools' taints, which it bears. Not all taints there are: it would come back onto a node
            that is being emptied.
    """
    return kube.create_all(_objects(f"{registry}{IMAGE}", address, simulated, taints))


def _objects(image: str, address: str, simulated: str, taints: Iterable[str]) -> Iterator[dict[str, Any]]:
    yield _object("v1", "ServiceAccount")
    yield _object(f"{_RBAC}/v1", "ClusterRole", rules=_rules(), name="system:coredns", namespace="")
    yield _object(
        f"{_RBAC}/v1",
        "ClusterRoleBinding",
        name="system:coredns",
        namespace="",
        roleRef={"apiGroup": _RBAC, "kind": "ClusterRole", "name": "system:coredns"},
        subjects=[{"kind": "ServiceAccount", "name": "coredns", "namespace": _NAMESPACE}],
    )
    yield _object("v1", "ConfigMap", data={"Corefile": _COREFILE})
    ports = [{"name": name, "port": 53, "targetPort": 53, "protocol": name.upper()} for name in ("udp", "tcp")]
    yield _object("v1", "Service", name="kube-dns", spec={"clusterIP": address, "selector": _LABELS, "ports": ports})
    yield _object("apps/v1", "Deployment", spec=_deployment(image, simulated, taints))


def _rules() -> list[dict[str, Any]]:
    reads = (("", ["endpoints", "services", "pods", "namespaces"]), ("discovery.k8s.io", ["endpointslices"]))
    return [{"apiGroups": [group], "resources": kinds, "verbs": ["list", "watch"]} for group, kinds in reads]


def _deployment(image: str, simulated: str, taints: Iterable[str]) -> dict[str, Any]:
    real = {"matchExpressions": [{"key": simulated, "operator": "DoesNotExist"}]}
    placing = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [real]}}
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 2},
        "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns", "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": 10001,
        },
    }
    spec = {
        "serviceAccountName": "coredns",
        "priorityClassName": "system-cluster-critical",
        "tolerations": [{"key": key, "operator": "Exists"} for key in sorted(set(taints))],
        "affinity": {"nodeAffinity": placing},
        "dnsPolicy": "Default",
        # Network policies name the pod's own port, and everybody's say 53.
        "securityContext": {"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]},
        "containers": [container],
        "volumes": [{"name": "config", "configMap": {"name": "coredns"}}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _LABELS},
            }
        ],
    }
    return {
        "replicas": 2,
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": spec},
    }


def _object(
    version: str, kind: str, *, name: str = "coredns", namespace: str = _NAMESPACE, **rest: Any
) -> dict[str, Any]:
    metadata = {"name": name, "labels": _LABELS} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
