"""Runs as a picture (SVG): a bar a step, from its beginning to its end.

A copy takes minutes, the pause of writes seconds and a trial run a month. So the axis is not linear: the time between
two neighbouring beginnings or ends is as wide as the logarithm of its seconds. Order and simultaneity are as they were;
how long something took is written beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from html import escape
from itertools import pairwise
from typing import Any

from govhub.cli.i18n import language, tr
from govhub.cli.views.svg import empty, opening, short
from govhub.cli.views.wave import duration
from govhub.migration.dossier.words import STEPS, say

Document = dict[str, Any]
LABELS, CHART, ROW, HEAD, FOOT, GAP = 250, 1000, 20, 96, 20, 30
NAME = 34
"""Latin letters of a row's label that have room."""
_TICK = 132
"""Pixels between two times that are written below each other's line."""
_KINDS = {
    "preparation": ("#5f7392", ("Application", "Target", "Backup")),
    "copy": ("#2b5ea7", ("DatabaseCopy", "FileCopy", "Deployment", "Replication")),
    "verification": ("#1f6f43", ("Verification", "FinalVerification", "ReverseVerification", "ServiceTest")),
    "people and time": ("#b98a1d", ("CutoverApproval", "Window", "TrialRun", "Acceptance", "RetirementApproval")),
    "pause and switch": (
        "#b3261e",
        ("WritesStopped", "Drained", "Switched", "TargetWritesStopped", "ReverseDrained", "SwitchedBack"),
    ),
}
_OTHER = "#777777"


def timeline_svg(document: Document) -> str:
    """The picture: a row a step for one system, a row a system for several."""
    rows = list(_by_step(document["systems"][0]) if len(document["systems"]) == 1 else _by_system(document))
    if not any(steps for _, _, steps in rows):
        return empty(f"{document['hub']}: {tr('no run yet')}")
    return _Picture(document, rows).svg()


Rows = list[tuple[str, bool, list[Document]]]
"""Label, whether it is a title, and the steps of the row."""


def _by_step(system: Document) -> Iterator[tuple[str, bool, list[Document]]]:
    run = ""
    for step in system["steps"]:
        if step["run"] != run:
            run = step["run"]
            yield run, True, []
        name = step["step"]
        yield say(STEPS[name], "zh") if language() == "zh" and name in STEPS else name, False, [step]


def _by_system(document: Document) -> Iterator[tuple[str, bool, list[Document]]]:
    for system in document["systems"]:
        yield system["system"], False, system["steps"]


class _Picture:
    def __init__(self, document: Document, rows: Rows) -> None:
        self.document, self.rows = document, rows
        self.single = len(document["systems"]) == 1
        self.now = datetime.fromisoformat(document["at"])
        times = {time for _, _, steps in rows for step in steps for time in self._ends(step)}
        self.places = _places(sorted(times))
        self.height = HEAD + sum(GAP if title else ROW for _, title, _ in rows) + FOOT

    def svg(self) -> str:
        width = LABELS + CHART + 130
        systems = self.document["systems"]
        what = systems[0]["system"] if self.single else f"{len(systems)} {tr('systems')}"
        head = f"{self.document['hub']}: {what}"
        parts = [
            *opening(head, width, self.height),
            *self._legend(),
            *self._ticks(),
        ]
        y = HEAD
        for label, title, steps in self.rows:
            parts += self._row(label, title, steps, y)
            y += GAP if title else ROW
        return "\n".join([*parts, "</svg>"]) + "\n"

    def _ends(self, step: Document) -> tuple[datetime, datetime]:
        begun = datetime.fromisoformat(step["begun"])
        ended = datetime.fromisoformat(step["ended"]) if step["ended"] else max(self.now, begun)
        return begun, ended

    def _legend(self) -> Iterator[str]:
        words = {
            "preparation": tr("preparation"),
            "copy": tr("copy"),
            "verification": tr("verification"),
            "people and time": tr("people and time"),
            "pause and switch": tr("pause and switch"),
        }
        x = 12
        for name, (colour, _) in _KINDS.items():
            yield f'<rect x="{x}" y="38" width="12" height="9" fill="{colour}"/>'
            yield f'<text x="{x + 16}" y="47">{escape(words[name])}</text>'
            x += 130
        note = tr("widths are logarithms of durations")
        yield f'<text x="{x}" y="47" fill="#666">{escape(note)}</text>'

    def _ticks(self) -> Iterator[str]:
        last = -math.inf
        for time, place in self.places.items():
            x = round(LABELS + place * CHART, 1)
            if x - last < _TICK:
                continue
            last = x
            yield f'<line x1="{x}" y1="{HEAD - 22}" x2="{x}" y2="{self.height - FOOT}" stroke="#dddddd"/>'
            yield f'<text x="{x + 3}" y="{HEAD - 14}" fill="#444">{time:%Y-%m-%d %H:%M:%S}Z</text>'

    def _row(self, label: str, title: bool, steps: list[Document], top: int) -> Iterator[str]:
        if title:
            yield f'<text x="12" y="{top + 21}" font-weight="bold" fill="#1c3f73">{escape(label)}</text>'
            return
        yield f'<text x="{24 if self.single else 12}" y="{top + 14}">{escape(short(label, NAME))}</text>'
        for step in steps:
            yield from self._bar(step, top)

    def _bar(self, step: Document, top: int) -> Iterator[str]:
        begun, ended = self._ends(step)
        left, right = (LABELS + self.places[time] * CHART for time in (begun, ended))
        colour = next((colour for colour, names in _KINDS.values() if step["step"] in names), _OTHER)
        took = duration((ended - begun).total_seconds())
        # What is not through yet has no end: its bar is open.
        style = f'fill="{colour}"' if step["ended"] else f'fill="{colour}" fill-opacity="0.3" stroke="{colour}"'
        said = f"{step['run']}: {step['step']}: {took}" + ("" if step["ended"] else f" ({tr('running')})")
        width = max(round(right - left, 1), 2.0)
        yield f'<rect x="{round(left, 1)}" y="{top + 5}" width="{width}" height="11" {style}>'
        yield f"<title>{escape(said)}</title></rect>"
        for failure in step["failures"]:
            x = round(LABELS + self._place(datetime.fromisoformat(failure["time"])) * CHART, 1)
            yield f'<text x="{x - 4}" y="{top + 15}" fill="#b3261e" font-weight="bold">×<title>'
            yield f"{escape(failure['problem'][:200])}</title></text>"
        if self.single:
            yield f'<text x="{round(left + width + 4, 1)}" y="{top + 14}" fill="#444">{escape(took)}</text>'

    def _place(self, time: datetime) -> float:
        """A time between two places, in proportion."""
        earlier = [item for item in self.places if item <= time]
        later = [item for item in self.places if item > time]
        if not earlier or not later:
            return 0.0 if not earlier else 1.0
        part = (time - earlier[-1]) / (later[0] - earlier[-1])
        return self.places[earlier[-1]] + part * (self.places[later[0]] - self.places[earlier[-1]])


def _places(times: list[datetime]) -> dict[datetime, float]:
    """Where each time stands between 0 and 1."""
    widths = [math.log2(1 + (after - before).total_seconds()) for before, after in pairwise(times)]
    whole = sum(widths) or 1.0
    found, at = {}, 0.0
    for index, time in enumerate(times):
        found[time] = at / whole
        at += widths[index] if index < len(widths) else 0.0
    return found
