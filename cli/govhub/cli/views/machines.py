"""Enrolled and retired machines, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console

from govhub.cli.i18n import tr, trn
from govhub.cli.views.text import amount, diagnostics, heading, line, more, row, safe, table

if TYPE_CHECKING:
    from govhub.ops.enrol import EnrolResult
    from govhub.ops.matching import Match
    from govhub.ops.retire import RetireResult
    from govhub.ops.wiping import Leaving

FEW = 10
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show_enrolled(console: Console, result: EnrolResult, program: str, *, verbose: bool = False) -> None:
    """What was found, the change of the files, what is wrong, and what to do next."""
    if result.matches:
        console.print(_machines(result.matches))
    show_diff(console, result.trial.diff)
    if result.problems:
        line(console)
        diagnostics(console, result.problems, verbose=verbose)
    line(console)
    if result.trial.errors:
        line(console, tr("Nothing was written: the hub would not be valid."), style="bold red")
    elif result.written or result.acted:
        _done(console, result, program)
    elif result.trial.diff or (result.wanted and result.matches):
        line(console, f"{tr('Nothing was written or switched. To do it, add')}: --yes", style="bold")
    else:
        line(console, tr("Nothing to write."), style="bold")


def show_diff(console: Console, text: str) -> None:
    """A unified diff in its usual colours; the signs say the same without."""
    if text:
        heading(console, tr("Change of the hub's files"))
    for part in text.splitlines():
        line(console, safe(part), style=_DIFF_STYLES.get(part[:1], ""))


def _machines(matches: list[Match]) -> object:
    words = {
        "known": tr("known"),
        "moved": tr("known, at another address"),
        "declared": tr("fits a declared host"),
        "new": tr("new"),
        "replaced": tr("replaces"),
        "unnamed": tr("not named"),
        "refused": tr("refused"),
    }
    titles = (tr("serial number"), tr("model"), tr("cores"), "GiB", tr("storage"), tr("power"), tr("boots from"))
    out = table(tr("Controller"), tr("Host"), tr("state"), *titles, numbers=(5, 6, 7))
    for match in matches:
        told = match.machine
        cores = f"{told.cores} {told.arch or ''}".strip() if told.cores else tr("unknown")
        memory = amount(told.memory / 2**30) if told.memory else tr("unknown")
        storage = f"{told.storage / 1e12:.1f} TB" if told.storage else tr("unknown")
        cells = (told.serial, told.model, cores, memory, storage, told.power or tr("unknown"), told.boot)
        row(out, match.bmc, match.name, words[match.status], *cells)
    return out


def _done(console: Console, result: EnrolResult, program: str) -> None:
    if result.written:
        files = ", ".join(f"{result.hub}/{file}" for file in sorted(result.trial.after))
        line(console, f"{tr('Written')}: {files}", style="bold")
    if result.acted:
        count = trn("{count} machine", "{count} machines", len(result.acted))
        line(console, f"{', '.join(result.wanted)}: {count}", style="bold")
    if result.stale_key:
        line(
            console,
            f"{tr('The SSH host key on record is that of the former machine. To let go of it')}: "
            f"ssh-keygen -R {result.stale_key}",
            style="yellow",
        )
    if result.written:
        line(console, f"{tr('Next')}: {program} plan {result.hub} --layer hosts")


def show_retired(console: Console, result: RetireResult, *, verbose: bool = False) -> None:
    """Who leaves, what was wiped and how, what that frees, and what to do next."""
    console.print(_leaving(result.hosts))
    _pods_that_go(console, result.hosts, verbose=verbose)
    if any(item.evidence for item in result.hosts):
        heading(console, tr("Evidence"))
        console.print(_evidence(result.hosts, verbose=verbose))
    show_diff(console, result.trial.diff)
    if result.room["racks"]:
        _freed(console, result.room)
    if result.problems:
        line(console)
        diagnostics(console, result.problems, verbose=verbose)
    line(console)
    if result.record:
        line(console, f"{tr('Record')}: {result.record}")
    else:
        names = " ".join(f"--confirm {item.host.name}" for item in result.hosts)
        line(console, f"{tr('Nothing was done. To do it, add')}: {names}", style="bold")


def _leaving(hosts: list[Leaving]) -> object:
    words = {"planned": tr("would leave"), "retired": tr("retired"), "stays": tr("stays")}
    titles = (tr("Host"), tr("rack"), tr("serial number"), tr("pods that go"), tr("state"), tr("wiped"))
    out = table(*titles, numbers=(3,))
    for item in hosts:
        # A host that is no node has none; one that could not be asked is another matter.
        pods = f"{len(item.occupants.pods):,}" if item.occupants else tr("unknown") if item.is_node else "–"
        wiped = "" if item.wiped is None else tr("yes") if item.wiped else tr("no")
        row(out, item.host.name, item.host.rack, item.host.serial or tr("unknown"), pods, words[item.status], wiped)
    return out


def _pods_that_go(console: Console, hosts: list[Leaving], *, verbose: bool) -> None:
    nodes = [(item.host.name, item.occupants) for item in hosts if item.occupants and item.occupants.pods]
    if nodes:
        heading(console, tr("Pods that go"))
    for name, found in nodes:
        line(console, f"  {name}: {', '.join(map(safe, found.pods if verbose else found.pods[:FEW]))}")
        more(console, 0 if verbose else len(found.pods) - FEW, "  ")
        if found.interrupts:
            line(
                console, f"    {tr('stands still meanwhile')}: {', '.join(map(safe, found.interrupts))}", style="yellow"
            )


def _evidence(hosts: list[Leaving], *, verbose: bool) -> object:
    words = {
        "cleared": tr("cleared"),
        "purged": tr("purged"),
        "removed": tr("removed, not wiped"),
        "kept": tr("not touched"),
        "failed": tr("failed"),
        "absent": tr("absent"),
    }
    out = table(tr("Host"), tr("what"), tr("result"), tr("files"), "MiB", tr("method"), tr("reason"), numbers=(3, 4))
    for item in hosts:
        for one in item.evidence:
            if verbose or one.result != "absent":
                cells = (words[one.result], one.files, amount(one.bytes / 2**20))
                row(out, item.host.name, one.what, *cells, one.method, one.why)
    return out


def _freed(console: Console, room: dict[str, Any]) -> None:
    heading(console, tr("Room"))
    racks = table(tr("Rack"), tr("units free"), "", "kW", "", "kg", "", numbers=(1, 2, 3, 4, 5, 6))
    for item in room["racks"]:
        row(racks, item["rack"], *_pairs(item, ("units", "kw", "kg")))
    console.print(racks)
    if room["clusters"]:
        clusters = table(tr("Cluster"), tr("nodes"), "", tr("cores"), "", "GiB", "", numbers=(1, 2, 3, 4, 5, 6))
        for item in room["clusters"]:
            row(clusters, item["cluster"], *_pairs(item, ("nodes", "cores", "gib")))
        console.print(clusters)


def _pairs(item: dict[str, Any], keys: tuple[str, ...]) -> list[str]:
    """Before and after, side by side."""
    return [text for key in keys for text in (amount(item["before"][key]), f"→ {amount(item['after'][key])}")]
