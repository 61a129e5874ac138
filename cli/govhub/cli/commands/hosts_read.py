"""``hosts facts``, ``hosts audit`` and ``hosts run``: what reads hosts and asks them, beside what sets them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from govhub.cli.grammar import command
from govhub.cli.options import Detailed, Events, HostTimeout, HubName, Limit, MaxFail, Parallel, Saved, sweep
from govhub.cli.terminal import Terminal
from govhub.cli.views.files import SideFiles
from govhub.cli.views.view import view_of
from govhub.core.errors import UsageError
from govhub.core.exits import Exit

Go = Annotated[bool, typer.Option("--go", help="Do it; without this, hosts and command are only shown.")]
AsRoot = Annotated[bool, typer.Option("--sudo", help="As root.")]
Words = Annotated[
    list[str],
    typer.Argument(metavar="-- COMMAND", help="A program and its arguments, or one quoted shell line."),
]


def register(child: typer.Typer) -> None:
    """Add the commands to ``hosts``."""
    command(child, "facts")(facts)
    command(child, "audit")(audit)
    command(child, "run")(run)


def facts(
    terminal: Terminal,
    hub: HubName,
    *,
    limit: Limit = None,
    saved: Saved = False,
    timeout: HostTimeout = 30.0,
    parallel: Parallel = 20,
) -> int:
    """Read what hosts are and run: hardware, packages, ports, certificates, clock. Never writes to them."""
    from govhub.cli.views.facts import show_facts
    from govhub.ops.hostread import hosts_facts

    document = hosts_facts(sweep(hub, limit, saved, timeout, parallel))
    view_of(terminal).show(document, lambda console: show_facts(console, document, verbose=terminal.verbose))
    return _exit(document)


def audit(
    terminal: Terminal,
    hub: HubName,
    *,
    limit: Limit = None,
    saved: Saved = False,
    detailed: Detailed = False,
    timeout: HostTimeout = 30.0,
    parallel: Parallel = 20,
) -> int:
    """Check hosts against what is declared and against GB/T 22239 level 3. Never writes to them."""
    from govhub.cli.views.audit import show_audit
    from govhub.ops.hostaudit import hosts_audit

    document = hosts_audit(sweep(hub, limit, saved, timeout, parallel))
    view_of(terminal).show(
        document, lambda console: show_audit(console, document, terminal.program, verbose=terminal.verbose)
    )
    if document["problems"]:
        return Exit.UNREACHABLE
    # What could not be verified is not good either.
    return Exit.CHANGES if detailed and document["findings"] else Exit.OK


def run(
    terminal: Terminal,
    hub: HubName,
    words: Words,
    *,
    limit: Limit = None,
    go: Go = False,
    sudo: AsRoot = False,
    timeout: HostTimeout = 60.0,
    parallel: Parallel = 20,
    max_fail: MaxFail = 100,
    events: Events = None,
) -> int:
    """Run a command on hosts, side by side. Dry unless --go is given; what was done is kept in a run folder."""
    from govhub.cli.views.asking import show_run
    from govhub.ops.hostrun import RunCommand, run_command

    if not limit:
        raise UsageError.one(
            "USE006", "on which hosts?", hint="name them with --limit GLOB; --limit '*' is all of them"
        )
    with SideFiles(command="hosts run", hubs=(hub,), events=events) as files:
        document = run_command(
            RunCommand(
                hub=hub,
                words=tuple(words),
                limit=tuple(limit),
                go=go,
                sudo=sudo,
                timeout=timeout,
                parallel=parallel,
                max_fail=max_fail,
                listener=files.listen,
            )
        )
    view_of(terminal).show(document, lambda console: show_run(console, document, verbose=terminal.verbose))
    if document["summary"]["failed"]:
        return Exit.FAILED
    return _exit(document)


def _exit(document: dict[str, Any]) -> Exit:
    return Exit.UNREACHABLE if document["problems"] else Exit.OK
