"""Policies on planned objects: what may not go onto the cloud, said before anything is written.

The rules look at the desired graph, so they see exactly what `up` would send; the API server's own
admission policies stay the last line of defence.
"""

from __future__ import annotations

from govhub.stacks.policies.evaluate import evaluate
from govhub.stacks.policies.registry import RULES
from govhub.stacks.policies.rule import Level, Rule

__all__ = ["RULES", "Level", "Rule", "evaluate"]
