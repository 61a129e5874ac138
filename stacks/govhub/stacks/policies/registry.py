"""All rules by name."""

from __future__ import annotations

from govhub.stacks.policies import (
    access,
    containers,
    governance,
    images,
    namespaces,
    network,
    pods,
    resilience,
    storage,
)
from govhub.stacks.policies.rule import Rule

_MODULES = (pods, containers, images, resilience, storage, namespaces, network, access, governance)
RULES: dict[str, Rule] = {rule.name: rule for module in _MODULES for rule in module.RULES}
"""Rules by the name that hub files use, in the order in which they run."""

assert len(RULES) == sum(len(module.RULES) for module in _MODULES), "two rules share a name"
