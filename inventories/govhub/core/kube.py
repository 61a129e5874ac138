"""The Kubernetes API over plain REST: lists of live objects, single writes, and the cluster's identity.

The only module that imports ``kubernetes`` (lazily: it costs more than most commands). The library reads
the kubeconfig with its certificates, tokens and exec plugins; objects stay plain dicts, because 3,000 of
them turned into typed models cost seconds and nothing here needs the types.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from govhub.core.errors import GovhubError, TargetUnreachable

THREADS = 16
Objects = list[dict[str, Any]]
PAGE = 500


class KubeError(GovhubError):
    """The API server answered with an error; ``status`` is the HTTP code."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        from govhub.core.diagnostics import Diagnostic, Severity

        self.status, self.reason = status, reason
        text = f"the API server refused: {message or reason} (HTTP {status})"
        super().__init__([Diagnostic(code="KUB001", severity=Severity.ERROR, summary=text)])


@dataclass(frozen=True, slots=True)
class Kind:
    """How the API names a kind."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    def path(self, namespace: str = "", name: str = "") -> str:
        """The REST path of a collection or an object."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{base}{scope}/{self.plural}" + (f"/{name}" if name else "")


def _kind(group: str, version: str, kind: str, plural: str, *, namespaced: bool = True) -> Kind:
    return Kind(group, version, kind, plural, namespaced)


# What govhub writes; a fixed table, so that no discovery round trips are needed.
KINDS = {
    (kind.group, kind.kind): kind
    for kind in (
        _kind("", "v1", "Namespace", "namespaces", namespaced=False),
        _kind("", "v1", "Node", "nodes", namespaced=False),
        _kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False),
        _kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
        _kind("", "v1", "Pod", "pods"),
        _kind("", "v1", "ConfigMap", "configmaps"),
        _kind("", "v1", "Secret", "secrets"),
        _kind("", "v1", "Service", "services"),
        _kind("", "v1", "ResourceQuota", "resourcequotas"),
        _kind("", "v1", "LimitRange", "limitranges"),
        _kind("apps", "v1", "Deployment", "deployments"),
        _kind("apps", "v1", "StatefulSet", "statefulsets"),
        _kind("batch", "v1", "CronJob", "cronjobs"),
        _kind("batch", "v1", "Job", "jobs"),
        _kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies"),
        _kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets"),
        _kind("", "v1", "ServiceAccount", "serviceaccounts"),
        _kind("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
        _kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
        _kind("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
        _kind("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", namespaced=False),
        _kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False),
        _kind(
            "admissionregistration.k8s.io",
            "v1",
            "ValidatingAdmissionPolicy",
            "validatingadmissionpolicies",
            namespaced=False,
        ),
        _kind(
            "admissionregistration.k8s.io",
            "v1",
            "ValidatingAdmissionPolicyBinding",
            "validatingadmissionpolicybindings",
            namespaced=False,
        ),
    )
}


class Kube:
    """A connection to one cluster; thread-safe."""

    def __init__(self, name: str, kubeconfig: Path, context: str = "", *, timeout: float = 20.0) -> None:
        """Read the kubeconfig; nothing is sent yet.

        Raises:
            TargetUnreachable: the kubeconfig cannot be read or has no such context.
        """
        self.name, self.kubeconfig, self.timeout = name, kubeconfig, timeout
        self._pool, self._server, self._headers = self._open(context)

    def _open(self, context: str) -> tuple[Any, str, dict[str, str]]:
        import urllib3
        from kubernetes import client, config

        settings = client.Configuration()
        try:
            config.load_kube_config(str(self.kubeconfig), context or None, settings, persist_config=False)
        except Exception as error:  # the library raises many kinds for a broken kubeconfig
            raise TargetUnreachable.one(
                "KUB002",
                f"the kubeconfig of cluster {self.name} cannot be used: {_first_line(error)}",
                detail=str(self.kubeconfig),
                hint=f"start the lab with: govhub lab up HUB, or set GOVHUB_KUBECONFIG_{_env(self.name)}",
            ) from error
        pool = urllib3.PoolManager(
            maxsize=THREADS,
            cert_reqs="CERT_REQUIRED" if settings.verify_ssl else "CERT_NONE",
            ca_certs=settings.ssl_ca_cert,
            cert_file=settings.cert_file,
            key_file=settings.key_file,
            retries=False,
        )
        token = settings.get_api_key_with_prefix("authorization")
        return pool, str(settings.host).rstrip("/"), {"Authorization": token} if token else {}

    def request(self, method: str, path: str, body: Any = None, *, content_type: str = "", **query: Any) -> Any:
        """One request; returns the decoded JSON answer.

        Raises:
            KubeError: the server answered with an error.
            TargetUnreachable: there was no answer.
        """
        data = self._answer(method, path, body, content_type, query)
        try:
            return json.loads(data) if data else None
        except ValueError as error:
            raise TargetUnreachable.one(
                "KUB003",
                f"what answers for cluster {self.name} is no Kubernetes API server",
                hint="check the address in the kubeconfig, and proxies on the way",
            ) from error

    def log(self, namespace: str, pod: str) -> bytes:
        """What a pod's only container has written.

        Raises:
            KubeError: it has no log, or not yet.
        """
        return self._answer("GET", f"{KINDS['', 'Pod'].path(namespace, pod)}/log", None, "", {})

    def _answer(self, method: str, path: str, body: Any, content_type: str, query: dict[str, Any]) -> bytes:
        import urllib3

        url = self._server + path + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": "application/json, */*", **self._headers}
        if body is not None:
            headers["Content-Type"] = content_type or "application/json"
        data = json.dumps(body) if body is not None else None
        try:
            answer = self._pool.request(
                method, url, body=data, headers=headers, timeout=urllib3.Timeout(connect=5, read=self.timeout)
            )
        except urllib3.exceptions.HTTPError as error:
            raise TargetUnreachable.one(
                "KUB003",
                f"cluster {self.name} does not answer: {_first_line(error)}",
                hint="check the network and the cluster; in the lab: govhub lab status HUB",
            ) from error
        if answer.status >= 400:
            raise _error(answer.status, answer.data)
        return bytes(answer.data)

    def uid(self) -> str:
        """The cluster's identity: the UID of its kube-system namespace."""
        try:
            return str(self.request("GET", "/api/v1/namespaces/kube-system")["metadata"]["uid"])
        except (KeyError, TypeError) as error:
            raise TargetUnreachable.one(
                "KUB003",
                f"what answers for cluster {self.name} is no Kubernetes API server",
                hint="check the address in the kubeconfig, and proxies on the way",
            ) from error

    def list(self, kind: Kind, *, selector: str = "", namespace: str = "") -> Iterator[dict[str, Any]]:
        """All objects of a kind, page by page, with ``apiVersion`` and ``kind`` filled in."""
        query: dict[str, Any] = {"limit": PAGE}
        if selector:
            query["labelSelector"] = selector
        api = f"{kind.group}/{kind.version}" if kind.group else kind.version
        while True:
            page = self.request("GET", kind.path(namespace), **query)
            for item in page.get("items", []):
                yield {"apiVersion": api, "kind": kind.kind, **item}
            token = page.get("metadata", {}).get("continue")
            if not token:
                return
            query["continue"] = token

    def list_many(self, kinds: Iterable[Kind], *, selector: str = "") -> Objects:
        """All objects of several kinds, listed at the same time."""
        with ThreadPoolExecutor(THREADS) as pool:
            pages = pool.map(lambda kind: list(self.list(kind, selector=selector)), kinds)
        return [item for page in pages for item in page]

    def get(self, kind: Kind, name: str, namespace: str = "") -> dict[str, Any] | None:
        """One object, or None."""
        try:
            found: dict[str, Any] = self.request("GET", kind.path(namespace, name))
        except KubeError as error:
            if error.status == 404:
                return None
            raise
        return found

    def create(self, body: dict[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Create an object; with ``dry_run`` the server only checks it (admission included)."""
        kind = kind_of(body)
        query = {"dryRun": "All"} if dry_run else {}
        made: dict[str, Any] = self.request("POST", kind.path(body["metadata"].get("namespace", "")), body, **query)
        return made

    def create_all(self, bodies: Iterable[dict[str, Any]]) -> int:
        """Create many objects in parallel; those that exist are left alone. Returns how many were made."""

        def make(body: dict[str, Any]) -> int:
            try:
                self.create(body)
            except KubeError as error:
                # A Service of a fixed address clashes with its own address before it does with its name.
                clash = error.status == 422 and self.get(
                    kind_of(body), body["metadata"]["name"], body["metadata"].get("namespace", "")
                )
                if error.status != 409 and not clash:
                    raise
                return 0
            return 1

        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(make, bodies))

    def patch(self, kind: Kind, name: str, namespace: str, change: dict[str, Any]) -> None:
        """A JSON merge patch."""
        self.request("PATCH", kind.path(namespace, name), change, content_type="application/merge-patch+json")

    def delete(self, kind: Kind, name: str, namespace: str = "", uid: str = "") -> bool:
        """Delete one object, only if it is still the one with ``uid``; False when it was gone already."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            self.request("DELETE", kind.path(namespace, name), options)
        except KubeError as error:
            if error.status in (404, 409):
                return False
            raise
        return True


def kind_of(body: dict[str, Any]) -> Kind:
    """The kind of a manifest.

    Raises:
        KeyError: govhub does not write such objects.
    """
    return KINDS[str(body["apiVersion"]).rpartition("/")[0], str(body["kind"])]


def is_ready(body: dict[str, Any]) -> bool:
    """Whether a node (or a pod) has the condition Ready; one that says nothing of it has not."""
    conditions = body.get("status", {}).get("conditions") or []
    return any((item["type"], item["status"]) == ("Ready", "True") for item in conditions)


def _error(status: int, data: bytes) -> KubeError:
    try:
        body = json.loads(data)
    except ValueError:
        body = {}
    return KubeError(status, str(body.get("reason", "")), str(body.get("message", data[:200].decode(errors="replace"))))


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return (text[0] if text else type(error).__name__)[:200]


def _env(name: str) -> str:
    return name.upper().replace("-", "_")
