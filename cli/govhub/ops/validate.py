"""``validate``: everything that is wrong with hubs, without an engine, a cluster or a network."""

from __future__ import annotations

import time

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.settings import inventories, today
from govhub.inventory.limits import only_fitting
from govhub.inventory.loader import hub_names
from govhub.ops.capacity.gate import gate
from govhub.ops.load import read_hub
from govhub.ops.requests import ValidateResult
from govhub.stacks.policies import evaluate
from govhub.stacks.render import render


def validate(hubs: tuple[str, ...]) -> ValidateResult:
    """Check the given hubs, or all that are known.

    Raises:
        InvalidInput: a hub does not exist, or there are none.
    """
    names = hubs or tuple(hub_names(inventories()))
    if not names:
        raise InvalidInput.one(
            "HUB001",
            f"no hubs under {inventories()}",
            hint="start one with: govhub init NAME, or set GOVHUB_INVENTORIES",
        )
    result = ValidateResult(hubs={}, seconds={})
    for name in names:
        started = time.monotonic()
        result.hubs[name] = diagnose(name)
        result.seconds[name] = time.monotonic() - started
    return result


def diagnose(name: str) -> list[Diagnostic]:
    """All diagnostics of one hub: of its files, its meaning, and the policies on what it would create."""
    hub, found = read_hub(name)
    errors = [item for item in found if item.severity is Severity.ERROR]
    if hub is None or errors:
        # What does not fit in one way may not fit in others: all of it is told at once.
        more = gate(hub, today()) if hub and only_fitting(errors) else []
        return sorted([*found, *more], key=Diagnostic.sort_key)
    problems = Diagnostics()
    graph = render(hub, problems=problems)
    found += [*problems, *evaluate(hub, graph, today()), *gate(hub, today())]
    return sorted(found, key=Diagnostic.sort_key)
