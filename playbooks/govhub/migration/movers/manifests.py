"""The objects of one command that runs as a Job: everything else belongs to the Job and goes with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Manifest = dict[str, Any]
USER = 10001
MANAGER = "govhub-mover"
PLACE, SESSION = "govhub.io/mover-place", "govhub.io/mover-session"
"""Labels of Jobs and pods; without ``govhub.io/stack``, by which `up`, `drift` and `destroy` know their own."""
AFTER = 30
"""Seconds after its end at which the cluster removes a Job that nobody removed."""
WORK, SENT, TMP = "/work", "/sent", "/tmp"  # noqa: S108  # an emptyDir of the pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all Jobs of movers in a cluster have in common."""

    hub: str
    image: str
    """With Python and the tools; from a registry of the hub."""
    namespace: str = "govhub-movers"
    storage: str = "20Gi"
    """Of the volume that the files of one move lie on."""
    storage_class: str = ""
    """Empty: the cluster's own choice."""
    cpu: str = "100m"
    memory: str = "512Mi"
    node_labels: dict[str, str] = field(default_factory=dict)
    tolerations: tuple[Manifest, ...] = ()


def namespace(setting: Setting) -> Manifest:
    """Where Jobs run; the API server refuses pods there that may do more than ours."""
    labels = {"app.kubernetes.io/managed-by": MANAGER, "govhub.io/hub": setting.hub}
    labels |= {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": setting.namespace, "labels": labels}}


def closed(setting: Setting) -> Manifest:
    """What holds for a pod there that no other policy knows: it reaches nobody, and nobody it."""
    labels = {"app.kubernetes.io/managed-by": MANAGER}
    spec: Manifest = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    return _object(setting, "networking.k8s.io/v1", "NetworkPolicy", "closed", labels) | {"spec": spec}


def claim(setting: Setting, name: str, labels: dict[str, str]) -> Manifest:
    """The volume of one move; it stays until the move's files are not needed."""
    spec: Manifest = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": setting.storage}},
    }
    if setting.storage_class:
        spec["storageClassName"] = setting.storage_class
    return _object(setting, "v1", "PersistentVolumeClaim", name, labels) | {"spec": spec}


def job(setting: Setting, name: str, labels: dict[str, str], volume: str, seconds: int) -> Manifest:
    """The Job; its pod waits for the Secret of the same name.

    Args:
        setting: What all have in common.
        name: Of the Job and all that belongs to it.
        labels: Place and session.
        volume: The claim of the move's files.
        seconds: After so long the cluster ends it, unless it is told otherwise meanwhile.
    """
    container = {
        "name": "mover",
        "image": setting.image,
        "command": ["python3", f"{SENT}/agent.py", f"{SENT}/header"],
        "env": [{"name": "HOME", "value": TMP}],
        "resources": {
            "requests": {"cpu": setting.cpu, "memory": setting.memory},
            "limits": {"memory": setting.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "sent", "mountPath": SENT, "readOnly": True},
            {"name": "work", "mountPath": WORK},
            {"name": "tmp", "mountPath": TMP},
        ],
    }
    pod: Manifest = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 2,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "sent", "secret": {"secretName": name, "defaultMode": 0o440}},
            {"name": "work", "persistentVolumeClaim": {"claimName": volume}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        ],
    }
    if setting.node_labels:
        pod["nodeSelector"] = dict(setting.node_labels)
    if setting.tolerations:
        pod["tolerations"] = list(setting.tolerations)
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": seconds,
        "ttlSecondsAfterFinished": AFTER,
        "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
    }
    return _object(setting, "batch/v1", "Job", name, labels) | {"spec": spec}


def policy(setting: Setting, made: Manifest, servers: Iterable[tuple[str, int]]) -> Manifest:
    """Nobody reaches the pod of a Job, and it reaches the servers of its command alone."""
    egress = [
        {"to": [{"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}}], "ports": [_port(port)]}
        for address, port in sorted(set(servers))
    ]
    spec = {
        "podSelector": {"matchLabels": {"job-name": made["metadata"]["name"]}},
        "policyTypes": ["Ingress", "Egress"],
        "egress": egress,
    }
    return _owned(setting, made, "networking.k8s.io/v1", "NetworkPolicy") | {"spec": spec}


def secret(setting: Setting, made: Manifest, data: dict[str, str]) -> Manifest:
    """What the pod is sent; ``data`` is base64."""
    return _owned(setting, made, "v1", "Secret") | {"type": "Opaque", "data": data, "immutable": True}


def _port(port: int) -> Manifest:
    return {"protocol": "TCP", "port": port}


def _owned(setting: Setting, made: Manifest, api: str, kind: str) -> Manifest:
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": made["metadata"]["name"], "uid": made["metadata"]["uid"]}
    found = _object(setting, api, kind, made["metadata"]["name"], made["metadata"]["labels"])
    found["metadata"]["ownerReferences"] = [owner | {"blockOwnerDeletion": False}]
    return found


def _object(setting: Setting, api: str, kind: str, name: str, labels: dict[str, str]) -> Manifest:
    metadata = {"name": name, "namespace": setting.namespace, "labels": dict(labels)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}
