"""Migrations as pages for a pull request: the board, one system, and a plan of waves."""

from __future__ import annotations

from typing import Any

from govhub.cli.i18n import language, tr
from govhub.cli.views.migration import state_word
from govhub.cli.views.page import Page, code, prose
from govhub.cli.views.wave import duration, size

Document = dict[str, Any]


def board_page(document: Document, program: str) -> str:
    """Counts by stage, open runs, and what is broken."""
    page = Page(f"migrate status {document['hub']}")
    page.add(f"### govhub migrate status {prose(document['hub'])}")
    for item in document["systems"]:
        if item["problem"]:
            problem = item["problem"]
            page.add("", f"❌ {code(item['system'])} {code(problem['code'])} {prose(problem['summary'])}")
    rows = [(prose(_title(stage["title"])), str(len(stage["systems"]))) for stage in document["stages"]]
    page.table((tr("Stage"), tr("Systems")), [*rows, (tr("not begun"), str(len(document["not_begun"])))], share=0.2)
    busy = [item for item in document["systems"] if item["run"]]
    if busy:
        page.add(f"**{tr('Open runs')}**")
        titles = (tr("System"), tr("Wave"), tr("Itinerary"), tr("Phase"), tr("State"), tr("Since"), tr("Waits for"))
        page.table(titles, [_busy(item) for item in busy], share=0.6)
    page.add(f"**{tr('All systems')}**")
    systems = [
        (code(item["system"]), str(item["wave"] or ""), prose(_title(item["title"])), prose(item["since"] or ""))
        for item in document["systems"]
    ]
    page.table((tr("System"), tr("Wave"), tr("Stage"), tr("Since")), systems)
    _everything(page, f"{program} migrate status {document['hub']}")
    return page.text()


def system_page(document: Document, program: str) -> str:
    """One system: stage, what its cutover is expected to take, and the phases of its runs, the last one first."""
    page = Page(f"migrate status {document['hub']} {document['system']}")
    page.add(f"### govhub migrate status {prose(document['hub'])}: {prose(document['system'])}")
    page.add("", f"{tr('Stage')}: {prose(_title(document['title']))} {prose(document['since'] or '')}")
    page.add("", tr("users are on the target") if document["switched"] else tr("users are on the source"))
    if ahead := document["expected"]:
        seconds = ahead["seconds"]
        cells = [tr("unknown") if seconds[name] is None else duration(seconds[name]) for name in _PARTS]
        titles = (tr("pause of writes"), tr("service test"), tr("return"), tr("window"), tr("begin by"))
        window = f"{ahead['window']['begins']} – {ahead['window']['ends']}"
        page.add("", f"**{tr('The cutover that is ahead')}**")
        page.table(titles, [(*cells, prose(window), prose(ahead["latest"] or ""))])
        page.items(prose(text) for text in ahead["assumed"])
    for run in reversed(document["runs"]):
        page.add("", f"**{code(run['run'])}**: {state_word(run['state'])}")
        rows = [
            (
                code(item["phase"]),
                state_word(item["state"]),
                prose(item["started"] or ""),
                prose(item["finished"] or ""),
                prose(item["reason"] or ""),
            )
            for item in run["phases"]
        ]
        page.table((tr("Phase"), tr("State"), tr("Since"), tr("Finished"), tr("Waits for")), rows, share=0.7)
    if document["last_hash"]:
        page.add("", f"{tr('last hash')} {code(document['last_hash'])}")
    _everything(page, f"{program} migrate status {document['hub']} {document['system']}")
    return page.text()


def plan_page(document: Document, program: str) -> str:
    """A plan of waves: what is wrong, the waves with what bounds them, then each system with its night."""
    page = Page(f"migrate plan {document['hub']}")
    summary = document["summary"]
    head = f"{summary['systems']} {tr('systems')}, {summary['waves']} {tr('waves')}"
    page.add(f"### govhub migrate plan {prose(document['hub'])}: {head}")
    page.add("", f"{summary['first_cutover'] or '?'} – {summary['last_cutover'] or '?'}, {prose(document['method'])}")
    found = [item for item in document["diagnostics"] if item["severity"] != "note"]
    if found:
        rows = [(item["severity"], code(item["code"]), prose(item["summary"])) for item in found]
        page.table((tr("Finding"), "", tr("What")), rows, share=0.4)
    titles = (tr("Wave"), tr("from"), tr("to"), tr("systems"), tr("person-days"), tr("data"), tr("fullest"))
    page.table(titles, [_wave(wave) for wave in document["waves"]], share=0.4)
    for wave in document["waves"]:
        page.add("<details>", f"<summary>{tr('Wave')} {wave['wave']}</summary>")
        systems = [
            (item["cutover"] or "", code(item["system"]), f"T{item['tier']}", size(item["bytes"]), _teams(item))
            for item in wave["systems"]
        ]
        page.table((tr("cutover"), tr("System"), "", tr("data"), tr("teams")), systems, share=0.9)
        page.add("</details>", "")
    _everything(page, f"{program} migrate plan {document['hub']}")
    return page.text()


_PARTS = ("pause", "test", "return")


def _everything(page: Page, command: str) -> None:
    page.add("", f"{tr('Everything')}: {code(command + ' --json')}")


def _wave(wave: Document) -> tuple[str, ...]:
    binding = wave["binding"]
    fullest = f"{prose(binding['constraint'])} {binding['ratio']:.0%}" if binding else ""
    effort = sum(item["person_days"] for item in wave["systems"])
    data = size(sum(item["bytes"] for item in wave["systems"]))
    return (
        str(wave["wave"]),
        wave["begins"] or "?",
        wave["ends"] or "?",
        str(len(wave["systems"])),
        f"{effort:g}",
        data,
        fullest,
    )


def _teams(item: Document) -> str:
    return prose(", ".join(item["teams"]))


def _busy(item: Document) -> tuple[str, ...]:
    return (
        code(item["system"]),
        str(item["wave"] or ""),
        prose(item["itinerary"]),
        code(item["phase"] or ""),
        state_word(item["state"]),
        prose(item["waits_since"] or ""),
        prose(item["waits_for"] or ""),
    )


def _title(title: dict[str, str] | None) -> str:
    return title[language()] if title else tr("not begun")
