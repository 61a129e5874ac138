"""Use cases: what the commands do, without Typer and without printing."""
