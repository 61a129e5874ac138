"""``./hub test``: every check and test, in the environment that ./hub made."""

from __future__ import annotations

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.stop_on_first_error = False
CODE = [f"{layer}/govhub" for layer in ("inventories", "stacks", "lab", "playbooks", "monitoring", "cli")]
PYTHONS = ["inventories", "stacks", "lab", "playbooks", "monitoring", "cli", "tests", "noxfile.py"]


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Style and layers."""
    session.run("ruff", "format", "--check", *PYTHONS)
    session.run("ruff", "check", *PYTHONS)
    session.run("lint-imports")
    session.run("ansible-lint", "--offline", "--strict", "playbooks/site.yml", "playbooks/roles", "playbooks/plays")


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Strict types on code and tests."""
    session.run("mypy", *CODE, "tests")


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """All tests; arguments after ``./hub test`` go to pytest (``./hub test -k drift``, ``./hub test --slow``)."""
    # Hosts and clusters are mostly waited for, so two processes take little more than half the time of one.
    sharing = [] if session.posargs else ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder", "--durations=40"]
    # Hundreds of tests start workers and commands: what is ours is compiled once, as the libraries are.
    session.run("python", "-m", "compileall", "-q", *CODE, "tests", env={"PYTHONDONTWRITEBYTECODE": ""})
    session.run("python", "-m", "pytest", *sharing, *session.posargs)
