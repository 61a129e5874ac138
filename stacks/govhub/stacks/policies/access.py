"""Rules on access: directory groups get roles in their namespaces, and nobody gets more."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import items, part
from govhub.stacks.policies.rule import Finding, Level, Rule, found, per_object
from govhub.stacks.policies.view import View

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ROLES = ("Role", "ClusterRole")
_IN_PODS = {"pods/exec", "pods/attach", "pods/ephemeralcontainers"}
_BEYOND = {"*", "escalate", "bind", "impersonate"}


def _subjects(_view: View, item: DesiredObject) -> Iterator[str]:
    for subject in items(item.manifest, "subjects"):
        kind, name = subject.get("kind"), subject.get("name", "")
        home = item.identity.namespace
        if kind == "ServiceAccount" and home and subject.get("namespace", home) == home:
            continue
        if kind != "Group":
            yield f'{kind} "{name}"'
        elif str(name).startswith("system:"):
            # system:authenticated, system:masters and their like: everybody, or nobody that a directory knows.
            yield f'the built-in group "{name}"'


def _cluster_admin(_view: View, item: DesiredObject) -> Iterator[str]:
    if part(item.manifest, "roleRef").get("name") == "cluster-admin":
        yield "it binds cluster-admin"


def _wildcards(_view: View, item: DesiredObject) -> Iterator[str]:
    for rule in items(item.manifest, "rules"):
        if beyond := sorted(_BEYOND.intersection(rule.get("verbs") or [])):
            yield f"verbs {', '.join(beyond)}"
        if "*" in (rule.get("resources") or []):
            yield "all resources"


def _exec(_view: View, item: DesiredObject) -> Iterator[str]:
    for rule in items(item.manifest, "rules"):
        if inside := sorted(_IN_PODS.intersection(rule.get("resources") or [])):
            yield ", ".join(inside)


def _production_roles(view: View) -> Iterator[Finding]:
    for space, _ in view.guarded():
        for item in space.kinds.get("RoleBinding", ()) if space.production else ():
            role = part(item.manifest, "roleRef")
            if role.get("kind") == "ClusterRole" and role.get("name") in ("edit", "admin"):
                yield from found(item, [f"the role {role['name']} reads secrets and opens shells in pods"])


RULES = (
    Rule(
        name="role-binding-to-groups-only",
        level=Level.MANDATORY,
        summary="somebody other than a directory group gets a role",
        remedy="name the department's directory group in the tenant's `groups:`",
        why="who leaves the office leaves the group; a personal binding stays, and so does one from another namespace",
        check=per_object(*_BINDINGS, test=_subjects),
    ),
    Rule(
        name="no-cluster-admin",
        level=Level.MANDATORY,
        summary="it makes somebody master of the whole cluster",
        remedy="bind admin, edit or view within the namespace",
        why="nothing that is declared here needs it (kube-linter: cluster-admin-role-binding)",
        check=per_object(*_BINDINGS, test=_cluster_admin),
    ),
    Rule(
        name="no-wildcard-role",
        level=Level.MANDATORY,
        summary="the role allows more than anybody can oversee",
        remedy="list the verbs and resources that are needed, without `*`, escalate, bind and impersonate",
        why="a wildcard grants what is installed tomorrow, and the other three grant everything "
        "(kube-linter: wildcard-in-rules)",
        check=per_object(*_ROLES, test=_wildcards),
    ),
    Rule(
        name="no-exec-role",
        level=Level.MANDATORY,
        summary="the role opens shells in running pods",
        remedy="remove pods/exec, pods/attach and pods/ephemeralcontainers from the role",
        why="what is done in a shell is in no plan, and the pod's secrets are readable from there",
        check=per_object(*_ROLES, test=_exec),
    ),
    Rule(
        name="production-read-only",
        level=Level.DISABLED,
        summary="people may change production by hand",
        remedy="bind only view in production namespaces",
        why="for hubs where every change goes through a plan; not the default, because the roles come with each tenant",
        check=_production_roles,
    ),
)
