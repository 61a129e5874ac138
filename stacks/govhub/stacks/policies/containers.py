"""Rules on containers: what they may do on their host, and what they say about their needs."""

from __future__ import annotations

import re
from typing import Any

from govhub.stacks.policies.fields import items, part
from govhub.stacks.policies.rule import Level, Rule, per_container
from govhub.stacks.policies.view import Pod

# A word of its own at the end of the name: DB_PASSWORD is one, PASSWORD_FILE and TOKENIZER_THREADS are none.
_SECRET_NAME = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|API_?KEY|(ACCESS|SECRET|PRIVATE)_KEY)$"
)
# A private key, or a password inside an address (scheme://user:password@host).
_SECRET_VALUE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|://[^/\s:@]+:(?!\$\()[^/\s@]+@")
# The only capability that a restricted pod may have (Kubernetes Pod Security Standards).
_ADDABLE = {"NET_BIND_SERVICE"}


def _security(container: dict[str, Any]) -> dict[str, Any]:
    return part(container, "securityContext")


def _root(pod: Pod, container: dict[str, Any]) -> str:
    # A container's own settings win over the pod's.
    settings = part(pod.spec, "securityContext") | _security(container)
    if settings.get("runAsUser") == 0:
        return "runAsUser is 0"
    return "" if settings.get("runAsNonRoot") is True else "runAsNonRoot is not true"


def _escalation(_pod: Pod, container: dict[str, Any]) -> str:
    allowed = _security(container).get("allowPrivilegeEscalation")
    return "" if allowed is False else "allowPrivilegeEscalation is not false"


def _capabilities(_pod: Pod, container: dict[str, Any]) -> str:
    capabilities = part(_security(container), "capabilities")
    if extra := sorted(set(capabilities.get("add") or []) - _ADDABLE):
        return f"adds {', '.join(extra)}"
    return "" if "ALL" in (capabilities.get("drop") or []) else "does not drop ALL"


def _writable(_pod: Pod, container: dict[str, Any]) -> str:
    return "" if _security(container).get("readOnlyRootFilesystem") is True else "readOnlyRootFilesystem is not true"


def _privileged(_pod: Pod, container: dict[str, Any]) -> str:
    return "privileged: true" if _security(container).get("privileged") else ""


def _host_ports(_pod: Pod, container: dict[str, Any]) -> str:
    ports = [str(port["hostPort"]) for port in items(container, "ports") if port.get("hostPort")]
    return f"takes port {', '.join(ports)} of its host" if ports else ""


def _literal_secrets(_pod: Pod, container: dict[str, Any]) -> str:
    """Names only: a finding must not carry the value any further."""
    names = [
        str(variable.get("name", ""))
        for variable in items(container, "env")
        if _looks_secret(str(variable.get("name", "")), str(variable.get("value") or ""))
    ]
    return f"{', '.join(names)} in clear" if names else ""


def _looks_secret(name: str, value: str) -> bool:
    # $(NAME) refers to another variable, and a path to a file, which is where secrets belong.
    if not value or value.startswith(("$(", "/")):
        return False
    return bool(_SECRET_NAME.search(name.upper()) or _SECRET_VALUE.search(value))


def _resource(side: str, name: str) -> Any:
    def test(_pod: Pod, container: dict[str, Any]) -> str:
        return "" if part(container, "resources", side).get(name) else f"no resources.{side}.{name}"

    return test


RULES = (
    Rule(
        name="run-as-non-root",
        level=Level.MANDATORY,
        summary="a container may run as root",
        remedy="set `runAsNonRoot: true` and a `runAsUser` above 0 in the pod's securityContext",
        why="Kubernetes Pod Security Standards (restricted): the namespace refuses such pods",
        check=per_container(_root),
    ),
    Rule(
        name="no-privilege-escalation",
        level=Level.MANDATORY,
        summary="a container may gain privileges",
        remedy="set `allowPrivilegeEscalation: false` in the container's securityContext",
        why="Kubernetes Pod Security Standards (restricted): the namespace refuses such pods",
        check=per_container(_escalation),
    ),
    Rule(
        name="drop-all-capabilities",
        level=Level.MANDATORY,
        summary="a container keeps capabilities of root",
        remedy="set `capabilities: {drop: [ALL]}` in the container's securityContext; NET_BIND_SERVICE may be added",
        why="Kubernetes Pod Security Standards (restricted): the namespace refuses such pods",
        check=per_container(_capabilities),
    ),
    Rule(
        name="read-only-root-filesystem",
        level=Level.ADVISORY,
        summary="a container can change its own files",
        remedy="set `readOnlyRootFilesystem: true` in its securityContext and mount an emptyDir where it must write",
        why="what is changed at run time is neither scanned nor kept (kube-linter: no-read-only-root-fs)",
        check=per_container(_writable),
    ),
    Rule(
        name="no-privileged-container",
        level=Level.MANDATORY,
        summary="a container is privileged",
        remedy="remove `privileged: true`; a privileged container owns its host and every department's pods on it",
        why="Kubernetes Pod Security Standards (baseline)",
        check=per_container(_privileged),
    ),
    Rule(
        name="no-host-ports",
        level=Level.MANDATORY,
        summary="a container takes a port of its host",
        remedy="remove hostPort; set `port:` on the workload and let clients use its Service",
        why="Kubernetes Pod Security Standards (baseline); host ports pass by the network policies",
        check=per_container(_host_ports),
    ),
    Rule(
        name="no-secret-in-environment",
        level=Level.MANDATORY,
        summary="a secret stands in the environment in clear",
        remedy="declare it under `secrets:` of the system (file, env or generate), and change the value: it has leaked",
        why="manifests are committed, shown in plans and kept in state (kube-linter: env-var-secret)",
        check=per_container(_literal_secrets),
    ),
    Rule(
        name="cpu-request-set",
        level=Level.ADVISORY,
        summary="a container does not say how much CPU it needs",
        remedy="set `cpu:` on the workload",
        why="quotas, the scheduler and the capacity forecast count requests",
        check=per_container(_resource("requests", "cpu")),
    ),
    Rule(
        name="memory-request-set",
        level=Level.ADVISORY,
        summary="a container does not say how much memory it needs",
        remedy="set `memory:` on the workload",
        why="quotas, the scheduler and the capacity forecast count requests",
        check=per_container(_resource("requests", "memory")),
    ),
    Rule(
        name="memory-limit-set",
        level=Level.MANDATORY,
        summary="a container may use up the memory of its node",
        remedy="set `memory:` on the workload; it is the limit too",
        why="a leak then ends this container and not its neighbours; CPU has no limit on purpose, it only slows down",
        check=per_container(_resource("limits", "memory")),
    ),
)
