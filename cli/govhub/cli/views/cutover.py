"""Cutovers before they begin, and sources after they have left, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from govhub.cli.i18n import tr
from govhub.cli.views.wave import duration

if TYPE_CHECKING:
    from rich.console import Console

Document = dict[str, Any]


def show_ahead(console: Console, ahead: list[Document]) -> None:
    """What each cutover is expected to take, and until when it may begin so that there is time to return."""
    from govhub.cli.views.text import line, row, table

    if not ahead:
        return
    titles = (tr("System"), tr("pause of writes"), tr("service test"), tr("return"), tr("window"), tr("begin by"))
    out = table(*titles, tr("measured in"), numbers=(1, 2, 3))
    for item in ahead:
        seconds, window = item["seconds"], item["window"]
        figures = [_known(seconds[name]) for name in ("pause", "test", "return")]
        row(
            out,
            item["system"],
            *figures,
            f"{_minute(window['begins'])} – {_minute(window['ends'])}",
            _latest(item),
            ", ".join(item["measured_in"]),
        )
    console.print(out)
    for text in dict.fromkeys(text for item in ahead for text in item["assumed"]):
        line(console, f"{tr('assumed')}: {text}", style="dim")


def show_retirement(console: Console, document: Document, program: str) -> None:
    """What sources held, the evidence that they are wiped, the change of the files, and how to make it."""
    from govhub.cli.views.machines import show_diff
    from govhub.cli.views.text import heading, line, row, table

    if not document["sources"]:
        return
    words = {
        "gone": tr("has left"),
        "needed": tr("still needed"),
        "free": tr("can leave"),
        "left now": tr("has left now"),
    }
    heading(console, tr("Sources"))
    out = table(tr("Source"), tr("State"), tr("needed by"), tr("rack"), "U", "W", tr("address"), numbers=(4, 5))
    for item in document["sources"]:
        cells = (item["rack"] or "", item["units"] or "", item["watts"] or "", item["address"] or "")
        row(out, item["source"], words[item["state"]], ", ".join(item["needed_by"]), *cells)
    console.print(out)
    for item in document["sources"]:
        for one in item["wiped"]:
            proof = f"{one['run']}, {tr('event')} {one['event']}, {one['digest']}"
            line(console, f"{item['source']}: {tr('wiped')}: {proof}")
    for item in document["freed"]:
        before, after = item["before"], item["after"]
        room = f"U {before['units']:g} → {after['units']:g}, kW {before['kw']:g} → {after['kw']:g}"
        line(console, f"{item['rack']}: {tr('free')}: {room}")
    if document["diff"]:
        show_diff(console, document["diff"])
        if not document["written"]:
            free = [item["source"] for item in document["sources"] if item["state"] == "free"]
            systems = " ".join(item["system"] for item in document["systems"])
            confirm = " ".join(f"--confirm {name}" for name in free)
            line(console, f"{tr('Next')}: {program} migrate retire {document['hub']} {systems} {confirm}")


def _latest(item: Document) -> str:
    if item["latest"]:
        return _minute(item["latest"])
    return tr("unknown") if item["seconds"]["total"] is None else tr("too short")


def _known(value: float | None) -> str:
    return tr("unknown") if value is None else duration(value)


def _minute(text: str) -> str:
    """A time to the minute; its date and zone are what people decide by."""
    return text[:16].replace("T", " ")
