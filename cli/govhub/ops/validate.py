"""``validate``: everything that is wrong with hubs, without an engine, a cluster or a network."""

from __future__ import annotations

import time

from govhub.core.diagnostics import Diagnostic, Diagnostics, Severity
from govhub.core.errors import InvalidInput
from govhub.core.settings import inventories, today
from govhub.inventory.loader import hub_names
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
    if hub is None or any(item.severity is Severity.ERROR for item in found):
        return found
    problems = Diagnostics()
    graph = render(hub, problems=problems)
    found += [*problems, *evaluate(hub, graph, today())]
    return sorted(found, key=Diagnostic.sort_key)
