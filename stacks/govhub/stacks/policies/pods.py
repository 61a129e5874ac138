"""Rules on pods as a whole: host access, identity, priority, and labels that say who is called."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.context import DOMAIN
from govhub.stacks.policies.fields import items, part, selects
from govhub.stacks.policies.rule import Finding, Level, Rule, found, per_pod
from govhub.stacks.policies.view import TEMPLATES, Pod, View


def _host_namespaces(pod: Pod) -> Iterator[str]:
    return (f"{key}: true" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.spec.get(key))


def _host_paths(pod: Pod) -> Iterator[str]:
    for volume in items(pod.spec, "volumes"):
        if "hostPath" in volume:
            yield f'volume "{volume.get("name", "")}" is {part(volume, "hostPath").get("path", "a host path")}'


def _token(pod: Pod) -> Iterator[str]:
    # Only an explicit false keeps it out: the default is to mount.
    if pod.spec.get("automountServiceAccountToken") is not False:
        yield "automountServiceAccountToken is not false"


def _seccomp(pod: Pod) -> Iterator[str]:
    whole = part(pod.spec, "securityContext", "seccompProfile").get("type")
    for container in pod.every_container:
        kind = part(container, "securityContext", "seccompProfile").get("type") or whole
        if kind not in ("RuntimeDefault", "Localhost"):
            yield f'container "{container.get("name", "")}" has the profile {kind or "of the node, which may be none"}'


def _priority(view: View) -> Iterator[Finding]:
    for pod in view.pods:
        name = pod.spec.get("priorityClassName")
        if not name:
            yield from found(pod.item, ["it has no priorityClassName"])
        elif not view.has(pod.item.shard.cluster, "PriorityClass", name):
            yield from found(pod.item, [f'the hub does not declare the class "{name}"'])


def _selector(pod: Pod) -> Iterator[str]:
    if pod.kind not in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        return
    selector = part(pod.item.manifest, "spec").get("selector")
    if not selector:
        yield "there is no selector"
    elif not selects(selector, pod.labels):
        yield "the selector does not match the labels of the pod template"


def _pod_labels(pod: Pod) -> Iterator[str]:
    wanted = {"tenant": pod.item.tenant, "system": pod.item.system}
    for key, value in wanted.items():
        if value and pod.labels.get(f"{DOMAIN}/{key}") != value:
            where = "its pods" if TEMPLATES[pod.kind] else "the pod"
            yield f"{where} lack the label {DOMAIN}/{key}: {value}"


RULES = (
    Rule(
        name="no-host-namespaces",
        level=Level.MANDATORY,
        summary="pods share the host's network, processes or IPC",
        remedy="remove hostNetwork, hostPID and hostIPC from the pod",
        why="Kubernetes Pod Security Standards (baseline); from there one pod sees the traffic of every department",
        check=per_pod(_host_namespaces),
    ),
    Rule(
        name="no-host-path-volumes",
        level=Level.MANDATORY,
        summary="pods mount a folder of the host",
        remedy="use an emptyDir, or `storage:` on a workload of kind statefulset",
        why="Kubernetes Pod Security Standards (baseline); a host folder outlives the pod and is shared by tenants",
        check=per_pod(_host_paths),
    ),
    Rule(
        name="service-account-token-not-mounted",
        level=Level.ADVISORY,
        summary="pods get a token for the API server",
        remedy="set `automountServiceAccountToken: false` on the pod",
        why="a business system has no business with the API server, and a token in a pod is what an intruder takes",
        check=per_pod(_token),
    ),
    Rule(
        name="seccomp-profile",
        level=Level.MANDATORY,
        summary="pods run without a seccomp profile",
        remedy="set `seccompProfile: {type: RuntimeDefault}` in the pod's securityContext",
        why="Kubernetes Pod Security Standards (restricted): the namespace refuses such pods",
        check=per_pod(_seccomp),
    ),
    Rule(
        name="priority-class-set",
        level=Level.MANDATORY,
        summary="pods have no priority of the hub",
        remedy="give the system a `tier` of 1 to 3; its pods then name govhub-tier-N",
        why="admission refuses an unknown class, and when a rack is lost the tier decides who gets the room",
        check=_priority,
    ),
    Rule(
        name="selector-matches-template",
        level=Level.MANDATORY,
        summary="the controller does not select its own pods",
        remedy="give the pod template every label that the selector names",
        why="the API server refuses it (kube-linter: mismatching-selector)",
        check=per_pod(_selector),
    ),
    Rule(
        name="pod-owner-labels-present",
        level=Level.MANDATORY,
        summary="pods do not say whose they are",
        remedy="give the pod template the labels govhub.io/tenant and govhub.io/system of its owner",
        why="the admission policy labels.govhub.io refuses them, and flows select pods by these labels",
        check=per_pod(_pod_labels),
    ),
)
