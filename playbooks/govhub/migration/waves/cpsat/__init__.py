"""CP-SAT, Google's constraint solver: the one module that imports ``ortools``, an extra of govhub.

One worker with a fixed seed and a budget in the solver's own deterministic time: the same hub gives the same plan on
every machine. The limit in seconds is only there so that a very slow machine comes to an end; a plan that it cut short
says so.
"""

from govhub.migration.waves.cpsat.assign import Packed, pack
from govhub.migration.waves.cpsat.rules import RuleModel, Share, conflict
from govhub.migration.waves.cpsat.solving import available

__all__ = ["Packed", "RuleModel", "Share", "available", "conflict", "pack"]
