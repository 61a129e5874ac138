"""Lets hosts become nodes: what a cluster must grant for it, and a token that lives as long as one play."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from govhub.core.errors import GovhubError
from govhub.core.kube import KINDS
from govhub.core.secrets import REDACTOR, Secret
from govhub.hosts.nodes import GROUP
from govhub.hosts.variables import Declared
from govhub.ops.session import Session

TOKEN_SECONDS = 3600
JOINERS = "system:bootstrappers:govhub"
NODES = "system:nodes"
_RBAC = "rbac.authorization.k8s.io"
_SIGNING = "system:certificates.k8s.io:certificatesigningrequests"
# Who may ask for a node's certificate, who signs it and renews it, and what the node's agents read.
_BINDINGS = (
    ("govhub-node-bootstrapper", JOINERS, "system:node-bootstrapper"),
    ("govhub-node-approval", JOINERS, f"{_SIGNING}:nodeclient"),
    ("govhub-node-renewal", NODES, f"{_SIGNING}:selfnodeclient"),
    ("govhub-node-services", NODES, "system:node-proxier"),
    ("govhub-node-policies", NODES, "govhub-node-policies"),
)
_READS = (
    ("", ("namespaces", "pods", "services", "nodes", "endpoints")),
    ("networking.k8s.io", ("networkpolicies",)),
    ("discovery.k8s.io", ("endpointslices",)),
)


@contextmanager
def joining(session: Session, hosts: Iterable[Declared]) -> Iterator[str]:
    """A bootstrap token for the hosts that are to be nodes, valid in their clusters while the play runs.

    Empty when none of them is to be one, or no cluster of theirs answers: those that are nodes already need none.
    """
    clusters = tuple(sorted({str(host.variables["govhub_cluster"]) for host in hosts if GROUP in host.groups}))
    connections = session.connect(clusters) if clusters else {}
    kubes = [item.kube for item in connections.values() if item.kube]
    if not kubes:
        yield ""
        return
    token_id, secret = _random(6), _random(16)
    REDACTOR.add(Secret(secret))
    for kube in kubes:
        kube.create_all(_grants())
        kube.create(_token(token_id, secret))
    try:
        yield f"{token_id}.{secret}"
    finally:
        for kube in kubes:
            with suppress(GovhubError):  # it runs out by itself
                kube.delete(KINDS["", "Secret"], f"bootstrap-token-{token_id}", "kube-system")


def _grants() -> Iterator[dict[str, Any]]:
    labels = {"app.kubernetes.io/managed-by": "govhub"}
    rules = [
        {"apiGroups": [group], "resources": list(kinds), "verbs": ["get", "list", "watch"]} for group, kinds in _READS
    ]
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "govhub-node-policies", "labels": labels},
        "rules": rules,
    }
    for name, group, role in _BINDINGS:
        yield {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name, "labels": labels},
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": _RBAC, "kind": "Group", "name": group}],
        }


def _token(token_id: str, secret: str) -> dict[str, Any]:
    expires = datetime.now(UTC) + timedelta(seconds=TOKEN_SECONDS)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "token-id": token_id,
            "token-secret": secret,
            "expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
            "usage-bootstrap-authentication": "true",
            "auth-extra-groups": JOINERS,
        },
    }


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))
