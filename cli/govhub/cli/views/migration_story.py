"""The story of ``demo migrate`` for people: each step when it is through, and all of them with their times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govhub.cli.i18n import tr

if TYPE_CHECKING:
    from rich.console import Console

    from govhub.cli.views.view import View
    from govhub.ops.migration.demo.story import Told


def show_step(view: View, told: Told) -> None:
    """Tell on stderr that a step is through, and what was seen."""
    labels = _labels()
    view.message(f"{told.seconds:6.1f} s  {_title(told.step, told.about)}")
    for name, value in told.facts.items():
        view.message(f"          {labels.get(name, name)}: {value}")


def show_story(console: Console, document: dict[str, Any]) -> None:
    """All steps with their times."""
    from govhub.cli.views.text import line, row, table

    steps = table(tr("Step"), tr("Seconds"), numbers=(1,))
    for item in document["steps"]:
        row(steps, _title(item["step"], item["about"]), f"{item['seconds']:.1f}")
    row(steps, tr("all of it"), f"{document['seconds']:.1f}")
    console.print(steps)
    line(console, f"{tr('The dossiers stay in')}: {document['dossiers']}")


def _title(step: str, about: str) -> str:
    found = _titles().get(step, step)
    return f"{found}: {about}" if about else found


def _titles() -> dict[str, str]:
    return {
        "boot": tr("An old server and an empty database host boot"),
        "fill": tr("The old server gets databases, and applications that write to them"),
        "up": tr("The database host is brought up by its roles"),
        "assess": tr("The old server is read, and its systems are assessed"),
        "rehearse": tr("Rehearsal on copies, while users write"),
        "copy": tr("Backup, copy and first verification, while users write"),
        "approve": tr("Three parties approve the cutovers"),
        "cutover": tr("Cutover"),
        "roll-back": tr("Roll-back after the cutover"),
        "acceptance": tr("Trial run and acceptance"),
        "retirement": tr("Retirement of the old database"),
        "dossier": tr("The dossiers are written and verified"),
        "down": tr("Everything is taken down"),
    }


def _labels() -> dict[str, str]:
    return {
        "hosts": tr("hosts"),
        "systems": tr("systems"),
        "bytes": tr("bytes"),
        "longest_gap_seconds": tr("longest gap between two writes, in seconds"),
        "database_pause_seconds": tr("of it the databases' pause, in seconds"),
        "verification": tr("final verification"),
        "waiting": tr("wait for approval"),
        "writes_acknowledged": tr("writes that the application acknowledged"),
        "writes_lost": tr("acknowledged writes that are lost"),
        "written_on_target": tr("written on the target since the cutover"),
        "preserved_on_source": tr("of them on the source now"),
        "databases_left": tr("databases on the old server"),
        "folder": tr("folder"),
    }
