"""Rules on the guards themselves: exceptions that have ended, and admission policies that would let through."""

from __future__ import annotations

from collections.abc import Iterator

from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import part
from govhub.stacks.policies.rule import Finding, Level, Rule, per_object
from govhub.stacks.policies.view import View


def _expired(view: View) -> Iterator[Finding]:
    for index, entry in enumerate(view.hub.model.exceptions):
        if entry.until < view.today:
            yield Finding(
                f"exception {entry.name}",
                f"{entry.kind.value} for {entry.target} ended on {entry.until}; {entry.owner}: {entry.reason}",
                f"exceptions.{entry.name}",
                view.hub.at("exceptions", index, "until"),
                # An exception from the end of exceptions would never end.
                frozenset(),
            )


def _fails_open(view: View, item: DesiredObject) -> Iterator[str]:
    spec = part(item.manifest, "spec")
    if (policy := spec.get("failurePolicy", "Fail")) != "Fail":
        yield f"failurePolicy is {policy}"
    name, cluster = item.identity.name, item.shard.cluster
    denying = (
        part(binding.manifest, "spec").get("policyName") == name
        and "Deny" in (part(binding.manifest, "spec").get("validationActions") or [])
        for binding in view.kinds.get("ValidatingAdmissionPolicyBinding", ())
        if binding.shard.cluster == cluster
    )
    if not any(denying):
        yield "no binding denies by it"


RULES = (
    Rule(
        name="exceptions-unexpired",
        level=Level.MANDATORY,
        summary="it has ended and allows nothing any more",
        remedy="let its owner renew `until:` with a new reason, or undo what it allowed and remove it",
        why="exceptions fail after their end; nothing can waive this rule",
        check=_expired,
    ),
    Rule(
        name="admission-policy-enforced",
        level=Level.MANDATORY,
        summary="the admission policy lets through what it should refuse",
        remedy="set `failurePolicy: Fail` and bind it with `validationActions: [Deny]`",
        why="it guards against what is applied past this tool; one that only warns guards against nothing",
        check=per_object("ValidatingAdmissionPolicy", test=_fails_open),
    ),
)
