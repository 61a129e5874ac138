"""Admission policies in CEL, enforced by the API server itself: registries and required labels."""

from __future__ import annotations

import copy
import json
from typing import Any

from govhub.stacks.context import DOMAIN, Context, manifest
from govhub.stacks.graph import Component, Manifest, Shard

_API = "admissionregistration.k8s.io/v1"
_RULES: list[dict[str, Any]] = [
    {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE", "UPDATE"]},
    {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "resources": ["deployments", "statefulsets", "daemonsets"],
        "operations": ["CREATE", "UPDATE"],
    },
    {
        "apiGroups": ["batch"],
        "apiVersions": ["v1"],
        "resources": ["jobs", "cronjobs"],
        "operations": ["CREATE", "UPDATE"],
    },
]
_POD_SPEC = (
    "object.kind == 'Pod' ? object.spec : "
    "(object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.spec : object.spec.template.spec)"
)
_POD_LABELS = (
    "object.kind == 'Pod' ? object.metadata.?labels.orValue({}) : "
    "(object.kind == 'CronJob' ? object.spec.jobTemplate.spec.template.metadata.?labels.orValue({}) "
    ": object.spec.template.metadata.?labels.orValue({}))"
)
_IMAGES = (
    "variables.pod.containers.map(c, c.image) + variables.pod.?initContainers.orValue([]).map(c, c.image)"
    " + variables.pod.?ephemeralContainers.orValue([]).map(c, c.image)"
)


def emit_admission(ctx: Context, shard: Shard) -> None:
    """Emit both policies with their bindings."""
    allowed = json.dumps(list(ctx.hub.model.hub.registries))
    registries = _policy(
        "registries.govhub.io",
        variables=[{"name": "pod", "expression": _POD_SPEC}, {"name": "images", "expression": _IMAGES}],
        validations=[
            {
                "expression": f"variables.images.all(image, {allowed}.exists(prefix, image.startsWith(prefix)))",
                "message": f"images must come from {', '.join(ctx.hub.model.hub.registries)}",
                "reason": "Forbidden",
            },
            {
                "expression": "variables.images.all(image, !image.endsWith(':latest')"
                " && image.matches('^.+(:[^/:@]+|@sha256:[0-9a-f]{64})$'))",
                "message": "images need a tag other than latest, or a digest",
                "reason": "Forbidden",
            },
        ],
    )
    labels = _policy(
        "labels.govhub.io",
        variables=[{"name": "labels", "expression": _POD_LABELS}],
        validations=[
            {
                "expression": f"variables.labels[?'{DOMAIN}/tenant'].orValue('')"
                f" == namespaceObject.metadata.labels['{DOMAIN}/tenant']",
                "message": f"pods need the label {DOMAIN}/tenant of their namespace",
                "reason": "Forbidden",
            },
            {
                "expression": f"variables.labels[?'{DOMAIN}/system'].orValue('') != ''",
                "message": f"pods need the label {DOMAIN}/system: who is called when it breaks",
                "reason": "Forbidden",
            },
        ],
    )
    hub_namespaces = {"matchLabels": {f"{DOMAIN}/hub": ctx.hub.model.hub.name}}
    tenant_namespaces = {"matchExpressions": [{"key": f"{DOMAIN}/tenant", "operator": "Exists"}]}
    for policy, selector in ((registries, hub_namespaces), (labels, tenant_namespaces)):
        component = Component("Admission", policy["metadata"]["name"])
        source = ctx.hub.at("hub", "registries")
        ctx.emit(shard, component, policy, source=source)
        ctx.emit(shard, component, _binding(policy, selector), source=source, after=(policy,))


def _policy(name: str, *, variables: list[dict[str, str]], validations: list[dict[str, str]]) -> Manifest:
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": copy.deepcopy(_RULES)},
        "variables": variables,
        "validations": validations,
    }
    return manifest(_API, "ValidatingAdmissionPolicy", name, spec=spec)


def _binding(policy: Manifest, namespaces: dict[str, Any]) -> Manifest:
    name = policy["metadata"]["name"]
    spec = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": namespaces},
    }
    return manifest(_API, "ValidatingAdmissionPolicyBinding", name, spec=spec)
