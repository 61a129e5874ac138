"""How the solver is set up, for all that use it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

SEED = 20240501


def available() -> bool:
    """Whether the solver is installed."""
    return find_spec("ortools") is not None


def make_solver(systems: int, seconds: float, *, quick: bool) -> Any:
    """A solver with a budget that grows with the number of systems; ``quick`` is for questions of yes or no."""
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.max_time_in_seconds = seconds
    # Strong relaxations find good orders at once; looking for symmetries and probing take longer than they save here.
    solver.parameters.linearization_level = 2
    solver.parameters.cp_model_probing_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.max_deterministic_time = 0.3 + min(systems, 1000) / (200 if quick else 400)
    return solver


def cut_short(solver: Any, status: Any, seconds: float) -> bool:
    """Whether the limit in seconds ended it, not the deterministic budget."""
    from ortools.sat.python import cp_model

    return bool(status != cp_model.OPTIMAL and solver.wall_time >= seconds)
