"""Rules on surviving a lost pod, node or rack, and on host maintenance that has to get through."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from govhub.stacks.context import DOMAIN
from govhub.stacks.graph import DesiredObject
from govhub.stacks.policies.fields import items, part, selects
from govhub.stacks.policies.rule import Finding, Level, Rule, found, per_object, per_pod
from govhub.stacks.policies.view import REPLICATED, Pod, Space, View


def _probe(name: str) -> Any:
    def test(pod: Pod) -> Iterator[str]:
        # Without a port nothing is routed to it and there is nothing to ask; jobs end by themselves.
        if pod.kind in ("Job", "CronJob"):
            return
        for container in pod.containers:
            if container.get("ports") and not container.get(name):
                yield f'container "{container.get("name", "")}" has no {name}'

    return test


def _replicas(pod: Pod) -> Iterator[str]:
    # A tier is a promise about production; test environments run one pod on purpose.
    if pod.tier == 1 and pod.kind in REPLICATED and pod.space.production and pod.replicas < 2:
        yield f"replicas is {pod.replicas}"


def _spread(pod: Pod) -> Iterator[str]:
    if pod.tier != 1 or pod.kind not in REPLICATED or pod.replicas < 2:
        return
    over_racks = [
        constraint
        for constraint in items(pod.spec, "topologySpreadConstraints")
        if constraint.get("topologyKey") == f"{DOMAIN}/rack" and selects(constraint.get("labelSelector"), pod.labels)
    ]
    if not over_racks:
        yield f"no topologySpreadConstraint over {DOMAIN}/rack counts its pods"
    elif not any(constraint.get("whenUnsatisfiable") == "DoNotSchedule" for constraint in over_racks):
        yield "the spread over racks is only a wish (ScheduleAnyway)"


def _budgets(pod: Pod) -> Iterator[str]:
    if pod.kind not in REPLICATED or pod.replicas < 2:
        return
    budgets = pod.space.kinds.get("PodDisruptionBudget", ())
    if not any(_covers(budget, pod) for budget in budgets):
        yield f"no PodDisruptionBudget selects its {pod.replicas} pods"


def _covers(budget: DesiredObject, pod: Pod) -> bool:
    return selects(part(budget.manifest, "spec").get("selector"), pod.labels)


def _drain(view: View) -> Iterator[Finding]:
    for space in view.spaces.values():
        for budget in space.kinds.get("PodDisruptionBudget", ()):
            yield from found(budget, _blocked(space, budget))


def _blocked(space: Space, budget: DesiredObject) -> Iterator[str]:
    count = sum(pod.replicas for pod in space.pods if pod.kind in REPLICATED and _covers(budget, pod))
    spec = part(budget.manifest, "spec")
    if count and _evictable(spec, count) < 1:
        wanted = ", ".join(f"{key} {spec[key]}" for key in ("minAvailable", "maxUnavailable") if key in spec)
        yield f"{wanted or 'nothing'} of {count} lets no pod go"


def _evictable(spec: dict[str, Any], count: int) -> int:
    if "maxUnavailable" in spec:
        return _amount(spec["maxUnavailable"], count)
    # A budget that names neither requires one pod (policy/v1).
    return count - _amount(spec.get("minAvailable", 1), count)


def _amount(value: Any, count: int) -> int:
    """Both fields round percentages up (kubernetes.io/docs/tasks/run-application/configure-pdb)."""
    text = str(value)
    number = text.removesuffix("%")
    if not number.isdecimal():
        return 0
    return ceil(int(number) * count / 100) if text.endswith("%") else int(number)


def _concurrency(_view: View, item: DesiredObject) -> Iterator[str]:
    policy = part(item.manifest, "spec").get("concurrencyPolicy", "Allow")
    if policy != "Forbid":
        yield f"concurrencyPolicy is {policy}"


RULES = (
    Rule(
        name="readiness-probe",
        level=Level.ADVISORY,
        summary="requests reach pods that are not ready",
        remedy="set `port:` on the workload: a probe of that port is made from it",
        why="without it a rolling update answers with errors (kube-linter: no-readiness-probe)",
        check=per_pod(_probe("readinessProbe")),
    ),
    Rule(
        name="liveness-probe",
        level=Level.ADVISORY,
        summary="a pod that hangs is not restarted",
        remedy="set `port:` on the workload: a probe of that port is made from it",
        why="somebody would have to notice at night (kube-linter: no-liveness-probe)",
        check=per_pod(_probe("livenessProbe")),
    ),
    Rule(
        name="min-replicas-tier-1",
        level=Level.ADVISORY,
        summary="one lost pod stops a public service",
        remedy="set `replicas:` of the workload to 2 or more, or give the system a higher `tier` number",
        why="tier 1 means that an outage stops public service",
        check=per_pod(_replicas),
    ),
    Rule(
        name="tier-1-spread-over-racks",
        level=Level.MANDATORY,
        summary="one lost rack may stop a public service",
        remedy="spread the pods over govhub.io/rack with whenUnsatisfiable: DoNotSchedule",
        why="the capacity reserve counts on losing one rack; that helps only if no service sits in a single one",
        check=per_pod(_spread),
    ),
    Rule(
        name="disruption-budget-present",
        level=Level.ADVISORY,
        summary="host maintenance may evict all its pods at once",
        remedy="add a PodDisruptionBudget with `maxUnavailable: 1` that selects the pods",
        why="two nodes drained at the same time can hold every replica",
        check=per_pod(_budgets),
    ),
    Rule(
        name="disruption-budget-allows-drain",
        level=Level.MANDATORY,
        summary="host maintenance can never finish",
        remedy="use `maxUnavailable: 1`, or run more replicas than minAvailable",
        why="the drain of a node waits for ever (kube-linter: pdb-max-unavailable, pdb-min-available)",
        check=_drain,
    ),
    Rule(
        name="cronjob-concurrency-forbidden",
        level=Level.ADVISORY,
        summary="a slow run overlaps with the next one",
        remedy="set `concurrencyPolicy: Forbid` on the CronJob",
        why="two runs of one nightly job book twice, and together they use up the quota",
        check=per_object("CronJob", test=_concurrency),
    ),
)
