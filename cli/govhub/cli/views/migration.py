"""Migrations for people: runs, the board, approvals and dossiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govhub.cli.i18n import language, tr, trn
from govhub.core.text import and_more

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.cli.views.view import View
    from govhub.core.events import Event

Document = dict[str, Any]
_NAMED = 4
"""Systems of a stage that the board names; the JSON form has all."""
_STYLES = {"done": "green", "waiting": "yellow", "failed": "bold red", "refused": "bold red"}


_ACTIONS = {
    "return": lambda: tr("back to the source by itself"),
    "report": lambda: tr("people have to decide"),
    "held": lambda: tr("the automatic return is held"),
    "outside of the window": lambda: tr("no automatic return outside of the window"),
    "way back interrupted": lambda: tr("no automatic return: the way back is interrupted"),
    "rehearsal": lambda: tr("would have fired"),
}


def show_event(view: View, event: Event) -> None:
    """Tell on stderr what is entered into the record."""
    data = event.data
    if event.kind == "phase-finished":
        view.message(f"{data['run']}: {data['phase']}: {tr('done')}")
    elif event.kind == "lease-taken-over":
        view.message(f"{data['run']}: {tr('taken over from a worker that is gone')}")
    elif event.kind == "plan-changed":
        view.message(f"{data['run']}: {tr('the plan has changed')}")
    elif event.kind == "return-triggered":
        view.message(f"{data['run']}: {_ACTIONS[data['action']]()}: {data['problem']}")


def show_held(console: Console, document: Document) -> None:
    """Whether the automatic return is held."""
    from govhub.cli.views.text import line

    said = tr("the automatic return is held") if document["held"] else tr("the automatic return is no longer held")
    line(console, f"{document['run']}: {said}")


_APPROVING = ("WaitForCutoverApproval", "WaitForAcceptance", "WaitForRetirementApproval")


def show_runs(console: Console, document: Document, program: str) -> None:
    """Where each system came to."""
    from govhub.cli.views.text import line

    if not document["systems"]:
        line(console, tr("No run is open."))
    for item in document["systems"]:
        where = f" {item['phase']}" if item.get("phase") else ""
        line(console, f"{item['system']}: {state_word(item['state'])}{where}", style=_STYLES[item["state"]])
        if item.get("reason"):
            line(console, f"  {item['reason']}")
        for problem in item["problems"]:
            source = "{file}:{line}:{column}: ".format(**problem["source"]) if problem.get("source") else ""
            line(console, f"  {problem['severity']}[{problem['code']}] {source}{problem['summary']}")
            for detail in problem.get("detail", "").splitlines():
                line(console, f"    {detail}")
            if problem.get("hint"):
                line(console, f"  {tr('hint')}: {problem['hint']}", style="dim")
    if document["summary"]["waiting"]:
        approving = [item["system"] for item in document["systems"] if item.get("phase") in _APPROVING]
        more = f"approve {document['hub']} {approving[0]} --party … --as … --key …" if len(approving) == 1 else ""
        line(console, f"{tr('Next')}: {program} migrate {more or 'status ' + document['hub']}")


def show_board(console: Console, document: Document) -> None:
    """Systems by stage."""
    from govhub.cli.views.text import heading, line, row, table

    line(console, document["hub"], style="bold")
    board = table(tr("Stage"), tr("Systems"), "", numbers=(1,))
    for stage in document["stages"]:
        row(board, _title(stage["title"]), len(stage["systems"]), and_more(stage["systems"], _NAMED))
    row(board, tr("not begun"), len(document["not_begun"]), and_more(document["not_begun"], _NAMED))
    console.print(board)
    busy = [item for item in document["systems"] if item["run"]]
    if busy:
        heading(console, tr("Open runs"))
        runs = table(tr("System"), tr("Itinerary"), tr("Phase"), tr("State"), tr("Since"), tr("Waits for"))
        for item in busy:
            row(
                runs,
                item["system"],
                item["itinerary"],
                item["phase"] or "",
                state_word(item["state"]),
                item["waits_since"] or "",
                item["waits_for"] or "",
            )
        console.print(runs)
    for item in document["systems"]:
        if item["problem"]:
            line(
                console, f"{item['system']}: [{item['problem']['code']}] {item['problem']['summary']}", style="bold red"
            )


def show_system(console: Console, document: Document) -> None:
    """One system's runs, and the phases of the last one."""
    from govhub.cli.views.text import heading, line, row, table

    stage = f"{_title(document['title'])} ({document['since']})" if document["title"] else tr("not begun")
    line(console, f"{document['system']}: {stage}", style="bold")
    if document["wave"] is not None:
        when = f" ({document['planned_cutover']})" if document["planned_cutover"] else ""
        line(console, f"{tr('Wave')} {document['wave']}{when}")
    users = tr("users are on the target") if document["switched"] else tr("users are on the source")
    line(console, f"{users}; {trn('{count} event', '{count} events', document['events'])}")
    for run in document["runs"][:-1]:
        line(console, f"{run['run']}: {state_word(run['state'])} ({run['started']})", style="dim")
    if document["expected"]:
        from govhub.cli.views.cutover import show_ahead

        heading(console, tr("The cutover that is ahead"))
        show_ahead(console, [document["expected"]])
    if not document["runs"]:
        return
    run = document["runs"][-1]
    which = f"{run['itinerary']} {run['version']}, {run['started']}"
    heading(console, f"{run['run']}: {state_word(run['state'])} ({which})")
    phases = table(tr("Phase"), tr("State"), tr("Since"), tr("Finished"))
    for item in run["phases"]:
        row(phases, item["phase"], state_word(item["state"]), item["started"] or "", item["finished"] or "")
    console.print(phases)
    for move, mover in run["movers"].items():
        line(console, f"{tr('Tools run on')} {mover}: {move}")
    for item in run["phases"]:
        if item["reason"]:
            line(console, f"{item['phase']}: {item['reason']}", style=_STYLES.get(item["state"], ""))


def show_approval(console: Console, document: Document, program: str) -> None:
    """What was signed, and what is missing."""
    from govhub.cli.views.text import line

    said = document["statement"]
    line(
        console, f"{said['system']}: {said['gate']}: {said['name']} ({said['party']}): {said['decision']}", style="bold"
    )
    line(console, f"{tr('holds until')} {said['expires']}; {tr('event')} {document['seq']}")
    if document["open"]:
        line(console, f"{tr('All three parties have approved')}. {tr('Next')}: {program} migrate run {document['hub']}")
    elif document["missing"]:
        line(console, f"{tr('still missing')}: {', '.join(document['missing'])}")
    for problem in document["problems"]:
        line(console, f"[{problem['code']}] {problem['summary']}", style="yellow")


def show_approvals(console: Console, document: Document, program: str) -> None:
    """One party's word on several systems, and those that it could not be given for."""
    from govhub.cli.views.text import line

    for item in document["approvals"]:
        show_approval(console, item | {"hub": document["hub"]}, program)
    for item in document["refused"]:
        for problem in item["problems"]:
            line(console, f"{item['system']}: [{problem['code']}] {problem['summary']}", style="bold red")
            if problem.get("hint"):
                line(console, f"  {tr('hint')}: {problem['hint']}", style="dim")


def show_exported(console: Console, document: Document, program: str) -> None:
    """What was written, and how to check it."""
    from govhub.cli.views.text import line

    line(console, f"{document['system']}: {trn('{count} event', '{count} events', document['events'])}", style="bold")
    for name in document["files"]:
        line(console, f"  {document['folder']}/{name}")
    line(console, f"{tr('last hash')} {document['last_hash']}")
    if not document["sealed"]:
        line(console, tr("Not sealed: this machine has no key of the hub."), style="yellow")
    line(console, f"{tr('Next')}: {program} migrate dossier verify {document['folder']}")


def show_checked(console: Console, document: Document) -> None:
    """Whether a dossier is whole; else what is not."""
    from govhub.cli.views.text import line

    for problem in document["problems"]:
        line(console, f"{problem['severity']}[{problem['code']}] {problem['summary']}", style="bold red")
    if document["intact"]:
        count = trn("{count} event", "{count} events", document["events"])
        signed = trn("{count} signature", "{count} signatures", document["signatures"])
        line(console, f"{document['folder']}: {tr('intact')}: {count}, {signed}", style="green")
        line(console, f"{tr('last hash')} {document['last_hash']}")
        if document["sealed"]:
            line(console, tr("sealed by the hub's key"))
    else:
        line(console, f"{document['folder']}: {tr('not intact')}", style="bold red")


def _title(title: dict[str, str]) -> str:
    return title["zh"] if language() == "zh" else title["en"]


def state_word(state: str) -> str:
    """The state of a run or phase, in the language in use."""
    words = {
        "done": tr("done"),
        "waiting": tr("waiting"),
        "failed": tr("failed"),
        "refused": tr("refused"),
        "running": tr("running"),
        "to do": tr("to do"),
        "superseded": tr("superseded"),
    }
    return words.get(state, state)
