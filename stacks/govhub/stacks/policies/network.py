"""Rules on the network: nothing in or out unless it is declared, and open doors only with an exception."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from govhub.inventory.checks.flows import is_open
from govhub.inventory.model.tenancy import ExceptionKind
from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import items, part, selects
from govhub.stacks.policies.rule import Check, Finding, Level, Rule, found, per_object, per_space
from govhub.stacks.policies.view import Space, View, targets


def _denied(direction: str) -> Any:
    def test(space: Space) -> Iterator[str]:
        if not any(_denies(policy, direction) for policy in space.kinds.get("NetworkPolicy", ())):
            yield f"no NetworkPolicy for all pods denies {direction.lower()}"

    return test


def _denies(policy: DesiredObject, direction: str) -> bool:
    spec = part(policy.manifest, "spec")
    # Without policyTypes a policy is about ingress, and about egress when it has such rules.
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return not any(part(spec, "podSelector").values()) and direction in types and not spec.get(direction.lower())


def _open(direction: str) -> Check:
    def check(view: View) -> Iterator[Finding]:
        granted = {
            entry.target
            for entry in view.hub.model.exceptions
            if entry.kind is ExceptionKind.OPEN_FLOW and entry.until >= view.today
        }
        for item in view.kinds.get("NetworkPolicy", ()):
            if granted.isdisjoint(targets(item)):
                yield from found(item, _open_peers(item, direction))

    return check


def _open_peers(item: DesiredObject, direction: str) -> Iterator[str]:
    side = {"ingress": "from", "egress": "to"}[direction]
    for rule in items(item.manifest, "spec", direction):
        ports = ", ".join(str(port.get("port", "all")) for port in items(rule, "ports")) or "all"
        if not rule.get(side):
            yield f"{direction} {side} everywhere on port {ports}"
        for peer in items(rule, side):
            cidr = part(peer, "ipBlock").get("cidr")
            if cidr and is_open(f"cidr/{cidr}"):
                yield f"{direction} {side} {cidr} on port {ports}"


def _service_type(_view: View, item: DesiredObject) -> Iterator[str]:
    spec = part(item.manifest, "spec")
    if (kind := spec.get("type", "ClusterIP")) != "ClusterIP":
        yield f"its type is {kind}"
    if spec.get("externalIPs"):
        yield "it claims externalIPs"


def _backends(view: View) -> Iterator[Finding]:
    for space in view.spaces.values():
        for item in space.kinds.get("Service", ()):
            selector = part(item.manifest, "spec", "selector")
            # A Service without a selector has endpoints that somebody else writes.
            if selector and not any(selects({"matchLabels": selector}, pod.labels) for pod in space.pods):
                yield from found(item, ["its selector matches no pod of the namespace"])


RULES = (
    Rule(
        name="ingress-denied-by-default",
        level=Level.MANDATORY,
        summary="everybody may connect to pods of the namespace",
        remedy="add a NetworkPolicy with an empty podSelector and policyTypes [Ingress, Egress], without rules",
        why="departments are separated; only declared flows cross (kube-linter: non-isolated-pod)",
        check=per_space(_denied("Ingress")),
    ),
    Rule(
        name="egress-denied-by-default",
        level=Level.MANDATORY,
        summary="pods of the namespace may connect to everything",
        remedy="add a NetworkPolicy with an empty podSelector and policyTypes [Ingress, Egress], without rules",
        why="an intruder in one system must not reach the others, nor carry data out",
        check=per_space(_denied("Egress")),
    ),
    Rule(
        name="egress-open-needs-exception",
        level=Level.MANDATORY,
        summary="it connects to the open internet and nobody answers for that",
        remedy="name a narrower peer in the flow's `to:`, or add an exception of kind open-flow for the system",
        why="exceptions have an owner and an end; a range wider than a city's own is open too",
        check=_open("egress"),
    ),
    Rule(
        name="ingress-open-needs-exception",
        level=Level.MANDATORY,
        summary="it accepts connections from the open internet and nobody answers for that",
        remedy="name a narrower peer in the flow's `from:`, or add an exception of kind open-flow for the system",
        why="exceptions have an owner and an end; a range wider than a city's own is open too",
        check=_open("ingress"),
    ),
    Rule(
        name="service-type-cluster-ip",
        level=Level.MANDATORY,
        summary="the Service goes around load balancers and firewalls",
        remedy="use type ClusterIP without externalIPs and declare who connects as a flow with `from:`",
        why="the quota allows no node ports and load balancers; external addresses can take over others' traffic "
        "(CVE-2020-8554)",
        check=per_object("Service", test=_service_type),
    ),
    Rule(
        name="service-has-pods",
        level=Level.ADVISORY,
        summary="the Service leads nowhere",
        remedy="make its selector match the labels of the workload's pods, or remove it",
        why="clients would wait for connections that are never answered (kube-linter: dangling-service)",
        check=_backends,
    ),
)
