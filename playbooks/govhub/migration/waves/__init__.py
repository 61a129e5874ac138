"""Which system moves in which wave: constraints, solver, plan file, checks and pictures."""
