"""Rules on namespaces: what guards them, and that objects stand in one that is declared."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.context import DOMAIN
from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import items, part
from govhub.stacks.policies.rule import Finding, Level, Rule, found, per_space
from govhub.stacks.policies.view import TEMPLATES, Space, View

NAMESPACED = (
    *TEMPLATES,
    *("ConfigMap", "Secret", "Service", "ServiceAccount", "PersistentVolumeClaim", "ResourceQuota", "LimitRange"),
    *("NetworkPolicy", "PodDisruptionBudget", "Role", "RoleBinding", "Ingress", "HorizontalPodAutoscaler"),
)
COUNTED = ("requests.cpu", "requests.memory", "pods")
"""What the capacity model adds up: a quota without one of these promises an unlimited amount of it."""


def _quota(space: Space) -> Iterator[str]:
    quotas = space.kinds.get("ResourceQuota", ())
    limited = {key for quota in quotas for key in part(quota.manifest, "spec", "hard")}
    if not quotas:
        yield "there is no ResourceQuota"
    elif missing := [key for key in COUNTED if key not in limited]:
        yield f"its ResourceQuota does not limit {', '.join(missing)}"


def _defaults(space: Space) -> Iterator[str]:
    ranges = space.kinds.get("LimitRange", ())
    if not any(part(limit, "defaultRequest") for item in ranges for limit in items(item.manifest, "spec", "limits")):
        yield "there is no LimitRange with a defaultRequest"


def _pod_security(space: Space) -> Iterator[str]:
    level = part(space.item.manifest if space.item else None, "metadata", "labels").get(
        "pod-security.kubernetes.io/enforce", "missing"
    )
    if level != "restricted":
        yield f"pod-security.kubernetes.io/enforce is {level}"


def _default_namespace(view: View) -> Iterator[Finding]:
    for kind in NAMESPACED:
        for item in view.kinds.get(kind, ()):
            if item.identity.namespace in ("", "default"):
                yield from found(item, ["it has no namespace of its own"])


def _undeclared(view: View) -> Iterator[Finding]:
    for space in view.spaces.values():
        if space.item is None and space.name not in ("", "default"):
            for objects in space.kinds.values():
                for item in objects:
                    yield from found(item, [f'cluster {space.cluster} gets no namespace "{space.name}"'])


def _owner_labels(view: View) -> Iterator[Finding]:
    hub = view.hub.model.hub.name
    for item in view.items:
        yield from found(item, _lacking(item, hub))


def _lacking(item: DesiredObject, hub: str) -> Iterator[str]:
    labels = part(item.manifest, "metadata", "labels")
    wanted = {
        "app.kubernetes.io/managed-by": "govhub",
        f"{DOMAIN}/hub": hub,
        f"{DOMAIN}/stack": item.shard.stack,
        f"{DOMAIN}/tenant": item.tenant,
        f"{DOMAIN}/system": item.system,
    }
    return (f"it lacks {key}: {value}" for key, value in wanted.items() if value and labels.get(key) != value)


RULES = (
    Rule(
        name="quota-present",
        level=Level.MANDATORY,
        summary="the namespace may take all of the cluster",
        remedy="name a class in the tenant's or service's `quota:`",
        why="what one department may use is what the others cannot; capacity is planned from quotas",
        check=per_space(_quota),
    ),
    Rule(
        name="limit-range-present",
        level=Level.ADVISORY,
        summary="pods without requests are refused instead of getting defaults",
        remedy="add a LimitRange with `defaultRequest` for cpu and memory to the namespace",
        why="under a quota on requests the API server refuses every pod that states none",
        check=per_space(_defaults),
    ),
    Rule(
        name="pod-security-restricted",
        level=Level.MANDATORY,
        summary="the namespace lets privileged pods in",
        remedy="set the label pod-security.kubernetes.io/enforce: restricted on the namespace",
        why="it also holds for pods that departments start by hand, which no plan ever sees",
        check=per_space(_pod_security),
    ),
    Rule(
        name="no-default-namespace",
        level=Level.MANDATORY,
        summary="the object stands in the default namespace",
        remedy="put it into the namespace of its tenant, service or stack",
        why="there is no quota, no default-deny and no owner (kube-linter: use-namespace)",
        check=_default_namespace,
    ),
    Rule(
        name="namespace-declared",
        level=Level.MANDATORY,
        summary="its namespace does not exist",
        remedy="declare the tenant for this `environment`, or correct the environment's name in the system",
        why="the API server would refuse it in the middle of the run",
        check=_undeclared,
    ),
    Rule(
        name="owner-labels-present",
        level=Level.MANDATORY,
        summary="the object does not say whose it is",
        remedy="emit it through the rendering context, which adds the owner labels",
        why="drift, recovery after a lost state and destroy find our objects by these labels and by nothing else",
        check=_owner_labels,
    ),
)
