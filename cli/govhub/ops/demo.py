"""``demo``: a hub's whole cloud on the real engines, from nothing, in a lab on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from govhub.core.errors import InvalidInput
from govhub.lab.toolchain import CONTROL_PLANE, ENGINE, require
from govhub.ops.lab import lab_up
from govhub.ops.load import valid_hub
from govhub.ops.plan import make_plan
from govhub.ops.requests import PlanRequest, PlanResult, RunRequest, RunResult
from govhub.ops.up import up
from govhub.ops.validate import diagnose

Progress = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class DemoResult:
    """What the demo did, step by step."""

    hub: str
    seconds: dict[str, float] = field(default_factory=dict)
    lab: dict[str, Any] = field(default_factory=dict)
    plan: PlanResult
    run: RunResult
    made: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "schema": "govhub.demo/1",
            "hub": self.hub,
            "seconds": {key: round(value, 2) for key, value in self.seconds.items()},
            "lab": self.lab,
            "made": self.made,
            "run": self.run.as_dict(),
        }


def demo(
    request: RunRequest,
    progress: Progress,
    on_plan: Callable[[PlanResult], None],
) -> DemoResult:
    """Build what is missing, start the lab, validate, plan and provision; a second time it finds nothing to do.

    Args:
        request: The `up` request of the last step; its hub is the demo's.
        progress: Told what happens.
        on_plan: Shown the plan before it is carried out.

    Raises:
        GovhubError: a step failed; the steps before it can be found in their places.
    """
    seconds: dict[str, float] = {}

    def step(name: str, action: Callable[[], Any]) -> Any:
        begin = time.monotonic()
        out = action()
        seconds[name] = time.monotonic() - begin
        return out

    hub, _ = valid_hub(request.hub)
    step("toolchain", lambda: require([*CONTROL_PLANE, *ENGINE], progress))
    lab = step("lab", lambda: lab_up(request.hub, None, progress))
    found = step("validate", lambda: diagnose(request.hub))
    if any(item.severity.value == "error" for item in found):
        raise InvalidInput(found)
    progress(f"{request.hub} is valid: {len(found)} warnings and notes")
    plan = step("plan", lambda: make_plan(PlanRequest(hub=request.hub)))
    on_plan(plan)
    run = step("up", lambda: up(request))
    model = hub.model
    made = {
        "departments": len(model.tenants),
        "systems": len(model.systems),
        "platform services": len(model.services),
        "racks": len(hub.topology.racks),
        "nodes": sum(len(hub.topology.nodes(cluster.name)) for cluster in model.clusters),
        "objects": run.plan.unchanged + sum(run.plan.summary.values()) - run.plan.summary["unchanged"],
    }
    return DemoResult(hub=hub.name, seconds=seconds, lab=lab, plan=plan, run=run, made=made)
